"""Importing a table: read and check every row first, then apply what is accepted in one transaction, in sets.

A kind of import is one declaration (crm.imports, grading.imports): its columns, how a row finds its record, and what
follows from saving. Everything else is the same for all kinds and stands here.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, record_changes, snapshot
from crm.lib.cells import Cell, CellError, Parser, is_blank, text
from crm.lib.mappings import ColumnMap, MappingUnreadable, Source
from crm.lib.spreadsheets import Table, TableRow
from crm.models import User, Way
from crm.permissions import Permission

BATCH = 2000


class Mode(StrEnum):
    """Which rows are wanted."""

    CREATE = "create"
    UPDATE = "update"
    BOTH = "both"


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Column:
    """A column that a kind of import knows."""

    name: str
    parse: Parser
    headers: tuple[str, ...]  # what people call it, in Chinese and English
    is_required: bool = False
    about: Any = ""  # what to write there, for whoever fills in the template; translated when it is read
    allowed: tuple[str, ...] = ()  # the only words that it takes, in Chinese and English


@dataclass(eq=False)
class Row:
    """A row under way: what it says, the record it is about, and why it cannot be taken."""

    number: int
    cells: Mapping[str, Cell]
    values: dict[str, Any] = field(default_factory=dict)  # by column; a blank cell says nothing
    key: Any = None
    fields: dict[str, Any] = field(default_factory=dict)  # by field of the model
    record: Any = None  # the stored record it matches, later the one to save
    before: dict[str, Any] | None = None
    is_touched: bool = False  # something beside the record's own fields changes
    extra: dict[str, Any] = field(default_factory=dict)
    combined: int = 0
    reasons: list[str] = field(default_factory=list)
    outcome: Outcome = Outcome.REJECTED

    def reject(self, reason: str) -> None:
        """Note a reason why the row cannot be taken."""
        self.reasons.append(reason)

    @property
    def is_new(self) -> bool:
        """Whether its record is not stored yet."""
        return self.before is None


@dataclass(frozen=True)
class Occasion:
    """Who imports, and the number that all changes of this import share."""

    by: User | None
    batch: UUID


def _nothing(*args: Any) -> None:
    """The hook of a kind that needs none."""


@dataclass(frozen=True)
class Kind:
    """A kind of record that can be imported."""

    name: str
    model: type[models.Model]
    permission: Permission
    columns: tuple[Column, ...]
    match: Callable[[Sequence[Row], User | None], None]  # sets key, record and fields, or reasons
    derive: Callable[[Any], None] = _nothing  # columns of the record that follow from others
    prepare: Callable[[Sequence[Row], Occasion], None] = _nothing  # before records are saved
    settle: Callable[[Sequence[Row], Occasion], None] = _nothing  # after that, before changes are recorded
    follow: Callable[[Sequence[Row], Occasion], None] = _nothing  # at the end, for what is created or updated

    def column(self, name: str) -> Column | None:
        """Its column of a name."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Report:
    """What an import did, or would do."""

    rows: Sequence[Row]
    left_out: int
    is_applied: bool
    batch: UUID

    def count(self, outcome: Outcome) -> int:
        """How many rows ended so."""
        return Counter(row.outcome for row in self.rows)[outcome]

    @property
    def rejected(self) -> list[Row]:
        """The rows that cannot be taken, in the order of the file."""
        return [row for row in self.rows if row.outcome == Outcome.REJECTED]

    @property
    def combined(self) -> int:
        """Rows that were added to an earlier one of the same record."""
        return sum(row.combined for row in self.rows)


def import_kinds() -> dict[str, Kind]:
    """Every kind that the apps declare."""
    return {kind.name: kind for name in settings.IMPORT_KINDS for kind in import_string(name)}


@transaction.atomic
def import_table(
    *,
    kind: Kind,
    table: Table,
    by: User | None,
    column_map: ColumnMap | None = None,
    mode: Mode = Mode.BOTH,
    is_strict: bool = False,
    is_dry_run: bool = False,
) -> Report:
    """Import a table's rows; `by` None has full scope. Raises MappingUnreadable.

    Rejected rows do not hold up the others unless `is_strict`. A blank cell leaves a stored value as it is.
    """
    chosen = column_map or _map_by_headers(kind, table)
    _check_map(kind, chosen, table)
    taken = [row for row in table.rows if chosen.takes(row)]
    rows = [_read(row, kind, chosen) for row in taken]
    kind.match(_good(rows), by)
    rows = _without_doubles(rows, chosen)
    for row in _good(rows):
        _fill(row, kind, mode)
    occasion = Occasion(by, uuid4())
    is_applied = not is_dry_run and not (is_strict and any(row.reasons for row in rows))
    if is_applied:
        _apply(kind, [row for row in rows if row.outcome in (Outcome.CREATED, Outcome.UPDATED)], occasion)
    return Report(rows, len(table.rows) - len(taken), is_applied, occasion.batch)


