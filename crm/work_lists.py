"""The lists of what a person has begun: imports, bulk changes, exports, API tokens."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.actions.imports import import_kinds
from crm.bulk_pages import BulkRow, bulk_changes_of, bulk_rows
from crm.export_states import MadeFile, made_files, own_exports
from crm.import_pages import counts_of, imports_of, label_of
from crm.lib.columns import ListColumn, Place, choose
from crm.lib.drawing import long_link, pill, small_button
from crm.lib.exports import Type
from crm.lib.filtering import ListFilters, WordsFilter
from crm.lib.listing import filter_params
from crm.lists import address_of
from crm.models import ACTIVE_STATES, ApiToken, DataImport, ImportState
from crm.permissions import Permission
from crm.templatetags.states import state_of, state_pill
from crm.token_pages import TokenRow, token_rows

# --- imports


class DataImportFilter(ListFilters):
    """Imports by kind and state, the latest first."""

    orderings = {"created_at": "pk"}
    default_ordering = "-created_at"

    kind = WordsFilter(
        "kind", label=_("Kind of record"), choices=lambda: [(name, label_of(name)) for name in import_kinds()]
    )
    state = WordsFilter("state", label=_("State"), choices=ImportState.choices)


def _import_link(one: DataImport, _place: Place) -> SafeString:
    return long_link(reverse("crm:view-import", args=[one.pk]), one.file.name)


def _outcome(name: str) -> Callable[[DataImport], int | None]:
    def value(one: DataImport) -> int | None:
        counts = counts_of(one)
        return None if counts is None else counts[name]

    return value


IMPORT_COLUMNS = (
    ListColumn("file", _("File"), lambda one: one.file.name, draw=_import_link),
    ListColumn("kind", _("Kind of record"), lambda one: label_of(one.kind)),
    ListColumn("state", _("State"), lambda one: str(one.get_state_display()), draw=state_of),
    ListColumn("created", _("Created"), _outcome("created"), Type.WHOLE),
    ListColumn("updated", _("Updated"), _outcome("updated"), Type.WHOLE),
    ListColumn("unchanged", _("Unchanged"), _outcome("unchanged"), Type.WHOLE),
    ListColumn("rejected", _("Rejected"), _outcome("rejected"), Type.WHOLE),
    ListColumn("created_at", _("When"), lambda one: one.created_at, Type.MOMENT, css="tabular", is_sortable=True),
    ListColumn("by", _("By"), lambda one: str(one.by)),
)


def open_imports(request: Any, params: QueryDict) -> Opened:
    """One's imports, the latest first; for sales management those of everybody."""
    filters = DataImportFilter(filter_params(params), imports_of(request.user), request=request)
    return Opened(filters, choose(IMPORT_COLUMNS, params))


# --- bulk changes


class BulkChangeFilter(ListFilters):
    """Bulk changes, the latest first."""

    orderings = {"created_at": "pk"}
    default_ordering = "-created_at"


def _bulk_link(row: BulkRow, _place: Place) -> SafeString:
    return long_link(reverse("crm:view-bulk-change", args=[row.bulk.pk]), row.title)


def _bulk_state(row: BulkRow, _place: Place) -> SafeString:
    return state_pill(row.bulk)


BULK_COLUMNS = (
    ListColumn("title", _("What was to change"), lambda row: row.title, draw=_bulk_link),
    ListColumn("state", _("State"), lambda row: str(row.bulk.get_state_display()), draw=_bulk_state),
    ListColumn("size", _("Rows selected"), lambda row: row.bulk.size, Type.WHOLE),
    ListColumn("changed", _("Rows changed"), lambda row: row.changed, Type.WHOLE),
    ListColumn("created_at", _("When"), lambda row: row.bulk.created_at, Type.MOMENT, css="tabular", is_sortable=True),
)


def open_bulk_changes(request: Any, params: QueryDict) -> Opened:
    """One's own bulk changes, the latest first."""
    user = request.user
    filters = BulkChangeFilter(filter_params(params), bulk_changes_of(user), request=request)
    return Opened(filters, choose(BULK_COLUMNS, params), rows=lambda found: bulk_rows(found, user))


# --- exports


