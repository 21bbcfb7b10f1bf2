"""An import's way: uploaded, set up, checked, started, applied by a job. Nothing of it changes a record before that."""

from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.actions.import_reading import map_by_headers, shape_of
from crm.actions.import_steps import ImportRefused, kind_for, lock_open, start_work, store_file
from crm.actions.imports import Kind
from crm.actions.jobs import cancel_job, stop_job
from crm.actions.work_on_import import UNDER_WAY, check_import
from crm.lib.cells import text
from crm.lib.mappings import mapping_of
from crm.lib.spreadsheets import SheetPreview, inspect_file
from crm.models import APPLIED_STATES, DataImport, ImportMode, ImportState, User

__all__ = [
    "ImportRefused",
    "cancel_import",
    "check_import",
    "proposed_mapping",
    "set_up_import",
    "start_import",
    "upload_import",
]


def upload_import(*, kind: str, name: str, content: bytes, by: User) -> DataImport:
    """Keep an uploaded file as a new import; its sheet, its row of headers and its mapping are proposed.

    The mapping is the one that was last used for a file with these headers, else what the headers say. Raises
    ImportRefused where the person may not change such records, FileUnreadable where it is no table.
    """
    chosen = kind_for(kind, by)
    sheet, header_row, headers = _place(chosen, inspect_file(content, name))
    known = DataImport.objects.like(kind=kind, shape=shape_of(headers), user=by).first()
    with transaction.atomic():
        return DataImport.objects.create(
            kind=kind,
            file=store_file(name=PurePath(name).name, content=content, by=by),
            sheet=sheet,
            header_row=header_row,
            mode=known.mode if known else ImportMode.BOTH,
            mapping=known.mapping_for(by) if known else proposed_mapping(chosen, headers),
            by=by,
            language=get_language() or "",
            created_at=timezone.now(),
        )


def proposed_mapping(kind: Kind, headers: list[str]) -> dict[str, Any]:
    """What a mapping file would say of a table with these headers, as far as they are known."""
    found = map_by_headers(kind, headers).columns
    return {"kind": kind.name, "columns": {name: {"header": source.header} for name, source in found.items()}}


@transaction.atomic
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
    way or done, MappingUnreadable where the mapping makes no sense.
    """
    locked = lock_open(data_import, by)
    column_map = mapping_of(mapping, name=_("the mapping"))
    headers = {source.header for source in column_map.columns.values() if source.header} | set(column_map.only)
    previews = inspect_file(bytes(locked.file.content), locked.file.name)
    shown = next((one for one in previews if one.name == sheet), None)
    cells = dict(shown.rows).get(header_row, []) if shown else []
    locked.sheet, locked.header_row, locked.mode, locked.is_strict = sheet, header_row, mode, is_strict
    locked.mapping, locked.shape = mapping, shape_of(filter(None, map(text, cells)) if cells else headers)
    locked.state, locked.report, locked.job, locked.language = ImportState.UPLOADED, {}, None, get_language() or ""
    locked.save()
    return _renewed(data_import)


@transaction.atomic
def start_import(*, data_import: DataImport, by: User) -> DataImport:
    """Have a job apply it; called twice it is still applied once. Raises ImportRefused."""
    locked = DataImport.objects.select_for_update().get(pk=data_import.pk)
    if locked.state != ImportState.IMPORTING:
        start_work(lock_open(data_import, by), ImportState.IMPORTING)
    return _renewed(data_import)


def cancel_import(*, data_import: DataImport, by: User) -> DataImport:
    """Give up an import of which nothing has been applied; its job applies nothing then. Raises ImportRefused."""
    under_way = DataImport.objects.filter(pk=data_import.pk, state__in=UNDER_WAY)
    for job_id in under_way.values_list("job_id", flat=True):
        stop_job(job_id, by=by)
    return _cancel(data_import, by)


@transaction.atomic
def _cancel(data_import: DataImport, by: User) -> DataImport:
    locked = DataImport.objects.select_for_update().get(pk=data_import.pk)
    if locked.state in APPLIED_STATES:
        raise ImportRefused(_("It has been imported already; it can be undone."))
    if locked.job_id is not None:
        cancel_job(locked.job_id, by=by)
    locked.state, locked.finished_at = ImportState.CANCELLED, timezone.now()
    locked.save()
    return _renewed(data_import)


def _renewed(data_import: DataImport) -> DataImport:
    data_import.refresh_from_db()
    return data_import


def _place(kind: Kind, sheets: list[SheetPreview]) -> tuple[str, int, list[str]]:
    """Of the first rows of each sheet the one with most headers of the kind; the first row where none has any."""
    best: tuple[int, str, int, list[str]] = (-1, "", 1, [])
    for sheet in sheets:
        for number, cells in sheet.rows:
            headers = [header for header in map(text, cells) if header]
            found = len(map_by_headers(kind, headers).columns)
            if found > best[0]:
                best = (found, sheet.name, number, headers)
    return best[1:]
