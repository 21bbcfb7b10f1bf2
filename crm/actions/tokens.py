"""API tokens: issued, shown once, revoked. The change log knows of each, and of none the secret."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, record_change, record_changes, record_removal, snapshot
from crm.lib.moments import day_end
from crm.models import SCOPES, ApiToken, User, Way
from crm.permissions import Permission, can

LONGEST_LIFE = timedelta(days=365)
MOST_TOKENS = 20
_NEEDED = {
    "read": Permission.VIEW_REFERENCE,
    "grades:read": Permission.VIEW_GRADES,
    "assessments:write": Permission.SAVE_ASSESSMENT,
    "write": Permission.EDIT_CUSTOMER,
}


class TokenRefused(Exception):
    """The person may not have such a token; the text says why, `field` where."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


def scopes_for(user: User) -> list[str]:
    """The scopes that a person may give a token: none that his role does not have itself."""
    return [scope for scope in SCOPES if can(user, _NEEDED[scope])]


@transaction.atomic
def create_token(*, by: User, name: str, scopes: Sequence[str], expires_on: date) -> str:
    """Make a token for oneself; returns it, to be shown now and never again.

    Raises TokenRefused for scopes beyond the role, a day that is over or more than a year away, and too many tokens.
    """
    today = timezone.localdate()
    if not scopes or set(scopes) - set(scopes_for(by)):
        raise TokenRefused(_("Your role does not allow this scope."), "scopes")
    if not today <= expires_on <= today + LONGEST_LIFE:
        raise TokenRefused(_("A token works for a year at most. Choose a day from today on."), "expires_on")
    User.objects.select_for_update().get(pk=by.pk)  # two at once are counted one after the other
    if ApiToken.objects.valid(timezone.now()).filter(user=by).count() >= MOST_TOKENS:
        raise TokenRefused(_("You have {count} tokens. Revoke one that is not used.").format(count=MOST_TOKENS))
    return issue_token(user=by, scopes=scopes, expires_on=expires_on, name=name, by=by, way=Way.FORM)


@transaction.atomic
def issue_token(
    *,
    user: User,
    scopes: Sequence[str] = ("read",),
    expires_on: date | None = None,
    name: str = "",
    by: User | None = None,
    way: Way = Way.COMMAND,
) -> str:
    """Make a token that works to the end of `expires_on` (for ever if None). Only its hash is kept: show it now."""
    token: str
    kept, token = ApiToken.objects.create(user=user, expiry=None, scopes=" ".join(scopes), name=name)
    if expires_on is not None:
        kept.expiry = day_end(expires_on)
        kept.save(update_fields=["expiry"])
    record_change(kept, before=None, by=by, way=way)
    return token


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User, way: Way = Way.FORM) -> None:
    """End a token at once; the next request with it is refused."""
    record_removal(token, by=by, way=way)
    token.delete()


@transaction.atomic
def revoke_tokens_of(people: Iterable[User], *, by: User | None, way: Way, reason: str = "") -> int:
    """End all tokens of people at once. Returns how many there were."""
    tokens = list(ApiToken.objects.filter(user__in=list(people)).order_by("pk"))
    edits = [Edit(token, snapshot(token), is_removed=True) for token in tokens]
    record_changes(edits, by=by, way=way, reason=reason)
    ApiToken.objects.filter(pk__in=[token.pk for token in tokens]).delete()
    return len(tokens)
