"""Publishing: one last run, at whose end the grades become visible; and closing when the year is over."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.models import Change, Role
from grading.actions.cycles import WrongCycleState, close_past_cycles, publish_cycle
from grading.actions.runs import RunUnderWay, cancel_run, start_run, work_on
from grading.models import Assessment, Cycle, CycleState, Grade, GradeRecord, GradingRun
from tests.factories import CustomerLineFactory, CycleFactory, UserFactory
from tests.grading.company import AS_OF, assessed_line, labels_of, record_of, run_through

pytestmark = pytest.mark.django_db


@pytest.fixture
def cycle():
    return CycleFactory()


def publish(cycle, by) -> Cycle:
    work_on(publish_cycle(cycle=cycle, by=by))
    return Cycle.objects.get(pk=cycle.pk)


def test_the_last_run_publishes_at_its_end_and_not_before(cycle, head_office):
    assessed_line()
    run = publish_cycle(cycle=cycle, by=head_office)
    assert Cycle.objects.get().state == CycleState.OPEN
    work_on(run)
    published = Cycle.objects.get()
    assert (published.state, published.published_by) == (CycleState.PUBLISHED, head_office)
    assert published.published_at == GradingRun.objects.get().finished_at


def test_who_published_it_is_in_the_change_log(cycle, head_office):
    publish(cycle, head_office)
    change = Change.objects.get(table="grading_cycle")
    assert (change.before["state"], change.after["state"], change.by) == ("open", "published", head_office)


def test_the_last_run_grades_what_was_assessed_since_the_one_before(cycle, head_office):
    line = assessed_line()
    run_through(cycle)
    Assessment.objects.update(expected_margin=60_00)
    publish(cycle, head_office)
    assert record_of(line).letter == "A"


def test_a_run_that_does_not_publish_leaves_the_cycle_open(cycle):
    assessed_line()
    run_through(cycle)
    cycle.refresh_from_db()
    assert cycle.state == CycleState.OPEN


def test_before_it_is_published_nobody_sees_a_grade_outside_the_cycle(cycle, head_office):
    line = assessed_line()
    run_through(cycle)
    executive = UserFactory(role=Role.EXECUTIVE)
    for user in (head_office, executive):
        assert not Grade.objects.visible_to(user).exists()
        assert not GradeRecord.objects.visible_to(user).exists()
    assert Grade.objects.recorded().get(fiscal_year=cycle.fiscal_year).line == line
    assert labels_of(line) == ("not_assessed", None, None, None)
    publish(cycle, head_office)
    assert Grade.objects.visible_to(executive).get().line == line


@pytest.mark.parametrize("state", [CycleState.DRAFT, CycleState.PUBLISHED, CycleState.CLOSED])
def test_only_an_open_cycle_can_be_published(state, head_office):
    cycle = CycleFactory(state=state, published_at=timezone.now())
    with pytest.raises(WrongCycleState):
        publish_cycle(cycle=cycle, by=head_office)
    assert not GradingRun.objects.exists()


def test_publishing_waits_for_the_end_of_a_run_under_way(cycle, head_office):
    start_run(cycle=cycle, by=None)
    with pytest.raises(RunUnderWay):
        publish_cycle(cycle=cycle, by=head_office)


def test_asking_twice_joins_the_same_last_run(cycle, head_office):
    assert publish_cycle(cycle=cycle, by=head_office) == publish_cycle(cycle=cycle, by=head_office)


def test_a_cancelled_last_run_publishes_nothing(cycle, head_office):
    assessed_line()
    run = publish_cycle(cycle=cycle, by=head_office)
    cancel_run(run=run, by=head_office)
    work_on(run)
    cycle.refresh_from_db()
    assert (cycle.state, GradeRecord.objects.count()) == (CycleState.OPEN, 0)


def test_published_in_december_the_labels_wait_for_the_year(cycle, head_office):
    line = assessed_line()
    with time_machine.travel("2025-12-20T10:00:00+08:00", tick=False):
        publish(cycle, head_office)
        assert labels_of(line) == ("not_assessed", None, None, None)


def test_published_late_the_labels_move_at_once(cycle, head_office):
    line, unassessed = assessed_line(), CustomerLineFactory()
    with time_machine.travel("2026-01-20T10:00:00+08:00", tick=False):
        publish(cycle, head_office)
    assert labels_of(line) == ("graded", "B", 80_0000, 2026)
    assert labels_of(unassessed) == ("not_assessed", None, None, 2026)


def test_a_run_of_a_published_cycle_keeps_it_published_and_moves_the_labels(cycle, head_office):
    line = assessed_line()
    with time_machine.travel("2026-01-20T10:00:00+08:00", tick=False):
        published = publish(cycle, head_office)
        Assessment.objects.update(has_need=False)
        run_through(published, as_of=AS_OF + timedelta(19))
    assert labels_of(line) == ("not_gradable", None, None, 2026)
    assert Cycle.objects.get().published_at == published.published_at


# --- closing


def published(year: int, **changes) -> Cycle:
    return CycleFactory(fiscal_year=year, state=CycleState.PUBLISHED, published_at=timezone.now(), **changes)


def test_a_cycle_closes_when_its_year_is_over_and_the_next_is_published():
    published(2026), published(2027)
    assert close_past_cycles(today=date(2026, 12, 31)) == 0
    assert close_past_cycles(today=date(2027, 1, 1)) == 1
    assert close_past_cycles(today=date(2027, 1, 1)) == 0
    closed = Cycle.objects.get(fiscal_year=2026)
    assert closed.state == CycleState.CLOSED
    assert closed.closed_at is not None
    assert Change.objects.get(table="grading_cycle").after["state"] == "closed"


def test_while_the_next_is_not_published_the_old_one_rules_on():
    published(2026), CycleFactory(fiscal_year=2027)
    assert close_past_cycles(today=date(2027, 3, 1)) == 0


def test_after_years_of_silence_all_past_cycles_close_at_once():
    published(2024), published(2025), published(2026)
    assert close_past_cycles(today=date(2026, 5, 1)) == 2


def test_a_year_that_begins_in_april_closes_in_april(settings):
    settings.FISCAL_YEAR_START_MONTH = 4
    published(2026, starts_on=date(2026, 4, 1)), published(2027, starts_on=date(2027, 4, 1))
    assert close_past_cycles(today=date(2027, 3, 31)) == 0
    assert close_past_cycles(today=date(2027, 4, 1)) == 1


def test_a_closed_cycles_grades_stay_visible(head_office):
    line = assessed_line()
    publish(CycleFactory(), head_office)
    published(2027)
    close_past_cycles(today=date(2027, 1, 1))
    assert Grade.objects.visible_to(head_office).get().line == line
