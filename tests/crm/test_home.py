"""The home page: counts by grade per line, why others have none, what waits for me."""

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm.models import Role
from grading.actions.runs import start_run
from grading.models import CycleState
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory, UserFactory
from tests.pages import TODAY, graded_line, queries_of

pytestmark = pytest.mark.django_db
ADDRESS = reverse("crm:home")


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


def panel_of(response) -> dict:
    return response.context["panels"][0].context


def test_it_counts_the_grades_of_each_line_in_my_scope(north, north_region, south_region, client_of):
    graded_line(north_region)
    graded_line(north_region, facts={"has_need": False})
    graded_line(south_region)
    [counts] = panel_of(client_of(north).get(ADDRESS))["counts"]
    assert dict(counts.cells) == {"A": 0, "B": 1, "C": 0, "D": 0, "not_gradable": 1, "not_assessed": 0}


def test_every_count_opens_its_rows(north, north_region, client_of):
    graded_line(north_region)
    page = client_of(north).get(ADDRESS).content.decode()
    assert f"{reverse('crm:list-customers')}?kind=customer&line=police&amp;grade=B" in page


def test_it_says_what_is_missing(north, north_region, client_of):
    graded_line(north_region, facts={"has_need": False, "has_timetable": False})
    missing = panel_of(client_of(north).get(ADDRESS))["missing"]
    assert {reason.code: reason.lines for reason in missing} == {"need": 1, "timetable": 1}


def test_it_follows_the_region_switch(head_office, north_region, south_region, client_of):
    graded_line(north_region)
    graded_line(south_region)
    client = client_of(head_office)
    client.post(reverse("crm:switch-scope"), {"region": north_region.pk, "next": "/"})
    [counts] = panel_of(client.get(ADDRESS))["counts"]
    assert counts.total == 1


def test_unconfirmed_assessments_of_the_lines_i_lead_wait_for_me(north, north_region, client_of):
    cycle = CycleFactory(fiscal_year=2027, state=CycleState.OPEN, opened_at=timezone.now())
    mine = CustomerLineFactory(customer__region=north_region, lead=north)
    AssessmentFactory(line=mine, fiscal_year=2027, is_carried_over=True)
    client = client_of(north)
    first, everyones = panel_of(client.get(ADDRESS))["waiting"]
    assert (first["count"], everyones["count"]) == (1, 1)
    assert client.get(first["url"]).context["list"].rows == [mine]
    assert reverse("grading:view-cycle", args=[cycle.fiscal_year]) in client.get(ADDRESS).content.decode()


def test_a_run_under_way_shows_its_progress(north, head_office, north_region, client_of):
    CustomerLineFactory(customer__region=north_region)
    run = start_run(cycle=CycleFactory(), by=head_office, is_nudged=False)
    page = client_of(north).get(ADDRESS).content.decode()
    assert reverse("grading:view-run-progress", args=[run.pk]) in page
    assert reverse("grading:cancel-run", args=[run.pk]) not in page


def test_an_administrator_sees_no_business(client_of, north_region):
    graded_line(north_region)
    response = client_of(UserFactory(role=Role.ADMINISTRATOR)).get(ADDRESS)
    assert (response.status_code, response.context["panels"]) == (200, [])


def test_it_is_calm_without_any_customer(north, client_of):
    page = client_of(north).get(ADDRESS).content.decode()
    assert "No customers in your scope yet" in page
    assert "Nothing waits for you." in page


def test_its_queries_do_not_grow_with_the_customers(head_office, north_region, client_of):
    client = client_of(head_office)
    for _ in range(3):
        graded_line(north_region, facts={"has_need": False})
    few = queries_of(client, ADDRESS)
    for _ in range(12):
        graded_line(north_region, facts={"has_need": False})
    assert queries_of(client, ADDRESS) == few <= 15


def test_a_draft_cycle_waits_for_sales_management_to_open_it(head_office, north, client_of):
    CycleFactory(fiscal_year=2027, state=CycleState.DRAFT)
    [task] = panel_of(client_of(head_office).get(ADDRESS))["waiting"]
    assert task["url"] == reverse("grading:view-cycle", args=[2027])
    assert panel_of(client_of(north).get(ADDRESS))["waiting"] == []
