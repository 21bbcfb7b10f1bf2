"""A real Celery worker on PostgreSQL and Redis, killed at random instants: the result is that of an undisturbed run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone

from crm.actions.jobs import reconcile_jobs
from crm.models import Customer, CustomerLine, GradeState, Job
from grading.actions.cycles import open_cycle
from grading.actions.graded_set import COLUMNS
from grading.actions.runs import start_run, work_on
from grading.models import ChunkState, Cycle, CycleState, Grade, GradeRecord, GradingRun, RunState
from tests.factories import CustomerFactory, CycleFactory, RegionFactory
from tests.grading.company import AS_OF
from tests.services.backends import connected, database_url, until, wait_until_gone

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = 2_860  # in all seven product lines: 20,020 customer lines
CHUNK = 50
KILLS = 20


@pytest.fixture(autouse=True)
def with_services():
    if connection.vendor != "postgresql" or not settings.REDIS_URL:
        pytest.skip("needs PostgreSQL and Redis")


@pytest.fixture
def broker(monkeypatch) -> Iterator[str]:
    """A Redis database of this process's own; what the test sends goes there too."""
    number = 8 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4
    url = f"{settings.REDIS_URL.rpartition('/')[0]}/{number}"
    with redis.Redis.from_url(url) as server:
        server.flushdb()
        with current_app.connection_for_write(url) as sender:
            send = current_app.send_task
            monkeypatch.setattr(
                "celery.current_app.send_task", lambda name, kwargs=None: send(name, kwargs=kwargs, connection=sender)
            )
            yield url
        server.flushdb()


class Worker:
    """`celery worker` with two child processes, in a process group of its own."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        words = ["--concurrency", "2", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "crm.celery:app", "worker", *words],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": self._broker},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """End parent and children at once, as a machine that loses its power would."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]


@pytest.fixture
def worker(broker) -> Iterator[Worker]:
    one, known = Worker(broker), connected()
    yield one
    one.kill()
    wait_until_gone(known)  # else the test database could not be emptied


