"""What was changed: of one record, of all that one sees, and back to what it was."""

from functools import partial
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.actions import restore as actions
from crm.actions.changes import EditedMeanwhile
from crm.actions.record_kinds import RecordKind, Topic, record_kinds
from crm.change_filters import SETTINGS
from crm.change_lists import CHANGES
from crm.change_words import fields_of, tell
from crm.lib.listing import Address, chips, hidden, page_of, pickers
from crm.lists import list_menu, written_once
from crm.models import Change, Customer, User
from crm.permissions import Permission, can, requires, signed_in
from crm.record_pages import fields_to_ask, history_rows, record_crumbs, restoration_words
from crm.requests import PageRequest
from crm.scope import offered_filters, scope_of

SHOWN = 50
PICKED = ("about", "kind", "field", "by", "way", "region")
DAYS = ("made_from", "made_until")


@requires(Permission.LIST_CHANGES)
@require_safe
def list_changes(request: PageRequest) -> HttpResponse:
    """All changes of one's scope: of customers, and for those who look after them of settings and people."""
    about_settings = request.GET.getlist("about") == [SETTINGS]
    if (region := scope_of(request).region) and "region" not in request.GET and not about_settings:
        return redirect(Address(request.path, request.GET).having(region=region.code))
    if address := written_once(Address(request.path, request.GET)):
        return redirect(address)
    opened = CHANGES.open(request, request.GET)
    filters = opened.filters
    listing = page_of(request, filters, opened.choice.heads)
    listing.rows = tell(listing.rows, request.user)
    sees_both = request.user.sees_all_regions
    context = {
        "list": listing,
        "choice": opened.choice,
        "menu": None if listing.errors else list_menu(CHANGES, opened, request.GET, listing.address),
        "filters": filters,
        "chips": _chips(filters, listing.address),
        "pickers": pickers(
            filters, [name for name in offered_filters(request, PICKED) if name != "about" or sees_both]
        ),
        "days": [(name, filters.form.fields[name].label, request.GET.get(name, "")) for name in DAYS],
        "hidden": hidden(request.GET, but=("search", "page", *DAYS)),
        "search": request.GET.get("search", ""),
        "search_label": _("Customer: name / pinyin / initials / code"),
        "clear_url": listing.address.cleared(keep=("ordering", "page_size", "columns"), region=""),
    }
    return render(request, "crm/history/list_changes.html", context, status=400 if listing.errors else 200)


@signed_in
@require_safe
def view_history(request: PageRequest, kind: str, pk: int) -> HttpResponse:
    """All that was changed of one record, the latest first. Who sees the record reads it."""
    found = _kind(kind, request.user)
    record = found.seen(request.user).filter(pk=pk).first()
    changes = Change.objects.visible_to(request.user).told().filter(table=found.table, object_id=pk)
    # A setting that is gone still has its history; a record of a customer must exist for the reader.
    if record is None and not (found.topic == Topic.SETTINGS and changes.exists()):
        raise Http404
    field, narrowed = _of_field(request, found, changes)
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
    }
    return render(request, "crm/history/view_history.html", context)


@signed_in
@require_http_methods(["GET", "POST"])
def restore_value(request: PageRequest, kind: str, pk: int, sequence: int, field: str) -> HttpResponse:
    """Ask, then put a field back to what it was before a change."""
    found = _kind(kind, request.user)
    history_url = reverse("crm:view-history", args=[kind, pk])
    find = partial(actions.find_restoration, kind=found, pk=pk, sequence=sequence, name=field, by=request.user)
    context: dict[str, Any] = {"history_url": history_url, "crumbs": [{"label": _("History"), "url": history_url}]}
    try:
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


def _kind(name: str, user: User) -> RecordKind:
    found = record_kinds().get(name)
    if found is None or not found.is_changed:
        raise Http404
    if not found.is_open_to(user):
        raise PermissionDenied
    return found


def _of_field(request: PageRequest, kind: RecordKind, changes: QuerySet[Change]) -> tuple[str, QuerySet[Change]]:
    """The changes that the address asks for: of one field, and before one of them."""
    if before := request.GET.get("before"):
        changes = changes.filter(sequence__lt=_number(before))
    name = request.GET.get("field", "")
    if not name:
        return "", changes
    if name not in dict(fields_of(kind)):
        raise Http404
    column = next(field.attname for field in kind.model._meta.concrete_fields if field.name == name)
    return name, changes.filter(before__has_key=column, after__isnull=False)


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) < 19):
        raise Http404
    return int(written)


def _chips(filters: Any, address: Address) -> list[dict[str, str]]:
    """The filters in force; a customer by name, since nobody offers them all as choices."""
    found = chips(filters, address, all_is_explicit=("region",), silent=("customer",))
    for customer in filters.form.cleaned_data.get("customer") or () if filters.form.is_valid() else ():
        label = _("{filter}: {values}").format(filter=filters.form.fields["customer"].label, values=customer)
        found.append({"label": label, "remove_url": address.having(customer=None, page=None)})
    return found


def _list_of(record: Any, user: User) -> str:
    """Where all changes around a customer stand, for those who have that page."""
    if not isinstance(record, Customer) or not can(user, Permission.LIST_CHANGES):
        return ""
    return f"{reverse('crm:list-changes')}?customer={record.pk}"
