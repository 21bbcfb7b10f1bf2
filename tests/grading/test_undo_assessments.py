"""Imported assessments taken back: the grades follow, and history stays."""

import pytest

from crm.actions import data_imports
from crm.actions.undo_import import UndoRefused
from crm.actions.work_on_import import work_on_import
from crm.models import CustomerLine, GradeState, ImportState
from grading.actions.assessments import save_assessment
from grading.actions.cycles import open_cycle
from grading.models import Assessment, Cycle, CycleState, Grade, GradeRecord
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory, SaleFactory
from tests.undo import undo_import

pytestmark = pytest.mark.django_db

HEADER = "客户,产品线,财年,预期毛利率,潜在销售额,潜在需求,预算状态,预算符合价格政策,时间表明确,了解决策人,预计成交日期"
WORKED = "C1,公安,2026,18%,400万,是,已确认,是,是,是,2026-09-30"


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-01-05T10:00:00+08:00")


@pytest.fixture
def line(north_region):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    SaleFactory(line=line, amount=1_500_000_00)
    CycleFactory(state=CycleState.PUBLISHED, published_at="2025-12-20T00:00:00Z")
    return line


@pytest.fixture
def imported(head_office):
    def made(*rows):
        content = "\n".join(rows).encode()
        one = data_imports.upload_import(kind="assessments", name="a.csv", content=content, by=head_office)
        data_imports.start_import(data_import=one, by=head_office)
        work_on_import(job_id=one.job_id)
        one.refresh_from_db()
        assert one.state == ImportState.DONE, one.report
        return one

    return made


def label(line):
    line.refresh_from_db()
    return (line.state, line.grade)


def test_a_created_assessment_counts_no_more_and_its_grade_follows(imported, line, head_office):
    one = imported(HEADER, WORKED)
    assert label(line) == (GradeState.GRADED, "B")
    undo_import(data_import=one, by=head_office)
    assert label(line) == (GradeState.NOT_ASSESSED, None)
    assert not Assessment.objects.visible_to(head_office).exists()
    assert Grade.objects.get(line=line).record.state == GradeState.NOT_ASSESSED
    assert list(GradeRecord.objects.order_by("pk").values_list("letter", flat=True)) == ["B", None]


def test_of_two_imports_the_later_goes_back_first(imported, line, head_office):
    opened = WORKED.replace("公安", "旅游")
    first = imported(HEADER, WORKED, opened)
    second = imported(HEADER, WORKED.replace("400万", "1亿"), opened.replace("400万", "1亿"))
    undo_import(data_import=second, by=head_office)
    assert label(line) == (GradeState.GRADED, "B")
    undo_import(data_import=first, by=head_office)
    assert label(line) == (GradeState.NOT_ASSESSED, None)
    assert not Assessment.objects.visible_to(head_office).exists()
    assert not CustomerLine.objects.get(product_line__code="tourism").is_active


def test_it_may_be_imported_again_and_entered_by_hand(imported, line, head_office):
    undo_import(data_import=imported(HEADER, WORKED), by=head_office)
    assert imported(HEADER, WORKED).report["counts"]["created"] == 1
    assert label(line) == (GradeState.GRADED, "B")
    undo_import(data_import=imported(HEADER, WORKED.replace("400万", "90万")), by=head_office)
    assert label(line) == (GradeState.GRADED, "B")


def test_an_updated_assessment_is_what_it_was_and_so_is_its_grade(imported, line, head_office):
    imported(HEADER, WORKED)
    one = imported(HEADER, WORKED.replace("18%", "40%").replace("400万", "1亿"))
    assert label(line)[1] != "B"
    undo_import(data_import=one, by=head_office)
    known = Assessment.objects.get()
    assert (known.expected_margin, known.potential_sales, known.version) == (18_00, 4_000_000_00, 3)
    assert label(line) == (GradeState.GRADED, "B")


def test_a_carried_over_one_is_unconfirmed_again(imported, line, head_office):
    AssessmentFactory(line=line, is_carried_over=True, budget_amount=None, has_begun_selection=False)
    undo_import(data_import=imported(HEADER, WORKED), by=head_office)
    assert Assessment.objects.get().is_carried_over
    assert label(line) == (GradeState.NOT_ASSESSED, None)


def test_a_line_that_the_import_opened_is_closed_without_a_grade(imported, line, head_office):
    undo_import(data_import=imported(HEADER, WORKED.replace("公安", "旅游")), by=head_office)
    opened = CustomerLine.objects.get(product_line__code="tourism")
    assert (opened.is_active, *label(opened)) == (False, GradeState.NOT_ASSESSED, None)


def test_one_edited_since_holds_the_undo_up(imported, line, head_office):
    one = imported(HEADER, WORKED)
    assessment = Assessment.objects.get()
    assessment.note = "改"
    save_assessment(assessment=assessment, version=1, by=head_office)
    with pytest.raises(UndoRefused) as refusal:
        undo_import(data_import=one, by=head_office)
    assert [conflict["row"] for conflict in refusal.value.conflicts] == [2]
    assert label(line) == (GradeState.GRADED, "B")


def test_a_closed_year_is_history(imported, line, head_office):
    one = imported(HEADER, WORKED)
    Cycle.objects.update(state=CycleState.CLOSED)
    with pytest.raises(UndoRefused) as refusal:
        undo_import(data_import=one, by=head_office)
    assert refusal.value.conflicts[0]["reason"] == "the grading cycle of 2026 is closed"


def test_the_next_year_carries_nothing_over_from_what_was_taken_back(imported, line, head_office):
    undo_import(data_import=imported(HEADER, WORKED), by=head_office)
    following = CycleFactory(fiscal_year=2027, state=CycleState.DRAFT)
    open_cycle(cycle=following, by=head_office)
    assert Assessment.objects.get(fiscal_year=2027).potential_sales is None
