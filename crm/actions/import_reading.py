"""From a table's cells to a row's values: which column stands where, and what is written there."""

import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from crm.actions.import_rows import EMPTYING, Column, Kind, Row
from crm.lib.cells import Cell, CellError, is_blank, text
from crm.lib.mappings import ColumnMap, MappingUnreadable, Source
from crm.lib.spreadsheets import Table, TableRow

_AT_ONCE = 2000
_EMPTYING = frozenset(text(word).lower() for word in EMPTYING)


def added_headers() -> tuple[str, str]:
    """The heads of the two columns that a file of rejected rows has more than the file it comes from."""
    return _("row in the file"), _("why it was rejected")


def all_added_headers() -> frozenset[str]:
    """These heads in every language: whoever imports such a file again need not take them away."""
    found: set[str] = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found |= set(added_headers())
    return frozenset(found)


def shape_of(headers: Iterable[str]) -> str:
    """A hash of a table's headers, by which the mapping that was last used for such a table is found."""
    added = all_added_headers()
    told = "\n".join(sorted(header for header in headers if header not in added))
    return sha256(told.encode()).hexdigest()


def map_by_headers(kind: Kind, headers: Iterable[str]) -> ColumnMap:
    """Without a mapping, a column is found by any of its names; what no column is called stays unread."""
    names = {_spoken(header): header for header in headers}
    found = {
        column.name: Source(header=names[_spoken(called)])
        for column in kind.columns
        for called in (column.name, *column.headers)
        if _spoken(called) in names
    }
    return ColumnMap(columns=found)


def check_map(kind: Kind, chosen: ColumnMap, table: Table) -> None:
    """Raise MappingUnreadable where a mapping is for another kind or another file, or lacks a column."""
    if chosen.kind and chosen.kind != kind.name:
        raise MappingUnreadable(_("the mapping is for {kind}").format(kind=chosen.kind))
    unknown = sorted(name for name in {*chosen.columns, *chosen.sums} if kind.column(name) is None)
    if unknown:
        raise MappingUnreadable(_("{kind} have no column {unknown}").format(kind=kind.name, unknown=", ".join(unknown)))
    absent = [column for column in kind.columns if column.is_required and column.name not in chosen.columns]
    if absent:
        called = "; ".join(f"{column.name} ({', '.join(column.headers)})" for column in absent)
        raise MappingUnreadable(_("the file lacks a column: {called}").format(called=called))
    chosen.require_headers(table)


def read_rows(
    table_rows: list[TableRow], kind: Kind, chosen: ColumnMap, on_progress: Callable[[float], Any]
) -> list[Row]:
    """What each row says, with a reason for every cell that cannot be read."""
    wanted = [(column, chosen.columns[column.name]) for column in kind.columns if column.name in chosen.columns]
    empties = {column.name: kind.emptied(column) for column, _source in wanted}
    rows = []
    for done, row in enumerate(table_rows):
        read = Row(row.number, row.cells)
        for column, source in wanted:
            _read_cell(read, column, source, empties)
        rows.append(read)
        if done % _AT_ONCE == 0:
            on_progress(done / len(table_rows))
    return rows


def _read_cell(row: Row, column: Column, source: Source, empties: Mapping[str, Any]) -> None:
    try:
        cell = row.cells.get(source.header)
        if not _empties(cell):
            cell = source.cell_of(row.cells)
        if is_blank(cell):
            if column.is_required:
                row.reject(_("there must be something here"), column.name)
        elif _empties(cell):
            _empty(row, column, empties[column.name])
        else:
            row.values[column.name] = column.parse(cell)
    except CellError as error:
        row.reject(str(error), column.name)


def _empties(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) < 10 and text(cell).lower() in _EMPTYING


def _empty(row: Row, column: Column, nothing: tuple[Any] | None) -> None:
    if nothing is None:
        row.reject(_("this cannot be emptied"), column.name)
    else:
        row.emptied[column.name] = nothing[0]


def _spoken(header: str) -> str:
    """A header as it is compared: whatever its case, its spaces, and a star that marks it as required."""
    return re.sub(r"[\s*]+", "", text(header).lower())
