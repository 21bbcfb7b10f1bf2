"""One import, many workers, killed ones among them, and editors at the same time: applied once or not at all."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from django.db import connection

from crm.actions import data_imports
from crm.actions import work_on_import as work
from crm.actions.changes import EditedMeanwhile
from crm.actions.customers import save_customer
from crm.actions.undo_import import UndoRefused
from crm.actions.work_on_import import work_on_import
from crm.models import Change, Customer, DataImport, ImportState, Job, JobState
from tests.factories import RegionFactory, UserFactory
from tests.services.backends import connected, database_url, until, wait_until_gone
from tests.undo import undo_import

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
WORK = "import django; django.setup(); from crm.actions.work_on_import import work_on_import; work_on_import(job_id={})"


@pytest.fixture(autouse=True)
def on_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time: there is no `at once` on SQLite")


@pytest.fixture
def person():
    return UserFactory()


@pytest.fixture
def started(person):
    RegionFactory(code="north")

    def start(rows: int = 300, first: int = 0) -> DataImport:
        lines = (f"C{number:06},甲{number},north,公安" for number in range(first, first + rows))
        content = "\n".join(["客户编码,客户名称,大区,产品线", *lines]).encode()
        made = data_imports.upload_import(kind="customers", name="a.csv", content=content, by=person)
        return data_imports.start_import(data_import=made, by=person)

    return start


def at_once(*acts):
    """Do things in threads of their own that begin together; what each gave or raised."""
    barrier = Barrier(len(acts))

    def do(act):
        try:
            barrier.wait()
            return act()
        except (EditedMeanwhile, UndoRefused) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(do, acts))


def test_four_workers_at_once_apply_an_import_once(started):
    one = started()
    at_once(*[lambda: work_on_import(job_id=one.job_id)] * 4)
    one.refresh_from_db()
    assert (one.state, one.job.state) == (ImportState.DONE, JobState.DONE)
    assert (Customer.objects.count(), Change.objects.filter(table="crm_customer").count()) == (300, 300)


def test_two_imports_of_the_same_customers_make_each_once(started):
    both = [started(), started(first=150)]
    at_once(*[lambda one=one: work_on_import(job_id=one.job_id) for one in both])
    for one in both:
        one.refresh_from_db()
    assert {one.state for one in both} == {ImportState.DONE}
    assert Customer.objects.count() == 450
    assert sorted(one.report["counts"]["created"] for one in both) == [150, 300]


@pytest.mark.parametrize("step", ["read_as", "import_rows", "finish_job"])
def test_an_import_under_way_is_given_up_by_its_worker_and_changes_nothing(started, person, monkeypatch, step):
    """Whatever step the worker is at when somebody cancels, and though it holds the import till it sees that."""
    one, is_there = started(), Event()
    taken = getattr(work, step)

    def held(*args, **kwargs):
        is_there.set()
        until(lambda: not Job.objects.get(pk=one.job_id).is_active)
        return taken(*args, **kwargs)

    def cancel():
        assert is_there.wait(60)
        return data_imports.cancel_import(data_import=one, by=person)

    monkeypatch.setattr(work, step, held)
    at_once(lambda: work_on_import(job_id=one.job_id), cancel)
    one.refresh_from_db()
    assert (one.state, one.job.state) == (ImportState.CANCELLED, JobState.CANCELLED)
    assert not Customer.objects.exists()


def test_an_edit_and_an_undo_at_once_end_one_way_or_the_other(started, person):
    for turn in range(8):
        one = started(rows=60, first=1000 * turn)
        work_on_import(job_id=one.job_id)
        one.refresh_from_db()
        edited = Customer.objects.get(code=f"C{1000 * turn + 30:06}")
        edited.short_name = "改"
        at_once(
            lambda one=one: undo_import(data_import=one, by=person),
            lambda edited=edited: save_customer(customer=edited, version=1, by=person),
        )
        one.refresh_from_db()
        alive = Customer.objects.filter(deleted_at=None, name__startswith="甲", code__startswith=f"C{turn:03}")
        is_edited = alive.filter(short_name="改").exists()
        assert (one.state, alive.count()) == ((ImportState.DONE, 60) if is_edited else (ImportState.UNDONE, 0))


def test_a_worker_killed_anywhere_changes_nothing_and_the_next_one_finishes(started):
    one, known = started(rows=3000), connected()
    settings = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "crm.settings"}
    for wait in (1.0, 1.5, 2.0, 2.5):
        words = [sys.executable, "-c", WORK.format(one.job_id)]
        worker = subprocess.Popen(words, cwd=ROOT, env=settings, start_new_session=True)
        time.sleep(wait)
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        wait_until_gone(known)
        one.refresh_from_db()
        assert Customer.objects.count() == (3000 if one.state == ImportState.DONE else 0)
    work_on_import(job_id=one.job_id)
    one.refresh_from_db()
    assert (one.state, Job.objects.get(pk=one.job_id).state, Customer.objects.count()) == ("done", "done", 3000)
