"""Signing in with the company's own account: to the provider, and back with a code that says who it was."""

import logging
import secrets
import time
from dataclasses import asdict

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url, perform_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm.actions.company_accounts import person_of_company_account
from crm.actions.security_events import record_event
from crm.identity_providers import configured_providers
from crm.identity_providers.base import Attempt, IdentityProvider, NotVouchedFor, Vouched
from crm.lib.outbound import AskingFailed
from crm.models import SecurityMatter, SignInWay
from crm.permissions import public
from crm.visitor import visitor_of

logger = logging.getLogger(__name__)
_IN_SESSION = "company_sign_in"
_LIVES = 600  # seconds for the way there and back


@public
@require_safe
@never_cache
def start_sign_in(request: HttpRequest, provider: str) -> HttpResponse:
    """Send the browser to the provider."""
    known = _provider(provider)
    attempt = Attempt(
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
        back=request.build_absolute_uri(reverse("crm:finish-sign-in", args=[provider])),
    )
    try:
        address = known.address(attempt)
    except (AskingFailed, NotVouchedFor) as failure:
        return _refused(
            request, provider, failure, _("The sign-in of your company does not answer. Try again later."), 502
        )
    request.session[_IN_SESSION] = {
        "provider": provider,
        "attempt": asdict(attempt),
        "began": time.time(),
        "next": get_next_redirect_url(request),
    }
    return redirect(address)


@public
@require_safe
@never_cache
def finish_sign_in(request: HttpRequest, provider: str) -> HttpResponse:
    """Come back from the provider, and sign in whoever it was, if he is somebody here."""
    known = _provider(provider)
    kept = request.session.pop(_IN_SESSION, None)
    code = request.GET.get(known.code_name) or request.GET.get("code") or ""
    if not code or not _belongs(request, provider, kept):
        return _refused(request, provider, None, _("The sign-in was not finished. Please begin again."), 400)
    try:
        vouched = known.identify(code, Attempt(**kept["attempt"]))
    except (AskingFailed, NotVouchedFor) as failure:
        return _refused(request, provider, failure, _("Your company account was not confirmed. Please try again."), 403)
    return _let_in(request, provider, vouched, kept["next"])


def _let_in(request: HttpRequest, provider: str, vouched: Vouched, next_page: str | None) -> HttpResponse:
    user = person_of_company_account(provider=provider, subjects=vouched.subjects, email=vouched.email)
    if user is None:
        subject, way = vouched.subjects[0], SignInWay(provider)
        record_event(SecurityMatter.UNKNOWN, user=None, name=subject[:150], way=way, visitor=visitor_of(request))
        return render(request, "crm/account/unknown_account.html", {"subject": subject}, status=403)
    record_authentication(request, user, "company_account", provider=provider)
    response: HttpResponse = perform_login(request, user, redirect_url=next_page)
    return response


def _provider(code: str) -> IdentityProvider:
    known = configured_providers().get(code)
    if known is None:
        raise Http404
    return known


def _belongs(request: HttpRequest, provider: str, kept: dict | None) -> bool:
    """Whether this answer belongs to the question that this browser has asked, a short while ago."""
    return (
        kept is not None
        and kept["provider"] == provider
        and time.time() - kept["began"] < _LIVES
        and constant_time_compare(request.GET.get("state", ""), kept["attempt"]["state"])
    )


def _refused(
    request: HttpRequest, provider: str, failure: Exception | None, sentence: str, status: int
) -> HttpResponse:
    if failure is not None:
        logger.warning("Sign-in by %s failed: %s", provider, failure)
    return render(request, "crm/account/sign_in_failed.html", {"sentence": sentence}, status=status)
