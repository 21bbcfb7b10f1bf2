"""`grade_year YEAR`: the annual run in the foreground."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from grading.actions.runs import start_run
from grading.models import Assessment, Cycle, CycleState, Grade, GradeRecord, GradingRun
from tests.factories import CycleFactory
from tests.grading.company import assessed_line, record_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def grade_year():
    def run(*arguments):
        out, err = StringIO(), StringIO()
        call_command("grade_year", *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return run


def test_it_grades_the_year_and_prints_line_by_grade(grade_year):
    line = assessed_line()
    printed, progress = grade_year("2026", "--as-of", "2026-01-01")
    assert record_of(line).letter == "B"
    assert "police" in printed
    assert "1 grade records written; cycle 2026: open." in printed
    assert "1 of 1" in progress


def test_a_year_without_a_cycle_is_opened_first(grade_year):
    assessed_line(fiscal_year=2025)
    grade_year("2026")
    assert Cycle.objects.get().state == CycleState.OPEN
    assert Assessment.objects.get(fiscal_year=2026).is_carried_over


def test_it_publishes_when_told(grade_year):
    assessed_line()
    assert "cycle 2026: published." in grade_year("2026", "--publish")[0]
    assert "0 grade records written; cycle 2026: published." in grade_year("2026", "--publish")[0]


def test_a_dry_run_prints_the_same_table_and_writes_nothing(grade_year):
    assessed_line()
    dry, _ = grade_year("2026", "--as-of", "2026-01-01", "--dry-run")
    assert (Cycle.objects.count(), Grade.objects.count(), GradingRun.objects.count()) == (0, 0, 0)
    real, _ = grade_year("2026", "--as-of", "2026-01-01")
    assert real.startswith(dry.rstrip("\n"))


def test_one_product_line_or_one_region_may_be_graded(grade_year, north_region):
    police, tourism = assessed_line(), assessed_line(product_line="tourism", customer__region=north_region)
    grade_year("2026", "--line", "police")
    assert Grade.objects.recorded().get().line == police
    grade_year("2026", "--region", "north")
    assert record_of(tourism).letter == "B"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2026", "--line", "polcie"], "write one of: digital-city, emergency, mms, police"),
        (["2026", "--region", "nowhere"], "There is no region 'nowhere'; write one of: north"),
        (["2026", "--publish", "--line", "police"], "leave --line and --region away"),
        (["2026", "--as-of", "1.1.2026"], "as-of"),
        (["soon"], "year"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write_instead(grade_year, north_region, arguments, said):
    with pytest.raises(CommandError, match=said):
        grade_year(*arguments)
    assert not GradingRun.objects.exists()


def test_it_waits_for_another_run_with_another_date(grade_year):
    start_run(cycle=CycleFactory(), by=None, as_of=date(2025, 12, 1))
    with pytest.raises(CommandError, match="under way"):
        grade_year("2026", "--as-of", "2026-01-01")


def test_it_goes_on_with_the_same_run_that_somebody_left(grade_year):
    assessed_line()
    run = start_run(cycle=CycleFactory(), by=None, as_of=date(2026, 1, 1))
    grade_year("2026", "--as-of", "2026-01-01")
    run.refresh_from_db()
    assert (GradingRun.objects.get(), run.state) == (run, "done")


def test_a_closed_year_is_refused(grade_year):
    CycleFactory(state=CycleState.CLOSED, published_at=timezone.now())
    with pytest.raises(CommandError, match="closed"):
        grade_year("2026")
    assert not GradeRecord.objects.exists()


def test_a_company_without_customers_is_graded_too(grade_year):
    assert "0 grade records written" in grade_year("2026")[0]
    grade_year("2027", "--dry-run")
