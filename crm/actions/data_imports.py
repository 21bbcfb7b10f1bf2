"""An import's way: uploaded, set up, checked, started, applied by a job. Nothing of it changes a record before that."""

from typing import Any

from crm.models import DataImport, User


class ImportRefused(Exception):
    """The import cannot take this step; the message says why, for people."""


def upload_import(*, kind: str, name: str, content: bytes, by: User) -> DataImport:
    """Keep an uploaded file as a new import; its first sheet, first row and known headers are proposed.

    Raises ImportRefused where the person may not change such records, FileUnreadable where it is no table.
    """
    raise NotImplementedError


def set_up_import(
    *,
    data_import: DataImport,
    sheet: str,
    header_row: int,
    mode: str,
    is_strict: bool,
    mapping: dict[str, Any],
    by: User,
) -> DataImport:
    """Say where the rows stand and what each column holds; a check of before counts no more.

    `mapping` is a mapping file's content (docs/guides/imports.md). Raises ImportRefused where the import is under
    way or done, FileUnreadable, MappingUnreadable.
    """
    raise NotImplementedError


def check_import(*, data_import: DataImport, by: User) -> DataImport:
    """The test run: what importing would do, by the same code; a job where the file is not small.

    Afterwards the state is checked (or checking, with `job`), and `report` says what it found. Raises ImportRefused.
    """
    raise NotImplementedError


def start_import(*, data_import: DataImport, by: User) -> DataImport:
    """Have a job apply it; called twice it is still applied once. Raises ImportRefused."""
    raise NotImplementedError


def cancel_import(*, data_import: DataImport, by: User) -> DataImport:
    """Give up an import of which nothing has been applied; its job applies nothing then. Raises ImportRefused."""
    raise NotImplementedError


def work_on_import(*, job_id: int) -> None:
    """What the job does: check or apply, in one transaction, with what the person may do by now. Safe to run twice."""
    raise NotImplementedError