class ExportFilter(ListFilters):
    """Exports, the latest first."""

    orderings = {"at": "at"}
    default_ordering = "-at"


def _list_link(made: MadeFile, _place: Place) -> SafeString | str:
    return long_link(made.address, made.title) if made.address else made.title


def _made_state(made: MadeFile, _place: Place) -> SafeString | str:
    return pill(made.state, "accent") if made.progress else made.state


EXPORT_COLUMNS = (
    ListColumn("list", _("List"), lambda made: made.title, draw=_list_link),
    ListColumn("at", _("Made at"), lambda made: made.export.at, Type.MOMENT, css="tabular", is_sortable=True),
    ListColumn("format", _("Format"), lambda made: made.export.format),
    ListColumn("rows", _("Rows"), lambda made: made.export.rows, Type.WHOLE),
    ListColumn("state", _("State"), lambda made: made.state, draw=_made_state),
    ListColumn(
        "again",
        _("What can be done"),
        lambda made: "",
        template="crm/_export_cell.html",
        is_in_file=False,
        is_silent=True,
    ),
)


def open_exports(request: Any, params: QueryDict) -> Opened:
    """One's own exports, the latest first, with what has become of them."""
    user, now = request.user, timezone.now()
    filters = ExportFilter(filter_params(params), own_exports(user), request=request)
    columns = choose(EXPORT_COLUMNS, params)
    return Opened(
        filters, columns, lambda found: _without_itself(found, now), lambda found: made_files(found, user, now)
    )


def _without_itself(exports: Any, now: datetime) -> Any:
    """A file that is being made of the list of files is not in it yet, at once or by a job."""
    return exports.filter(at__lt=now).exclude(list_name=EXPORTS.name, job__state__in=ACTIVE_STATES)


# --- API tokens


class TokenFilter(ListFilters):
    """API tokens, the latest first."""

    orderings = {"created": "created", "last_used_at": "last_used_at"}
    default_ordering = "-created"


def _last_day(row: TokenRow, _place: Place) -> SafeString | str:
    return pill(gettext("expired"), "bad") if row.is_expired else row.last_day


def _last_used(row: TokenRow, _place: Place) -> str:
    return row.last_used


def _revoke(row: TokenRow, _place: Place) -> SafeString:
    name = gettext("Revoke {token}").format(token=row.token)
    return small_button(reverse("crm:revoke-own-token", args=[row.token.number]), gettext("Revoke"), name)


TOKEN_COLUMNS = (
    ListColumn("name", _("Token name"), lambda row: str(row.token)),
    ListColumn("scopes", _("What it may do"), lambda row: gettext("; ").join(row.scopes)),
    ListColumn("created", _("Created on"), lambda row: row.token.created, Type.MOMENT, css="tabular", is_sortable=True),
    ListColumn("last_day", _("Last day"), lambda row: row.token.last_day, Type.DAY, css="tabular", draw=_last_day),
    ListColumn(
        "last_used_at",
        _("Last used"),
        lambda row: row.token.last_used_at,
        Type.MOMENT,
        css="tabular",
        draw=_last_used,
        is_sortable=True,
    ),
    ListColumn("revoke", _("What can be done"), lambda row: "", draw=_revoke, is_in_file=False, is_silent=True),
)


def open_tokens(request: Any, params: QueryDict) -> Opened:
    """One's own tokens, the latest first."""
    own = ApiToken.objects.filter(user=request.user)
    filters = TokenFilter(filter_params(params), own, request=request)
    return Opened(filters, choose(TOKEN_COLUMNS, params), rows=token_rows)


IMPORTS = Listed("imports", _("Imports"), Permission.IMPORT_DATA, open_imports, address_of("crm:list-imports"))
BULK_CHANGES = Listed(
    "bulk-changes",
    _("My bulk changes"),
    Permission.CHANGE_IN_BULK,
    open_bulk_changes,
    address_of("crm:list-bulk-changes"),
)
EXPORTS = Listed("exports", _("My exports"), Permission.VIEW_HOME, open_exports, address_of("crm:list-exports"))
TOKENS = Listed("tokens", _("API tokens"), Permission.VIEW_HOME, open_tokens, address_of("crm:list-tokens"))

LISTS = (IMPORTS, BULK_CHANGES, EXPORTS, TOKENS)
