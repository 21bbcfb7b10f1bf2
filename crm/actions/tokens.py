"""Issuing API tokens."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from crm.models import ApiToken, User


@transaction.atomic
def issue_token(
    *, user: User, scopes: Sequence[str] = ("read",), expires_on: date | None = None, name: str = ""
) -> str:
    """Make a token that works to the end of `expires_on` (for ever if None). Only its hash is kept: show it now."""
    token: str
    kept, token = ApiToken.objects.create(user=user, expiry=None, scopes=" ".join(scopes), name=name)
    if expires_on is not None:
        kept.expiry = _day_after(expires_on)
        kept.save(update_fields=["expiry"])
    return token


def _day_after(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), datetime.min.time()))