@pytest.fixture
def cycle(monkeypatch) -> Cycle:
    """An opened cycle of 20,020 lines, most of them assessed, and small chunks."""
    monkeypatch.setattr("grading.actions.runs.LARGEST_CHUNK", CHUNK)
    region = RegionFactory(code="north")
    customers = Customer.objects.bulk_create(CustomerFactory.build(region=region) for _ in range(CUSTOMERS))
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO crm_customerline (customer_id, product_line_id, is_active, state)
               SELECT c.id, p.id, TRUE, 'not_assessed' FROM crm_customer c CROSS JOIN crm_productline p ORDER BY c.id"""
        )
        first = CustomerLine.objects.earliest("pk").pk
        cursor.execute(
            """INSERT INTO grading_assessment (line_id, fiscal_year, is_carried_over, expected_margin, potential_sales,
                   has_need, budget_state, budget_fits_pricing, has_timetable, knows_decision_makers,
                   expected_close_on, has_begun_selection, has_system, note, version, updated_at)
               SELECT id, 2026, FALSE, n * 37 %% 7000 - 500, n * 7919 %% 1000 * 1000000, n %% 11 <> 0, 'confirmed',
                   n %% 13 <> 0, TRUE, TRUE, DATE '2026-01-01' + (n %% 370)::int, FALSE, FALSE, '', 1, now()
               FROM (SELECT id, id - %(first)s AS n FROM crm_customerline) l WHERE n %% 17 <> 0""",
            {"first": first},
        )
        cursor.execute(
            """INSERT INTO crm_sale (line_id, contract_no, signed_on, amount, note, version)
               SELECT id, '', DATE '2025-06-01', (id - %(first)s) * 104729 %% 5000 * 100000, '', 1
               FROM crm_customerline WHERE id %% 3 = 0""",
            {"first": first},
        )
    assert len(customers) == CUSTOMERS
    return open_cycle(cycle=CycleFactory(state=CycleState.DRAFT), by=None)


def test_a_worker_killed_twenty_times_grades_as_if_nothing_had_happened(worker, cycle):
    seed = int(os.environ.get("HENGKE_TEST_SEED", time.time()))
    sys.stdout.write(f"HENGKE_TEST_SEED={seed}\n")  # pytest shows it where the test fails
    random = Random(seed)
    run = start(cycle)
    progress = Progress(run)
    for kill in range(KILLS):
        worker.start()
        progress.wait_for_chunks(random.randint(1, max(1, 2 * progress.chunks_left() // (3 * (KILLS - kill)))))
        time.sleep(random.uniform(0, 0.03))
        assert progress.is_running(), f"over after {kill} kills"
        worker.kill()
        nudge_again()
    worker.start()
    until(lambda: progress.chunks_left() == 0)
    time.sleep(random.uniform(0, 0.3))
    worker.kill()  # once more while report, publication and labels are written
    nudge_again()
    worker.start()
    progress.wait_for_the_end()
    worker.kill()
    assert_like_an_undisturbed_run(run, cycle)


def test_a_child_that_is_killed_loses_nothing(worker, cycle):
    run = start(cycle, is_nudged=True)
    progress = Progress(run)
    worker.start()
    for _ in range(3):
        progress.wait_for_chunks(20)
        os.kill(worker.children()[0], signal.SIGKILL)
    progress.wait_for_the_end()  # the parent's other child went on, and its message came back: nobody nudged
    worker.kill()
    assert_like_an_undisturbed_run(run, cycle)


class Progress:
    """What a page would show; it never goes back."""

    def __init__(self, run: GradingRun) -> None:
        self._run, self._seen = run, 0

    def chunks_left(self) -> int:
        job = Job.objects.get(pk=self._run.job_id)
        assert job.done >= self._seen
        assert job.done <= job.total
        assert job.error == ""
        self._seen = job.done
        return self._run.chunks.exclude(state=ChunkState.DONE).count()

    def is_running(self) -> bool:
        return GradingRun.objects.get(pk=self._run.pk).state == RunState.RUNNING

    def wait_for_chunks(self, number: int) -> None:
        left = self.chunks_left()
        until(lambda: self.chunks_left() <= left - number)

    def wait_for_the_end(self) -> None:
        until(lambda: self.chunks_left() == 0 and not self.is_running())


def start(cycle: Cycle, *, is_nudged: bool = True) -> GradingRun:
    return start_run(cycle=cycle, by=None, as_of=AS_OF, publishes=True, is_nudged=is_nudged)


def nudge_again() -> None:
    """What beat does once nothing has been heard from a job for a while; twice, for both children."""
    for _ in range(2):
        latest = max(Job.objects.active().values_list("heartbeat_at", flat=True), default=timezone.now())
        reconcile_jobs(now=max(latest, timezone.now()) + timedelta(seconds=settings.JOB_HEARTBEAT_SECONDS + 1))


def assert_like_an_undisturbed_run(run: GradingRun, cycle: Cycle) -> None:
    disturbed = result_of(run)
    forget(cycle)
    undisturbed = start(Cycle.objects.get(pk=cycle.pk), is_nudged=False)
    work_on(undisturbed)
    expected = result_of(undisturbed)
    assert expected["report"]["written"] == CustomerLine.objects.count() == 7 * CUSTOMERS
    for name, value in expected.items():
        assert disturbed[name] == value, f"{name} differ"


def result_of(run: GradingRun) -> dict[str, Any]:
    """All that a run leaves, without numbers and moments."""
    run.refresh_from_db()
    labels = ("pk", "state", "grade", "score", "fiscal_year", "expected_close_on", "potential_sales")
    records = GradeRecord.objects.order_by("grade__line_id", "pk")
    return {
        "state": (run.state, run.job.state, run.job.done, run.job.total, Cycle.objects.get().state),
        "report": run.report,
        "records": list(records.values_list("grade__line_id", "cause", "as_of", "effective_on", "policy", *COLUMNS)),
        "heads": sorted(Grade.objects.values_list("line_id", "record__grade__line_id")),
        "labels": list(CustomerLine.objects.order_by("pk").values_list(*labels)),
    }


def forget(cycle: Cycle) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE grading_grade, grading_graderecord")
    CustomerLine.objects.update(
        state=GradeState.NOT_ASSESSED,
        grade=None,
        score=None,
        fiscal_year=None,
        expected_close_on=None,
        potential_sales=None,
    )
    Cycle.objects.filter(pk=cycle.pk).update(state=CycleState.OPEN, published_at=None)
