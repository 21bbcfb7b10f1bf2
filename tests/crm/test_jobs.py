"""Background jobs: the row is the truth, messages only nudge."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm import tasks
from crm.actions.jobs import (
    begin_job,
    cancel_job,
    fail_job,
    finish_job,
    nudge,
    once_a_day,
    reconcile_jobs,
    show_progress,
    start_job,
)
from crm.models import Job, JobState

pytestmark = pytest.mark.django_db

KIND = "grade-year"


@pytest.fixture
def job():
    return start_job(kind=KIND, key="2026", by=None, total=100)[0]


@pytest.fixture
def sent(monkeypatch):
    """The numbers of the jobs that workers were told of."""
    numbers = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, kwargs: numbers.append(kwargs["job_id"]))
    return numbers


def stored(job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_a_new_job_waits(head_office):
    job, is_new = start_job(kind=KIND, key="2026", by=head_office, total=7)
    assert is_new
    assert (job.state, job.done, job.total, job.by, job.started_at) == (JobState.QUEUED, 0, 7, head_office, None)


def test_who_asks_for_the_same_job_gets_the_active_one(job):
    show_progress(job.pk, done=1, owner="me")
    assert start_job(kind=KIND, key="2026", by=None) == (job, False)
    assert start_job(kind=KIND, key="2027", by=None)[1]
    assert start_job(kind="other", key="2026", by=None)[1]


@pytest.mark.parametrize(
    "end",
    [
        lambda job: finish_job(job.pk, done=100),
        lambda job: fail_job(job.pk, error="no"),
        lambda job: cancel_job(job.pk, by=None),
    ],
)
def test_after_its_end_the_same_job_may_start_again_and_no_late_worker_wakes_it(job, end):
    assert end(job)
    ended = stored(job)
    assert not end(job)
    show_progress(job.pk, done=3, owner="late")
    begin_job(job.pk, owner="late")
    assert (stored(job).state, stored(job).done, stored(job).owner) == (ended.state, ended.done, ended.owner)
    assert ended.finished_at is not None
    assert start_job(kind=KIND, key="2026", by=None)[1]


def test_the_database_holds_one_active_job_per_kind_and_key(job):
    with pytest.raises(IntegrityError, match="(?i)unique"), transaction.atomic():
        Job.objects.create(kind=KIND, key="2026", created_at=timezone.now(), heartbeat_at=timezone.now())


def test_progress_starts_the_clock_and_is_a_sign_of_life(job):
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(hours=1))
    shown = show_progress(job.pk, done=40, owner="here:1")
    assert (shown.state, shown.done, shown.owner) == (JobState.RUNNING, 40, "here:1")
    assert shown.started_at <= shown.heartbeat_at
    again = show_progress(job.pk, done=60, owner="there:2")
    assert (again.done, again.started_at) == (60, shown.started_at)


def test_progress_never_goes_back_when_workers_count_at_once(job):
    show_progress(job.pk, done=60, owner="a")
    assert show_progress(job.pk, done=40, owner="b").done == 60


def test_a_finished_job_is_complete(job):
    show_progress(job.pk, done=60, owner="a")
    finish_job(job.pk, done=98)
    assert (stored(job).state, stored(job).done, stored(job).total) == (JobState.DONE, 98, 98)


def test_a_failed_job_says_what_went_wrong_and_a_cancelled_one_by_whom(job, head_office):
    fail_job(job.pk, error="ValueError: no such band")
    other, _ = start_job(kind=KIND, key="2026", by=None)
    cancel_job(other.pk, by=head_office)
    assert (stored(job).error, stored(other).error) == ("ValueError: no such band", f"cancelled by {head_office}")


# --- rate and time left

NOW = timezone.now()


def running(**changes) -> Job:
    return Job(
        **{"state": JobState.RUNNING, "done": 50, "total": 200, "started_at": NOW - timedelta(seconds=10)} | changes
    )


def test_rate_and_time_left_follow_from_what_is_done():
    assert (running().rate(NOW), running().time_left(NOW)) == (5.0, timedelta(seconds=30))


@pytest.mark.parametrize("changes", [{"started_at": None}, {"done": 0}, {"started_at": NOW}])
def test_before_there_is_anything_to_measure_nobody_says_how_long_it_takes(changes):
    assert (running(**changes).rate(NOW), running(**changes).time_left(NOW)) == (None, None)


def test_after_its_end_the_rate_stays_and_no_time_is_left():
    ended = running(state=JobState.DONE, finished_at=NOW - timedelta(seconds=5), done=200)
    assert (ended.rate(NOW + timedelta(days=1)), ended.time_left(NOW)) == (40.0, None)


# --- nudging


def test_workers_are_told_after_the_commit_as_often_as_wanted(job, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        nudge(job, times=3)
        assert sent == []
    assert sent == [job.pk] * 3


def test_a_job_that_fell_silent_is_nudged_again(job, sent, django_capture_on_commit_callbacks):
    later = timezone.now() + timedelta(seconds=61)
    with django_capture_on_commit_callbacks(execute=True):
        assert reconcile_jobs(now=later) == 1
    assert sent == [job.pk]


def test_and_then_it_has_time_to_answer(job, sent):
    later = timezone.now() + timedelta(seconds=61)
    reconcile_jobs(now=later)
    assert reconcile_jobs(now=later + timedelta(seconds=30)) == 0
    assert reconcile_jobs(now=later + timedelta(seconds=61)) == 1


def test_a_job_that_is_worked_on_or_has_ended_is_left_alone(job):
    show_progress(job.pk, done=1, owner="me")
    assert reconcile_jobs(now=timezone.now() + timedelta(seconds=30)) == 0
    finish_job(job.pk, done=1)
    assert reconcile_jobs(now=timezone.now() + timedelta(days=1)) == 0


def test_where_nobody_else_can_be_working_nothing_is_waited_for(job):
    assert reconcile_jobs(now=timezone.now(), is_alone=True) == 1


def test_jobs_that_no_task_works_on_are_not_nudged():
    start_job(kind="move-labels", key="2026-01-01", by=None)
    assert reconcile_jobs(now=timezone.now() + timedelta(days=1)) == 0


def test_the_beat_reconciles(job, sent, django_capture_on_commit_callbacks):
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.reconcile_jobs()
    assert sent == [job.pk]


# --- once a day


def test_a_daily_job_is_done_once_a_day():
    job, is_due = once_a_day(kind="move-labels", day=date(2026, 1, 1))
    assert is_due
    assert once_a_day(kind="move-labels", day=date(2026, 1, 1)) == (job, False)  # somebody is at it
    finish_job(job.pk, done=1)
    assert once_a_day(kind="move-labels", day=date(2026, 1, 1)) == (job, False)
    assert once_a_day(kind="move-labels", day=date(2026, 1, 2))[1]


def test_a_daily_job_that_failed_is_due_again():
    job, _ = once_a_day(kind="move-labels", day=date(2026, 1, 1))
    fail_job(job.pk, error="no")
    assert once_a_day(kind="move-labels", day=date(2026, 1, 1))[1]
