"""Sessions of people: begun at sign-in, seen now and then, ended at once."""

from datetime import datetime
from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from crm.actions.security_events import record_event
from crm.models import OpenSession, SecurityMatter, User
from crm.visitor import Visitor


@transaction.atomic
def begin_session(*, user: User, key: str, way: str, visitor: Visitor) -> OpenSession:
    """Note that somebody has signed in with a browser."""
    now = timezone.now()
    values = {
        "user": user,
        "way": way,
        "address": visitor.address,
        "device": visitor.device,
        "signed_in_at": now,
        "last_seen_at": now,
    }
    session, _is_new = OpenSession.objects.update_or_create(key=key, defaults=values)
    return session


def note_seen(*, number: int, visitor: Visitor, now: datetime) -> None:
    """Note that a session is in use, and from where."""
    OpenSession.objects.filter(pk=number).update(last_seen_at=now, address=visitor.address, device=visitor.device)


def note_new_key(*, number: int, key: str) -> None:
    """Follow a session to the key that it has got, as it does when the password changes."""
    OpenSession.objects.filter(pk=number).update(key=key)


def sessions_of(user: User) -> list[OpenSession]:
    """The sessions that let a person in now: neither ended nor run out, nor older than his password or role."""
    sessions = list(OpenSession.objects.of(user))
    stored = Session.objects.filter(pk__in=[session.key for session in sessions], expire_date__gt=timezone.now())
    present = user.get_session_auth_hash()
    alive = {row.pk for row in stored if row.get_decoded().get(HASH_SESSION_KEY) == present}
    return [session for session in sessions if session.key in alive]


@transaction.atomic
def end_session(*, session: OpenSession, by: User, visitor: Visitor) -> None:
    """End one session at once: its next request is asked to sign in."""
    _end([session])
    record_event(SecurityMatter.SESSIONS_ENDED, user=session.user, by=by, visitor=visitor)


@transaction.atomic
def end_sessions_of(*, user: User, by: User, visitor: Visitor, keep: str = "") -> int:
    """End all sessions of a person but the one with the key to `keep`. Returns how many were alive."""
    alive = [session for session in sessions_of(user) if session.key != keep]
    _end([session for session in OpenSession.objects.of(user) if session.key != keep])
    if alive:
        record_event(SecurityMatter.SESSIONS_ENDED, user=user, by=by, visitor=visitor)
    return len(alive)


def forget_session(*, key: str) -> None:
    """Forget a session that its own person has ended."""
    OpenSession.objects.filter(key=key).delete()


@transaction.atomic
def forget_run_out_sessions(*, now: datetime) -> int:
    """Delete the sessions whose time is up. Returns how many."""
    deleted, _by_model = Session.objects.filter(expire_date__lt=now).delete()
    OpenSession.objects.exclude(key__in=Session.objects.values("pk")).delete()
    return deleted


def _end(sessions: list[OpenSession]) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for session in sessions:
        store.delete(session.key)
    OpenSession.objects.filter(pk__in=[session.pk for session in sessions]).delete()
