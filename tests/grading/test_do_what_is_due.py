"""The calendar's tasks: beat only nudges, the database says what is due."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.models import Job, JobState, ProductLine
from grading import tasks
from grading.actions.cycles import start_nightly_runs
from grading.actions.runs import cancel_run, start_run, work_on
from grading.models import Cycle, CycleState, GradingRun
from tests.factories import CycleFactory
from tests.grading.company import assessed_line, labels_of, record_of, run_through

pytestmark = pytest.mark.django_db

NIGHT = "2025-12-02T00:10:00+08:00"


@pytest.fixture
def cycle():
    return CycleFactory()


def at(moment):
    return time_machine.travel(moment, tick=False)


def test_an_open_cycle_is_graded_every_night(cycle):
    line = assessed_line()
    with at(NIGHT):
        tasks.do_what_is_due()
        run = GradingRun.objects.get()
        tasks.grade_year(job_id=run.job_id)
    run.refresh_from_db()
    assert (run.state, run.by, run.publishes, run.as_of) == ("done", None, False, date(2025, 12, 2))
    assert record_of(line).letter == "B"


def test_once_a_day_however_often_it_is_asked(cycle):
    with at(NIGHT):
        for _ in range(3):
            tasks.do_what_is_due()
    assert GradingRun.objects.count() == 1
    with at("2025-12-02T23:50:00+08:00"):
        tasks.do_what_is_due()
    assert GradingRun.objects.count() == 1


def test_again_the_next_night(cycle):
    for night in (NIGHT, "2025-12-03T00:10:00+08:00"):
        with at(night):
            (run,) = start_nightly_runs(today=timezone.localdate())
            work_on(run)
    assert list(GradingRun.objects.order_by("pk").values_list("as_of", flat=True)) == [
        date(2025, 12, 2), date(2025, 12, 3),
    ]  # fmt: skip


def test_after_days_of_silence_one_run_is_enough(cycle):
    with at(NIGHT):
        run_through(cycle)
    with at("2025-12-09T08:00:00+08:00"):
        assert len(start_nightly_runs(today=timezone.localdate())) == 1
        assert start_nightly_runs(today=timezone.localdate()) == []


def test_a_run_that_somebody_started_today_is_the_nightly_run(cycle, head_office):
    with at(NIGHT):
        start_run(cycle=cycle, by=head_office)
        assert start_nightly_runs(today=timezone.localdate()) == []


def test_a_run_of_one_product_line_is_not(cycle):
    with at(NIGHT):
        start_run(cycle=cycle, by=None, product_line=ProductLine.objects.get(code="mms"))
        assert len(start_nightly_runs(today=timezone.localdate())) == 1


def test_a_run_that_was_cancelled_is_not_started_again_the_same_night(cycle, head_office):
    with at(NIGHT):
        (run,) = start_nightly_runs(today=timezone.localdate())
        cancel_run(run=run, by=head_office)
        assert start_nightly_runs(today=timezone.localdate()) == []


def test_a_run_of_yesterday_that_is_still_under_way_hinders_no_other_cycle(cycle):
    with at("2025-12-01T23:59:00+08:00"):
        start_run(cycle=cycle, by=None)
    CycleFactory(fiscal_year=2027)
    with at(NIGHT):
        (run,) = start_nightly_runs(today=timezone.localdate())
    assert run.cycle.fiscal_year == 2027


@pytest.mark.parametrize("state", [CycleState.DRAFT, CycleState.PUBLISHED, CycleState.CLOSED])
def test_only_open_cycles_are_graded_at_night(state):
    CycleFactory(state=state, published_at=timezone.now())
    assert start_nightly_runs(today=date(2025, 12, 2)) == []


def test_a_whole_year_by_the_calendar(head_office):
    with at("2025-11-16T09:00:00+08:00"):
        tasks.do_what_is_due()
        assert not Cycle.objects.exists()
    with at("2025-11-17T09:00:00+08:00"):
        tasks.do_what_is_due()
        assert Cycle.objects.get().state == CycleState.DRAFT
    line = assessed_line()
    Cycle.objects.update(state=CycleState.OPEN)
    with at("2025-12-15T09:00:00+08:00"):
        run_through(Cycle.objects.get(), by=head_office, as_of=date(2025, 12, 15), publishes=True)
        tasks.do_what_is_due()
        assert labels_of(line)[0] == "not_assessed"
    with at("2026-01-01T00:00:00+08:00"):
        tasks.do_what_is_due()
        assert labels_of(line)[:2] == ("graded", "B")
    CycleFactory(fiscal_year=2027, state=CycleState.PUBLISHED, published_at=timezone.now())
    with at("2027-01-03T00:00:00+08:00"):
        tasks.do_what_is_due()
    states = dict(Cycle.objects.values_list("fiscal_year", "state"))
    assert states == {2026: CycleState.CLOSED, 2027: CycleState.PUBLISHED}


def test_the_tasks_do_what_they_are_called(cycle):
    assessed_line()
    tasks.regrade_changed_facts()
    run = start_run(cycle=cycle, by=None)
    tasks.grade_year(job_id=run.job_id)
    tasks.grade_year(job_id=run.job_id)  # twice is once
    assert GradingRun.objects.get().state == "done"


def test_a_task_that_fails_says_so_on_its_job(cycle):
    run = start_run(cycle=cycle, by=None)
    tasks.grade_year.on_failure(ValueError("no such band"), "id", (), {"job_id": run.job_id}, None)
    job = Job.objects.get(pk=run.job_id)
    assert (job.state, job.error) == (JobState.FAILED, "ValueError: no such band")
    assert job.finished_at - job.created_at < timedelta(minutes=1)
