"""Importing a table: read and check every row first, then apply what is accepted in one transaction, in sets.

A kind of import is one declaration (crm.imports, grading.imports): its columns, how a row finds its record, and what
follows from saving. Everything else is the same for all kinds and stands here.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, changed_fields, record_changes, snapshot
from crm.actions.import_reading import check_map, map_by_headers, read_rows
from crm.actions.import_rows import Column, Fault, Kind, NearDuplicate, Occasion, Outcome, Row, nothing, tidied
from crm.lib.bulk import insert_all, maker_of, update_all
from crm.lib.collecting import collector_paused
from crm.lib.mappings import ColumnMap
from crm.lib.spreadsheets import Table
from crm.lib.texts import refuse_unkept_signs
from crm.models import ImportMode, User, Way
from crm.models.fields import LineField, ProseField

__all__ = [
    "Column",
    "Fault",
    "Kind",
    "NearDuplicate",
    "Occasion",
    "Outcome",
    "Reading",
    "Report",
    "Row",
    "import_kinds",
    "import_rows",
    "import_table",
    "read_as",
]

# How far an import is at the end of each step, as a part of the whole.
MATCHED, FILLED, STORED = 0.3, 0.5, 0.8


@dataclass(frozen=True)
class Report:
    """What an import did, or would do."""

    rows: Sequence[Row]
    left_out: int
    is_applied: bool
    batch: UUID
    chosen: ColumnMap
    near_duplicates: Sequence[NearDuplicate] = ()

    def count(self, outcome: Outcome) -> int:
        """How many rows ended so."""
        return Counter(row.outcome for row in self.rows)[outcome]

    @property
    def rejected(self) -> list[Row]:
        """The rows that cannot be taken, in the order of the file."""
        return [row for row in self.rows if row.outcome == Outcome.REJECTED]

    def header_of(self, fault: Fault) -> str:
        """What the file calls the column that a fault is about; nothing where it is about the whole row."""
        source = self.chosen.columns.get(fault.column)
        return source.header if source else ""

    def reasons_of(self, row: Row) -> str:
        """Why a row was rejected, each reason behind the column that it is about."""
        told = ((self.header_of(fault), fault.reason) for fault in row.faults)
        return "; ".join(f"{header}: {reason}" if header else reason for header, reason in told)

    @property
    def combined(self) -> int:
        """Rows that were added to an earlier one of the same record."""
        return sum(row.combined for row in self.rows)


def import_kinds() -> dict[str, Kind]:
    """Every kind that the apps declare."""
    return {kind.name: kind for name in settings.IMPORT_KINDS for kind in import_string(name)}


@dataclass(frozen=True)
class Reading:
    """A table as a kind reads it: nothing of the database has been asked yet."""

    kind: Kind
    chosen: ColumnMap
    rows: Sequence[Row]
    left_out: int


@collector_paused()
def read_as(
    kind: Kind, table: Table, column_map: ColumnMap | None = None, on_progress: Callable[[float], Any] = nothing
) -> Reading:
    """Read a table's rows, by their headers where no mapping is given. Raises MappingUnreadable."""
    chosen = column_map or map_by_headers(kind, table.headers)
    check_map(kind, chosen, table)
    taken = [row for row in table.rows if chosen.takes(row)]
    return Reading(
        kind, chosen, read_rows(taken, table.headers, kind, chosen, on_progress), len(table.rows) - len(taken)
    )


def import_table(*, kind: Kind, table: Table, column_map: ColumnMap | None = None, **options: Any) -> Report:
    """Read and import a table, with the options of `import_rows`. Raises MappingUnreadable."""
    return import_rows(reading=read_as(kind, table, column_map), **options)


@collector_paused()
@transaction.atomic
def import_rows(
    *,
    reading: Reading,
    by: User | None,
    mode: str = ImportMode.BOTH,
    is_strict: bool = False,
    is_dry_run: bool = False,
    on_progress: Callable[[float], Any] = nothing,
) -> Report:
    """Import what was read; `by` None has full scope. A reading serves once.

    Rejected rows do not hold up the others unless `is_strict`; each says all that is wrong with it. A blank cell leaves
    a stored value as it is, a word of EMPTYING empties it. `on_progress` is told how far it is, from 0 to 1.
    """
    kind = reading.kind
    kind.match(reading.rows, by)
    on_progress(MATCHED)
    rows = _without_doubles(reading.rows, reading.chosen)
    make = maker_of(kind.model)
    for row in rows:
        if row.faults:
            _look_on(row, make)
        else:
            _fill(row, kind, mode, make)
    kind.check(rows)
    for row in rows:
        row.outcome = Outcome.REJECTED if row.faults else row.outcome
    near_duplicates = list(kind.resembling([row for row in rows if row.outcome == Outcome.CREATED], by))
    on_progress(FILLED)
    occasion = Occasion(by, uuid4())
    is_applied = not is_dry_run and not (is_strict and any(row.faults for row in rows))
    if is_applied:
        changed = [row for row in rows if row.outcome in (Outcome.CREATED, Outcome.UPDATED)]
        _apply(kind, changed, occasion, on_progress)
    return Report(rows, reading.left_out, is_applied, occasion.batch, reading.chosen, near_duplicates)


def _without_doubles(rows: Sequence[Row], chosen: ColumnMap) -> list[Row]:
    """One row per record: a second one is added to the first where the mapping says so, else rejected."""
    first: dict[Hashable, Row] = {}
    kept: list[Row] = []
    for row in rows:
        earlier = None if row.faults else first.setdefault(row.record.pk if row.record else tidied(row.key), row)
        if earlier is None or earlier is row or not _combine(earlier, row, chosen):
            kept.append(row)
    return kept


