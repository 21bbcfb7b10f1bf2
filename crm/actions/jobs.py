"""Background work: start it, show how far it is, end it, and find what nobody works on any more."""

from datetime import date, datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Greatest
from django.utils import timezone

from crm.models import Job, JobState, User


def start_job(*, kind: str, key: str, by: User | None, total: int = 0) -> tuple[Job, bool]:
    """The active job of this kind and key, and whether this call made it. Call it in the transaction of its work."""
    now = timezone.now()
    return Job.objects.active().get_or_create(
        kind=kind, key=key, defaults={"total": total, "by": by, "created_at": now, "heartbeat_at": now}
    )


def once_a_day(*, kind: str, day: date) -> tuple[Job, bool]:
    """The job of this kind for this day, and whether it is still to be done: new, or begun by someone who vanished."""
    key, now = day.isoformat(), timezone.now()
    if Job.objects.filter(kind=kind, key=key, state=JobState.DONE).exists():
        return Job.objects.filter(kind=kind, key=key).latest("created_at"), False
    job, is_new = start_job(kind=kind, key=key, by=None)
    return job, is_new or job.heartbeat_at < now - timedelta(seconds=settings.JOB_HEARTBEAT_SECONDS)


def nudge(job: Job, *, times: int = 1) -> None:
    """Once the transaction is committed, tell the workers that there is something to do. Losing it does no harm."""
    task, pk = settings.JOB_TASKS[job.kind], job.pk

    def send() -> None:
        for _ in range(max(times, 1)):
            current_app.send_task(task, kwargs={"job_id": pk})

    transaction.on_commit(send)


def show_progress(job_id: int, *, done: int, owner: str) -> Job:
    """Note how far a job is and that somebody works on it. Of workers who count at once, the furthest is right."""
    now = timezone.now()
    Job.objects.active().filter(pk=job_id, started_at=None).update(started_at=now)
    Job.objects.active().filter(pk=job_id).update(
        state=JobState.RUNNING, done=Greatest("done", Value(done)), owner=owner, heartbeat_at=now
    )
    return Job.objects.get(pk=job_id)


def begin_job(job_id: int, *, owner: str) -> None:
    """Note that somebody has begun to work on a job."""
    now = timezone.now()
    Job.objects.filter(pk=job_id, state=JobState.QUEUED).update(
        state=JobState.RUNNING, started_at=now, heartbeat_at=now, owner=owner
    )


def finish_job(job_id: int, *, done: int) -> bool:
    """End a job well. Returns whether it was still active."""
    return _end(job_id, JobState.DONE, done=done, total=done)


def fail_job(job_id: int, *, error: str) -> bool:
    """End a job with what went wrong. Returns whether it was still active."""
    return _end(job_id, JobState.FAILED, error=error)


def cancel_job(job_id: int, *, by: User) -> bool:
    """End a job because somebody wants it. Returns whether it was still active."""
    return _end(job_id, JobState.CANCELLED, error=f"cancelled by {by}")


@transaction.atomic(durable=True)
def stop_job(job_id: int, *, by: User) -> None:
    """Cancel a job for its worker to see at once, who then lets go of the records that its transaction has locked."""
    cancel_job(job_id, by=by)


def reconcile_jobs(*, now: datetime, is_alone: bool = False) -> int:
    """Nudge again for every active job from which nothing was heard for a while. Returns how many.

    `is_alone` says that nobody else can be working: every active job was left behind by a process that is gone.
    """
    patience = timedelta(0) if is_alone else timedelta(seconds=settings.JOB_HEARTBEAT_SECONDS)
    silent = Job.objects.silent_since(now - patience).filter(kind__in=settings.JOB_TASKS)
    jobs = list(silent)
    silent.update(heartbeat_at=now)
    for job in jobs:
        nudge(job)
    return len(jobs)


def _end(job_id: int, state: JobState, **changes: object) -> bool:
    now = timezone.now()
    return bool(
        Job.objects.active().filter(pk=job_id).update(state=state, finished_at=now, heartbeat_at=now, **changes)
    )
