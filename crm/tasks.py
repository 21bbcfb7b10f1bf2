"""Background tasks of the ground floor: fetch, one action. Each may run twice and be lost without harm."""

from collections.abc import Callable

from celery import Task, shared_task
from django.db import OperationalError
from django.utils import timezone

from crm.actions import answers, exports, jobs, open_sessions, places, security_events
from crm.actions import undo_import as undo_actions
from crm.actions import work_on_bulk_change as bulk_actions
from crm.actions import work_on_import as import_actions
from crm.models import Export


class JobTask(Task):
    """A task that works on a job: a database that is away is waited for, anything else ends the job with its error."""

    autoretry_for = (OperationalError,)
    retry_backoff = True
    max_retries = 8

    fail: Callable[..., object] = staticmethod(jobs.fail_job)

    def on_failure(self, exc, task_id, args, kwargs, einfo) -> None:
        """Say on the job what went wrong, for who looks after the server, and that it did on what the job was for."""
        self.fail(job_id=kwargs["job_id"], error=f"{type(exc).__name__}: {exc}")


class ImportTask(JobTask):
    """A task that works on an import: what ends its job ends the import too."""

    fail = staticmethod(import_actions.fail_import)


class UndoTask(JobTask):
    """A task that takes an import back: what ends its job leaves the import as it was done."""

    fail = staticmethod(undo_actions.fail_undo)


class BulkTask(JobTask):
    """A task that works on a bulk change: what ends its job ends the bulk change too, or its undo."""

    fail = staticmethod(bulk_actions.fail_bulk_change)


@shared_task
def reconcile_jobs() -> None:
    """Find the jobs that nobody works on and nudge the workers again."""
    jobs.reconcile_jobs(now=timezone.now())


@shared_task(base=JobTask)
def make_export(*, job_id: int) -> None:
    """Make the file of this job."""
    exports.work_on_export(Export.objects.select_related("by").get(job_id=job_id))


@shared_task
def forget_old_exports() -> None:
    """Delete the files that have been kept long enough."""
    exports.forget_old_exports(now=timezone.now())


@shared_task(base=ImportTask)
def work_on_import(*, job_id: int) -> None:
    """Check or apply the import of this job."""
    import_actions.work_on_import(job_id=job_id)


@shared_task(base=UndoTask)
def undo_import(*, job_id: int) -> None:
    """Take back the import of this job."""
    undo_actions.work_on_undo(job_id=job_id)


@shared_task(base=BulkTask)
def work_on_bulk_change(*, job_id: int) -> None:
    """Apply the bulk change of this job, or take it back."""
    bulk_actions.work_on_bulk_change(job_id=job_id)


@shared_task
def move_due_branches() -> None:
    """Move the branch offices whose day has come."""
    places.move_due_branches(today=timezone.localdate())


@shared_task
def forget_old_answers() -> None:
    """Delete the answers whose Idempotency-Key has had its day."""
    answers.forget_old_answers(now=timezone.now())


@shared_task
def forget_old_sign_ins() -> None:
    """Delete what the log of sign-ins has kept long enough, and the sessions whose time is up."""
    security_events.forget_old_events(now=timezone.now())
    open_sessions.forget_run_out_sessions(now=timezone.now())
