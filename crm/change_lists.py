"""The list of all changes and that of one record's: on their pages and in files, in words for whoever asks."""

from dataclasses import replace
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.actions.record_kinds import record_kinds
from crm.change_filters import ChangeFilter
from crm.change_words import Told, tell
from crm.lib.columns import ListColumn, choose
from crm.lib.exports import Type
from crm.lib.filtering import ListFilters
from crm.lib.listing import Address, filter_params
from crm.lists import address_of
from crm.models import Change
from crm.permissions import Permission
from crm.record_pages import history_of
from crm.templatetags.changes import changed_fields, customer_of, moment_of, record_of


def _what(told: Told) -> str:
    return gettext("; ").join(told.sentences)


COLUMNS = (
    ListColumn("at", _("When"), lambda told: told.change.at, Type.MOMENT, draw=moment_of, is_sortable=True),
    ListColumn("by", _("Who"), lambda told: told.by, css="text-nowrap"),
    ListColumn("way", _("By way of"), lambda told: str(told.change.get_way_display()), css="text-nowrap"),
    ListColumn("kind", _("Kind of record"), lambda told: told.what, is_shown=False, is_added=True),
    ListColumn("record", _("Record"), lambda told: told.record, draw=record_of, css="cell-wide"),
    ListColumn("customer", _("Customer"), lambda told: told.customer, draw=customer_of, css="cell-wide"),
    ListColumn("region", _("Region"), lambda told: told.region, is_shown=False, is_added=True),
    ListColumn("changes", _("What changed"), _what, draw=changed_fields),
    ListColumn("reason", _("Why"), lambda told: told.change.reason),
    ListColumn("batch", _("Import or bulk change"), lambda told: str(told.change.batch or ""), is_shown=False),
)
RECORD = "record"  # the parameter that says of which record
# Its page says of which record it is; a file by itself must, too.
RECORD_COLUMNS = tuple(
    replace(column, is_shown=False, is_added=True) if column.key in ("kind", "record", "customer") else column
    for column in COLUMNS
    if column.key != "region"
)


def open_changes(request: Any, params: QueryDict) -> Opened:
    """The changes that exist for a person."""
    changes = Change.objects.visible_to(request.user).told()
    filters = ChangeFilter(filter_params(params), changes, request=request)
    return Opened(filters, choose(COLUMNS, params), rows=lambda changes: tell(changes, request.user))


CHANGES = Listed("changes", _("History"), Permission.LIST_CHANGES, open_changes, address_of("crm:list-changes"))


class RecordChangeFilter(ListFilters):
    """Changes of one record, the latest first."""

    orderings = {"at": "pk"}
    default_ordering = "-at"


def open_record_changes(request: Any, params: QueryDict) -> Opened:
    """The changes of one record, or of one of its fields. Raises ObjectDoesNotExist where there is none to be seen."""
    wanted = filter_params(params)
    kind, pk = _pop_record(wanted)
    history = history_of(kind, pk, request.user)
    changes = history.of_field(wanted.pop("field", [""])[-1])
    wanted.pop("before", None)
    filters = RecordChangeFilter(wanted, changes, request=request)
    return Opened(filters, choose(RECORD_COLUMNS, params), rows=lambda some: tell(some, request.user))


def of_record(kind: str, pk: int, field: str) -> QueryDict:
    """The history of a record, or of one of its fields, as an address of the list."""
    wanted = QueryDict(mutable=True)
    wanted[RECORD] = f"{kind}/{pk}"
    if field:
        wanted["field"] = field
    return wanted


def _pop_record(params: QueryDict) -> tuple[str, int]:
    """The record that `of_record` added; a parameter of that name before it stays, and is no filter."""
    *others, record = [name for name in params.pop(RECORD, []) if name] or [""]
    if others:
        params.setlist(RECORD, others)
    kind, _slash, number = record.partition("/")
    return kind, int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0


def _record_address(params: QueryDict) -> str:
    shown = params.copy()
    kind, pk = _pop_record(shown)
    if kind not in record_kinds():  # nothing to be opened there either
        return reverse("crm:list-changes")
    return Address(reverse("crm:view-history", args=[kind, pk]), shown).having()


RECORD_CHANGES = Listed(
    "record-changes", _("History of a record"), Permission.VIEW_HOME, open_record_changes, _record_address
)

LISTS = (CHANGES, RECORD_CHANGES)
