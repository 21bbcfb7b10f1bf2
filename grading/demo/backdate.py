"""The demo is made in a minute; its policy, cycles and grades carry the moments at which a company makes them."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from crm.models import Job
from grading.models import Cycle, GradeRecord, GradingPolicy, GradingRun

_POLICY, _OPENED, _GRADED = timedelta(days=75), timedelta(days=45), timedelta(days=12)
_LASTED = timedelta(minutes=4)


def date_policy(policy: GradingPolicy, first_day: date) -> None:
    """Published before the first cycle that uses it was opened."""
    GradingPolicy.objects.filter(pk=policy.pk).update(published_at=_moment(first_day - _POLICY, 10))


def date_run(run: GradingRun) -> None:
    """Opened 45 days before the fiscal year, graded and published before it began, in force from its first day."""
    first_day = run.cycle.starts_on
    begun = _moment(first_day - _GRADED, 20)
    ended = begun + _LASTED
    Cycle.objects.filter(pk=run.cycle_id).update(opened_at=_moment(first_day - _OPENED, 9), published_at=ended)
    GradingRun.objects.filter(pk=run.pk).update(started_at=begun, finished_at=ended)
    Job.objects.filter(pk=run.job_id).update(created_at=begun, started_at=begun, heartbeat_at=ended, finished_at=ended)
    GradeRecord.objects.filter(run=run).update(recorded_at=ended, effective_on=first_day)


def _moment(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))
