"""A run's progress in words."""

from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from crm.lib.durations import duration
from crm.models import JobState, User
from grading.models import GradingRun


def progress_of(run: GradingRun, user: User, now: datetime) -> dict[str, Any]:
    """What `grading/_run_progress.html` shows. Who sees one region only is told the share, not the numbers."""
    job = run.job
    counts: dict[str, Any] = {"done": job.done, "total": job.total}
    if not user.sees_all_regions:
        counts = {"done": 100 * job.done // job.total if job.total else 0, "total": 100}
    rate, left = job.rate(now), job.time_left(now)
    shows_rate = rate is not None and user.sees_all_regions
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
        "rate_label": _("{count} a second").format(count=_whole(rate)) if shows_rate and rate is not None else "",
        "left_label": "" if left is None else duration(left),
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


def _whole(rate: float | None) -> str:
    return number_format(round(rate or 0), use_l10n=True, force_grouping=True)
