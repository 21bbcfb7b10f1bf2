"""Changed sales and new lines mark their customer line; regrading follows the marks."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.actions.customers import add_line
from crm.actions.facts import facts_changed
from crm.actions.sales import delete_sale, save_sale
from crm.models import CustomerLine, ProductLine, Sale
from grading.actions.records import regrade_lines
from grading.actions.regrade import regrade_changed_facts
from grading.models import Assessment, Cause, CycleState, GradeRecord
from tests.factories import AssessmentFactory, CustomerFactory, CycleFactory, SaleFactory
from tests.grading.company import assessed_line, labels_of, record_of, run_through

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_february():
    with time_machine.travel("2026-02-10T10:00:00+08:00"):
        yield


@pytest.fixture
def cycle():
    return CycleFactory(state=CycleState.PUBLISHED, published_at=timezone.now())


@pytest.fixture
def line(cycle):
    """Graded B with 80, in force."""
    made = assessed_line()
    run_through(cycle)
    return made


def sell(line, amount, day=date(2026, 2, 1)) -> Sale:
    return save_sale(sale=Sale(line=line, signed_on=day, amount=amount), version=0, by=None)


def test_a_sale_that_moves_the_bonus_moves_grade_and_labels(line):
    sell(line, 4_000_000_00)
    assert labels_of(line)[:3] == ("graded", "B", 80_0000)  # not before the workers have followed
    assert regrade_changed_facts() == 1
    assert labels_of(line)[:3] == ("graded", "A", 96_0000)
    record = record_of(line)
    assert (record.cause, record.by, record.bonus, record.as_of) == (Cause.FACTS, None, 120, date(2026, 2, 10))


def test_a_sale_that_moves_no_bonus_writes_nothing(line):
    sell(line, 1_00)
    regrade_changed_facts()
    sell(line, 1_00)
    assert regrade_changed_facts() == 1
    assert (GradeRecord.objects.count(), record_of(line).history_sales) == (2, 1_00)


def test_a_deleted_sale_and_goods_taken_back_lower_the_grade(line):
    sale = sell(line, 4_000_000_00)
    regrade_changed_facts()
    delete_sale(sale=sale, version=1, by=None)
    regrade_changed_facts()
    assert record_of(line).score == 80_0000
    sell(line, 1_000_00), sell(line, -1_000_00)
    regrade_changed_facts()
    assert record_of(line).bonus == 100


def test_a_sale_moved_to_another_line_regrades_both(line):
    other = assessed_line()
    sale = sell(line, 4_000_000_00)
    regrade_changed_facts()
    sale.line = other
    save_sale(sale=sale, version=1, by=None)
    assert regrade_changed_facts() == 2
    assert (record_of(line).bonus, record_of(other).bonus) == (100, 120)


def test_the_mark_is_cleared_so_that_each_change_is_followed_once(line):
    sell(line, 4_000_000_00)
    assert [regrade_changed_facts() for _ in range(2)] == [1, 0]


def test_a_mark_set_meanwhile_stays_for_the_next_time(line):
    CustomerLine.objects.update(facts_changed_at=timezone.now() + timedelta(seconds=5))
    assert regrade_changed_facts() == 0
    assert CustomerLine.objects.get().facts_changed_at is not None


def test_workers_are_told_after_the_commit(line, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        sell(line, 1_00)
        assert sent == []
    assert sent == ["grading.tasks.regrade_changed_facts"]


def test_marking_nothing_tells_nobody(monkeypatch, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        assert facts_changed(CustomerLine.objects.all()) == 0
    assert callbacks == []


def test_a_new_line_becomes_not_assessed_in_the_year_and_drops_out_of_nothing(cycle):
    line = add_line(customer=CustomerFactory(), product_line=ProductLine.objects.get(code="mms"), by=None)
    regrade_changed_facts()
    assert record_of(line).state == "not_assessed"
    assert labels_of(line) == ("not_assessed", None, None, 2026)


def test_every_year_that_is_open_or_published_is_regraded_and_closed_ones_are_not(line):
    CycleFactory(fiscal_year=2025, state=CycleState.CLOSED, published_at=timezone.now())
    CycleFactory(fiscal_year=2027)
    for year in (2025, 2027):
        AssessmentFactory(line=line, fiscal_year=year, expected_close_on=date(year, 5, 5))
    sell(line, 4_000_000_00)
    regrade_changed_facts()
    assert sorted(line.grades.values_list("fiscal_year", "record__score")) == [(2026, 96_0000), (2027, 96_0000)]


def test_without_a_cycle_marks_are_cleared_and_nothing_is_graded():
    sell(assessed_line(), 4_000_000_00)
    assert regrade_changed_facts() == 1
    assert not GradeRecord.objects.exists()


def test_many_marked_lines_are_taken_in_sets(cycle, monkeypatch):
    monkeypatch.setattr("grading.actions.regrade.BATCH", 2)
    monkeypatch.setattr("grading.actions.records.BATCH", 1)
    lines = [assessed_line() for _ in range(5)]
    facts_changed(CustomerLine.objects.all())
    assert regrade_changed_facts() == 5
    assert {record_of(line).letter for line in lines} == {"B"}


def test_regrading_asks_for_lines_a_year_and_a_reason_and_says_how_many_records_it_wrote(line, head_office):
    other = assessed_line()
    SaleFactory(line=line, amount=4_000_000_00)
    written = regrade_lines(
        line_ids=[line.pk, other.pk], fiscal_year=2026, cause=Cause.FACTS, by=head_office, as_of=date(2026, 1, 5)
    )
    assert written == 2
    assert (record_of(line).by, record_of(line).as_of) == (head_office, date(2026, 1, 5))
    assert regrade_lines(line_ids=[], fiscal_year=2026, cause=Cause.FACTS, by=None) == 0


def test_what_was_assessed_meanwhile_is_seen(line):
    Assessment.objects.update(expected_margin=60_00)
    sell(line, 1_00)
    regrade_changed_facts()
    assert record_of(line).letter == "A"
