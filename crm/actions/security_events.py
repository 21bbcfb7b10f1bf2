"""The log of sign-ins and security: appended here, forgotten after half a year."""

from datetime import datetime, timedelta

from allauth.account.internal.userkit import get_user_by_username
from django.utils import timezone

from crm.models import SecurityEvent, SecurityMatter, SignInWay, User
from crm.visitor import Visitor

KEPT = timedelta(days=180)
_SHOWN_OF_UNKNOWN = 3


def record_event(
    what: SecurityMatter,
    *,
    user: User | None,
    visitor: Visitor,
    name: str = "",
    way: SignInWay | str = "",
    by: User | None = None,
) -> SecurityEvent:
    """Append what happened to an account; `by` where somebody else did it."""
    return SecurityEvent.objects.create(
        at=timezone.now(),
        what=what,
        user=user,
        name=name,
        way=way,
        by=by if by != user else None,
        address=visitor.address,
        device=visitor.device,
    )


def record_refusal(what: SecurityMatter, *, name: str, way: SignInWay, visitor: Visitor) -> SecurityEvent:
    """Append a refused sign-in under a name that was typed: its person, or of a name of nobody the beginning."""
    user = get_user_by_username(name) if name else None
    return record_event(what, user=user, name="" if user else _beginning(name), way=way, visitor=visitor)


def forget_old_events(*, now: datetime) -> int:
    """Delete what has been kept long enough. Returns how many."""
    deleted, _by_model = SecurityEvent.objects.before(now - KEPT).delete()
    return deleted


def _beginning(name: str) -> str:
    return name if len(name) <= _SHOWN_OF_UNKNOWN else f"{name[:_SHOWN_OF_UNKNOWN]}…"
