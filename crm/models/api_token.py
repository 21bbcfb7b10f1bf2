"""Bearer tokens of REST clients: only a hash is stored."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

SCOPES = ("read", "grades:read", "assessments:write", "write")


class ApiToken(AbstractAuthToken):
    """A token sees what its owner may see, and does what its scopes allow of that."""

    name = models.CharField(_("name"), max_length=60, blank=True)
    scopes = models.CharField(_("scopes"), max_length=100, default="read", help_text=_("Separated by spaces."))
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name or self.scopes

    @property
    def number(self) -> int:
        """A number that names the token in addresses and in the change log, and says nothing of it."""
        return int(self.digest[:15], 16)

    def has_scope(self, *wanted: str) -> bool:
        """Whether one of the wanted scopes was given."""
        return bool(set(wanted) & set(self.scopes.split()))
