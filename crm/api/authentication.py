"""Who asks: a bearer token, or the browser's session."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from crm.models import ApiToken, User

USE_IS_NOTED_EVERY = timedelta(minutes=1)


class BearerToken(TokenAuthentication):
    """`Authorization: Bearer TOKEN`. Only the token's hash is known here; one query finds it with its owner."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        found = ApiToken.objects.select_related("user").filter(digest=hash_token(token.decode("latin-1"))).first()
        now = timezone.now()
        if found is None or not found.user.is_active:
            raise exceptions.AuthenticationFailed(_("This token is not known."), "invalid_token")
        if found.expiry is not None and found.expiry <= now:
            raise exceptions.AuthenticationFailed(_("This token has expired."), "expired_token")
        note_use(found)
        return found.user, found


def note_use(token: ApiToken) -> None:
    """Remember that a token was used, at most once a minute."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - USE_IS_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


class BrowserSession(SessionAuthentication):
    """The signed-in browser; what changes something needs the CSRF token, as on a page."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as refusal:
            raise exceptions.PermissionDenied(str(refusal.detail), "csrf_failed") from refusal
