"""A fiscal year that begins in another month than the cycles there are stops the start."""

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError

from grading.checks import check_fiscal_year_start
from grading.models import Cycle
from tests.factories import CycleFactory


def found():
    return [error.id for error in run_checks(databases=["default"]) if error.id.startswith("grading.")]


@pytest.mark.django_db
def test_as_long_as_the_month_stays_all_is_well():
    CycleFactory(fiscal_year=2026)
    assert found() == []


@pytest.mark.django_db
def test_without_a_cycle_any_month_will_do(settings):
    settings.FISCAL_YEAR_START_MONTH = 4
    assert found() == []


@pytest.mark.django_db
def test_another_month_than_that_of_the_cycles_stops_the_start_and_says_what_to_write(settings):
    CycleFactory(fiscal_year=2026)
    settings.FISCAL_YEAR_START_MONTH = 4
    (error,) = check_fiscal_year_start(databases=["default"])
    assert error.msg == "FISCAL_YEAR_START_MONTH is 4, but the grading cycle 2026 begins in month 1."
    assert "FISCAL_YEAR_START_MONTH=1" in error.hint
    for command in ("migrate", "serve"):
        with pytest.raises(SystemCheckError, match="FISCAL_YEAR_START_MONTH"):
            call_command(command, verbosity=0, skip_checks=False)


@pytest.mark.django_db
def test_a_database_without_tables_is_no_reason_to_stop(monkeypatch):
    def missing(*_):
        raise OperationalError("no such table: grading_cycle")

    monkeypatch.setattr(type(Cycle.objects.all()), "first", missing)
    assert found() == []


def test_checks_that_ask_no_database_ask_none():
    assert check_fiscal_year_start(databases=None) == []
