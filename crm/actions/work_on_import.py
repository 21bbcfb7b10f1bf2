"""Doing an import's work: check it, or apply it in one transaction; at once where it is small, else as a job."""

import os
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.actions.import_steps import ImportRefused, kind_for, lock_open, start_work, store_file
from crm.actions.imports import Outcome, Report, import_rows, read_as
from crm.actions.jobs import begin_job, fail_job, finish_job
from crm.actions.new_words import new_words
from crm.actions.progress import WorkStopped, progress_beside
from crm.actions.rejected_rows import name_of_rejected, write_rejected
from crm.lib.cells import text
from crm.lib.mappings import MappingUnreadable, mapping_of
from crm.lib.spreadsheets import FileUnreadable, Table, read_table
from crm.models import DataImport, ImportState, User

SMALL = 200_000  # bytes: such a file is checked while its page is waited for
SHOWN = 200  # errors and near-duplicates kept for the page
_TRIES = 3  # somebody else may have stored one of the records meanwhile; then it is there to be found
_READ = 0.2  # the part of the work that is reading
UNDER_WAY = (ImportState.CHECKING, ImportState.IMPORTING)


@transaction.atomic
def check_import(*, data_import: DataImport, by: User) -> DataImport:
    """The test run: what importing would do, by the same code; a job where the file is not small.

    Afterwards the state is checked (or checking, with `job`), and `report` says what it found. Raises ImportRefused,
    FileUnreadable, MappingUnreadable.
    """
    locked = lock_open(data_import, by)
    if locked.file.size > SMALL:
        start_work(locked, ImportState.CHECKING)
    else:
        locked.state = ImportState.CHECKING
        table = _table(locked)
        _take(locked, by, table, _import(locked, by, table, lambda part: None))
    data_import.refresh_from_db()
    return data_import


def work_on_import(*, job_id: int) -> None:
    """What the job does: check or apply, in one transaction, with what the person may do by now.

    Safe to run twice, also at once. A killed one has changed nothing and is taken up again.
    """
    found = DataImport.objects.select_related("file").filter(job_id=job_id, state__in=UNDER_WAY).first()
    if found is None:
        finish_job(job_id, done=0)
        return
    begin_job(job_id, owner=f"{socket.gethostname()}:{os.getpid()}")
    with translation.override(found.language or None):
        try:
            table = _table(found)
            _work(found.pk, job_id, table)
        except (ImportRefused, FileUnreadable, MappingUnreadable) as refusal:
            fail_import(job_id=job_id, reason=str(refusal))
        except WorkStopped:
            stopped = DataImport.objects.filter(job_id=job_id, state__in=UNDER_WAY)
            stopped.update(state=ImportState.CANCELLED, finished_at=timezone.now())


@transaction.atomic
def fail_import(*, job_id: int, error: str = "", reason: str = "") -> None:
    """End an import and its job; nothing of it has been applied. `reason` is a sentence for people, `error` is not."""
    failed = DataImport.objects.select_for_update().filter(job_id=job_id, state__in=UNDER_WAY).first()
    if failed is not None:
        failed.state, failed.report, failed.finished_at = ImportState.FAILED, {"error": reason}, timezone.now()
        failed.save()
    fail_job(job_id, error=error or reason)


def keep_import(*, report: Report, table: Table, kind: str, name: str, content: bytes, by: User) -> DataImport:
    """Keep what was imported without a page, in the transaction of its rows: its page can take it back."""
    file = store_file(name=name, content=content, by=by)
    made = DataImport(kind=kind, file=file, state=ImportState.IMPORTING, by=by, created_at=timezone.now())
    _take(made, by, table, report)
    return made


def _table(data_import: DataImport) -> Table:
    file = data_import.file
    return read_table(
        bytes(file.content), file.name, sheet=data_import.sheet or None, header_row=data_import.header_row
    )


def _work(pk: int, job_id: int, table: Table) -> None:
    with progress_beside(job_id, total=len(table.rows)) as show:
        for attempt in range(_TRIES):
            try:
                _work_once(pk, job_id, table, show)
            except IntegrityError:
                if attempt == _TRIES - 1:
                    raise
            else:
                return


@transaction.atomic
def _work_once(pk: int, job_id: int, table: Table, show: Callable[[float], Any]) -> None:
    """The import is locked from here on: who comes second finds nothing to do. Raises WorkStopped."""
    under_way = DataImport.objects.filter(pk=pk, job_id=job_id, state__in=UNDER_WAY)
    locked = under_way.select_for_update(of=("self",), skip_locked=True).select_related("file").first()
    if locked is None:
        return
    by = User.objects.get(pk=locked.by_id)
    _take(locked, by, table, _import(locked, by, table, show))
    if not finish_job(job_id, done=len(table.rows)):
        raise WorkStopped


def _import(locked: DataImport, by: User, table: Table, show: Callable[[float], Any]) -> Report:
    kind = kind_for(locked.kind, by)
    column_map = mapping_of(locked.mapping, name=locked.file.name) if locked.mapping else None
    reading = read_as(kind, table, column_map, lambda part: show(_READ * part))
    return import_rows(
        reading=reading,
        by=by,
        mode=locked.mode,
        is_strict=locked.is_strict,
        is_dry_run=locked.state == ImportState.CHECKING,
        on_progress=lambda part: show(_READ + (1 - _READ) * part),
    )


def _take(locked: DataImport, by: User, table: Table, report: Report) -> None:
    """Keep what came out: the figures, the first errors, the rejected rows as a file."""
    locked.report, former = told(report), locked.rejected_file
    is_check = locked.state == ImportState.CHECKING
    locked.rejected_file = None
    if report.rejected:
        content = write_rejected(
            report=report, table=table, name=locked.file.name, sheet=locked.sheet, header_row=locked.header_row
        )
        locked.rejected_file = store_file(name=name_of_rejected(locked.file.name), content=content, by=by)
    if is_check:
        locked.state = ImportState.CHECKED
        locked.report |= {"new_words": new_words(report, kind_for(locked.kind, by), by)}
    elif report.is_applied:
        locked.state, locked.batch, locked.finished_at = ImportState.DONE, report.batch, timezone.now()
    else:
        locked.state, locked.finished_at = ImportState.FAILED, timezone.now()
        locked.report |= {"error": _("Nothing was imported: some rows were rejected.")}
    locked.save()
    if former is not None:
        former.delete()


def told(report: Report) -> dict[str, Any]:
    """A report as it is kept: counts, the first errors by cell, the near-duplicates."""
    outcomes = Counter(row.outcome for row in report.rows)
    errors = [
        {"row": row.number, "column": header, "cell": text(row.cells.get(header))[:100], "reason": fault.reason}
        for row in report.rejected[:SHOWN]
        for fault in row.faults
        for header in [report.header_of(fault)]
    ]
    return {
        "counts": {outcome.value: outcomes[outcome] for outcome in Outcome},
        "combined": report.combined,
        "left_out": report.left_out,
        "assumptions": list(report.chosen.assumptions),
        "errors": errors[:SHOWN],
        "near_duplicates": [
            {"row": one.row, "name": one.name, "customer": one.record, "its_name": one.its_name, "score": one.score}
            for one in report.near_duplicates[:SHOWN]
        ],
        "near_duplicate_count": len(report.near_duplicates),
    }
