"""What waits for a person stands in the menu of every page: at most a minute old, and never behind what he has done."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import RedisError

from crm.models import Role
from grading.models import CycleState
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory, UserFactory
from tests.pages import TODAY

pytestmark = pytest.mark.django_db
ANY_PAGE, ASSESSMENTS = reverse("crm:list-customers"), reverse("grading:list-assessments")


@pytest.fixture
def clock():
    with time_machine.travel(TODAY, tick=False) as clock:
        yield clock


@pytest.fixture
def carried_over(north, north_region, clock):
    CycleFactory(fiscal_year=2027, state=CycleState.OPEN, opened_at=timezone.now())
    line = CustomerLineFactory(customer__region=north_region, lead=north)
    return AssessmentFactory(line=line, fiscal_year=2027, is_carried_over=True)


def waiting(client) -> int:
    """What the menu says beside the assessments, on a page that is about something else."""
    entries = [child for group in client.get(ANY_PAGE).context["nav"] for child in group["children"]]
    return next(entry["count"] for entry in entries if entry["url"] == ASSESSMENTS)


def confirm(client, assessment) -> None:
    values = {"version": assessment.version, "budget_state": "none", "has_need": "on", "note": ""}
    assert client.post(reverse("grading:save-assessment", args=[assessment.pk]), values).status_code == 302


def test_what_one_has_done_oneself_no_longer_waits(north, carried_over, client_of):
    client = client_of(north)
    assert waiting(client) == 1
    confirm(client, carried_over)
    assert waiting(client) == 0


def test_what_others_have_done_is_counted_within_a_minute(north, north_region, carried_over, client_of, clock):
    client = client_of(north)
    assert waiting(client) == 1
    confirm(client_of(UserFactory(role=Role.REGIONAL_STAFF, region=north_region)), carried_over)
    clock.shift(timedelta(seconds=61))
    assert waiting(client) == 0


def test_each_person_has_counts_of_his_own(north, carried_over, head_office, client_of):
    assert (waiting(client_of(north)), waiting(client_of(head_office))) == (1, 0)


def test_pages_and_writes_go_on_without_the_cache(north, carried_over, client_of, monkeypatch):
    def is_away(*args, **kwargs):
        raise RedisError("away")

    for name in ("get", "set", "delete"):
        monkeypatch.setattr(type(cache._connections[cache._alias]), name, is_away)
    client = client_of(north)
    assert waiting(client) == 1
    confirm(client, carried_over)
    assert waiting(client) == 0


def test_it_is_not_counted_again_for_every_page(north, carried_over, client_of, django_assert_max_num_queries):
    client = client_of(north)
    waiting(client)
    with django_assert_max_num_queries(20) as queries:
        waiting(client)
    assert not [sql for sql in map(str, queries.captured_queries) if "is_carried_over" in sql]