def _map_by_headers(kind: Kind, table: Table) -> ColumnMap:
    """Without a mapping, a column is found by any of its names; what no column is called stays unread."""
    names = {text(header).lower(): header for header in table.headers}
    found = {
        column.name: Source(header=names[called.lower()])
        for column in kind.columns
        for called in (column.name, *column.headers)
        if called.lower() in names
    }
    return ColumnMap(columns=found)


def _check_map(kind: Kind, chosen: ColumnMap, table: Table) -> None:
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


def _read(row: TableRow, kind: Kind, chosen: ColumnMap) -> Row:
    read = Row(row.number, row.cells)
    for column in kind.columns:
        source = chosen.columns.get(column.name)
        if source is not None:
            _read_cell(read, column, source)
    return read


def _read_cell(row: Row, column: Column, source: Source) -> None:
    try:
        cell = source.cell_of(row.cells)
        if not is_blank(cell):
            row.values[column.name] = column.parse(cell)
        elif column.is_required:
            row.reject(_("{column} is empty").format(column=source.header or column.name))
    except CellError as error:
        row.reject(f"{source.header or column.name}: {error}")


def _good(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row.reasons]


def _without_doubles(rows: Sequence[Row], chosen: ColumnMap) -> list[Row]:
    """One row per record: a second one is added to the first where the mapping says so, else rejected."""
    first: dict[Hashable, Row] = {}
    kept: list[Row] = []
    for row in rows:
        earlier = None if row.reasons else first.setdefault(row.record.pk if row.record else row.key, row)
        if earlier is None or earlier is row or not _combine(earlier, row, chosen.sums):
            kept.append(row)
    return kept


def _combine(earlier: Row, row: Row, sums: frozenset[str]) -> bool:
    """Add the row to an earlier one. Returns False, and rejects it, where they differ in more than what is summed."""
    if not sums:
        row.reject(_("the same record as in row {number}").format(number=earlier.number))
        return False
    differing = [name for name in row.fields.keys() | earlier.fields.keys() if name not in sums]
    differing = [name for name in differing if row.fields.get(name) != earlier.fields.get(name)]
    if differing:
        row.reject(
            _("the same record as in row {number}, with another {fields}").format(
                number=earlier.number, fields=", ".join(sorted(differing))
            )
        )
        return False
    for name in sums:
        earlier.fields[name] = (earlier.fields.get(name) or 0) + (row.fields.get(name) or 0)
    earlier.combined += 1
    return True


def _fill(row: Row, kind: Kind, mode: Mode) -> None:
    """Put the row's values into its record, and say what becomes of it."""
    if row.record is None and mode == Mode.UPDATE:
        row.reject(_("there is no such record to update"))
    elif row.record is not None and mode == Mode.CREATE:
        row.reject(_("it is there already"))
    else:
        row.before = None if row.record is None else snapshot(row.record)
        row.record = row.record or kind.model()
        for name, value in row.fields.items():
            setattr(row.record, name, value)
        row.outcome = _outcome(row)
        if row.outcome != Outcome.UNCHANGED:
            kind.derive(row.record)
            _check_fields(row)
    if row.reasons:
        row.outcome = Outcome.REJECTED


def _outcome(row: Row) -> Outcome:
    if row.before is None:
        return Outcome.CREATED
    return Outcome.UPDATED if row.is_touched or snapshot(row.record) != row.before else Outcome.UNCHANGED


def _check_fields(row: Row) -> None:
    """What the model refuses in its own fields; relations were looked up already."""
    relations = {name.name for name in row.record._meta.concrete_fields if name.is_relation}
    try:
        row.record.clean_fields(exclude=relations)
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            row.reject(f"{row.record._meta.get_field(name).verbose_name}: {' '.join(messages)}")


def _apply(kind: Kind, rows: Sequence[Row], occasion: Occasion) -> None:
    kind.prepare(rows, occasion)
    for row in rows:
        if not row.is_new and hasattr(row.record, "version"):
            row.record.version += 1
    manager = kind.model._default_manager
    manager.bulk_create([row.record for row in rows if row.is_new], batch_size=BATCH)
    changed = [row for row in rows if not row.is_new]
    if names := _changed_fields(changed):
        manager.bulk_update([row.record for row in changed], names, batch_size=500)
    kind.settle(rows, occasion)
    edits = [Edit(row.record, row.before) for row in rows]
    record_changes(edits, by=occasion.by, way=Way.IMPORT, batch=occasion.batch)
    kind.follow(rows, occasion)


def _changed_fields(rows: Sequence[Row]) -> list[str]:
    """The fields in which any of the stored records differs from what it was."""
    changed = {
        name for row in rows for name, value in snapshot(row.record).items() if (row.before or {})[name] != value
    }
    return [part.name for row in rows[:1] for part in row.record._meta.concrete_fields if part.attname in changed]
