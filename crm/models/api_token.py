"""Bearer tokens of REST clients: only a hash is stored."""

from datetime import date, datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken, AuthTokenManager

SCOPES = ("read", "grades:read", "assessments:write", "write")
_NUMBER_DIGITS = 15


class ApiTokenQuerySet(models.QuerySet):
    """Tokens in the words of the business."""

    def valid(self, now: datetime) -> "ApiTokenQuerySet":
        """Those that have not expired."""
        return self.filter(Q(expiry=None) | Q(expiry__gt=now))

    def numbered(self, number: int) -> "ApiTokenQuerySet":
        """The one with a number."""
        return self.filter(digest__startswith=f"{number:0{_NUMBER_DIGITS}x}")


class ApiTokenManager(AuthTokenManager.from_queryset(ApiTokenQuerySet)):  # type: ignore[misc]
    """Makes tokens with their secret."""

    use_in_migrations = False


class ApiToken(AbstractAuthToken):
    """A token sees what its owner may see, and does what its scopes allow of that."""

    name = models.CharField(_("name"), max_length=60, blank=True)
    scopes = models.CharField(_("scopes"), max_length=100, default="read", help_text=_("Separated by spaces."))
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    objects = ApiTokenManager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name or self.scopes

    @property
    def number(self) -> int:
        """A number that names the token in addresses and in the change log: the beginning of its hash."""
        return int(self.digest[:_NUMBER_DIGITS], 16)

    @property
    def last_day(self) -> date | None:
        """The last day on which it works."""
        return None if self.expiry is None else timezone.localdate(self.expiry - timedelta(microseconds=1))

    def has_scope(self, *wanted: str) -> bool:
        """Whether one of the wanted scopes was given."""
        return bool(set(wanted) & set(self.scopes.split()))
