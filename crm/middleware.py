"""What every request passes: the language of a page, the sessions that are in use, second factors that must be."""

import time
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from crm.accounts import SESSION_MARK
from crm.actions.open_sessions import note_new_key, note_seen
from crm.actions.second_factors import has_second_factor, needs_second_factor
from crm.lib.problems import is_api, problem_page
from crm.visitor import visitor_of
from crm.waiting import count_again

Answer = Callable[[HttpRequest], HttpResponse]
NOTED_EVERY = 300  # seconds
_LOOKING = ("GET", "HEAD", "OPTIONS")
_FACTOR_MARK = "has_second_factor"
# What somebody needs who has to set up a second factor before anything else.
_OPEN_WITHOUT_FACTOR = (
    "mfa_activate_totp",
    "account_reauthenticate",
    "mfa_reauthenticate",
    "account_logout",
    "account_set_password",
    "set_language",
)


class LanguageOfUser(LocaleMiddleware):
    """What Django chooses (cookie, browser, LANGUAGE_CODE), unless the person has chosen for himself."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language for the rest of the request."""
        super().process_request(request)
        if request.user.is_authenticated and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()


class SessionInUse:
    """Notes every few minutes that a session is in use, and follows it when it gets a new key."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; most requests cost nothing here."""
        mark, key = request.session.get(SESSION_MARK), request.session.session_key
        if mark and request.user.is_authenticated and time.time() - mark["seen"] >= NOTED_EVERY:
            note_seen(number=mark["number"], visitor=visitor_of(request), now=timezone.now())
            request.session[SESSION_MARK] = mark | {"seen": int(time.time())}
        response = self.get_response(request)
        now_key = request.session.session_key
        if mark and now_key and now_key != key and SESSION_MARK in request.session:
            note_new_key(number=mark["number"], key=now_key)
        return response


class CountAgain:
    """Has the menu count anew what waits for a person who has just done something."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; only looking at something costs nothing here."""
        response = self.get_response(request)
        user = request.user  # nobody any more where the API refused him
        if request.method not in _LOOKING and user is not None and user.is_authenticated:
            count_again(user)
        return response


class SecondFactorFirst:
    """Who must have a second factor and has none sets it up before anything else; programs with tokens go on."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or lead to where it is set up."""
        return self._detour(request) if self._is_due(request) else self.get_response(request)

    def _is_due(self, request: HttpRequest) -> bool:
        user = request.user
        if not user.is_authenticated or not needs_second_factor(user) or request.session.get(_FACTOR_MARK):
            return False
        if has_second_factor(user):
            request.session[_FACTOR_MARK] = True
            return False
        return request.path not in map(reverse, _OPEN_WITHOUT_FACTOR)

    def _detour(self, request: HttpRequest) -> HttpResponse:
        sentence = _("Your role needs two-step sign-in. Set it up first; everything else waits.")
        if is_api(request):
            return problem_page(403, "second_factor_needed", sentence)
        setup = reverse("mfa_activate_totp")
        if request.htmx:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(setup)
        messages.warning(request, sentence)
        return redirect(setup)
