"""The grade board of a product line."""

import pytest
import time_machine
from django.urls import reverse

from crm.models import ProductLine, Role
from tests.factories import CustomerLineFactory, UserFactory
from tests.pages import TODAY, graded_line, queries_of

pytestmark = pytest.mark.django_db
ADDRESS = reverse("grading:view-board")
POLICE = f"{ADDRESS}?line=police"


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


def columns_on(response) -> dict:
    return {column.column: column for column in response.context["columns"]}


def test_it_shows_count_sum_and_cards_of_each_column(north, north_region, client_of):
    graded_line(north_region, facts={"potential_sales": 4_000_000_00})
    graded_line(north_region, facts={"potential_sales": 5_000_000_00})
    ungraded = graded_line(north_region, facts={"has_need": False})
    unassessed = CustomerLineFactory(customer__region=north_region)
    columns = columns_on(client_of(north).get(POLICE))
    assert (columns["B"].count, columns["B"].potential_sales) == (2, 9_000_000_00)
    assert columns["not_gradable"].cards == [ungraded]
    assert columns["not_assessed"].cards == [unassessed]
    assert (columns["A"].count, columns["A"].cards) == (0, [])


def test_a_column_begins_with_the_best_score(north, north_region, client_of):
    low = graded_line(north_region)
    high = graded_line(north_region, facts={"potential_sales": 9_000_000_00})
    assert (low.score, high.score) == (80_0000, 85_0000)
    assert columns_on(client_of(north).get(POLICE))["B"].cards == [high, low]


def test_all_of_a_column_opens_its_rows(north, north_region, client_of):
    graded_line(north_region)
    client = client_of(north)
    rows = client.get(columns_on(client.get(POLICE))["B"].all_url)
    assert len(rows.context["list"].rows) == 1


def test_lines_are_never_mixed(north, north_region, client_of):
    graded_line(north_region)
    graded_line(north_region, product_line=ProductLine.objects.get(code="tourism"))
    assert sum(column.count for column in client_of(north).get(POLICE).context["columns"]) == 1


def test_it_begins_with_the_first_line(north, client_of):
    assert client_of(north).get(ADDRESS)["Location"] == f"{ADDRESS}?line=mms"


def test_another_region_is_not_on_it(south_user, north_region, client_of):
    graded_line(north_region)
    assert sum(column.count for column in client_of(south_user).get(POLICE).context["columns"]) == 0


def test_filters_narrow_the_counts_too(head_office, north_region, south_region, client_of):
    graded_line(north_region, lead=head_office)
    graded_line(south_region)
    client = client_of(head_office)
    assert columns_on(client.get(f"{POLICE}&region=north"))["B"].count == 1
    assert columns_on(client.get(f"{POLICE}&lead={head_office.pk}"))["B"].count == 1
    assert columns_on(client.get(f"{POLICE}&search=nobody"))["B"].count == 0


@pytest.mark.parametrize("wrong", ["line=nonsense", "line=police&region=nowhere", "line=police&colour=red"])
def test_what_makes_no_sense_is_said(head_office, client_of, wrong):
    response = client_of(head_office).get(f"{ADDRESS}?{wrong}")
    assert (response.status_code, response.context["columns"]) == (400, [])


def test_an_administrator_may_not_look(client_of):
    assert client_of(UserFactory(role=Role.ADMINISTRATOR)).get(POLICE).status_code == 403


def test_its_queries_do_not_grow_with_its_cards(head_office, north_region, client_of):
    client = client_of(head_office)
    for _ in range(3):
        graded_line(north_region)
    few = queries_of(client, POLICE)
    for _ in range(12):
        graded_line(north_region)
    assert queries_of(client, POLICE) == few <= 15
