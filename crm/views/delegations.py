"""Delegations: one's own, a new one, an end to one."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.actions import delegations as actions
from crm.delegation_forms import DelegationForm
from crm.list_pages import plain_list
from crm.models import Delegation, User
from crm.people_lists import DELEGATIONS
from crm.permissions import signed_in
from crm.requests import PageRequest


@signed_in
@require_safe
def list_delegations(request: PageRequest) -> HttpResponse:
    """What is delegated from and to oneself; who keeps people sees everyone's."""
    more = {"may_delegate": not request.user.is_administrator}
    return plain_list(request, DELEGATIONS, "crm/people/list_delegations.html", more=more)


@signed_in
@require_http_methods(["GET", "POST"])
def delegate(request: PageRequest, pk: int) -> HttpResponse:
    """Delegate somebody's customers for some days: one's own, or as who keeps people."""
    giver = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    if not actions.may_delegate_for(request.user, giver):
        raise Http404
    form = DelegationForm(request.POST or None, giver=giver, by=request.user)
    if form.is_valid():
        try:
            made = actions.delegate(giver=giver, by=request.user, **form.cleaned_data)
        except actions.DelegationRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("Delegated to {name}.").format(name=made.receiver))
            return redirect("crm:list-delegations")
    context = {"form": form, "giver": giver}
    return render(request, "crm/people/delegate.html", context, status=422 if form.errors else 200)


@signed_in
@require_http_methods(["GET", "POST"])
def end_delegation(request: PageRequest, pk: int) -> HttpResponse:
    """Ask, then end a delegation before its last day."""
    seen = Delegation.objects.visible_to(request.user).select_related("giver", "receiver")
    delegation = get_object_or_404(seen, pk=pk)
    if not actions.may_delegate_for(request.user, delegation.giver):
        raise Http404
    if request.method == "POST":
        actions.end_delegation(delegation=delegation, by=request.user)
        messages.success(request, _("The delegation to {name} has ended.").format(name=delegation.receiver))
        return redirect("crm:list-delegations")
    return render(request, "crm/people/end_delegation.html", {"delegation": delegation})
