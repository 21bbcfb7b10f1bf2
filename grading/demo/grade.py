"""Grades the demo company as the real one would have: last year's cycle, this year's, and changes during the year."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any, cast

from crm.models import CustomerKind, GradeState, User, Way
from grading.actions.assessments import save_assessment
from grading.actions.cycles import ensure_cycle, open_cycle
from grading.actions.policies import publish_policy
from grading.actions.policy_drafts import draft_policy
from grading.actions.runs import start_run, work_on
from grading.demo import policy as demo_policy
from grading.demo.backdate import date_policy, date_run
from grading.demo.company import Years
from grading.models import Assessment, Cycle, GradingRun

REGRADED = 60


def publish_demo_policy(years: Years, by: User) -> None:
    """Version 2: a margin required of each line, and tourism graded by close horizon."""
    first_year, first_day = min(years.starts.items())
    policy = publish_policy(policy=draft_policy(content=demo_policy.policy(first_year), by=by), by=by, way=Way.COMMAND)
    date_policy(policy, first_day)


def grade_company(*, years: Years, by: User, on_progress: Callable[..., Any]) -> GradingRun:
    """Open, run and publish last year's and this year's cycle, each as of its first day; draft next year's."""
    runs = [_grade_year(year, by, on_progress) for year in years.starts]
    ensure_cycle(years.fiscal_year + 1)
    return runs[-1]


def change_some_assessments(*, years: Years, seed: int) -> int:
    """Let some people learn more about their customers during the year, which changes some grades. Returns how many."""
    rng = Random(f"{seed} changes")
    found = list(_graded_assessments(years.fiscal_year))
    chosen = rng.sample(found, min(REGRADED, -(-len(found) // 20)))
    for assessment in chosen:
        _learn(rng, assessment, years)
        lead = cast(User, assessment.line.lead)
        save_assessment(assessment=assessment, version=assessment.version, by=lead)
    return len(chosen)


def _grade_year(year: int, by: User, on_progress: Callable[..., Any]) -> GradingRun:
    cycle = ensure_cycle(year)
    open_cycle(cycle=cycle, by=by, way=Way.COMMAND)
    run = start_run(cycle=cycle, by=by, as_of=Cycle.first_day(year), publishes=True, is_nudged=False)
    work_on(run, on_progress=on_progress)
    date_run(run)
    run.refresh_from_db()
    return run


def _graded_assessments(year: int) -> Iterator[Assessment]:
    lines = {"line__customer__kind": CustomerKind.CUSTOMER, "line__lead__isnull": False}
    found = (
        Assessment.objects.of_year(year)
        .filter(**lines, line__state=GradeState.GRADED)
        .select_related("line__lead", "line__customer", "line__product_line")
    )
    return found.order_by("line__customer__code", "line__product_line__position")[:2000].iterator()


def _learn(rng: Random, assessment: Assessment, years: Years) -> None:
    change = rng.choice(("larger", "smaller", "margin", "timetable", "later"))
    if change == "larger":
        assessment.potential_sales = int((assessment.potential_sales or 0) * rng.choice((2, 3)))
    elif change == "smaller":
        assessment.potential_sales = (assessment.potential_sales or 0) // 2
    elif change == "margin":
        assessment.expected_margin = (assessment.expected_margin or 0) + rng.choice((-8_00, 7_00, 12_00))
    elif change == "timetable":
        assessment.has_timetable = False
    else:
        assessment.expected_close_on = years.year_end - timedelta(days=rng.randrange(1, 40))
    assessment.note = "季度回访后更新"
