"""The page of a customer: facts, contacts, lines with their explanation, what happened."""

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm.actions.changes import record_change, snapshot
from crm.models import Customer, CustomerKind, ProductLine, Role, Way
from tests.factories import (
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import TODAY, graded_line, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


def address_of(customer) -> str:
    return reverse("crm:view-customer", args=[customer.pk])


def test_it_explains_the_grade(north, north_region, client_of):
    line = graded_line(north_region)
    page = client_of(north).get(address_of(line.customer)).content.decode()
    assert "80.00 points: B begins at 80." in page
    assert "required 30.00 %, gap −12.00 pp" in page
    assert "points short of A" in page


def test_it_says_why_there_is_no_grade(north, north_region, client_of):
    line = graded_line(north_region, facts={"has_timetable": False})
    page = client_of(north).get(address_of(line.customer)).content.decode()
    assert "There is no clear timetable within the year." in page


def test_it_shows_the_sales_behind_the_history(north, north_region, client_of):
    line = graded_line(north_region)
    SaleFactory(line=line, contract_no="HT-2025-1", amount=1_500_000_00)
    SaleFactory(line=line, contract_no="HT-2023-1", signed_on="2023-12-31")
    page = client_of(north).get(address_of(line.customer)).content.decode()
    assert "HT-2025-1" in page
    assert "1,500,000.00" in page
    assert "HT-2023-1" not in page


def test_it_shows_contacts_and_what_was_changed(north, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    ContactFactory(customer=customer, name="王芳")
    before = snapshot(customer)
    customer.short_name = "杭公"
    customer.save()
    record_change(customer, before=before, by=north, way=Way.FORM)
    page = client_of(north).get(address_of(customer)).content.decode()
    assert "王芳" in page
    assert "short name: nothing → 杭公" in page


def test_an_agent_is_never_graded(north, north_region, client_of):
    line = CustomerLineFactory(customer__region=north_region, customer__kind=CustomerKind.AGENT)
    page = client_of(north).get(address_of(line.customer)).content.decode()
    assert "never graded" in page
    assert "Not assessed" not in page


def test_a_customer_of_another_region_is_not_there(south_user, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    assert client_of(south_user).get(address_of(customer)).status_code == 404


def test_a_removed_customer_is_not_there(north, north_region, client_of):
    customer = CustomerFactory(region=north_region, deleted_at=timezone.now())
    assert client_of(north).get(address_of(customer)).status_code == 404


def test_a_parent_outside_the_scope_shows_as_absent(south_user, north_region, south_region, client_of):
    parent = CustomerFactory(region=north_region, name="上级单位甲")
    child = CustomerFactory(region=south_region, parent=parent)
    assert "上级单位甲" not in client_of(south_user).get(address_of(child)).content.decode()


def family_at(client, customer) -> list[tuple[str, int]]:
    family = client.get(address_of(customer)).context["family"]
    return [(one.customer.name, one.depth) for one in family.members]


def test_the_group_is_shown_from_its_top_down_to_three_generations_below(north, north_region, client_of):
    people = [None]
    for name in "甲乙丙丁戊己":
        people.append(CustomerFactory(region=north_region, parent=people[-1], name=name))
    CustomerFactory(region=north_region, parent=people[2], name="乙二")
    client = client_of(north)
    assert family_at(client, people[2]) == [("甲", 0), ("乙", 1), ("丙", 2), ("丁", 3), ("戊", 4), ("乙二", 2)]
    assert family_at(client, people[1])[-2:] == [("丁", 3), ("乙二", 2)]
    assert client.get(address_of(people[2])).context["family"].parent == people[1]


def test_a_large_group_is_cut_and_says_so(north, north_region, client_of):
    customer = CustomerFactory(region=north_region, parent=CustomerFactory(region=north_region, name="总局"))
    for number in range(101):
        CustomerFactory(region=north_region, parent=customer, name=f"下级{number}")
    answer = client_of(north).get(address_of(customer))
    family = answer.context["family"]
    assert (family.parent.name, len(family.members), family.has_more) == ("总局", 101, True)
    assert "only its first customers are shown" in answer.content.decode()


def test_without_parent_and_children_there_is_no_group(north, north_region, client_of):
    assert not client_of(north).get(address_of(CustomerFactory(region=north_region))).context["family"]


def test_a_group_ends_where_the_scope_does(north, north_region, south_region, client_of):
    top = CustomerFactory(region=north_region, name="顶")
    hidden = CustomerFactory(region=south_region, parent=top, name="隐")
    customer = CustomerFactory(region=north_region, parent=hidden, name="我")
    below = CustomerFactory(region=south_region, parent=customer, name="隐下")
    CustomerFactory(region=north_region, parent=below, name="底")
    client = client_of(north)
    assert family_at(client, customer) == [("我", 0)]
    assert family_at(client, top) == [("顶", 0)]


def test_rows_in_a_circle_do_not_hold_the_page_up(north, north_region, client_of):
    first = CustomerFactory(region=north_region)
    second = CustomerFactory(region=north_region, parent=first)
    Customer.objects.filter(pk=first.pk).update(parent=second)
    assert client_of(north).get(address_of(first)).status_code == 200


def test_a_merged_customer_leads_to_the_one_it_went_into(north, south_user, north_region, client_of):
    survivor = CustomerFactory(region=north_region)
    merged = CustomerFactory(region=north_region, deleted_at=timezone.now(), merged_into=survivor)
    assert client_of(north).get(address_of(merged)).url == address_of(survivor)
    assert client_of(south_user).get(address_of(merged)).status_code == 404


def test_an_administrator_may_not_look(north_region, client_of):
    customer = CustomerFactory(region=north_region)
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    assert client_of(administrator).get(address_of(customer)).status_code == 403


def test_who_may_write_is_led_to_the_assessment(north, north_region, client_of):
    line = graded_line(north_region)
    reader = UserFactory(role=Role.CONSULTANT)
    LineMemberFactory(line=line, user=reader)
    address = reverse("grading:assess-line", args=[line.pk, 2026])
    assert address in client_of(north).get(address_of(line.customer)).content.decode()
    assert address not in client_of(reader).get(address_of(line.customer)).content.decode()


def test_it_leads_to_the_customers_beside_it_in_the_list(north, north_region, client_of):
    first, second, third = (CustomerFactory(region=north_region, name=name) for name in ("阿", "八", "才"))
    context = client_of(north).get(address_of(second), {"ordering": "name", "at": 1}).context
    assert context["previous_url"] == f"{address_of(first)}?ordering=name&at=0"
    assert context["next_url"] == f"{address_of(third)}?ordering=name&at=2"
    assert context["list_url"] == f"{reverse('crm:list-customers')}?ordering=name"


@pytest.mark.parametrize("at", ["x", "-1", "99999999999", "7"])
def test_a_place_that_makes_no_sense_leads_nowhere(north, north_region, client_of, at):
    customer = CustomerFactory(region=north_region)
    context = client_of(north).get(address_of(customer), {"at": at}).context
    assert (context["previous_url"], context["next_url"]) == ("", "")


def test_a_lead_out_of_scope_is_not_named(north, north_region, south_user, head_office, client_of):
    line = graded_line(north_region, lead=south_user)
    assert "南方员工" not in client_of(north).get(address_of(line.customer)).content.decode()
    assert "南方员工" in client_of(head_office).get(address_of(line.customer)).content.decode()


def test_its_queries_do_not_grow_with_its_lines(head_office, north_region, client_of):
    client = client_of(head_office)
    one = graded_line(north_region)
    few = queries_of(client, address_of(one.customer))
    many = graded_line(north_region)
    for code in ("mms", "tourism", "transport"):
        graded_line(north_region, customer=many.customer, product_line=ProductLine.objects.get(code=code))
    assert queries_of(client, address_of(many.customer)) <= few + 1
