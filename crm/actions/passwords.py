"""Passwords of people: changed, and remembered so that none comes back soon."""

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.utils import timezone

from crm.actions.changes import record_change, snapshot
from crm.actions.open_sessions import end_sessions_of
from crm.actions.security_events import record_event
from crm.models import FormerPassword, SecurityMatter, User, Way
from crm.visitor import Visitor


@transaction.atomic
def change_password(*, user: User, password: str, by: User | None, visitor: Visitor, keep: str = "") -> None:
    """Give a person the password that he has chosen, and end every session but the one with the key to `keep`.

    Without `by` it is somebody who came by the link of an e-mail.
    """
    stored = User.objects.select_for_update().get(pk=user.pk)
    before = snapshot(stored)
    user.set_password(password)
    user.save(update_fields=["password"])
    stored.password = user.password
    record_change(stored, before=before, by=by or user, way=Way.FORM)
    what = SecurityMatter.PASSWORD_CHANGED if by else SecurityMatter.PASSWORD_RESET
    record_event(what, user=user, by=by, visitor=visitor)
    end_sessions_of(user=user, by=by or user, visitor=visitor, keep=keep)


@transaction.atomic
def remember_password(*, user: User) -> None:
    """Keep the hash of a person's new password beside the last ones, and forget what is older."""
    FormerPassword.objects.create(user=user, encoded=user.password, at=timezone.now())
    kept = list(FormerPassword.objects.last_of(user).values_list("pk", flat=True))
    FormerPassword.objects.filter(user=user).exclude(pk__in=kept).delete()


def was_used_before(*, user: User, password: str) -> bool:
    """Whether a password is a person's present one or one of the last."""
    if user.pk is None:
        return False
    known = set(FormerPassword.objects.last_of(user).values_list("encoded", flat=True))
    stored = User.objects.filter(pk=user.pk).values_list("password", flat=True).first()
    return any(check_password(password, encoded) for encoded in {*known, stored or ""} if encoded)
