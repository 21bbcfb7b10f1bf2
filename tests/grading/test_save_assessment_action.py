"""Saving an assessment grades the customer line in the same transaction."""

from datetime import date

import pytest
import time_machine
from django.utils import timezone

from crm.actions.changes import EditedMeanwhile
from crm.models import Change, Way
from grading.actions.assessments import save_assessment
from grading.actions.runs import CycleClosed
from grading.models import Assessment, Cause, CycleState, GradeRecord
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory, SaleFactory
from tests.grading.company import assessed_line, labels_of, record_of, run_through

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_february():
    with time_machine.travel("2026-02-10T10:00:00+08:00", tick=False):
        yield


@pytest.fixture
def line():
    """Graded B with 80 in the published cycle of the year."""
    CycleFactory(state=CycleState.PUBLISHED, published_at=timezone.now())
    made = assessed_line()
    run_through(CycleFactory())
    return made


def save(line, by, *, version=1, way=Way.FORM, **changes):
    assessment = Assessment.objects.get(line=line)
    for name, value in changes.items():
        setattr(assessment, name, value)
    return save_assessment(assessment=assessment, version=version, by=by, way=way)


def test_a_changed_figure_regrades_the_line_and_its_labels_at_once(line, north):
    record = save(line, north, expected_margin=60_00)
    assert (record.letter, record.score, record.cause, record.by) == ("A", 95_0000, Cause.ASSESSMENT, north)
    assert (record.as_of, record.effective_on, record.run_id) == (date(2026, 2, 10), date(2026, 2, 10), None)
    assert record_of(line) == record
    assert labels_of(line) == ("graded", "A", 95_0000, 2026)


def test_the_record_before_stays(line, north):
    before = GradeRecord.objects.values().get()
    save(line, north, expected_margin=60_00)
    assert GradeRecord.objects.values().get(pk=before["id"]) == before


def test_the_record_counts_the_sales_of_two_years(line, north):
    SaleFactory(line=line, amount=4_000_000_00, signed_on=date(2026, 2, 9))
    SaleFactory(line=line, amount=4_000_000_00, signed_on=date(2026, 2, 10))
    assert save(line, north, budget_amount=1).history_sales == 4_000_000_00


def test_a_new_assessment_is_graded_too(north):
    line = CustomerLineFactory()
    record = save_assessment(assessment=AssessmentFactory.build(line=line), version=0, by=north)
    assert (record.letter, record_of(line)) == ("B", record)
    assert Assessment.objects.get().version == 1
    assert Change.objects.get(table="grading_assessment").before is None


def test_saving_without_a_change_that_matters_writes_no_record(line, north):
    assert save(line, north, note="talked to the director") is None
    assert (GradeRecord.objects.count(), Assessment.objects.get().version) == (1, 2)


def test_each_save_is_in_the_change_log_with_what_changed_and_by_which_way(line, north):
    save(line, north, way=Way.API, expected_margin=60_00)
    change = Change.objects.get(table="grading_assessment")
    assert (change.before["expected_margin"], change.after["expected_margin"]) == (18_00, 60_00)
    assert (change.by, change.way, change.customer, change.region_id) == (
        north, Way.API, line.customer, line.customer.region_id,
    )  # fmt: skip
    assert "potential_sales" not in change.before


def test_saving_confirms_figures_that_were_carried_over(line, north):
    Assessment.objects.update(is_carried_over=True)
    run_through(CycleFactory())
    assert record_of(line).state == "not_assessed"
    assert save(line, north).letter == "B"
    assert not Assessment.objects.get().is_carried_over


def test_an_element_taken_away_takes_the_grade_away_and_says_why(line, north):
    record = save(line, north, has_timetable=False, expected_close_on=date(2027, 1, 1))
    assert (record.state, record.letter, record.score) == ("not_gradable", None, None)
    assert record.grading().reasons == ("timetable", "close_date_outside")
    assert labels_of(line) == ("not_gradable", None, None, 2026)


def test_who_saves_what_someone_else_changed_meanwhile_is_told_and_nothing_is_saved(line, north, south_user):
    save(line, south_user, expected_margin=60_00)
    with pytest.raises(EditedMeanwhile) as refused:
        save(line, north, version=1, expected_margin=5_00)
    assert refused.value.record.version == 2
    assert (Assessment.objects.get().expected_margin, GradeRecord.objects.count()) == (60_00, 2)
    assert Change.objects.filter(table="grading_assessment").count() == 1


def test_a_second_new_assessment_of_the_year_is_told_of_the_first(line, north):
    with pytest.raises(EditedMeanwhile) as refused:
        save_assessment(assessment=AssessmentFactory.build(line=line), version=0, by=north)
    assert refused.value.record == Assessment.objects.get()


def test_an_assessment_of_a_closed_year_is_history(line, north):
    cycle = CycleFactory()
    cycle.state = CycleState.CLOSED
    cycle.save()
    with pytest.raises(CycleClosed):
        save(line, north, expected_margin=60_00)
    assert (Assessment.objects.get().expected_margin, GradeRecord.objects.count()) == (18_00, 1)


@pytest.mark.parametrize("state", [CycleState.DRAFT, CycleState.OPEN])
def test_before_publication_the_grade_is_recorded_and_no_label_moves(north, state):
    CycleFactory(state=state)
    line = assessed_line()
    assert save(line, north).letter == "B"
    assert labels_of(line) == ("not_assessed", None, None, None)


def test_next_years_assessment_leaves_this_years_labels_alone(line, north):
    CycleFactory(fiscal_year=2027, state=CycleState.PUBLISHED, published_at=timezone.now())
    run_through(CycleFactory())
    new = AssessmentFactory.build(
        line=line, fiscal_year=2027, expected_margin=60_00, expected_close_on=date(2027, 6, 1)
    )
    record = save_assessment(assessment=new, version=0, by=north)
    assert (record.letter, record.effective_on) == ("A", date(2027, 1, 1))
    assert labels_of(line) == ("graded", "B", 80_0000, 2026)


def test_a_customer_that_is_never_graded_gets_no_record(north):
    line = CustomerLineFactory(customer__kind="agent")
    assert save_assessment(assessment=AssessmentFactory.build(line=line), version=0, by=north) is None
    assert not GradeRecord.objects.exists()


def test_where_grading_fails_nothing_is_saved(line, north, monkeypatch):
    def fail(**_):
        raise ZeroDivisionError

    monkeypatch.setattr("grading.actions.assessments.regrade_lines", fail)
    with pytest.raises(ZeroDivisionError):
        save(line, north, expected_margin=60_00)
    assert Assessment.objects.get().expected_margin == 18_00


def test_saving_takes_a_constant_number_of_queries(line, north, django_assert_max_num_queries):
    for _ in range(5):
        assessed_line(history=1_00)
    with django_assert_max_num_queries(40):
        save(line, north, expected_margin=60_00)
