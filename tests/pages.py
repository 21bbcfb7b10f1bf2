"""What tests of pages share."""

from datetime import date

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.conflicts import remember_count
from crm.models import CustomerLine
from grading.actions.records import regrade_lines
from grading.models import Cause, CycleState
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory

TODAY = "2026-03-02T09:00:00+08:00"


def published_cycle(fiscal_year: int = 2026):
    """The cycle whose grades are in force."""
    return CycleFactory(fiscal_year=fiscal_year, state=CycleState.PUBLISHED, published_at=timezone.now())


def graded_line(region, *, facts: dict | None = None, **line) -> CustomerLine:
    """A customer line with the labels of its grade; without sales the facts of the factory give 80, B."""
    published_cycle()
    made = CustomerLineFactory(customer__region=region, **line)
    AssessmentFactory(line=made, **(facts or {}))
    grade_again(made)
    made.refresh_from_db()
    return made


def grade_again(line: CustomerLine, fiscal_year: int = 2026) -> None:
    """Grade a line as a run of the first day of its year does."""
    day = date(fiscal_year, 1, 1)
    regrade_lines(line_ids=[line.pk], fiscal_year=fiscal_year, cause=Cause.RUN, by=None, as_of=day)


def queries_of(client: Client, address: str) -> int:
    """How many queries a page needs; the menu's count of conflicts is remembered for a minute."""
    cache.clear()
    remember_count(0)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries)
