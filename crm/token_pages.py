"""What the list of one's API tokens shows of each."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import ApiToken
from crm.token_forms import SCOPE_WORDS


@dataclass(frozen=True)
class TokenRow:
    """A token as its list shows it."""

    token: ApiToken
    is_expired: bool

    @property
    def scopes(self) -> list[str]:
        """What it may do, in words."""
        return [str(SCOPE_WORDS[scope]) for scope in self.token.scopes.split()]

    @property
    def last_day(self) -> str:
        """Until when it works."""
        day = self.token.last_day
        return day.isoformat() if day else _("no last day")

    @property
    def last_used(self) -> str:
        """When it was used last, to the minute."""
        used = self.token.last_used_at
        return f"{timezone.localtime(used):%Y-%m-%d %H:%M}" if used else _("never")


def token_rows(tokens: Iterable[ApiToken]) -> list[TokenRow]:
    """Tokens with what their list says of each."""
    now = timezone.now()
    return [TokenRow(token, token.expiry is not None and token.expiry <= now) for token in tokens]
