"""What every step of an import begins and ends with: may the person do it, is it open, who does its work."""

from pathlib import PurePath

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.imports import Kind, import_kinds
from crm.actions.jobs import nudge, start_job
from crm.models import DataImport, ImportState, StoredFile, User
from crm.permissions import can

JOB_KIND = "import"
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ImportRefused(Exception):
    """The import cannot take this step; the message says why, for people."""


def kind_for(name: str, by: User) -> Kind:
    """A kind whose records the person may change. Raises ImportRefused."""
    kind = import_kinds().get(name)
    if kind is None:
        raise ImportRefused(_("There is no “{kind}” to import.").format(kind=name))
    if not can(by, kind.permission):
        raise ImportRefused(_("You may not change such records, so you cannot import them."))
    return kind


def store_file(*, name: str, content: bytes, by: User) -> StoredFile:
    """Keep a file of somebody."""
    return StoredFile.objects.create(
        name=name[-200:],
        media_type=_MEDIA_TYPES.get(PurePath(name).suffix.lower(), "application/octet-stream"),
        size=len(content),
        content=content,
        by=by,
        at=timezone.now(),
    )


def start_work(locked: DataImport, state: ImportState) -> None:
    """Have a job check or apply a locked import."""
    locked.job, _is_new = start_job(kind=JOB_KIND, key=str(locked.pk), by=locked.by)
    locked.state = state
    locked.save()
    nudge(locked.job)


def lock_open(data_import: DataImport, by: User) -> DataImport:
    """Lock an import to the transaction's end; it is open, set up or not, and the person may do it."""
    locked = DataImport.objects.select_for_update(of=("self",)).select_related("file", "by").get(pk=data_import.pk)
    kind_for(locked.kind, by)
    if locked.by_id != by.pk:
        raise ImportRefused(_("Only who uploaded the file can import it."))
    if not locked.is_open:
        said = _("This import is under way or has ended ({state}). Upload the file again.")
        raise ImportRefused(said.format(state=locked.get_state_display()))
    return locked
