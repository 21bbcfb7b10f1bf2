"""Starting a run: one at a time for the same lines, joined by whoever comes later."""

from datetime import date

import pytest
import time_machine

from crm.models import Job, JobState, ProductLine
from grading.actions.runs import CycleClosed, RunUnderWay, cancel_run, start_run, work_on
from grading.models import ChunkState, CycleState, GradingPolicy, GradingRun, RunState
from tests.factories import CustomerLineFactory, CycleFactory
from tests.grading.company import AS_OF, assessed_line, run_through

pytestmark = pytest.mark.django_db


@pytest.fixture
def cycle():
    return CycleFactory()


@pytest.fixture
def nudges(monkeypatch, django_capture_on_commit_callbacks):
    """What was sent to the workers when the transactions were committed."""
    sent = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, kwargs=None: sent.append((name, kwargs)))
    return sent


def test_a_run_keeps_what_it_grades_under(cycle, head_office):
    run = start_run(cycle=cycle, by=head_office, as_of=date(2025, 12, 20))
    assert (run.as_of, run.by, run.state, run.publishes) == (date(2025, 12, 20), head_office, RunState.RUNNING, False)
    assert run.policy == GradingPolicy.objects.current()
    assert (run.job.kind, run.job.key, run.job.state, run.job.by) == ("grade-year", "2026", "queued", head_office)


def test_the_grading_date_is_today_in_the_companys_time_zone_unless_given(cycle):
    with time_machine.travel("2025-12-31T16:30:00Z", tick=False):  # half past midnight in Shanghai
        assert start_run(cycle=cycle, by=None).as_of == date(2026, 1, 1)


def test_the_job_counts_the_lines_that_will_be_graded(cycle):
    assessed_line()
    CustomerLineFactory()
    CustomerLineFactory(is_active=False)
    CustomerLineFactory(customer__kind="agent")
    assert start_run(cycle=cycle, by=None).job.total == 2


def test_chunks_cover_every_line_once(cycle, monkeypatch):
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 2)
    lines = [CustomerLineFactory() for _ in range(5)]
    chunks = list(start_run(cycle=cycle, by=None).chunks.order_by("number"))
    covered = [pk for chunk in chunks for pk in range(chunk.first_line, chunk.last_line + 1)]
    assert covered == [line.pk for line in lines]
    assert {chunk.state for chunk in chunks} == {ChunkState.PENDING}


def test_workers_are_told_once_the_run_is_committed(cycle, nudges, django_capture_on_commit_callbacks):
    CustomerLineFactory()
    with django_capture_on_commit_callbacks(execute=True):
        run = start_run(cycle=cycle, by=None)
        assert nudges == []
    assert nudges == [("grading.tasks.grade_year", {"job_id": run.job_id})]


def test_as_many_workers_are_told_as_there_are_chunks_up_to_a_limit(
    cycle, nudges, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 1)
    monkeypatch.setattr("grading.actions.runs.WANTED_CHUNKS", 18)
    for _ in range(18):
        CustomerLineFactory()
    with django_capture_on_commit_callbacks(execute=True):
        start_run(cycle=cycle, by=None)
    assert len(nudges) == 16


def test_who_starts_the_same_run_again_joins_it(cycle, head_office):
    first = start_run(cycle=cycle, by=None, as_of=AS_OF)
    assert start_run(cycle=cycle, by=head_office, as_of=AS_OF) == first
    assert (GradingRun.objects.count(), Job.objects.count()) == (1, 1)


@pytest.mark.parametrize("change", [{"as_of": date(2026, 1, 2)}, {"publishes": True}])
def test_a_run_with_another_date_or_purpose_waits_for_the_end_of_the_first(cycle, change):
    first = start_run(cycle=cycle, by=None, as_of=AS_OF)
    with pytest.raises(RunUnderWay) as refused:
        start_run(**{"cycle": cycle, "by": None, "as_of": AS_OF} | change)
    assert refused.value.run == first
    assert "2026-01-01" in str(refused.value)
    work_on(first)
    assert start_run(**{"cycle": cycle, "by": None, "as_of": AS_OF} | change) != first


def test_a_run_of_one_product_line_and_one_of_all_go_side_by_side(cycle):
    police = ProductLine.objects.get(code="police")
    whole, part = start_run(cycle=cycle, by=None), start_run(cycle=cycle, by=None, product_line=police)
    assert (whole.job.key, part.job.key) == ("2026", "2026/police")


def test_two_years_are_graded_side_by_side(cycle):
    other = CycleFactory(fiscal_year=2027)
    assert start_run(cycle=cycle, by=None) != start_run(cycle=other, by=None)


def test_a_closed_cycle_is_not_graded_again(cycle):
    cycle.state, cycle.published_at = CycleState.CLOSED, cycle.opened_at or "2026-01-01T00:00:00Z"
    cycle.save()
    with pytest.raises(CycleClosed):
        start_run(cycle=cycle, by=None)
    assert not Job.objects.exists()


def test_a_run_without_any_customer_line_ends_at_once_with_an_empty_report(cycle):
    run = run_through(cycle)
    assert (run.state, run.job.state, run.report["written"], run.report["lines"]) == ("done", "done", 0, [])


def test_after_a_failed_job_the_run_is_started_anew_and_the_old_one_is_given_up(cycle):
    assessed_line()
    failed = start_run(cycle=cycle, by=None, as_of=AS_OF)
    Job.objects.filter(pk=failed.job_id).update(state=JobState.FAILED, finished_at="2026-01-01T00:00:00Z")
    work_on(failed)  # a message that comes late
    assert failed.chunks.filter(state=ChunkState.DONE).count() == 0
    run = run_through(cycle)
    failed.refresh_from_db()
    assert (run.state, failed.state, run == failed) == (RunState.DONE, RunState.CANCELLED, False)


def test_a_cancelled_run_keeps_what_it_wrote_and_does_nothing_more(cycle, head_office, monkeypatch):
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 1)
    for _ in range(3):
        assessed_line()
    run = start_run(cycle=cycle, by=None, as_of=AS_OF)
    cancelled = []
    work_on(run, on_progress=lambda job: cancelled.append(cancel_run(run=run, by=head_office)))
    run.refresh_from_db()
    assert cancelled == [True]
    assert (run.state, run.job.state, run.job.done) == (RunState.CANCELLED, JobState.CANCELLED, 1)
    assert run.finished_at is not None
    assert str(head_office) in run.job.error
    assert run.chunks.filter(state=ChunkState.DONE).count() == 1


def test_what_has_ended_cannot_be_cancelled(cycle, head_office):
    run = run_through(cycle)
    assert not cancel_run(run=run, by=head_office)
    run.refresh_from_db()
    assert run.state == RunState.DONE


def test_after_a_cancelled_run_another_may_start(cycle, head_office):
    first = start_run(cycle=cycle, by=None, as_of=AS_OF)
    cancel_run(run=first, by=head_office)
    assert start_run(cycle=cycle, by=None, as_of=date(2026, 1, 2)) != first
