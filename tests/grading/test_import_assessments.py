"""`import_file assessments`: found by customer, line and fiscal year, and graded at once where the cycle is open."""

import csv
import json
from io import StringIO

import pytest
from django.core.management import call_command

from grading.models import Assessment, CycleState, Grade, GradeRecord
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory, SaleFactory

HEADER = "客户,产品线,财年,预期毛利率,潜在销售额,潜在需求,预算状态,预算符合价格政策,时间表明确,了解决策人,预计成交日期"
WORKED = "C1,公安,2026,18%,400万,是,已确认,是,是,是,2026-09-30"


@pytest.fixture
def line(north_region):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    SaleFactory(line=line, amount=1_500_000_00)
    return line


@pytest.fixture
def run(tmp_path):
    def run_command(*rows, options=()):
        file, out = tmp_path / "file.csv", StringIO()
        file.write_text("\n".join(rows), encoding="utf-8")
        try:
            call_command("import_file", "assessments", str(file), *options, stdout=out)
        except SystemExit:
            with (tmp_path / "file.rejected.csv").open(encoding="utf-8-sig", newline="") as opened:
                return out.getvalue(), {
                    int(row["row in the file"]): row["why it was rejected"] for row in csv.DictReader(opened)
                }
        return out.getvalue(), {}

    return run_command


def test_an_assessment_is_created_and_graded_in_the_open_cycle(run, line, time_machine):
    time_machine.move_to("2026-01-05T10:00:00+08:00")
    CycleFactory(state=CycleState.OPEN)
    assert "created 1" in run(HEADER, WORKED)[0]
    record = Grade.objects.get(line=line, fiscal_year=2026).record
    assert (record.letter, record.score, record.cause) == ("B", 84_0000, "assessment")


def test_a_second_time_nothing_changes(run, line):
    CycleFactory(state=CycleState.OPEN)
    run(HEADER, WORKED)
    assert "created 0, updated 0, unchanged 1, rejected 0" in run(HEADER, WORKED)[0]
    assert GradeRecord.objects.count() == 1


def test_a_changed_figure_updates_the_assessment_and_its_grade(run, line):
    CycleFactory(state=CycleState.OPEN)
    run(HEADER, WORKED)
    assert "updated 1" in run(HEADER, WORKED.replace("400万", "90万"))[0]
    assessment = Assessment.objects.get()
    assert (assessment.potential_sales, assessment.version) == (900_000_00, 2)
    assert GradeRecord.objects.count() == 2


def test_before_its_cycle_is_opened_an_assessment_is_kept_and_not_graded(run, line):
    run(HEADER, WORKED)
    assert Assessment.objects.count() == 1
    assert not Grade.objects.exists()


def test_importing_confirms_figures_that_were_carried_over(run, line):
    AssessmentFactory(line=line, is_carried_over=True, has_begun_selection=False, budget_amount=None)
    assert "updated 1" in run(HEADER, WORKED)[0]
    assert Assessment.objects.get().is_carried_over is False


def test_a_row_says_what_is_wrong_with_it(run, line):
    CycleFactory(fiscal_year=2020, state=CycleState.CLOSED, published_at="2019-12-20T00:00:00Z")
    _, reasons = run(
        HEADER,
        WORKED.replace("2026,", "2020,", 1),
        WORKED.replace("18%", "118%"),
        WORKED.replace("400万", "-1"),
        WORKED.replace("已确认", "差不多"),
        WORKED,
        WORKED.replace("400万", "500万"),
    )
    assert list(reasons) == [2, 3, 4, 5, 7]
    assert reasons[2] == "财年: the grading cycle of 2020 is closed"
    assert reasons[3] == "预期毛利率: “118%”: a gross margin lies between -1000 % and 100 %"
    assert reasons[4] == "潜在销售额: “-1” is negative"
    assert reasons[5] == "预算状态: “差不多” is none of: None, Planned, Confirmed"
    assert reasons[7] == "the same record as in row 6"


def test_rows_of_one_record_are_added_up_only_where_the_mapping_says_so(run, line, tmp_path):
    mapping = tmp_path / "mapping.json"
    columns = {
        "customer": "客户",
        "product_line": "产品线",
        "fiscal_year": "财年",
        "potential_sales": "潜在销售额",
        "has_need": "潜在需求",
    }
    mapping.write_text(json.dumps({"columns": columns, "sum": ["potential_sales"]}))
    more = WORKED.replace("400万", "0.5万")
    output, reasons = run(HEADER, WORKED, more, more.replace(",是,已", ",否,已"), options=("--mapping", str(mapping)))
    assert "Added to an earlier row of the same record: 1 rows" in output
    assert reasons == {4: "the same record as in row 2, with another 潜在需求"}
    assert Assessment.objects.get().potential_sales == 4_005_000_00
