"""An import taken back as its page does it: started, then worked on by the job."""

from crm.actions.undo_import import UndoRefused, start_undo, work_on_undo
from crm.import_pages import conflicts_of
from crm.models import DataImport, ImportState, JobState, User


def undo_import(*, data_import: DataImport, by: User) -> DataImport:
    """Raises UndoRefused with the conflicts as the page would list them."""
    started = start_undo(data_import=data_import, by=by)
    work_on_undo(job_id=started.job_id)
    started.refresh_from_db()
    if started.state == ImportState.UNDONE:
        assert started.job.state == JobState.DONE
        return started
    assert (started.state, started.job.state) == (ImportState.DONE, JobState.FAILED)
    raise UndoRefused(conflicts_of(started, by), started.report["undo"]["error"])
