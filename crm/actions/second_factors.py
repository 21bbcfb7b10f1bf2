"""Second factors of people: whether there is one, and taken away where the phone is lost."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction

from crm.actions.open_sessions import end_sessions_of
from crm.actions.security_events import record_event
from crm.models import SecurityMatter, User
from crm.visitor import Visitor


def needs_second_factor(user: User) -> bool:
    """Whether the person's role may not work without a second factor (MFA_REQUIRED_ROLES)."""
    return not {user.role, "all"}.isdisjoint(settings.MFA_REQUIRED_ROLES)


def has_second_factor(user: User) -> bool:
    """Whether the person has set up an authenticator app."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


@transaction.atomic
def remove_second_factor(*, user: User, by: User | None, visitor: Visitor) -> bool:
    """Take a person's app and recovery codes away, since he has lost them, and end his sessions.

    The password alone lets him in then; where his role needs a second factor he sets a new one up first. Returns
    whether there was one.
    """
    found, _by_model = Authenticator.objects.filter(user=user).delete()
    if found:
        record_event(SecurityMatter.SECOND_FACTOR_OFF, user=user, by=by, visitor=visitor)
        end_sessions_of(user=user, by=by or user, visitor=visitor)
    return bool(found)
