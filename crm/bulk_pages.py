"""What the pages of a bulk change show: the bar beside a list, the choice of a value, the confirmation, the report."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.actions.bulk_kinds import BulkField, BulkKind, bulk_kinds
from crm.actions.exports import Listed, listed_by_name
from crm.actions.work_on_bulk_change import OUTCOMES
from crm.change_words import label_of, value_words
from crm.lib.listing import Address, Listing
from crm.lib.pace import pace, whole
from crm.models import BULK_APPLIED, BulkChange, BulkState, User
from crm.permissions import Permission, can
from crm.record_names import Names, names_of
from crm.undo_pages import named_conflicts, reason_of, record_url

_EMPTY = "is_emptied"


@dataclass(frozen=True)
class BulkBar:
    """What `_includes/bulk_bar.html` offers beside a list; `total` where the list goes on beyond its page."""

    url: str
    total: str


@dataclass(frozen=True)
class BulkRow:
    """A bulk change as its list shows it; `changed` is how many rows it has changed, once it has."""

    bulk: BulkChange
    title: str
    changed: int | None


def bulk_bar(listed: Listed, user: User, listing: Listing) -> BulkBar | None:
    """The bar of a list whose rows the person may change; none where he may not, or there are none."""
    kind = bulk_kinds().get(listed.name)
    if kind is None or not listing.rows or not (can(user, Permission.CHANGE_IN_BULK) and can(user, kind.permission)):
        return None
    path = reverse("crm:choose-rows", args=[listed.name])
    page = listing.page
    is_whole = not (page["previous_url"] or page["next_url"])
    return BulkBar(Address(path, listing.address.params).having(page=None), "" if is_whole else page["total_label"])


def bulk_changes_of(user: User) -> QuerySet[BulkChange]:
    """One's bulk changes, without the long list of what was chosen."""
    return BulkChange.objects.visible_to(user).select_related("job", "by").defer("chosen")


def list_url(shown: BulkChange) -> str:
    """The list from which the rows were chosen, as it was filtered."""
    return listed_by_name()[shown.kind].address(QueryDict(shown.query))


# --- setting up


def value_form(kind: BulkKind, field: BulkField, data: Any, shared: dict[str, Any], user: User) -> forms.ModelForm:
    """The record's own form with the one field; where that may be empty, with a tick that says so."""
    form = kind.form(data, field=field.name, shared=shared, user=user)
    value = form.fields[field.name]
    if not value.required:
        form.fields[_EMPTY] = forms.BooleanField(label=_("Empty the field: no new value"), required=False)
        value.required = not (data and data.get(_EMPTY))
        value.error_messages["required"] = _("Enter the new value, or tick that the field is to be emptied.")
    return form


def typed_value(kind: BulkKind, field: BulkField, form: forms.ModelForm) -> tuple[Any, bool]:
    """What a form holds that is to be stored, and whether it may be."""
    if not form.is_valid():
        return None, False
    value = getattr(form.instance, kind.column(field).attname)
    if form.cleaned_data.get(_EMPTY) and value not in (None, ""):
        form.add_error(field.name, _("Either a new value or the tick, not both."))
    return value, not form.errors


def field_tabs(kind: BulkKind, current: BulkField) -> list[dict[str, Any]]:
    """The fields to choose from."""
    return [
        {"name": field.name, "label": capfirst(field_label(kind, field)), "is_current": field is current}
        for field in kind.fields
    ]


def field_label(kind: BulkKind, field: BulkField) -> str:
    """What people call a field, within a sentence."""
    return label_of(kind.model._meta.db_table, kind.column(field))


# --- what it would do, and what it did


def page_of_bulk_change(shown: BulkChange, user: User, now: datetime) -> dict[str, Any]:
    """The context of a bulk change's page."""
    kind = bulk_kinds()[shown.kind]
    return {
        "bulk": shown,
        "list_url": list_url(shown),
        "title": title_of(shown, user),
        "progress": progress_of(shown, now),
        "trouble": _trouble(shown),
        "conflicts": named_conflicts(shown.report.get("undo", {}).get("conflicts", ()), user),
        "conflict_count": shown.report.get("undo", {}).get("conflict_count", 0),
        "confirmation": _confirmation(shown, kind, user) if shown.state == BulkState.SHOWN else None,
        "counts": counts_of(shown),
        "left_alone": left_alone(shown, kind, user),
        "can_undo": can_undo(shown),
        "has_ended": shown.state in (*BULK_APPLIED, BulkState.CANCELLED),
    }


def title_of(shown: BulkChange, user: User) -> str:
    """The change in one line: which field of how many records becomes what."""
    return _title(shown, _names([shown], user))


