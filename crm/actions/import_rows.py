"""What a kind of import declares, and what is known of a row on its way in."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from crm.lib.cells import Cell, Parser, text
from crm.models import User
from crm.permissions import Permission

# A blank cell leaves a stored value as it is; one of these words empties it.
EMPTYING = ("（清空）", "(清空)", "(clear)")


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
    allowed: tuple[Any, ...] = ()  # the only words that it takes; translated when they are read
    is_key: bool = False  # a record is found by it, so that it cannot be emptied
    is_shared: bool = False  # many records share a few words: a new one may be a slip of the pen
    surer: tuple[str, ...] = ()  # names that say it more surely than `headers`: they win where a file has several

    @property
    def names(self) -> tuple[str, ...]:
        """All that it may be called in a file; of several that a file has the first counts."""
        return (*self.surer, self.name, *self.headers)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be taken, and the column where that stands; no column: the row as a whole."""

    reason: str
    column: str = ""


@dataclass(eq=False, slots=True)
class Row:
    """A row under way: what it says, the record it is about, and why it cannot be taken."""

    number: int
    cells: Mapping[str, Cell]
    values: dict[str, Any] = field(default_factory=dict)  # by column; a blank cell says nothing
    emptied: dict[str, Any] = field(default_factory=dict)  # by column: what stands for nothing there
    key: Any = None
    fields: dict[str, Any] = field(default_factory=dict)  # by field of the model
    record: Any = None  # the stored record it matches, later the one to save
    before: dict[str, Any] | None = None
    is_touched: bool = False  # something beside the record's own fields changes
    extra: dict[str, Any] = field(default_factory=dict)
    combined: int = 0
    faults: list[Fault] = field(default_factory=list)
    outcome: Outcome = Outcome.REJECTED

    def reject(self, reason: str, column: str = "") -> None:
        """Note a reason why the row cannot be taken, and the column that it is about."""
        self.faults.append(Fault(reason, column))

    def is_wrong(self, *columns: str) -> bool:
        """Whether one of these columns has a reason already: what hangs on it cannot be told."""
        return bool(self.faults) and any(fault.column in columns for fault in self.faults)

    @property
    def cleared(self) -> dict[str, Any]:
        """What is emptied, by column. A stored text that is itself the word written here stays: exports give it out."""
        words, stored = self.extra.get("emptying", {}), vars(self.record) if self.record else {}
        return {name: it for name, it in self.emptied.items() if name not in words or stored.get(name) != words[name]}

    @property
    def reasons(self) -> list[str]:
        """Why the row cannot be taken, in sentences."""
        return [fault.reason for fault in self.faults]

    @property
    def is_new(self) -> bool:
        """Whether its record is not stored yet."""
        return self.before is None


def tidied(key: Any) -> Any:
    """A row's key whatever the spaces around its words and the widths of their signs."""
    return tuple(map(tidied, key)) if isinstance(key, tuple) else text(key) if isinstance(key, str) else key


@dataclass(frozen=True)
class Occasion:
    """Who imports, and the number that all changes of this import share."""

    by: User | None
    batch: UUID


@dataclass(frozen=True)
class NearDuplicate:
    """A new record that is called nearly like one that is there: shown, not refused."""

    row: int
    name: str
    record: int
    its_name: str
    score: int


def nothing(*args: Any) -> None:
    """The hook of a kind that needs none."""


def no_rows(*args: Any) -> Iterator[Any]:
    """The hook of a kind that has nothing to say."""
    return iter(())


@dataclass(frozen=True)
class Kind:
    """A kind of record that can be imported."""

    name: str
    model: type[models.Model]
    permission: Permission
    columns: tuple[Column, ...]
    match: Callable[[Sequence[Row], User | None], None]  # sets key, record and fields, or reasons; of all rows
    derive: Callable[[Any], None] = nothing  # columns of the record that follow from others
    check: Callable[[Sequence[Row]], None] = nothing  # with records filled, of all rows: what only new values show
    prepare: Callable[[Sequence[Row], Occasion], None] = nothing  # before records are saved
    settle: Callable[[Sequence[Row], Occasion], None] = nothing  # after that, before changes are recorded
    follow: Callable[[Sequence[Row], Occasion], None] = nothing  # at the end, for what is created or updated
    resembling: Callable[[Sequence[Row], User | None], Iterable[NearDuplicate]] = no_rows  # of the rows that create
    content: Collection[str] = ()  # columns of which a new record needs one: a row with none of them makes nothing
    rows: Callable[[User], Iterator[Sequence[Any]]] = no_rows  # what the person may see, as rows of the columns
    lock: Callable[[Sequence[int]], None] = nothing  # what an undo takes before it reads these records
    holds: Callable[[Sequence[Any]], Mapping[int, str]] = lambda records: {}  # records that cannot go back, and why
    withdraw: Callable[[Any], None] | None = None  # take back a created record; None: by its deleted_at
    restored: Callable[[Sequence[Row], Occasion], None] = nothing  # after an undo has put the records back

    def column(self, name: str) -> Column | None:
        """Its column of a name."""
        return next((column for column in self.columns if column.name == name), None)

    def emptied(self, column: Column) -> tuple[Any] | None:
        """What stands for nothing in a column, wrapped; None where the column cannot be emptied."""
        try:
            stored: Any = self.model._meta.get_field(column.name)
        except FieldDoesNotExist:
            return None
        if column.is_required or column.is_key or not stored.concrete or not (stored.null or stored.blank):
            return None
        return (None,) if stored.null else ("",) if stored.empty_strings_allowed else None
