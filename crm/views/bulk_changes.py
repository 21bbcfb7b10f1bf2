"""Changing one field of many rows: rows chosen in a list, a value set up, the confirmation, the report, the undo."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from crm import bulk_pages as pages
from crm.actions import bulk_changes as actions
from crm.actions.bulk_kinds import BulkKind, bulk_kinds
from crm.actions.bulk_steps import BulkRefused, shared_by
from crm.actions.exports import listed_by_name
from crm.actions.undo_batch import UndoRefused
from crm.actions.undo_bulk_change import start_undo
from crm.list_pages import plain_list
from crm.models import BulkChange, BulkState
from crm.permissions import Permission, can, requires
from crm.requests import PageRequest
from crm.undo_pages import named_conflicts
from crm.work_lists import BULK_CHANGES

CONFLICTS_SHOWN = 50


@requires(Permission.CHANGE_IN_BULK)
@require_safe
def list_bulk_changes(request: PageRequest) -> HttpResponse:
    """One's own bulk changes, the latest first."""
    return plain_list(request, BULK_CHANGES, "crm/bulk_changes/list_bulk_changes.html")


@requires(Permission.CHANGE_IN_BULK)
@require_POST
def choose_rows(request: PageRequest, name: str) -> HttpResponse:
    """Take the ticked rows of a list, or all rows as it is filtered, to the choice of a field."""
    kind = bulk_kinds().get(name)
    if kind is None:
        raise Http404
    numbers = None if request.POST.get("all") else _numbers(request.POST.getlist("number"))
    try:
        chosen = actions.choose_rows(kind=name, params=request.GET, numbers=numbers, by=request.user)
    except BulkRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(listed_by_name()[name].address(request.GET))
    return redirect("crm:set-up-bulk-change", chosen.pk)


@requires(Permission.CHANGE_IN_BULK)
@require_http_methods(["GET", "POST"])
def set_up_bulk_change(request: PageRequest, pk: int) -> HttpResponse:
    """Choose one field and its new value; nothing is changed by that."""
    shown = get_bulk_change(request, pk)
    kind = _own_kind(request, shown)
    if not shown.is_open or kind is None:
        return redirect("crm:view-bulk-change", pk)
    field = kind.field(request.GET.get("field") or shown.field) or kind.fields[0]
    context: dict[str, Any] = {
        "bulk": shown,
        "list_url": pages.list_url(shown),
        "counted": kind.counted(shown.size),
        "tabs": pages.field_tabs(kind, field),
        "label": pages.field_label(kind, field),
        "field_name": field.name,
    }
    try:
        shared = shared_by(kind, field, [number for number, _version in shown.chosen], request.user)
    except BulkRefused as refusal:
        context["refusal"] = str(refusal)
        return render(request, "crm/bulk_changes/set_up_bulk_change.html", context)
    form = pages.value_form(kind, field, request.POST or None, shared, request.user)
    value, is_good = pages.typed_value(kind, field, form)
    if is_good:
        try:
            actions.set_up_bulk_change(bulk_change=shown, field=field.name, value=value, by=request.user)
            return redirect("crm:view-bulk-change", pk)
        except BulkRefused as refusal:
            form.add_error(None, str(refusal))
    context |= {"form": form, "value_field": form[field.name], "empty_field": _empty_box(form)}
    return render(request, "crm/bulk_changes/set_up_bulk_change.html", context, status=422 if form.errors else 200)


@requires(Permission.CHANGE_IN_BULK)
@require_safe
def view_bulk_change(request: PageRequest, pk: int) -> HttpResponse:
    """What it would change, how far the job is, what it has changed."""
    shown = get_bulk_change(request, pk)
    if shown.state == BulkState.CHOSEN:
        return redirect("crm:set-up-bulk-change", pk)
    context = pages.page_of_bulk_change(shown, request.user, timezone.now())
    return render(request, "crm/bulk_changes/view_bulk_change.html", context)


@requires(Permission.CHANGE_IN_BULK)
@require_safe
def view_bulk_progress(request: PageRequest, pk: int) -> HttpResponse:
    """The progress bar by itself; the page around it is drawn anew when the job has ended."""
    progress = pages.progress_of(get_bulk_change(request, pk), timezone.now())
    if progress is None or not progress["job"].is_active:
        return HttpResponseClientRefresh() if request.htmx else redirect("crm:view-bulk-change", pk)
    return render(request, "crm/bulk_changes/_progress.html", {"progress": progress})


@requires(Permission.CHANGE_IN_BULK)
@require_POST
def start_bulk_change(request: PageRequest, pk: int) -> HttpResponse:
    """Do what the confirmation has shown."""
    version = next(iter(_numbers([request.POST.get("version", "")])), 0)
    return _do(request, pk, lambda one: actions.start_bulk_change(bulk_change=one, version=version, by=request.user))


@requires(Permission.CHANGE_IN_BULK)
@require_POST
def cancel_bulk_change(request: PageRequest, pk: int) -> HttpResponse:
    """Give up a bulk change of which nothing has been applied."""
    return _do(request, pk, lambda one: actions.cancel_bulk_change(bulk_change=one, by=request.user))


@requires(Permission.CHANGE_IN_BULK)
@require_http_methods(["GET", "POST"])
def undo_bulk_change(request: PageRequest, pk: int) -> HttpResponse:
    """Ask, then give every changed record its former value; where that is refused, say what is in the way."""
    shown = get_bulk_change(request, pk)
    kind = bulk_kinds()[shown.kind]
    context: dict[str, Any] = {
        "bulk": shown,
        "title": pages.title_of(shown, request.user),
        "counted": kind.counted(pages.changed(shown)),
    }
    if request.method == "POST":
        try:
            start_undo(bulk_change=shown, by=request.user)
            return redirect("crm:view-bulk-change", pk)
        except UndoRefused as refused:
            context["refusal"] = str(refused)
            context["conflicts"] = named_conflicts(map(vars, refused.conflicts[:CONFLICTS_SHOWN]), request.user)
            context["conflict_count"] = len(refused.conflicts)
    elif not pages.can_undo(shown):
        context["refusal"] = _("Only a bulk change that has been done can be undone.")
    status = 409 if "refusal" in context else 200
    return render(request, "crm/bulk_changes/undo_bulk_change.html", context, status=status)


def get_bulk_change(request: PageRequest, pk: int) -> BulkChange:
    """A bulk change of one's own."""
    return get_object_or_404(pages.bulk_changes_of(request.user), pk=pk)


def _own_kind(request: PageRequest, shown: BulkChange) -> BulkKind | None:
    kind = bulk_kinds().get(shown.kind)
    return kind if kind is not None and can(request.user, kind.permission) else None


def _empty_box(form: Any) -> Any:
    """The tick that empties the field, where it may be empty."""
    return next((field for field in form if field.name == "is_emptied"), None)


def _numbers(words: list[str]) -> list[int]:
    """Numbers of records, as a form sends them; anything else names none."""
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 18]


def _do(request: PageRequest, pk: int, act: Callable[[BulkChange], Any]) -> HttpResponse:
    """Take a step; where that is refused, the bulk change's page says why."""
    try:
        act(get_bulk_change(request, pk))
    except BulkRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("crm:view-bulk-change", pk)
