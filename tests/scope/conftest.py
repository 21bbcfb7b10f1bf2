"""How much was asked and how much leaked is said at the end of the run, whoever of the processes asked it."""

import logging
from collections.abc import Iterator
from copy import deepcopy

import pytest
import time_machine
from django.db import transaction

from crm.models import User
from tests.pages import TODAY
from tests.scope.company import Company, found

FIGURES = ("cells", "leaks", "answers searched", "marks found", "answers compared", "answers that differ")


@pytest.fixture(autouse=True)
def silent():
    """Refusals by the hundred are wanted here and no news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def march():
    """The clock stands still, so that two answers differ in nothing but what they say."""
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture(scope="module")
def founded(django_db_setup, django_db_blocker) -> Iterator[Company]:
    """Both regions and a person of each role, for the tests of a module: each rolls back what it does to them."""
    with django_db_blocker.unblock(), transaction.atomic():
        with time_machine.travel(TODAY, tick=False), pytest.MonkeyPatch.context() as patch:
            patch.setattr("celery.current_app.send_task", lambda name, **kwargs: None)
            made = found()
        yield made
        transaction.set_rollback(True)


@pytest.fixture
def company(founded, db, monkeypatch) -> Company:
    """That company as it was founded; no worker hears of a job."""
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **kwargs: None)
    return deepcopy(founded)


@pytest.fixture
def people(company) -> dict[str, User]:
    return company.people


def pytest_terminal_summary(terminalreporter):
    """The sums over all tests of this folder."""
    reports = [report for kind in ("passed", "failed", "xfailed") for report in terminalreporter.stats.get(kind, ())]
    said = [pair for report in reports if report.when == "call" for pair in report.user_properties]
    sums = {name: sum(value for known, value in said if known == name) for name in FIGURES}
    shown = [f"{sums[name]:,} {name}" for name in FIGURES if any(known == name for known, _value in said)]
    if shown:
        terminalreporter.write_line(f"Scope: {', '.join(shown)}")
