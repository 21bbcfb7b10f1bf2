"""How people get in: by accounts that an administrator makes, never by signing up.

allauth does the work; here it asks our log, our words, and who may still come in.
"""

import time
from datetime import timedelta
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.app_settings import REAUTHENTICATION_TIMEOUT
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.actions.open_sessions import begin_session, forget_session
from crm.actions.passwords import change_password
from crm.actions.second_factors import needs_second_factor
from crm.actions.security_events import record_event, record_refusal
from crm.lib.durations import duration
from crm.models import SecurityMatter, SignInWay, User
from crm.visitor import visitor_of

SESSION_MARK = "open_session"  # in Django's session: which OpenSession it is, and when it was last noted
_SIGN_IN_HASH = "sign_in_hash"
_LIMITED = {"app": "allauth.account", "action": "login_failed"}
_NOTABLE = {
    "mfa/email/totp_activated": SecurityMatter.SECOND_FACTOR_ON,
    "mfa/email/totp_deactivated": SecurityMatter.SECOND_FACTOR_OFF,
    "mfa/email/recovery_codes_generated": SecurityMatter.RECOVERY_CODES,
}


class ClosedSignUp(DefaultAccountAdapter):
    """Sign-up is closed; who signs in is noted, who may not is told why and, if it passes, how long it takes."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes his own account."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a try; refuse it, whatever the password, while there were too many."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as refusal:
            name = str(credentials.get("username", ""))
            record_refusal(SecurityMatter.LOCKED, name=name, way=SignInWay.PASSWORD, visitor=visitor_of(request))
            raise locked(request, self._get_login_attempts_cache_key(request, **credentials)) from refusal

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Note a wrong password."""
        name = str(credentials.get("username", ""))
        record_refusal(SecurityMatter.WRONG_PASSWORD, name=name, way=SignInWay.PASSWORD, visitor=visitor_of(request))

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """Remember what the person was when he began: between password and code he may be shut out."""
        refusal: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if refusal is None:
            request.session[_SIGN_IN_HASH] = user.get_session_auth_hash()
        return refusal

    def login(self, request: HttpRequest, user: Any) -> None:
        """Let a person in, by whatever way he came, and note his browser. The last door of every way."""
        if not user.is_active:
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        began = request.session.pop(_SIGN_IN_HASH, "")
        if not constant_time_compare(began, user.get_session_auth_hash()):
            raise ImmediateHttpResponse(redirect("account_login"))
        way = way_of(request, user)
        super().login(request, user)
        if not request.session.session_key:
            request.session.save()
        visitor, key = visitor_of(request), request.session.session_key
        session = begin_session(user=user, key=key or "", way=way, visitor=visitor)
        request.session[SESSION_MARK] = {"number": session.pk, "seen": int(time.time())}
        record_event(SecurityMatter.SIGNED_IN, user=user, way=way, visitor=visitor)

    def logout(self, request: HttpRequest) -> None:
        """Sign out, and take the session off the list."""
        forget_session(key=request.session.session_key or "")
        super().logout(request)

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Note that somebody who is shut out has come with the right password."""
        record_event(SecurityMatter.CLOSED, user=user, way=way_of(request, user), visitor=visitor_of(request))
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response

    def set_password(self, user: Any, password: str) -> None:
        """Change the person's own password, or set it anew by the link of an e-mail; his other sessions end."""
        request = context.request
        is_own = request.user.is_authenticated and request.user.pk == user.pk
        change_password(
            user=user,
            password=password,
            by=user if is_own else None,
            visitor=visitor_of(request),
            keep=(request.session.session_key or "") if is_own else "",
        )
        if not is_own:
            key = self._get_login_attempts_cache_key(request, username=user.username)
            ratelimit.clear(request, key=key, **_LIMITED)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to the page that shows what else protects the account."""
        return reverse("crm:security")

    def send_password_reset_mail(self, user: Any, email: str, context: dict[str, Any]) -> None:
        """Write in the language that the person has chosen, else in the page's."""
        with translation.override(user.language or translation.get_language()):
            super().send_password_reset_mail(user, email, context)

    def send_notification_mail(self, template_prefix: str, user: Any, *args: Any, **kwargs: Any) -> None:
        """What allauth would tell by mail stands in the log of sign-ins and security, too."""
        if template_prefix in _NOTABLE:
            request = context.request
            record_event(_NOTABLE[template_prefix], user=user, by=request.user, visitor=visitor_of(request))
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether to ask once more who it is: not of somebody who has proved it a moment ago, at sign-in or since."""
        request = context.request
        records = get_authentication_records(request, request.user)
        return not records or time.time() - records[-1]["at"] >= REAUTHENTICATION_TIMEOUT

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """An account's tries count together, however its name is written and whatever the site is called."""
        return str(credentials.get("username", "")).strip().casefold()


class SecondFactors(DefaultMFAAdapter):
    """Who must have a second factor keeps it."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right. Take the one that the app shows now."),
        "cannot_delete_authenticator": gettext_lazy("Your role needs two-step sign-in: it cannot be switched off."),
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whether the person's role works without one."""
        return not needs_second_factor(cast(User, authenticator.user))


def way_of(request: HttpRequest, user: User) -> str:
    """How somebody has proved who he is, by what this session has seen so far."""
    methods = get_authentication_records(request, user)
    company = [record["provider"] for record in methods if record["method"] == "company_account"]
    codes = [record.get("type") for record in methods if record["method"] == "mfa"]
    if company:
        return str(SignInWay(company[-1]))
    if codes:
        return str(SignInWay.RECOVERY_CODE if codes[-1] == "recovery_codes" else SignInWay.APP_CODE)
    return str(SignInWay.PASSWORD)


def locked(request: HttpRequest, key: str) -> ValidationError:
    """The refusal of somebody who has tried too often: it says how long to wait, and nothing of the account."""
    wait = timedelta(seconds=max(_waits(request, key), default=60))
    sentence = _("Too many wrong tries. Wait {time}, then try again: until then even the right password is refused.")
    return ValidationError(sentence.format(time=duration(wait)), code="too_many_login_attempts")


def _waits(request: HttpRequest, key: str) -> list[float]:
    """For each limit that is reached, of the account and of the address, the seconds until it lets one try pass."""
    now, waits = time.time(), []
    for rate in ratelimit.get_rates(**_LIMITED):
        tries = cache.get(ratelimit.get_cache_key(request, rate=rate, key=key, **_LIMITED), [])
        counted = [moment for moment in tries if moment > now - rate.duration]
        if len(counted) >= rate.amount:
            waits.append(min(counted) + rate.duration - now)
    return waits
