"""Forms of the account pages where allauth's own let too much pass or say too little."""

from typing import Any, cast

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.forms import UserTokenForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.app_settings import TOTP_PERIOD, TOTP_TOLERANCE
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError

from crm.accounts import locked
from crm.actions.security_events import record_event
from crm.models import SecurityMatter, SignInWay, User
from crm.visitor import visitor_of

# As long as a code is valid, with those before and after it.
_CODE_LIVES = TOTP_PERIOD * (2 * TOTP_TOLERANCE + 1)


class ResetLink(UserTokenForm):
    """The link of an e-mail to a new password: it works for people who may sign in."""

    reset_user: User | None

    def clean(self) -> Any:
        """Treat the link of a closed account as one that no longer works."""
        values = super().clean()
        if self.reset_user is not None and not self.reset_user.is_active:
            self.reset_user = None
            raise cast(ValidationError, get_account_adapter().validation_error("invalid_password_reset"))
        return values


class _OneCode(forms.Form):
    """A code from the app or a recovery code: a wrong one is noted, and no code works twice."""

    user: User

    def clean_code(self) -> str:
        """Check the code."""
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            self._use_up(code)
        except ValidationError as refusal:
            raise self._refused(refusal) from refusal
        return code

    def _use_up(self, code: str) -> None:
        """allauth forgets a used code after its own half minute, but lets one from before and after it pass, too."""
        digits = "".join(filter(str.isalnum, code))
        if not cache.add(f"crm.code.{self.user.pk}.{digits}", 1, timeout=_CODE_LIVES):
            raise cast(ValidationError, get_adapter().validation_error("incorrect_code"))

    def _refused(self, refusal: ValidationError) -> ValidationError:
        is_locked = refusal.code == "too_many_login_attempts"
        what = SecurityMatter.LOCKED if is_locked else SecurityMatter.WRONG_CODE
        request = context.request
        record_event(what, user=self.user, way=SignInWay.APP_CODE, visitor=visitor_of(request))
        return locked(request, f"mfa-auth-user-{self.user.pk}") if is_locked else refusal


class SignInCode(_OneCode, AuthenticateForm):
    """The second step of a sign-in."""


class ConfirmingCode(_OneCode, ReauthenticateForm):
    """A code that confirms who it is."""
