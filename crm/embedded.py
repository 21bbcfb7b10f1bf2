"""Background jobs without a broker: a worker and the schedule in threads of the web process itself.

The messages live in memory and die with the process; the job rows do not, and the reconciler nudges them at the start.
"""

from threading import Thread

from celery.beat import EmbeddedService
from celery.worker import WorkController
from django.utils import timezone

from crm.actions.jobs import reconcile_jobs
from crm.celery import app


class EmbeddedWorker:
    """A Celery worker with two threads, and beat, inside this process."""

    def __init__(self) -> None:
        self._worker = WorkController(
            app=app, pool_cls="threads", concurrency=2, hostname="embedded", without_mingle=True, without_gossip=True
        )
        self._beat = EmbeddedService(app, thread=True)
        self._thread = Thread(target=self._worker.start, name="jobs", daemon=True)

    def start(self) -> None:
        """Start working, first of all on what an earlier process left unfinished."""
        self._thread.start()
        reconcile_jobs(now=timezone.now(), is_alone=True)
        self._beat.daemon = True
        self._beat.start()

    def stop(self) -> None:
        """Stop after the task under way."""
        self._beat.stop()
        self._worker.stop()
