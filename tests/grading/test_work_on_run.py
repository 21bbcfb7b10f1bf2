"""Working on a run: a record where something that matters changed, none where nothing did."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.utils import timezone

from crm.models import CustomerKind, Job, JobState, ProductLine, Sale
from grading.actions.runs import finish_run, report, start_run, work_on
from grading.actions.tally import Count
from grading.models import (
    Assessment,
    Cause,
    ChunkState,
    CycleState,
    Grade,
    GradeRecord,
    GradingPolicy,
    GradingRun,
    RunState,
)
from tests.factories import CustomerLineFactory, CycleFactory, SaleFactory
from tests.grading.company import AS_OF, assessed_line, labels_of, record_of, run_through

pytestmark = pytest.mark.django_db


@pytest.fixture
def cycle():
    return CycleFactory()


def test_the_worked_example_gets_a_record_with_its_inputs_and_parts(cycle, head_office):
    line = assessed_line(history=1_500_000_00)
    run = run_through(cycle, by=head_office)
    record = record_of(line)
    assert (record.state, record.letter, record.score) == ("graded", "B", 84_0000)
    assert (record.required_margin, record.margin_points, record.potential_points, record.bonus) == (30_00, 70, 90, 105)
    assert (record.expected_margin, record.potential_sales, record.history_sales) == (
        18_00, 4_000_000_00, 1_500_000_00,
    )  # fmt: skip
    assert (record.cause, record.run_id, record.by, record.as_of) == (Cause.RUN, run.pk, head_office, AS_OF)
    assert record.policy == GradingPolicy.objects.current()


def test_every_line_gets_a_record_also_those_that_nobody_assessed(cycle):
    lines = [assessed_line(), assessed_line(has_need=False), CustomerLineFactory(), assessed_line(is_carried_over=True)]
    run_through(cycle)
    assert [record_of(line).state for line in lines] == ["graded", "not_gradable", "not_assessed", "not_assessed"]


def test_a_line_can_be_graded_in_each_of_its_product_lines(cycle):
    police = assessed_line()
    tourism = assessed_line(product_line="tourism", customer=police.customer, has_timetable=False)
    run_through(cycle)
    assert [record_of(line).state for line in (police, tourism)] == ["graded", "not_gradable"]


@pytest.mark.parametrize(
    "changes",
    [
        {"customer__kind": CustomerKind.AGENT},
        {"customer__kind": CustomerKind.GOVERNMENT_RELATION},
        {"customer__deleted_at": datetime(2025, 1, 1, tzinfo=UTC)},
    ],
)
def test_who_does_not_buy_or_is_gone_is_not_graded(cycle, changes):
    assessed_line(**changes)
    run = run_through(cycle)
    assert (Grade.objects.recorded().count(), run.report["graded"], run.job.total) == (0, 0, 0)


def test_another_years_assessment_grades_nothing_this_year(cycle):
    line = assessed_line(fiscal_year=2025)
    run_through(cycle)
    assert record_of(line).state == "not_assessed"


# --- what is written again, and what not


def test_a_second_run_with_unchanged_facts_writes_nothing(cycle):
    assessed_line(history=1_500_000_00)
    CustomerLineFactory()
    assert run_through(cycle).report["written"] == 2
    again = run_through(cycle)
    assert (again.report["written"], again.report["graded"], again.report["not_assessed"]) == (0, 1, 1)
    assert GradeRecord.objects.count() == 2


def test_a_moved_history_sum_alone_writes_nothing(cycle):
    line = assessed_line(history=1_500_000_00)
    run_through(cycle)
    SaleFactory(line=line, amount=1_000_00)
    assert run_through(cycle).report["written"] == 0
    assert record_of(line).history_sales == 1_500_000_00


def test_a_history_sum_that_moves_the_bonus_writes_a_record(cycle):
    line = assessed_line(history=1_500_000_00)
    run_through(cycle)
    SaleFactory(line=line, amount=500_000_00)
    assert run_through(cycle).report["written"] == 1
    record = record_of(line)
    assert (record.bonus, record.history_sales, record.score) == (110, 2_000_000_00, 88_0000)


@pytest.mark.parametrize(
    "change",
    [
        {"expected_margin": 18_01},
        {"potential_sales": 4_000_000_01},
        {"has_need": False},
        {"budget_state": "planned"},
        {"budget_amount": 1},
        {"budget_amount": None},
        {"budget_fits_pricing": False},
        {"has_timetable": False},
        {"knows_decision_makers": False},
        {"expected_close_on": date(2026, 9, 29)},
        {"has_begun_selection": False},
        {"is_carried_over": True},
    ],
)
def test_a_persons_changed_input_writes_a_new_record_and_the_old_one_stays(cycle, change):
    line = assessed_line()
    run_through(cycle)
    before = GradeRecord.objects.values().get()
    Assessment.objects.update(**change)
    assert run_through(cycle).report["written"] == 1
    assert GradeRecord.objects.values().get(pk=before["id"]) == before
    assert record_of(line).pk != before["id"]
    assert GradeRecord.objects.count() == 2


def test_what_no_grade_is_made_of_writes_nothing(cycle):
    assessed_line()
    run_through(cycle)
    Assessment.objects.update(note="talked to the director", has_system=True, version=9)
    assert run_through(cycle).report["written"] == 0


def test_a_new_policy_version_writes_new_records_once(cycle):
    line = assessed_line()
    run_through(cycle)
    shipped = GradingPolicy.objects.for_list().get(number=1)
    bands = list(shipped.bands.all())
    newer = GradingPolicy.objects.create(
        number=2, state="published", published_at=timezone.now(), a_from=80_0000, b_from=75_0000
    )
    for band in bands:
        band.pk, band.policy = None, newer
        band.save()
    assert [run_through(cycle).report["written"] for _ in range(2)] == [1, 0]
    assert (record_of(line).letter, record_of(line).policy) == ("A", newer)


def test_the_grading_date_is_the_runs_and_cuts_the_two_years(cycle):
    line = assessed_line()
    for day in (date(2023, 12, 31), date(2024, 1, 1), date(2025, 12, 31), date(2026, 1, 1)):
        SaleFactory(line=line, signed_on=day, amount=1_00)
    SaleFactory(line=line, signed_on=date(2025, 5, 5), amount=9_00, deleted_at=timezone.now())
    run_through(cycle)
    assert record_of(line).history_sales == 2_00


def test_returned_goods_are_taken_from_the_sum_and_a_sum_of_zero_is_no_sales(cycle):
    line = assessed_line(history=500_00)
    SaleFactory(line=line, amount=-500_00)
    run_through(cycle)
    assert (record_of(line).history_sales, record_of(line).bonus) == (0, 100)


def test_sales_of_another_line_of_the_customer_earn_nothing(cycle):
    line = assessed_line()
    SaleFactory(line=CustomerLineFactory(customer=line.customer, product_line=ProductLine.objects.get(code="mms")))
    run_through(cycle)
    assert record_of(line).bonus == 100


# --- some of the lines


def test_a_run_of_one_product_line_leaves_the_others_alone(cycle):
    police, tourism = assessed_line(), assessed_line(product_line="tourism")
    run = run_through(cycle, product_line=police.product_line)
    assert Grade.objects.recorded().get().line == police
    assert (run.job.total, [row["line"] for row in run.report["lines"]]) == (1, ["police"])
    assert not Grade.objects.recorded().filter(line=tourism).exists()


def test_a_run_of_one_region_leaves_the_others_alone(cycle, north_region, south_region):
    line = assessed_line(customer__region=north_region)
    assessed_line(customer__region=south_region)
    run = run_through(cycle, region=north_region)
    assert (Grade.objects.recorded().get().line, run.job.total, run.job.done) == (line, 1, 1)


# --- the report


def test_the_report_counts_lines_by_state_letter_and_what_is_missing(cycle):
    assessed_line(history=1_500_000_00)
    assessed_line(expected_margin=45_00, potential_sales=9_000_000_00)
    assessed_line(product_line="tourism", has_need=False, has_timetable=False)
    assessed_line(product_line="tourism", has_need=False)
    CustomerLineFactory()
    report = run_through(cycle).report
    assert {name: report[name] for name in ("graded", "not_gradable", "not_assessed", "written")} == {
        "graded": 2,
        "not_gradable": 2,
        "not_assessed": 1,
        "written": 5,
    }
    assert report["lines"] == [
        {"line": "police", "A": 1, "B": 1, "C": 0, "D": 0, "not_gradable": 0, "not_assessed": 1},
        {"line": "tourism", "A": 0, "B": 0, "C": 0, "D": 0, "not_gradable": 2, "not_assessed": 0},
    ]
    assert report["missing"] == {"need": 2, "timetable": 1}


def test_the_report_says_who_moved_from_the_labels_in_force(cycle):
    cycle.state, cycle.published_at = CycleState.PUBLISHED, timezone.now()
    cycle.save()
    line = assessed_line(history=1_500_000_00)
    assessed_line()
    first = run_through(cycle)
    assert first.report["moves"] == [{"line": "police", "from": "not_assessed", "to": "B", "count": 2}]
    Assessment.objects.filter(line=line).update(expected_margin=60_00)
    second = run_through(cycle)
    assert second.report["moves"] == [{"line": "police", "from": "B", "to": "A", "count": 1}]
    assert second.report["written"] == 1


def test_the_report_adds_up_over_chunks(cycle, monkeypatch):
    for _ in range(5):
        assessed_line()
    whole = run_through(cycle).report
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 2)
    in_chunks = run_through(cycle)
    assert in_chunks.chunks.count() == 3
    assert in_chunks.report == {**whole, "written": 0}


def test_a_report_is_made_of_counts():
    counts = [
        Count(1, "A", 0, "B", 3),
        Count(1, "A", 0, "A", 2),
        Count(2, "not_gradable", 1 + 16, "not_assessed", 4),
    ]
    made = report(counts, {2: "mms", 1: "police", 3: "tourism"})
    assert (made["graded"], made["not_gradable"]) == (5, 4)
    assert [row["line"] for row in made["lines"]] == ["mms", "police"]
    assert made["missing"] == {"need": 4, "timetable": 4}
    assert made["moves"] == [
        {"line": "mms", "from": "not_assessed", "to": "not_gradable", "count": 4},
        {"line": "police", "from": "B", "to": "A", "count": 3},
    ]


# --- many hands


def test_progress_is_shown_after_each_chunk_with_rate_and_time_left(cycle, monkeypatch):
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 2)
    for _ in range(5):
        assessed_line()
    seen = []
    run = start_run(cycle=cycle, by=None, as_of=AS_OF)
    work_on(run, worker="here", on_progress=lambda job: seen.append((job.done, job.total, job.state, job.owner)))
    assert seen == [(2, 5, "running", "here"), (4, 5, "running", "here"), (5, 5, "running", "here")]


def test_two_workers_share_the_chunks_and_the_last_one_ends_the_run(cycle, monkeypatch):
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 1)
    for _ in range(4):
        assessed_line()
    run = start_run(cycle=cycle, by=None, as_of=AS_OF)
    same = GradingRun.objects.get(pk=run.pk)

    def turn(job):
        if job.done == 2:
            work_on(same, worker="second")

    work_on(run, worker="first", on_progress=turn)
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert sorted(run.chunks.values_list("worker", flat=True)) == ["first", "first", "second", "second"]
    assert GradeRecord.objects.count() == 4


def test_working_on_a_run_that_has_ended_does_nothing(cycle):
    assessed_line()
    run = run_through(cycle)
    finished_at = run.finished_at
    work_on(run)
    run.refresh_from_db()
    assert (run.finished_at, GradeRecord.objects.count()) == (finished_at, 1)


def test_a_run_ends_only_when_every_chunk_is_done(cycle):
    assessed_line()
    run = start_run(cycle=cycle, by=None, as_of=AS_OF)
    assert not finish_run(run)
    run.refresh_from_db()
    assert (run.state, run.report) == (RunState.RUNNING, {})


def test_a_run_that_fails_half_way_goes_on_where_it_stopped(cycle, monkeypatch):
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 1)
    for _ in range(3):
        assessed_line()
    run = start_run(cycle=cycle, by=None, as_of=AS_OF)
    with pytest.raises(ZeroDivisionError):
        work_on(run, on_progress=lambda job: 1 / 0)
    done = run.chunks.get(state=ChunkState.DONE)
    work_on(run)
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert run.chunks.get(pk=done.pk).finished_at == done.finished_at
    assert (GradeRecord.objects.count(), run.report["written"]) == (3, 3)


def test_a_job_ends_with_all_lines_done(cycle):
    assessed_line()
    job = Job.objects.get(pk=run_through(cycle).job_id)
    assert (job.state, job.done, job.total, job.error) == (JobState.DONE, 1, 1, "")
    assert job.finished_at


def test_old_grades_stay_readable_while_a_run_is_under_way(cycle, monkeypatch):
    cycle.state, cycle.published_at = CycleState.PUBLISHED, timezone.now()
    cycle.save()
    line = assessed_line()
    run_through(cycle)
    Assessment.objects.update(expected_margin=60_00)
    start_run(cycle=cycle, by=None, as_of=AS_OF)
    assert labels_of(line) == ("graded", "B", 80_0000, 2026)


def test_records_count_from_the_first_day_of_the_year_or_from_when_they_are_recorded(cycle):
    line = assessed_line()
    with time_machine.travel("2025-12-20T12:00:00+08:00", tick=False):
        run_through(cycle)
    assert record_of(line).effective_on == date(2026, 1, 1)
    Assessment.objects.update(expected_margin=60_00)
    with time_machine.travel("2026-03-09T17:00:00Z", tick=False):  # 10 March in Shanghai
        run_through(cycle)
    assert record_of(line).effective_on == date(2026, 3, 10)
    assert record_of(line).recorded_at == datetime(2026, 3, 9, 17, tzinfo=UTC)


@pytest.mark.parametrize("number", [1, 3])
def test_grading_a_chunk_takes_the_same_number_of_queries_for_any_number_of_lines(
    cycle, number, django_assert_max_num_queries
):
    for _ in range(number * 5):
        assessed_line(history=1_00)
    with django_assert_max_num_queries(70):
        run_through(cycle)
    assert Sale.objects.count() == number * 5


@pytest.mark.parametrize("is_narrowed", [True, False])
def test_progress_never_passes_its_total_whoever_stands_between_the_lines(
    cycle, north_region, south_region, monkeypatch, is_narrowed
):
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 2)
    for region in (north_region, south_region, north_region):
        assessed_line(customer__region=region)
        CustomerLineFactory(customer__region=region, customer__kind=CustomerKind.AGENT)
        CustomerLineFactory(customer__region=region, is_active=False)
    seen = []
    run = start_run(cycle=cycle, by=None, as_of=AS_OF, region=north_region if is_narrowed else None)
    work_on(run, on_progress=lambda job: seen.append((job.done, job.total)))
    total = 2 if is_narrowed else 3
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)
    assert {shown for _, shown in seen} == {total}
