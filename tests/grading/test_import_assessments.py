"""`import_file assessments`: found by customer, line and fiscal year, and graded at once where the cycle is open."""

import csv
import json
from io import StringIO

import pytest
from django.core.management import call_command

from crm.actions.imports import Outcome, import_kinds, import_table
from crm.lib.spreadsheets import read_table
from crm.models import Change
from grading.actions.records import regrade_lines
from grading.models import Assessment, Cause, CycleState, Grade, GradeRecord
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


def test_a_row_that_changes_a_carried_over_figure_confirms_all_of_them(run, line):
    AssessmentFactory(line=line, is_carried_over=True)
    assert "updated 1" in run(HEADER, WORKED.replace("400万", "500万"))[0]
    assert Assessment.objects.get().is_carried_over is False


def test_a_row_that_changes_no_carried_over_figure_confirms_none(run, line):
    AssessmentFactory(line=line, is_carried_over=True)
    assert "updated 0, unchanged 1" in run(HEADER, WORKED)[0]
    assert Assessment.objects.get().is_carried_over is True


@pytest.mark.parametrize(("word", "is_confirmed"), [("是", True), ("否", False), ("", False)])
def test_a_row_may_say_that_carried_over_figures_are_confirmed_as_they_stand(run, line, word, is_confirmed):
    CycleFactory(state=CycleState.OPEN)
    AssessmentFactory(line=line, is_carried_over=True)
    assert f"updated {int(is_confirmed)}" in run(f"{HEADER},已确认", f"{WORKED},{word}")[0]
    assert Assessment.objects.get().is_carried_over is not is_confirmed
    assert GradeRecord.objects.count() == int(is_confirmed)
    assert "updated 0, unchanged 1" in run(f"{HEADER},已确认", f"{WORKED},{word}")[0]


def test_nobody_takes_a_confirmation_back(run, line):
    AssessmentFactory(line=line)
    assert "updated 0, unchanged 1" in run(f"{HEADER},已确认", f"{WORKED},否")[0]
    assert "cannot be emptied" in run(f"{HEADER},已确认", f"{WORKED},(clear)")[1][2]


def test_added_up_rows_confirm_what_their_sum_changes(run, line, tmp_path):
    AssessmentFactory(line=line, is_carried_over=True)
    mapping = tmp_path / "mapping.json"
    columns = {"customer": "客户", "product_line": "产品线", "fiscal_year": "财年", "potential_sales": "潜在销售额"}
    mapping.write_text(json.dumps({"columns": columns, "sum": ["potential_sales"]}))
    assert "updated 1" in run(HEADER, WORKED, WORKED, options=("--mapping", str(mapping)))[0]
    assert not Assessment.objects.get().is_carried_over


def test_a_row_without_any_figure_makes_no_assessment(run, line):
    CycleFactory(state=CycleState.OPEN)
    assert "created 0, updated 0, unchanged 1" in run(HEADER, "C1,公安,2026,,,,,,,,")[0]
    assert not Assessment.objects.exists()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_list_of_a_cycle_comes_back_without_a_change(north, north_region, client_of, form, language):
    CycleFactory(state=CycleState.OPEN)
    carried, confirmed, _without = (
        CustomerLineFactory(customer__name="重名局", customer__region=north_region) for _ in range(3)
    )
    AssessmentFactory(line=carried, is_carried_over=True)
    AssessmentFactory(line=confirmed)
    regrade_lines(line_ids=[carried.pk, confirmed.pk], fiscal_year=2026, cause=Cause.RUN, by=None)
    answer = client_of(north, language).post("/exports/cycle-grades/?cycle=2026", {"format": form})
    table = read_table(b"".join(answer.streaming_content), f"list.{form}")
    report = import_table(kind=import_kinds()["assessments"], table=table, by=north)
    assert [row.reasons for row in report.rejected] == []
    assert report.count(Outcome.UNCHANGED) == 3
    assert Assessment.objects.filter(is_carried_over=True).count() == 1
    assert not Change.objects.exists()


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
