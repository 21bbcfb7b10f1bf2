"""A run's progress in words."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from crm.lib.pace import pace
from crm.models import JobState, User
from grading.models import GradingRun


def progress_of(run: GradingRun, user: User, now: datetime) -> dict[str, Any]:
    """What `grading/_run_progress.html` shows. Who sees one region only is told the share, not the numbers."""
    job = run.job
    counts: dict[str, Any] = {"done": job.done, "total": job.total}
    if not user.sees_all_regions:
        counts = {"done": 100 * job.done // job.total if job.total else 0, "total": 100}
    return {
        "job": {
            "pk": job.pk,
            **counts,
            "is_active": job.is_active,
            "get_state_display": job.get_state_display(),
            "error": _trouble(run, user),
        },
        "run": run,
        "label": _label(run),
        **pace(job.rate(now) if user.sees_all_regions else None, job.time_left(now)),
    }


def _label(run: GradingRun) -> str:
    label = _("Grading {year}, as of {day}").format(year=run.cycle.fiscal_year, day=run.as_of)
    return _("{run}, then publish").format(run=label) if run.publishes else label


def _trouble(run: GradingRun, user: User) -> str:
    if run.job.state == JobState.CANCELLED:
        return _("Cancelled. What was graded until then stays.")
    if run.job.state == JobState.FAILED:
        reason = run.job.error if user.sees_all_regions else ""
        return _("The run failed. Start it again: it goes on where it stopped. {reason}").format(reason=reason).strip()
    return ""
