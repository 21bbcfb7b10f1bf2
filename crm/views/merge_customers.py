"""Two customers that are one: find the other, choose what stays, and take it back."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm import merge_pages as pages
from crm.actions import merge_customers as actions
from crm.actions import undo_merge as undoing
from crm.actions.changes import EditedMeanwhile
from crm.actions.hierarchy import StandsAboveItself
from crm.actions.undo_batch import UndoRefused
from crm.conflicts import count_again
from crm.duplicates import lookalikes
from crm.merge_forms import MergeForm
from crm.models import Customer, CustomerMerge
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from crm.undo_pages import named_conflicts

FOUND = 20
CONFLICTS_SHOWN = 100


@requires(Permission.MERGE_CUSTOMERS)
@require_safe
def choose_duplicate(request: PageRequest, pk: int) -> HttpResponse:
    """Those that are probably the same as a customer, and a search for others."""
    seen = Customer.objects.visible_to(request.user)
    customer = get_object_or_404(seen.select_related("region"), pk=pk)
    search = request.GET.get("search", "")[:100].strip()
    others = seen.exclude(pk=pk).select_related("region").order_by("pinyin", "pk")
    found = list(others.search(search)[:FOUND]) if search else lookalikes(customer, seen, most=FOUND)
    context = {"customer": customer, "found": found, "search": search}
    return render(request, "crm/customers/choose_duplicate.html", context)


@requires(Permission.MERGE_CUSTOMERS)
@require_http_methods(["GET", "POST"])
def merge_customers(request: PageRequest, pk: int, other: int) -> HttpResponse:
    """Both side by side, with a choice for each field in which they differ; the first one stays."""
    seen = Customer.objects.visible_to(request.user).for_list().select_related("parent")
    survivor, loser = (get_object_or_404(seen, pk=number) for number in (pk, other))
    form = MergeForm(request.POST or None, survivor=survivor, loser=loser)
    if form.is_valid():
        try:
            merge = actions.merge_customers(
                survivor=survivor, loser=loser, versions=form.versions, from_loser=form.from_loser, by=request.user
            )
        except EditedMeanwhile:
            form.add_error(None, _("Someone else changed one of the two meanwhile. Open the page again."))
        except (actions.MergeRefused, StandsAboveItself) as refusal:
            form.add_error(None, str(refusal))
        else:
            count_again()
            return redirect("crm:view-merge", merge.pk)
    context = {"form": form, "survivor": survivor, "loser": loser, "rows": pages.sides(survivor, loser, request.user)}
    return render(request, "crm/customers/merge_customers.html", context, status=422 if form.errors else 200)


@requires(Permission.MERGE_CUSTOMERS)
@require_safe
def view_merge(request: PageRequest, pk: int) -> HttpResponse:
    """What a merge did, and the way to take it back."""
    return render(request, "crm/customers/view_merge.html", _context(get_merge(request, pk)))


@requires(Permission.MERGE_CUSTOMERS)
@require_http_methods(["GET", "POST"])
def undo_merge(request: PageRequest, pk: int) -> HttpResponse:
    """Ask, then make two customers of one again; what is in the way is listed."""
    merge = get_merge(request, pk)
    context = _context(merge)
    if request.method == "POST":
        try:
            undoing.undo_merge(merge=merge, by=request.user)
        except UndoRefused as refused:
            kept = [vars(conflict) for conflict in refused.conflicts[:CONFLICTS_SHOWN]]
            context |= {"refusal": str(refused), "conflicts": named_conflicts(kept, request.user)}
            context["conflict_count"] = len(refused.conflicts)
        else:
            count_again()
            messages.success(request, _("The merge is undone: they are two customers again."))
            return redirect("crm:view-merge", merge.pk)
    elif merge.undone_at is not None:
        context["refusal"] = _("This merge has been undone already.")
    return render(request, "crm/customers/undo_merge.html", context, status=409 if "refusal" in context else 200)


def get_merge(request: PageRequest, pk: int) -> CustomerMerge:
    """A merge that exists for the person."""
    seen = CustomerMerge.objects.visible_to(request.user)
    return get_object_or_404(seen.select_related("survivor__region", "loser__region", "by", "undone_by"), pk=pk)


def _context(merge: CustomerMerge) -> dict[str, Any]:
    return {"merge": merge, "counts": pages.counts_in_words(merge), "retired": pages.retired_lines(merge)}
