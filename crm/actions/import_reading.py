"""From a table's cells to a row's values: which column stands where, and what is written there."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
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
    """Without a mapping, a column is found by the first of its names; what no column is called stays unread."""
    spoken = _by_spoken(headers)
    found = {column.name: _called(column, spoken) for column in kind.columns}
    return ColumnMap(columns={name: Source(header=called[0]) for name, called in found.items() if called})


def _by_spoken(headers: Iterable[str]) -> dict[str, str]:
    return {_spoken(header): header for header in headers}


def _called(column: Column, spoken: Mapping[str, str]) -> list[str]:
    """The headers that are names of a column, the surest first."""
    return [spoken[name] for name in dict.fromkeys(map(_spoken, column.names)) if name in spoken]


def check_map(kind: Kind, chosen: ColumnMap, table: Table) -> None:
    """Raise MappingUnreadable where a mapping is for another kind or another file, or lacks a column."""
    if chosen.kind and chosen.kind != kind.name:
        raise MappingUnreadable(_("the mapping is for {kind}").format(kind=chosen.kind))
    unknown = sorted(name for name in {*chosen.columns, *chosen.sums} if kind.column(name) is None)
    if unknown:
        raise MappingUnreadable(_("{kind} have no column {unknown}").format(kind=kind.name, unknown=", ".join(unknown)))
    absent = [column for column in kind.columns if column.is_required and column.name not in chosen.columns]
    if absent:
        called = "; ".join(f"{column.name} ({', '.join((*column.headers, *column.surer))})" for column in absent)
        raise MappingUnreadable(_("the file lacks a column: {called}").format(called=called))
    chosen.require_headers(table)


def read_rows(
    table_rows: list[TableRow],
    headers: Sequence[str],
    kind: Kind,
    chosen: ColumnMap,
    on_progress: Callable[[float], Any],
) -> list[Row]:
    """What each row says, with a reason for every cell that cannot be read."""
    wanted = [(column, _sources(column, headers, chosen)) for column in kind.columns if column.name in chosen.columns]
    empties = {column.name: kind.emptied(column) for column, _found in wanted}
    rows = []
    for done, row in enumerate(table_rows):
        read = Row(row.number, row.cells)
        for column, sources in wanted:
            _read_cell(read, column, sources, empties)
        rows.append(read)
        if done % _AT_ONCE == 0:
            on_progress(done / len(table_rows))
    return rows


def _sources(column: Column, headers: Sequence[str], chosen: ColumnMap) -> tuple[Source, ...]:
    """Where a column is read: what must be there and has no code in a row may have a name in another column of it."""
    source = chosen.columns[column.name]
    is_sure = column.is_required and _spoken(source.header) in map(_spoken, column.surer)
    taken = {other.header for other in chosen.columns.values()}
    others = [header for header in _called(column, _by_spoken(headers)) if header not in taken] if is_sure else []
    return (source, *(replace(source, header=header) for header in others))


def _read_cell(row: Row, column: Column, sources: Sequence[Source], empties: Mapping[str, Any]) -> None:
    try:
        cell = _cell_of(row, sources[0])
        if is_blank(cell) and len(sources) > 1:
            cell = next((said for source in sources if not is_blank(said := _cell_of(row, source))), None)
        if is_blank(cell):
            if column.is_required:
                row.reject(_("there must be something here"), column.name)
        elif _empties(cell):
            _empty(row, column, cell, empties[column.name])
        else:
            row.values[column.name] = column.parse(cell)
    except CellError as error:
        row.reject(str(error), column.name)


def _cell_of(row: Row, source: Source) -> Cell:
    """What stands in the row; a word that empties is no figure to reckon with and no word to look up."""
    cell = row.cells.get(source.header)
    return cell if _empties(cell) else source.cell_of(row.cells)


def _empties(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) < 10 and text(cell).lower() in _EMPTYING


def _empty(row: Row, column: Column, word: Cell, nothing: tuple[Any] | None) -> None:
    if nothing is None:
        row.reject(_("this cannot be emptied"), column.name)
    else:
        row.emptied[column.name] = nothing[0]
        row.extra.setdefault("emptying", {})[column.name] = word


def _spoken(header: str) -> str:
    """A header as it is compared: whatever its case, its spaces, and a star that marks it as required."""
    return re.sub(r"[\s*]+", "", text(header).lower())
