"""Taking an import back as a whole, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm.models import DataImport, User


@dataclass(frozen=True)
class Conflict:
    """A record that the import touched and that cannot go back, with the reason for people."""

    table: str
    object_id: int
    row: int | None  # in the file, where known
    name: str
    reason: str


class UndoRefused(Exception):
    """Something built on the import meanwhile, or it is not one that can be undone; nothing was changed."""

    def __init__(self, conflicts: Sequence[Conflict], message: str = "") -> None:
        super().__init__(message or f"{len(conflicts)} records have changed since")
        self.conflicts = conflicts


def undo_import(*, data_import: DataImport, by: User) -> DataImport:
    """Take back everything that an import changed, grades included. Raises UndoRefused."""
    raise NotImplementedError