def _combine(earlier: Row, row: Row, chosen: ColumnMap) -> bool:
    """Add the row to an earlier one. Returns False, and rejects it, where they differ in more than what is summed."""
    sums = chosen.sums
    if not sums:
        row.reject(_("the same record as in row {number}").format(number=earlier.number))
        return False
    differing = [name for name in row.fields.keys() | earlier.fields.keys() if name not in sums]
    differing = [name for name in differing if tidied(row.fields.get(name)) != tidied(earlier.fields.get(name))]
    if differing:
        named = [chosen.columns[name].header if name in chosen.columns else name for name in sorted(differing)]
        said = _("the same record as in row {number}, with another {fields}")
        row.reject(said.format(number=earlier.number, fields=_(", ").join(named)))
        return False
    for name in sums:
        earlier.fields[name] = (earlier.fields.get(name) or 0) + (row.fields.get(name) or 0)
    earlier.combined += 1
    return True


def _fill(row: Row, kind: Kind, mode: str, make: Callable[[], Any]) -> None:
    """Put the row's values into its record, and say what becomes of it."""
    if row.record is None and mode == ImportMode.UPDATE:
        row.reject(_("there is no such record to update"))
    elif row.record is not None and mode == ImportMode.CREATE:
        row.reject(_("it is there already"))
    else:
        row.before = None if row.record is None else snapshot(row.record)
        row.record = row.record or make()
        row.fields |= row.cleared
        for name, value in row.fields.items():
            setattr(row.record, name, value)
        row.outcome = _outcome(row, kind)
        if row.outcome != Outcome.UNCHANGED:
            _check_fields(row, kind)


def _look_on(row: Row, make: Callable[[], Any]) -> None:
    """What else is wrong with a rejected row, by a record of its own: others may be about the same one."""
    row.before = None if row.record is None else snapshot(row.record)
    row.record = make() if row.record is None else copy(row.record)
    row.fields |= row.cleared
    for name, value in row.fields.items():
        setattr(row.record, name, value)
    texts = _texts(row.record.__class__)
    doubtful = {name for name in row.fields if not _is_plainly_fine(row.record, name, texts)}
    if doubtful:
        _refuse_values(row, {field.name for field in row.record._meta.concrete_fields} - doubtful)


def _outcome(row: Row, kind: Kind) -> Outcome:
    if row.before is None:
        says_nothing = kind.content and row.fields.keys().isdisjoint(kind.content)
        return Outcome.UNCHANGED if says_nothing else Outcome.CREATED
    return Outcome.UPDATED if row.is_touched or snapshot(row.record) != row.before else Outcome.UNCHANGED


def _check_fields(row: Row, kind: Kind) -> None:
    """What the model refuses in the fields that the row changes; relations were looked up already."""
    texts = _texts(row.record.__class__)
    if all(_is_plainly_fine(row.record, name, texts) for name in row.fields):
        return
    kind.derive(row.record)
    _refuse_values(row, set())


def _refuse_values(row: Row, unasked: set[str]) -> None:
    """What the model refuses in fields that get another value than the stored one."""
    now = snapshot(row.record)
    fields = row.record._meta.concrete_fields
    kept = {
        one.name for one in fields if one.is_relation or (row.before or {}).get(one.attname, row) == now[one.attname]
    }
    try:
        row.record.clean_fields(exclude=kept | unasked)
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            if not row.is_wrong(name):
                row.reject(" ".join(messages), name)


@lru_cache
def _texts(model: type[models.Model]) -> dict[str, float | frozenset[str]]:
    """The text fields with their greatest length or choices: asking the model about each costs more than COPY."""
    plain = (models.CharField, models.TextField, LineField, ProseField)
    return {
        field.name: frozenset(str(value) for value, _label in field.flatchoices)
        if field.choices
        else field.max_length or float("inf")
        for field in model._meta.concrete_fields
        if type(field) in plain and all(map(_looks_no_further, field.validators))
    }


def _looks_no_further(validator: Callable[[Any], None]) -> bool:
    """Whether a validator finds nothing that `_is_plainly_fine` does not find."""
    return validator is refuse_unkept_signs or isinstance(validator, MaxLengthValidator)


def _is_plainly_fine(record: Any, name: str, texts: dict[str, float | frozenset[str]]) -> bool:
    """Whether a value is fine at first sight; what is not is asked of the model."""
    value, allowed = getattr(record, name), texts.get(name)
    if isinstance(value, models.Model):
        return True
    if allowed is None or not isinstance(value, str):
        return False
    if isinstance(allowed, frozenset):
        return value in allowed
    return 0 < len(value) <= allowed and value.isprintable() and not value.isspace()


def _apply(kind: Kind, rows: Sequence[Row], occasion: Occasion, on_progress: Callable[[float], Any]) -> None:
    kind.prepare(rows, occasion)
    for row in rows:
        if not row.is_new and hasattr(row.record, "version"):
            row.record.version += 1
    insert_all(kind.model, [row.record for row in rows if row.is_new], kind.derive)
    changed = [row for row in rows if not row.is_new]
    for row in changed:
        kind.derive(row.record)
    update_all(kind.model, [row.record for row in changed], changed_fields(changed))
    kind.settle(rows, occasion)
    on_progress(STORED)
    reason = _("row {number}")
    edits = [Edit(row.record, row.before, reason=reason.format(number=row.number)) for row in rows]
    record_changes(edits, by=occasion.by, way=Way.IMPORT, batch=occasion.batch)
    kind.follow(rows, occasion)
    on_progress(1)
