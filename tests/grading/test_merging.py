"""What becomes of assessments and grades when two customers are merged."""

import pytest

from crm.actions.merge_customers import merge_customers
from crm.actions.undo_merge import undo_merge
from crm.models import Change, Customer
from grading.actions.regrade import regrade_changed_facts
from grading.models import Assessment, Cycle, CycleState, Grade, GradeRecord
from tests.factories import AssessmentFactory, CustomerFactory, CustomerLineFactory
from tests.pages import graded_line, published_cycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def survivor(north_region):
    return CustomerFactory(region=north_region)


@pytest.fixture
def merge(survivor, head_office):
    def merged(loser):
        loser = Customer.objects.get(pk=loser.pk)
        survivor.refresh_from_db()
        versions = (survivor.version, loser.version)
        return merge_customers(survivor=survivor, loser=loser, versions=versions, from_loser=(), by=head_office)

    return merged


def test_a_line_that_goes_over_keeps_its_assessment_its_grade_and_its_history(merge, survivor, south_region):
    line = graded_line(south_region)
    records = list(GradeRecord.objects.values_list("pk", flat=True))
    merge(line.customer)
    regrade_changed_facts()
    line.refresh_from_db()
    assert (line.customer, line.grade, line.state) == (survivor, "B", "graded")
    assert list(GradeRecord.objects.values_list("pk", flat=True)) == records


def test_an_assessment_of_a_retired_line_goes_over_where_the_other_has_none(merge, survivor, south_region, head_office):
    own = CustomerLineFactory(customer=survivor)
    line = graded_line(south_region)
    made = merge(line.customer)
    regrade_changed_facts()
    own.refresh_from_db()
    assert (own.grade, Assessment.objects.get().line, made.counts["assessments"]) == ("B", own, 1)
    undo_merge(merge=made, by=head_office)
    regrade_changed_facts()
    for one in (own, line):
        one.refresh_from_db()
    assert (own.state, line.grade, line.is_active) == ("not_assessed", "B", True)


def test_where_both_are_assessed_the_survivors_counts(merge, survivor, south_region):
    own = graded_line(survivor.region, customer=survivor, facts={"potential_sales": 900_000_00})
    grade = own.grade
    line = graded_line(south_region)
    made = merge(line.customer)
    regrade_changed_facts()
    own.refresh_from_db()
    assert (own.grade, made.counts.get("assessments"), made.counts["assessments_kept"]) == (grade, None, 1)
    assert Assessment.objects.get(line=line)


def test_assessments_of_a_closed_year_are_history_and_stay(merge, survivor, south_region):
    CustomerLineFactory(customer=survivor)
    published_cycle()
    line = CustomerLineFactory(customer__region=south_region)
    AssessmentFactory(line=line)
    Cycle.objects.update(state=CycleState.CLOSED)
    merge(line.customer)
    assert Assessment.objects.get().line == line


def test_followers_at_the_old_place_are_told_that_assessments_and_grades_have_gone(merge, south_region):
    line = graded_line(south_region)
    merge(line.customer)
    gone = Change.objects.filter(is_tombstone=True, region=south_region).values_list("table", "object_id")
    assert {
        ("grading_assessment", Assessment.objects.get().pk),
        ("grading_grade", Grade.objects.get(line=line).pk),
        ("crm_customerline", line.pk),
    } <= set(gone)
