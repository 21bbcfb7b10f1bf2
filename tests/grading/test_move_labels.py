"""The labels that every app reads move on the first day of the fiscal year, by the daily job, once a day."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.models import CustomerLine, Job, JobState
from grading import tasks
from grading.actions.labels import move_labels, move_labels_once
from grading.actions.records import regrade_lines
from grading.models import Assessment, Cause, CycleState
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory
from tests.grading.company import assessed_line, labels_of, run_through

pytestmark = pytest.mark.django_db

NEW_YEAR = date(2026, 1, 1)


@pytest.fixture
def line():
    """Graded B for 2026, published in December 2025; nothing ruled before."""
    with time_machine.travel("2025-12-20T10:00:00+08:00", tick=False):
        made = assessed_line()
        cycle = CycleFactory()
        run_through(cycle, publishes=True)
    return made


def test_before_the_first_day_of_the_year_nothing_moves(line):
    assert move_labels(today=date(2025, 12, 31)) == 0
    assert labels_of(line) == ("not_assessed", None, None, None)


def test_on_the_first_day_of_the_year_all_labels_move(line):
    assert move_labels(today=NEW_YEAR) == 1
    assert labels_of(line) == ("graded", "B", 80_0000, 2026)
    assert (line.expected_close_on, line.potential_sales) == (date(2026, 9, 30), 4_000_000_00)


def test_moving_again_moves_nothing(line):
    move_labels(today=NEW_YEAR)
    assert move_labels(today=NEW_YEAR) == 0


@pytest.mark.parametrize("state", [CycleState.DRAFT, CycleState.OPEN])
def test_grades_that_are_not_published_move_no_label(state):
    line = assessed_line()
    run_through(CycleFactory(state=state))
    assert move_labels(today=date(2026, 6, 1)) == 0
    assert labels_of(line)[0] == "not_assessed"


def test_of_two_published_years_the_later_one_that_has_begun_rules(line):
    move_labels(today=NEW_YEAR)
    with time_machine.travel("2026-12-20T10:00:00+08:00", tick=False):
        AssessmentFactory(line=line, fiscal_year=2027, expected_margin=60_00, expected_close_on=date(2027, 5, 1))
        run_through(CycleFactory(fiscal_year=2027), as_of=date(2026, 12, 20), publishes=True)
    assert labels_of(line) == ("graded", "B", 80_0000, 2026)
    assert move_labels(today=date(2026, 12, 31)) == 0
    assert move_labels(today=date(2027, 1, 1)) == 1
    assert labels_of(line) == ("graded", "A", 95_0000, 2027)


def test_a_line_that_is_not_gradable_any_more_loses_its_letter(line):
    move_labels(today=NEW_YEAR)
    Assessment.objects.update(has_need=False)
    with time_machine.travel("2026-02-02T10:00:00+08:00", tick=False):
        regrade_lines(line_ids=[line.pk], fiscal_year=2026, cause=Cause.ASSESSMENT, by=None)
    assert labels_of(line) == ("not_gradable", None, None, 2026)


def test_only_the_lines_asked_for_move(line):
    other = assessed_line()
    regrade_lines(line_ids=[other.pk], fiscal_year=2026, cause=Cause.ASSESSMENT, by=None, as_of=NEW_YEAR)
    CustomerLine.objects.update(state="not_assessed", grade=None, score=None)
    assert move_labels(today=NEW_YEAR, line_ids=[line.pk]) == 1
    assert labels_of(other)[0] == "not_assessed"
    assert move_labels(today=NEW_YEAR, line_ids=[]) == 0


def test_a_fiscal_year_that_begins_in_april_moves_in_april(settings):
    settings.FISCAL_YEAR_START_MONTH = 4
    with time_machine.travel("2026-03-20T10:00:00+08:00", tick=False):
        line = assessed_line(expected_close_on=date(2027, 3, 31))
        run_through(CycleFactory(starts_on=date(2026, 4, 1)), as_of=date(2026, 3, 20), publishes=True)
    assert move_labels(today=date(2026, 3, 31)) == 0
    assert move_labels(today=date(2026, 4, 1)) == 1
    assert labels_of(line)[:2] == ("graded", "B")


# --- the daily job


def test_the_daily_job_moves_them_once_a_day(line):
    assert move_labels_once(today=NEW_YEAR) == 1
    CustomerLine.objects.update(score=1)  # nobody does this; a second call would mend it
    assert move_labels_once(today=NEW_YEAR) == 0
    assert move_labels_once(today=NEW_YEAR + timedelta(1)) == 1
    assert set(Job.objects.filter(kind="move-labels").values_list("key", "state")) == {
        ("2026-01-01", "done"),
        ("2026-01-02", "done"),
    }


def test_they_move_at_midnight_in_shanghai_and_not_in_greenwich(line):
    with time_machine.travel("2025-12-31T23:59:00+08:00", tick=False):
        tasks.do_what_is_due()
        assert labels_of(line)[0] == "not_assessed"
    with time_machine.travel("2026-01-01T00:00:00+08:00", tick=False):  # 16:00 of 31 December in Greenwich
        tasks.do_what_is_due()
        assert labels_of(line) == ("graded", "B", 80_0000, 2026)


def test_after_days_of_silence_they_move_when_the_job_is_back(line):
    with time_machine.travel("2026-01-06T09:30:00+08:00", tick=False):
        tasks.do_what_is_due()
        assert labels_of(line)[:2] == ("graded", "B")


def test_a_job_that_vanished_half_way_is_done_again_after_a_while(line):
    now = timezone.now()
    job = Job.objects.create(kind="move-labels", key="2026-01-01", created_at=now, heartbeat_at=now)
    assert move_labels_once(today=NEW_YEAR) == 0
    Job.objects.update(heartbeat_at=now - timedelta(hours=1))
    assert move_labels_once(today=NEW_YEAR) == 1
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.DONE, 1)


def test_without_any_cycle_the_daily_job_does_no_harm():
    line = CustomerLineFactory()
    assert move_labels_once(today=NEW_YEAR) == 0
    assert labels_of(line) == ("not_assessed", None, None, None)
