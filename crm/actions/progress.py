"""Showing how far a job is while its transaction is still open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from django.db import connection
from django.utils import timezone

from crm.models import ACTIVE_STATES, Job, JobState

_SECONDS = 1.0


class WorkStopped(Exception):
    """Somebody has ended the job: what it has done so far must not be kept."""


@contextmanager
def progress_beside(job_id: int, *, total: int) -> Iterator[Callable[[float], Any]]:
    """A function that notes on a job how far it is, from 0 to 1, beside the transaction under way.

    It raises WorkStopped where somebody has ended the job meanwhile. On SQLite nobody writes beside an open
    transaction: there the page shows that the job runs, and its end.
    """
    Job.objects.active().filter(pk=job_id).update(total=total, heartbeat_at=timezone.now())
    if connection.vendor != "postgresql":
        yield lambda part: None
        return
    beside: Any = connection.copy()
    shown_at = 0.0

    def show(part: float) -> None:
        nonlocal shown_at
        if monotonic() - shown_at < _SECONDS:
            return
        shown_at = monotonic()
        with beside.cursor() as cursor:
            cursor.execute(
                "UPDATE crm_job SET state = %s, done = %s, total = %s, heartbeat_at = %s WHERE id = %s AND state IN %s",
                [JobState.RUNNING, int(total * part), total, timezone.now(), job_id, tuple(ACTIVE_STATES)],
            )
            cursor.execute("SELECT 1 FROM crm_job WHERE id = %s AND state NOT IN %s", [job_id, tuple(ACTIVE_STATES)])
            if cursor.fetchone():
                raise WorkStopped

    try:
        yield show
    finally:
        beside.close()
