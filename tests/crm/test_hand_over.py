"""The page that hands over what a person carries: preview, choices, refusals at their field."""

import pytest
from django.urls import reverse

from crm.models import CustomerLine, ProductLine, Role
from tests.factories import CustomerLineFactory, LineMemberFactory, UserFactory
from tests.pages import queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaver(north_region):
    return UserFactory(username="leaver", name="张伟", role=Role.ACCOUNT_MANAGER, region=north_region)


@pytest.fixture
def successor(north_region):
    return UserFactory(username="successor", name="李娜", role=Role.ACCOUNT_MANAGER, region=north_region)


def address(person) -> str:
    return reverse("crm:hand-over", args=[person.pk])


def led_by(person, code="police", **customer):
    line = CustomerLineFactory(
        product_line=ProductLine.objects.get(code=code),
        lead=person,
        **{f"customer__{name}": value for name, value in ({"region": person.region} | customer).items()},
    )
    LineMemberFactory(line=line, user=person)
    return line


def offered(answer, name="successor"):
    return set(answer.context["form"].fields[name].queryset)


def test_only_who_keeps_people_opens_it(leaver, north, client_of):
    assert client_of(north).get(address(leaver)).status_code == 403
    assert client_of(north).post(address(leaver), {}).status_code == 403
    assert client_of(UserFactory(role=Role.ADMINISTRATOR)).get(address(leaver)).status_code == 200


def test_the_preview_counts_without_naming_customers(leaver, head_office, client_of):
    led_by(leaver, name="北京市公安局")
    led_by(leaver, "emergency", name="北京市应急管理局")
    page = client_of(head_office).get(address(leaver)).content.decode()
    assert "Customers that he leads, per product line" in page
    assert "Emergency" in page
    assert "北京市公安局" not in page


def test_it_offers_those_who_may_lead_in_the_region_of_the_customers(
    leaver, successor, south_region, head_office, client_of
):
    led_by(leaver)
    UserFactory(role=Role.ACCOUNT_MANAGER, region=south_region)
    UserFactory(role=Role.CONSULTANT, region=leaver.region)
    UserFactory(role=Role.ACCOUNT_MANAGER, region=leaver.region, is_active=False)
    assert offered(client_of(head_office).get(address(leaver))) == {successor}


def test_one_successor_gets_everything_and_the_leaver_leaves(leaver, successor, head_office, client_of):
    line = led_by(leaver)
    values = {"successor": successor.pk, "leaves": "on", "reason": "离职"}
    answer = client_of(head_office).post(address(leaver), values, follow=True)
    page = answer.content.decode()
    assert "product lines led 1, other customers 0" in page
    assert "Does not work here any more" in page
    line.refresh_from_db()
    assert line.lead == successor


def test_product_lines_may_go_to_different_people(leaver, successor, head_office, client_of):
    led_by(leaver)
    emergency = led_by(leaver, "emergency")
    second = UserFactory(role=Role.SALES_MANAGER, region=leaver.region)
    values = {"successor": successor.pk, f"line_{emergency.product_line_id}_{leaver.region_id}": second.pk}
    client_of(head_office).post(address(leaver), values)
    leads = dict(CustomerLine.objects.values_list("product_line__code", "lead"))
    assert leads == {"police": successor.pk, "emergency": second.pk}


def test_one_product_line_in_two_regions_is_two_choices(leaver, successor, south_region, head_office, client_of):
    line = led_by(leaver)
    led_by(leaver, region=south_region)
    there = UserFactory(role=Role.SALES_MANAGER, region=south_region)
    client, name = client_of(head_office), f"line_{line.product_line_id}_{south_region.pk}"
    shown = client.get(address(leaver))
    assert offered(shown, name) == {there}
    assert "Police · South" in shown.content.decode()
    client.post(address(leaver), {"successor": successor.pk, name: there.pk, "leaves": "on"})
    leads = dict(CustomerLine.objects.values_list("customer__region__code", "lead"))
    assert leads == {"north": successor.pk, "south": there.pk}


def test_without_a_successor_nothing_happens(leaver, head_office, client_of):
    line = led_by(leaver)
    answer = client_of(head_office).post(address(leaver), {"leaves": "on"})
    assert answer.status_code == 422
    assert "Choose a successor" in str(answer.context["form"].errors["successor"])
    line.refresh_from_db()
    leaver.refresh_from_db()
    assert (line.lead, leaver.is_active) == (leaver, True)


def test_a_successor_who_does_not_fit_is_no_choice(leaver, south_region, head_office, client_of):
    led_by(leaver)
    elsewhere = UserFactory(role=Role.ACCOUNT_MANAGER, region=south_region)
    answer = client_of(head_office).post(address(leaver), {"successor": elsewhere.pk})
    assert (answer.status_code, "successor" in answer.context["form"].errors) == (422, True)


def test_a_second_time_says_that_nothing_is_left(leaver, successor, head_office, client_of):
    led_by(leaver)
    client = client_of(head_office)
    client.post(address(leaver), {"successor": successor.pk, "leaves": "on"})
    assert "carries nothing any more" in client.get(address(leaver)).content.decode()
    again = client.post(address(leaver), {"successor": successor.pk, "leaves": "on"}, follow=True)
    assert "nothing to hand over" in again.content.decode()


def test_nobody_makes_himself_leave(head_office, client_of):
    answer = client_of(head_office).post(address(head_office), {"leaves": "on"})
    assert (answer.status_code, "leaves" in answer.context["form"].errors) == (422, True)


def test_it_needs_few_queries_however_much_there_is(leaver, successor, head_office, client_of):
    client = client_of(head_office)
    led_by(leaver)
    led_by(leaver, "emergency")
    few = queries_of(client, address(leaver))
    for _ in range(5):
        led_by(leaver)
        UserFactory(role=Role.SALES_MANAGER, region=leaver.region)
    assert queries_of(client, address(leaver)) == few
    assert few <= 25


def test_it_speaks_chinese(leaver, head_office, client_of):
    led_by(leaver)
    page = client_of(head_office, "zh-hans").get(address(leaver)).content.decode()
    assert "谁来接手" in page
    assert "Who takes over" not in page
