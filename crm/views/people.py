"""People: the list, one of them, a new one, and what changes."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from crm.actions.changes import EditedMeanwhile
from crm.actions.delegations import may_delegate_for
from crm.actions.hand_over import HandedOver, HandOverRefused
from crm.actions.hand_over import hand_over as hand_over_action
from crm.actions.people import LocksOneselfOut, save_person
from crm.carried import carried_by, lines_led_by
from crm.hand_over_forms import HandOverForm
from crm.list_pages import elsewhere, list_context, render_list
from crm.models import User
from crm.people_lists import PEOPLE, people_with_guides
from crm.people_pages import delegations_of, guided_by, places_of, work_of
from crm.permissions import Permission, requires
from crm.person_forms import PersonForm
from crm.reauthentication import confirm_before_password
from crm.requests import PageRequest

PICKED = ("role", "region", "is_active")


@requires(Permission.VIEW_REFERENCE)
@require_safe
def list_people(request: PageRequest) -> HttpResponse:
    """The people who exist for the reader."""
    if there := elsewhere(request):
        return there
    context = list_context(request, PEOPLE, picked=PICKED, search_label=_("Name / user name"))
    return render_list(request, "crm/people/list_people.html", context)


@requires(Permission.VIEW_REFERENCE)
@require_safe
def view_person(request: PageRequest, pk: int) -> HttpResponse:
    """A person with his place, his work and what is delegated."""
    person = get_object_or_404(people_with_guides(request.user), pk=pk)
    context = {
        "person": person,
        "guided": guided_by(person, request.user),
        "places": places_of(person, request.user),
        "delegations": delegations_of(person, request.user),
        "may_delegate": person.is_active and not person.is_administrator and may_delegate_for(request.user, person),
        **work_of(person, request.user),
    }
    return render(request, "crm/people/view_person.html", context)


@requires(Permission.EDIT_USERS)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("new_password")
def create_person(request: PageRequest) -> HttpResponse:
    """Add somebody who works here."""
    return _save(request, User(is_active=True), "crm/people/create_person.html")


@requires(Permission.EDIT_USERS)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("new_password")
def edit_person(request: PageRequest, pk: int) -> HttpResponse:
    """Change what a person is, and where."""
    return _save(
        request, get_object_or_404(User.objects.visible_to(request.user), pk=pk), "crm/people/edit_person.html"
    )


@requires(Permission.EDIT_USERS)
@require_http_methods(["GET", "POST"])
def hand_over(request: PageRequest, pk: int) -> HttpResponse:
    """Show all that a person carries, then give it to others."""
    person = get_object_or_404(people_with_guides(request.user), pk=pk)
    carried, led = carried_by(person), lines_led_by(person)
    form = HandOverForm(request.POST or None, person=person, by=request.user, carried=carried, led=led)
    if form.is_valid():
        try:
            done = hand_over_action(
                person=person,
                successors=form.successors,
                leaves=form.cleaned_data.get("leaves", False),
                by=request.user,
                reason=form.cleaned_data["reason"],
            )
        except HandOverRefused as refusal:
            form.add_refusal(refusal)
        except LocksOneselfOut as refusal:
            form.add_error("leaves", str(refusal))
        else:
            messages.success(request, _said(done))
            return redirect("crm:view-person", person.pk)
    context = {"person": person, "carried": carried, "led": led, "form": form}
    return render(request, "crm/people/hand_over.html", context, status=422 if form.errors else 200)


def _save(request: PageRequest, person: User, template: str) -> HttpResponse:
    if to_confirm := confirm_before_password(request):
        return to_confirm
    name = str(person)
    form = PersonForm(request.POST or None, instance=person, by=request.user)
    if form.is_valid():
        try:
            save_person(
                person=form.instance,
                version=form.cleaned_data["read_version"],
                by=request.user,
                password=form.cleaned_data["new_password"],
            )
        except (LocksOneselfOut, EditedMeanwhile) as refusal:
            form.add_error(None, _refused(refusal))
        else:
            messages.success(request, _("{name} is saved.").format(name=form.instance))
            return redirect("crm:view-person", form.instance.pk)
    context = {"form": form, "person": person, "name": name}
    return render(request, template, context, status=422 if form.errors else 200)


def _refused(refusal: LocksOneselfOut | EditedMeanwhile) -> str:
    if isinstance(refusal, EditedMeanwhile):
        return _("Someone else changed this person meanwhile; nothing was saved. Open the page again to see it.")
    return str(refusal)


def _said(done: HandedOver) -> str:
    """What was done, in a sentence."""
    if done.is_nothing:
        return _("There was nothing to hand over.")
    handed = _("Handed over: product lines led {lines}, other customers {members}, people guided {guided}.").format(
        lines=done.lines, members=done.members, guided=done.guided
    )
    return f"{handed} {_('He cannot sign in any more.')}" if done.has_left else handed
