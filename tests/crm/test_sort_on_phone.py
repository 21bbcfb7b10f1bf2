"""Where rows are cards there are no heads to sort by: the tools of every list offer its orders."""

import pytest
from django.urls import reverse

from tests.factories import CustomerFactory
from tests.pages import graded_line, queries_of

pytestmark = pytest.mark.django_db
ADDRESS = reverse("crm:list-customers")


def orders_on(response) -> dict[str, str]:
    return {label: value for value, label, _ in response.context["orders"]}


def present_order_on(response) -> list[str]:
    return [label for _, label, is_current in response.context["orders"] if is_current]


def test_a_list_offers_each_sortable_column_upwards_and_downwards(north, north_region, client_of):
    CustomerFactory(region=north_region)
    assert orders_on(client_of(north).get(ADDRESS)) == {
        "Customer, ascending": "",  # as it is sorted unless told: it stays out of the address
        "Customer, descending": "-name",
        "Code, ascending": "code",
        "Code, descending": "-code",
        "Region, ascending": "region",
        "Region, descending": "-region",
    }


@pytest.mark.parametrize(
    ("params", "order"),
    [
        ({}, "Customer, ascending"),
        ({"ordering": "name"}, "Customer, ascending"),
        ({"ordering": "-code"}, "Code, descending"),
        ({"ordering": "-code", "columns": "name"}, "Code, descending"),
        ({"ordering": "-created_at"}, "Present order"),
        ({"ordering": "password"}, "Customer, ascending"),
    ],
)
def test_it_shows_the_present_order_even_of_what_is_no_column(north, north_region, client_of, params, order):
    CustomerFactory(region=north_region)
    assert present_order_on(client_of(north).get(ADDRESS, params)) == [order]


def test_sorting_keeps_filters_and_columns_and_goes_back_to_the_first_page(north, north_region, client_of):
    graded_line(north_region)
    params = {"line": "police", "columns": "name,score", "page_size": "25", "ordering": "-score", "page": "1"}
    carried = client_of(north).get(ADDRESS, params).context["hidden"]
    assert dict(carried) == {"line": "police", "columns": "name,score", "page_size": "25"}


def test_it_works_without_javascript(north, north_region, client_of):
    """A form sends the usual order as an empty word."""
    CustomerFactory(region=north_region)
    assert client_of(north).get(f"{ADDRESS}?search=&grade=&ordering=").status_code == 200


def test_a_list_without_search_and_filters_can_be_sorted_too(head_office, client_of):
    page = client_of(head_office).get(reverse("grading:list-policies"))
    assert orders_on(page)["Version, ascending"] == "number"
    assert page.content.decode().count('name="ordering"') == 1
    assert 'role="search" aria-label="Search and filter' not in page.content.decode()


def test_an_empty_list_has_nothing_to_sort(north, client_of):
    assert client_of(north).get(ADDRESS).context["orders"] == []


def test_the_orders_cost_no_queries(north, north_region, client_of):
    client = client_of(north)
    CustomerFactory(region=north_region)
    usual = queries_of(client, ADDRESS)
    assert queries_of(client, f"{ADDRESS}?ordering=-code") == usual
