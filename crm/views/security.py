"""What protects an account: one page of one's own, and people's sessions for those who keep their accounts."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.actions.open_sessions import end_session as end_one
from crm.actions.open_sessions import end_sessions_of, sessions_of
from crm.actions.second_factors import remove_second_factor as remove_factor
from crm.identity_providers import configured_providers
from crm.models import ApiToken, CompanyAccount, FormerPassword, OpenSession, SecurityEvent, User
from crm.permissions import Permission, can, requires, signed_in
from crm.protection import protection_of
from crm.requests import PageRequest
from crm.visitor import visitor_of

_EVENTS_SHOWN = 20


@signed_in
@require_safe
def view_security(request: PageRequest) -> HttpResponse:
    """One's own password, second factor, sessions, tokens and the last sign-ins."""
    person = request.user
    context = {
        "person": person,
        "protection": protection_of(person),
        "password_set_at": FormerPassword.objects.last_of(person).values_list("at", flat=True).first(),
        "tokens": ApiToken.objects.filter(user=person).count(),
        "company_accounts": CompanyAccount.objects.of(person) if configured_providers() else [],
        **_sessions_and_events(request, person),
    }
    return render(request, "crm/account/view_security.html", context)


@signed_in
def two_step_sign_in(request: PageRequest) -> HttpResponse:
    """Where allauth keeps a page of its own for the second factor: it stands on the page of all."""
    return redirect("crm:security")


@signed_in
@require_safe
def list_sessions(request: PageRequest, pk: int) -> HttpResponse:
    """A person's sessions and sign-ins; htmx gets them alone, to show on that person's page."""
    person = _person(request, pk)
    context = {"person": person, "protection": protection_of(person), **_sessions_and_events(request, person)}
    template = "crm/account/_sessions.html" if request.htmx else "crm/account/list_sessions.html"
    return render(request, template, context)


@signed_in
@require_POST
def end_session(request: PageRequest, pk: int) -> HttpResponse:
    """End one session at once."""
    session = get_object_or_404(OpenSession.objects.visible_to(request.user).select_related("user"), pk=pk)
    _person(request, session.user_id)
    end_one(session=session, by=request.user, visitor=visitor_of(request))
    messages.success(request, _("The session has been ended."))
    return _back(request, session.user)


@signed_in
@require_POST
def end_sessions(request: PageRequest, pk: int) -> HttpResponse:
    """End all sessions of a person but the one that asks."""
    person = _person(request, pk)
    keep = request.session.session_key or "" if person == request.user else ""
    ended = end_sessions_of(user=person, by=request.user, visitor=visitor_of(request), keep=keep)
    sentence = ngettext("{count} session has been ended.", "{count} sessions have been ended.", ended)
    messages.success(request, sentence.format(count=ended) if ended else _("There was no other session."))
    return _back(request, person)


@requires(Permission.EDIT_USERS)
@require_http_methods(["GET", "POST"])
def remove_second_factor(request: PageRequest, pk: int) -> HttpResponse:
    """Ask, then take away the app and codes of somebody who has lost them."""
    person = _person(request, pk)
    if person == request.user:
        raise PermissionDenied  # one's own is switched off where it was switched on, with a code
    if request.method == "POST":
        remove_factor(user=person, by=request.user, visitor=visitor_of(request))
        messages.success(
            request, _("{name} signs in without a second step until a new one is set up.").format(name=person)
        )
        return redirect("crm:list-sessions", person.pk)
    return render(request, "crm/account/remove_second_factor.html", {"person": person})


def _person(request: PageRequest, pk: int) -> User:
    """Oneself, or somebody whose account one may keep; nobody else exists here."""
    if pk == request.user.pk:
        return request.user
    if not can(request.user, Permission.EDIT_USERS):
        raise Http404
    found: User = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    return found


def _sessions_and_events(request: PageRequest, person: User) -> dict:
    sessions, this_key = sessions_of(person), request.session.session_key
    return {
        "sessions": sessions,
        "this_key": this_key,
        "has_others": any(session.key != this_key for session in sessions),
        "events": SecurityEvent.objects.visible_to(request.user).of(person)[:_EVENTS_SHOWN],
        "is_own": person == request.user,
    }


def _back(request: PageRequest, person: User) -> HttpResponse:
    return redirect("crm:security") if person == request.user else redirect("crm:list-sessions", person.pk)
