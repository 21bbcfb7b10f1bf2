"""A mapping file: where each column of an import comes from, and what its author assumes (docs/guides/imports.md)."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from crm.lib.cells import Cell, CellError, is_blank, refuse_nul, scaled, text
from crm.lib.spreadsheets import Table, TableRow, read_table

_KEYS = {"kind", "assumptions", "only", "columns", "sum"}
_SOURCE_KEYS = {"header", "constant", "default", "values", "lookup", "factor"}
_LOOKUP_KEYS = {"file", "key", "value"}


class MappingUnreadable(Exception):
    """The mapping makes no sense, or not with this file; the message says what to mend."""


@dataclass(frozen=True)
class Source:
    """Where one column's value comes from."""

    header: str = ""
    constant: Cell = None
    default: Cell = None
    values: Mapping[str, Cell] = field(default_factory=dict)
    lookup: Mapping[str, Cell] | None = None
    lookup_name: str = ""
    factor: Decimal | None = None

    def cell_of(self, cells: Mapping[str, Cell]) -> Cell:
        """The value in a row. Raises CellError for NUL, and where a table to look it up in does not know it."""
        cell = cells.get(self.header) if self.header else self.constant
        refuse_nul(cell)
        if is_blank(cell):
            return self.default
        if self.values:
            cell = self.values.get(text(cell), cell)
        if self.lookup is not None:
            cell = self._looked_up(cell)
        return cell if self.factor is None else scaled(cell, self.factor)

    def _looked_up(self, cell: Cell) -> Cell:
        found = (self.lookup or {}).get(text(cell))
        refuse_nul(found)
        if is_blank(found):
            raise CellError(_("{file} does not know “{cell}”").format(file=self.lookup_name, cell=text(cell)))
        return found


@dataclass(frozen=True)
class ColumnMap:
    """What a mapping file says."""

    columns: Mapping[str, Source]
    kind: str = ""
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sums: frozenset[str] = frozenset()
    assumptions: tuple[str, ...] = ()

    def takes(self, row: TableRow) -> bool:
        """Whether the row is one of those that the mapping is about."""
        return all(text(row.cells.get(header)) in wanted for header, wanted in self.only.items())

    def require_headers(self, table: Table) -> None:
        """Raise MappingUnreadable where the mapping names a header that the table does not have."""
        wanted = {source.header for source in self.columns.values() if source.header} | set(self.only)
        absent = sorted(wanted - set(table.headers))
        if absent:
            raise MappingUnreadable(
                _("the file has no column {absent}; it has {headers}").format(
                    absent=", ".join(absent), headers=", ".join(table.headers)
                )
            )


def read_mapping(path: Path, *, tables_in: Path) -> ColumnMap:
    """A mapping from JSON or TOML; the tables it looks values up in lie in the folder `tables_in`."""
    return mapping_of(_content(path), name=path.name, tables_in=tables_in)


def mapping_of(content: dict[str, Any], *, name: str, tables_in: Path | None = None) -> ColumnMap:
    """A mapping from what a mapping file says; `name` is what messages call it. No folder: it cannot look up."""
    _refuse_unknown(content, _KEYS, name)
    try:
        return ColumnMap(
            columns={column: _source(column, said, tables_in) for column, said in content["columns"].items()},
            kind=content.get("kind", ""),
            only={header: frozenset(map(text, wanted)) for header, wanted in content.get("only", {}).items()},
            sums=frozenset(content.get("sum", ())),
            assumptions=tuple(content.get("assumptions", ())),
        )
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise MappingUnreadable(_("{name} cannot be understood: {error}").format(name=name, error=error)) from error


def _content(path: Path) -> dict[str, Any]:
    try:
        written = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(written) if path.suffix == ".toml" else json.loads(written)
    except (OSError, ValueError) as error:  # JSON's, TOML's and UTF-8's errors are ValueErrors
        raise MappingUnreadable(_("{name} cannot be read: {error}").format(name=path.name, error=error)) from error


def _source(name: str, said: str | dict[str, Any], tables_in: Path | None) -> Source:
    if isinstance(said, str):
        return Source(header=said)
    _refuse_unknown(said, _SOURCE_KEYS, name)
    if ("header" in said) == ("constant" in said):
        raise MappingUnreadable(_("{name} needs either a header or a constant").format(name=name))
    return Source(
        header=said.get("header", ""),
        constant=said.get("constant"),
        default=said.get("default"),
        values=said.get("values", {}),
        factor=Decimal(str(said["factor"])) if "factor" in said else None,
        **_lookup(name, said["lookup"], tables_in) if "lookup" in said else {},
    )


def _lookup(name: str, said: dict[str, str], tables_in: Path | None) -> dict[str, Any]:
    _refuse_unknown(said, _LOOKUP_KEYS, name)
    if tables_in is None:
        raise MappingUnreadable(_("{name} cannot look values up here; list them as values").format(name=name))
    table = read_table(tables_in / said["file"])
    absent = {said["key"], said["value"]} - set(table.headers)
    if absent:
        raise MappingUnreadable(
            _("{file} has no column {absent}").format(file=said["file"], absent=", ".join(sorted(absent)))
        )
    found = {text(row.cells.get(said["key"])): row.cells.get(said["value"]) for row in table.rows}
    return {"lookup": found, "lookup_name": said["file"]}


def _refuse_unknown(content: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(content) - known)
    if unknown:
        raise MappingUnreadable(
            _("{where} knows no {unknown}; it knows {known}").format(
                where=where, unknown=", ".join(unknown), known=", ".join(sorted(known))
            )
        )
