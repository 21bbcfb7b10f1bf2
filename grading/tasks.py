"""Background tasks of grading: fetch, one action. Each may run twice, and asks the database what is due."""

from celery import shared_task
from django.utils import timezone

from crm.tasks import JobTask
from grading.actions import cycles, labels, regrade, runs
from grading.models import GradingRun


@shared_task(base=JobTask)
def grade_year(*, job_id: int) -> None:
    """Share in the run of this job until none of its chunks is free."""
    runs.work_on(GradingRun.objects.get(job_id=job_id))


@shared_task
def regrade_changed_facts() -> None:
    """Grade the lines whose sales or standing changed."""
    regrade.regrade_changed_facts()


@shared_task
def do_what_is_due() -> None:
    """Whatever the calendar asks for today and has not been done: drafts, nightly runs, labels, closing."""
    today = timezone.localdate()
    cycles.prepare_next_cycle(today=today)
    labels.move_labels_once(today=today)
    cycles.close_past_cycles(today=today)
    cycles.start_nightly_runs(today=today)
