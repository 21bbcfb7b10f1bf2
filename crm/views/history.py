"""What was changed: of one record, of all that one sees, and back to what it was."""

from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.actions import restore as actions
from crm.actions.changes import EditedMeanwhile
from crm.change_filters import SETTINGS
from crm.change_lists import CHANGES, RECORD_CHANGES, of_record
from crm.change_words import tell
from crm.import_pages import imports_of
from crm.lib.listing import Address
from crm.list_pages import elsewhere, list_context, render_list
from crm.lists import ListMenu, export_url
from crm.models import Customer, User
from crm.permissions import Permission, can, requires, signed_in
from crm.record_pages import fields_to_ask, history_of, history_rows, kind_for, record_crumbs, restoration_words
from crm.requests import PageRequest

SHOWN = 50
PICKED = ("about", "kind", "field", "by", "way", "region")
DAYS = ("made_from", "made_until")


@requires(Permission.LIST_CHANGES)
@require_safe
def list_changes(request: PageRequest) -> HttpResponse:
    """All changes of one's scope: of customers, and for those who look after them of settings and people."""
    about_settings = request.GET.getlist("about") == [SETTINGS]
    if there := elsewhere(request, in_region=not about_settings):
        return there
    label = _("Customer: name / pinyin / initials / code")
    picked = [name for name in PICKED if name != "about" or request.user.sees_all_regions]
    context = list_context(request, CHANGES, picked=picked, search_label=label, silent=("customer", "batch"))
    fields = context["filters"].form.fields
    context |= {
        "chips": [
            *context["chips"],
            *_chips_of_customers(context["filters"], context["list"].address),
            *_chip_of_batch(request, context["filters"], context["list"].address),
        ],
        "days": [(name, fields[name].label, request.GET.get(name, "")) for name in DAYS],
        "hidden": [(name, value) for name, value in context["hidden"] if name not in DAYS],
    }
    return render_list(request, "crm/history/list_changes.html", context)


@signed_in
@require_safe
def view_history(request: PageRequest, kind: str, pk: int) -> HttpResponse:
    """All that was changed of one record, the latest first. Who sees the record reads it."""
    field = request.GET.get("field", "")
    try:
        history = history_of(kind, pk, request.user)
        narrowed = history.of_field(field)
    except ObjectDoesNotExist as absent:
        raise Http404 from absent
    if before := request.GET.get("before"):
        narrowed = narrowed.filter(sequence__lt=_number(before))
    found, record = history.kind, history.record
    rows = list(narrowed.order_by("-sequence")[: SHOWN + 1])
    told = tell(rows[:SHOWN], request.user)
    address = Address(request.path, request.GET)
    context = {
        "kind": found,
        "pk": pk,
        "name": str(record) if record is not None else told[0].record if told else "",
        "crumbs": record_crumbs(found, record, request.user),
        "rows": history_rows(found, record, told, request.user),
        "fields": fields_to_ask(found, address, field),
        "field": field,
        "older_url": address.having(before=str(rows[SHOWN - 1].sequence)) if len(rows) > SHOWN else "",
        "newest_url": address.having(before=None) if "before" in request.GET else "",
        "all_url": _list_of(record, request.user),
        "menu": ListMenu(export_url(RECORD_CHANGES, of_record(kind, pk, field))) if rows else None,
    }
    return render(request, "crm/history/view_history.html", context)


@signed_in
@require_http_methods(["GET", "POST"])
def restore_value(request: PageRequest, kind: str, pk: int, sequence: int, field: str) -> HttpResponse:
    """Ask, then put a field back to what it was before a change."""
    history_url = reverse("crm:view-history", args=[kind, pk])
    context: dict[str, Any] = {"history_url": history_url, "crumbs": [{"label": _("History"), "url": history_url}]}
    try:
        found = kind_for(kind, request.user)
        find = partial(actions.find_restoration, kind=found, pk=pk, sequence=sequence, name=field, by=request.user)
        restoration = find()
    except ObjectDoesNotExist as absent:
        raise Http404 from absent
    except actions.MayNotRestore as refused:
        return render(request, "crm/history/restore_value.html", {**context, "refusal": str(refused)}, status=403)
    refusal, status = _put_back(request, restoration)
    if request.method == "POST" and not refusal:
        words = restoration_words(restoration, request.user)
        messages.success(request, _("{field} is again: {value}").format(field=words.label, value=words.then))
        return redirect(history_url)
    restoration = find() if status == HTTPStatus.CONFLICT else restoration
    context["crumbs"] = [*record_crumbs(found, restoration.record, request.user), *context["crumbs"]]
    context |= {
        "words": restoration_words(restoration, request.user),
        "version": restoration.version,
        "refusal": refusal,
        "may_try": status != HTTPStatus.UNPROCESSABLE_ENTITY,
    }
    return render(request, "crm/history/restore_value.html", context, status=status)


def _put_back(request: PageRequest, restoration: actions.Restoration) -> tuple[str, HTTPStatus]:
    """Save, or before that look whether it can be saved. Returns what is in the way, and its status."""
    try:
        if request.method == "POST":
            version = _number(request.POST.get("version", ""))
            actions.restore_value(restoration=restoration, version=version, by=request.user)
        else:
            actions.check_restoration(restoration, request.user)
    except EditedMeanwhile:
        refusal = _("Somebody changed the record meanwhile. Look again: this is what it is now.")
        return refusal, HTTPStatus.CONFLICT
    except actions.CannotRestore as refused:
        return str(refused), HTTPStatus.UNPROCESSABLE_ENTITY
    return "", HTTPStatus.OK


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) < 19):
        raise Http404
    return int(written)


def _chips_of_customers(filters: Any, address: Address) -> Iterator[dict[str, str]]:
    """A customer by name: nobody offers them all as choices."""
    for customer in filters.form.cleaned_data.get("customer") or () if filters.form.is_valid() else ():
        label = _("{filter}: {values}").format(filter=filters.form.fields["customer"].label, values=customer)
        yield {"label": label, "remove_url": address.having(customer=None, page=None)}


def _chip_of_batch(request: PageRequest, filters: Any, address: Address) -> Iterator[dict[str, str]]:
    """An import by its file's name, where it exists for the reader: its number says nothing to anybody."""
    batch = filters.form.cleaned_data.get("batch") if filters.form.is_valid() else None
    if batch is None:
        return
    found = imports_of(request.user).filter(Q(batch=batch) | Q(undo_batch=batch)).first()
    label = _("Import: {name}").format(name=found.file.name) if found else filters.form.fields["batch"].label
    yield {"label": label, "remove_url": address.having(batch=None, page=None)}


def _list_of(record: Any, user: User) -> str:
    """Where all changes around a customer stand, for those who have that page."""
    if not isinstance(record, Customer) or not can(user, Permission.LIST_CHANGES):
        return ""
    return f"{reverse('crm:list-changes')}?customer={record.pk}"
