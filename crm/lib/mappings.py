"""A mapping file: where each column of an import comes from, and what its author assumes (docs/guides/imports.md)."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.lib.cells import Cell, CellError, is_blank, refuse_nul, scaled, text
from crm.lib.spreadsheets import Table, TableRow, read_table

_KEYS = {"kind", "assumptions", "only", "columns", "sum"}
_SOURCE_KEYS = {"header", "constant", "default", "values", "lookup", "factor"}
_LOOKUP_KEYS = {"file", "key", "value"}
_SENTENCES: dict[type, Any] = {
    dict: gettext_lazy("{where} must be an object: names, and behind each what it means"),
    list: gettext_lazy("{where} must be a list, in square brackets"),
    str: gettext_lazy("{where} must be a text"),
}


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


def mapping_of(content: Any, *, name: str, tables_in: Path | None = None) -> ColumnMap:
    """A mapping from what a mapping file says; `name` is what messages call it. No folder: it cannot look up.

    Headers and words are compared as a table's are, in one form whatever the width of their signs.
    """
    said = _known(content, _KEYS, name)
    columns = _of_type(said.get("columns"), dict, f"{name}: columns")
    only = _of_type(said.get("only", {}), dict, f"{name}: only")
    return ColumnMap(
        columns={column: _source(source, f"{name}: {column}", tables_in) for column, source in columns.items()},
        kind=_of_type(said.get("kind", ""), str, f"{name}: kind"),
        only={
            text(header): frozenset(map(text, _of_type(wanted, list, f"{name}: only.{header}")))
            for header, wanted in only.items()
        },
        sums=frozenset(map(text, _of_type(said.get("sum", []), list, f"{name}: sum"))),
        assumptions=tuple(_of_type(said.get("assumptions", []), list, f"{name}: assumptions")),
    )


def _content(path: Path) -> Any:
    try:
        written = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(written) if path.suffix == ".toml" else json.loads(written)
    except (OSError, ValueError) as error:  # JSON's, TOML's and UTF-8's errors are ValueErrors
        raise MappingUnreadable(_("{name} cannot be read: {error}").format(name=path.name, error=error)) from error


def _source(content: Any, where: str, tables_in: Path | None) -> Source:
    if isinstance(content, str):
        return Source(header=text(content))
    said = _known(content, _SOURCE_KEYS, where)
    if ("header" in said) == ("constant" in said):
        raise MappingUnreadable(_("{name} needs either a header or a constant").format(name=where))
    values = _of_type(said.get("values", {}), dict, f"{where}.values")
    return Source(
        header=text(_of_type(said.get("header", ""), str, f"{where}.header")),
        constant=said.get("constant"),
        default=said.get("default"),
        values={text(word): meant for word, meant in values.items()},
        factor=_factor(said["factor"], f"{where}.factor") if "factor" in said else None,
        **_lookup(said["lookup"], f"{where}.lookup", tables_in) if "lookup" in said else {},
    )


def _factor(said: Any, where: str) -> Decimal:
    try:
        factor = Decimal(str(said))
    except InvalidOperation:
        factor = Decimal("NaN")
    if not factor.is_finite():
        raise MappingUnreadable(_("{where} is no number: “{said}”").format(where=where, said=said))
    return factor


def _lookup(content: Any, where: str, tables_in: Path | None) -> dict[str, Any]:
    said = _known(content, _LOOKUP_KEYS, where)
    if tables_in is None:
        raise MappingUnreadable(_("{name} cannot look values up here; list them as values").format(name=where))
    file, key, value = (_of_type(said.get(name), str, f"{where}.{name}") for name in ("file", "key", "value"))
    key, value = text(key), text(value)
    table = read_table(tables_in / file)
    absent = {key, value} - set(table.headers)
    if absent:
        raise MappingUnreadable(_("{file} has no column {absent}").format(file=file, absent=", ".join(sorted(absent))))
    found = {text(row.cells.get(key)): row.cells.get(value) for row in table.rows}
    return {"lookup": found, "lookup_name": file}


def _known(content: Any, known: set[str], where: str) -> dict[str, Any]:
    """What is said there, by its names. Raises MappingUnreadable for a name that has no meaning there."""
    said = _of_type(content, dict, where)
    unknown = sorted(set(said) - known)
    if unknown:
        raise MappingUnreadable(
            _("{where} knows no {unknown}; it knows {known}").format(
                where=where, unknown=", ".join(unknown), known=", ".join(sorted(known))
            )
        )
    return said


def _of_type(said: Any, wanted: type, where: str) -> Any:
    if not isinstance(said, wanted):
        raise MappingUnreadable(str(_SENTENCES[wanted]).format(where=where))
    return said
