"""Credit codes that two regions use: the queue, and saying that the customers are different ones."""

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.actions import tell_apart as actions
from crm.conflict_lists import CONFLICTS
from crm.conflicts import conflicts_of, count_again, remember_count
from crm.lists import ListMenu, export_url
from crm.merge_forms import DifferentForm
from crm.permissions import Permission, requires
from crm.requests import PageRequest

SHOWN = 50


@requires(Permission.RESOLVE_CONFLICTS)
@require_safe
def list_conflicts(request: PageRequest) -> HttpResponse:
    """The conflicts that nobody has settled, with what can be done about each."""
    found = conflicts_of(request.user)
    remember_count(len(found))
    menu = ListMenu(export_url(CONFLICTS, QueryDict())) if found else None
    context = {"conflicts": found[:SHOWN], "total": len(found), "menu": menu}
    return render(request, "crm/conflicts/list_conflicts.html", context)


@requires(Permission.RESOLVE_CONFLICTS)
@require_http_methods(["GET", "POST"])
def tell_apart(request: PageRequest) -> HttpResponse:
    """Say why customers with one credit code are different; it holds until one of them changes its code."""
    code = request.GET.get("credit_code", "")
    conflict = next(iter(conflicts_of(request.user, code)), None) if code else None
    if conflict is None:
        raise Http404
    form = DifferentForm(request.POST or None)
    if form.is_valid():
        actions.tell_apart(customers=conflict.customers, reason=form.cleaned_data["reason"], by=request.user)
        count_again()
        messages.success(request, _("Remembered: they are different customers."))
        return redirect("crm:list-conflicts")
    context = {"conflict": conflict, "form": form}
    return render(request, "crm/conflicts/tell_apart.html", context, status=422 if form.errors else 200)