def counts_of(shown: BulkChange) -> list[tuple[str, int]]:
    """The figures of a bulk change that has been done, with what they count."""
    found = shown.report.get("counts")
    labels = {
        "changed": _("Rows changed"),
        "unchanged": _("Had the value already"),
        "meanwhile": _("Changed by somebody else meanwhile: left alone"),
        "gone": _("Out of your sight meanwhile"),
    }
    return [(labels[name], found[name]) for name in OUTCOMES] if found else []


def can_undo(shown: BulkChange) -> bool:
    """Whether there is anything to take back."""
    return shown.state == BulkState.DONE and changed(shown) > 0


def changed(shown: BulkChange) -> int:
    """How many records it changed."""
    counts: dict[str, int] = shown.report.get("counts", {})
    return counts.get("changed", 0)


def left_alone(shown: BulkChange, kind: BulkKind, user: User) -> list[dict[str, Any]]:
    """The first of the records that somebody else changed meanwhile, as far as the person sees them."""
    return [_linked(kind, record) for record in _records(kind, shown.report.get("meanwhile", ()), user)]


def progress_of(shown: BulkChange, now: datetime) -> dict[str, Any] | None:
    """What `crm/bulk_changes/_progress.html` shows; none where no job is under way."""
    labels = {BulkState.CHANGING: _("Changing the rows"), BulkState.UNDOING: _("Taking the bulk change back")}
    label, job = labels.get(BulkState(shown.state)), shown.job
    if label is None or job is None:
        return None
    return {
        "bulk": shown,
        "job": job,
        "label": label,
        **pace(job.rate(now), job.time_left(now)),
        "may_cancel": shown.state == BulkState.CHANGING,
    }


def bulk_rows(found: Sequence[BulkChange], user: User) -> list[BulkRow]:
    """Bulk changes as their list shows them."""
    names = _names(found, user)
    return [BulkRow(one, _title(one, names), changed(one) if one.batch else None) for one in found]


def _title(shown: BulkChange, names: Names) -> str:
    kind = bulk_kinds()[shown.kind]
    counted, field = kind.counted(shown.size), kind.field(shown.field)
    if field is None:
        return _("Change {records}").format(records=counted)
    said = _("Change the {field} of {records} to {value}")
    if shown.value in (None, ""):
        said = _("Empty the {field} of {records}")
    value = value_words(kind.model, kind.column(field), shown.value, names)
    return said.format(field=field_label(kind, field), records=counted, value=value)


def _confirmation(shown: BulkChange, kind: BulkKind, user: User) -> dict[str, Any]:
    field = kind.field(shown.field)
    if field is None:
        return {}
    already = shown.report["already"]
    differing = shown.size - already
    records, column = _records(kind, shown.report["examples"], user), kind.column(field)
    names = _names([shown], user, *(getattr(record, column.attname) for record in records))
    return {
        "value": value_words(kind.model, column, shown.value, names),
        "already": _already(already),
        "differing": differing,
        "action": _("Change {records}").format(records=kind.counted(differing)),
        "examples": [
            _linked(kind, one) | {"present": value_words(kind.model, column, getattr(one, column.attname), names)}
            for one in records
        ],
    }


def _already(count: int) -> str:
    said = ngettext("{count} has this value already.", "{count} have this value already.", count)
    return said.format(count=whole(count)) if count else ""


def _names(changes: Iterable[BulkChange], user: User, *present: Any) -> Names:
    """What the new values lead to, and values that records have at present, as far as the person sees it."""
    wanted: dict[Any, set[Any]] = defaultdict(set)
    for one in changes:
        kind = bulk_kinds()[one.kind]
        field = kind.field(one.field)
        if field is not None and kind.column(field).is_relation:
            wanted[kind.column(field).related_model] |= {one.value, *present} - {None}
    return names_of(wanted, user)


def _records(kind: BulkKind, numbers: Iterable[int], user: User) -> list[Any]:
    wanted = list(numbers)
    return list(kind.writable(user).filter(pk__in=wanted).order_by("pk")) if wanted else []


def _linked(kind: BulkKind, record: Any) -> dict[str, Any]:
    return {
        "name": str(record),
        "code": getattr(record, "code", ""),
        "url": record_url(kind.model._meta.db_table, record.pk),
    }


def _trouble(shown: BulkChange) -> str:
    if shown.state == BulkState.FAILED:
        return _("Nothing was changed. {reason}").format(reason=reason_of(shown.report))
    if shown.state == BulkState.DONE and "undo" in shown.report:
        said = _("{reason} A bulk change is taken back as a whole or not at all: nothing was changed.")
        return said.format(reason=reason_of(shown.report["undo"]))
    if shown.state == BulkState.CANCELLED:
        return _("This bulk change was given up. Nothing was changed.")
    return ""
