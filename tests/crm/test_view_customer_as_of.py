"""A customer as it was by the end of a day, rebuilt from the change log."""

from copy import copy
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.actions.contacts import save_contact
from crm.actions.customers import add_line, save_customer
from crm.actions.lines import save_line
from crm.actions.people import save_person
from crm.as_of import NotKnown, look_back
from crm.models import Contact, Customer, CustomerLine, CustomerRegion, ProductLine, Region, Role
from tests.changes import at, edit, edit_contact
from tests.factories import BranchFactory, CustomerFactory, LineMemberFactory, UserFactory
from tests.pages import graded_line, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(north_region, head_office) -> Customer:
    """Recorded on 10 December 2025."""
    with at("2025-12-10T09:00:00+08:00"):
        customer = Customer(name="杭州市公安局", region=north_region)
        return save_customer(customer=customer, version=0, by=head_office)


def address_of(customer, day: str) -> str:
    return reverse("crm:view-customer-as-of", args=[customer.pk, day])


def past_of(customer, day: str, user):
    return look_back(Customer.objects.get(pk=customer.pk), date.fromisoformat(day), user)


def facts_on(customer, day: str, user) -> dict[str, str]:
    return dict(past_of(customer, day, user).facts)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2025-12-10", None),
        ("2025-12-30", None),
        ("2025-12-31", "第三"),
        ("2026-01-01", "第四"),
        ("2026-01-02", "第四"),
        ("2026-02-01", "第五"),
    ],
)
def test_the_last_value_of_the_day_counts(customer, north, day, name):
    moments = {
        "第一": "2025-12-31T00:00:00+08:00",
        "第二": "2025-12-31T12:00:00+08:00",
        "第三": "2025-12-31T23:59:59.999999+08:00",
        "第四": "2026-01-01T00:00:00+08:00",
        "第五": "2026-02-01T08:00:00+08:00",
    }
    for value, moment in moments.items():
        with at(moment):
            edit(customer, north, short_name=value)
    assert facts_on(customer, day, north).get("Short name") == name


def test_a_day_before_the_customer_was_recorded_says_so(customer, north, client_of):
    assert past_of(customer, "2025-12-10", north).name == "杭州市公安局"
    with pytest.raises(NotKnown):
        past_of(customer, "2025-12-09", north)
    page = client_of(north).get(address_of(customer, "2025-12-09")).content.decode()
    assert "was not recorded yet on this day" in page
    assert "Facts of then" not in page


def test_a_customer_taken_over_was_there_since_its_first_dated_region(north, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    CustomerRegion.objects.create(customer=customer, region=north_region, from_on=date(2020, 1, 1))
    assert past_of(customer, "2020-01-01", north).region == "North"
    with pytest.raises(NotKnown):
        past_of(customer, "2019-12-31", north)


def test_a_day_to_come_says_so(customer, north, client_of):
    assert "still to come" in client_of(north).get(address_of(customer, "2999-01-01")).content.decode()


def test_lines_and_leads_are_those_of_then(customer, head_office):
    first, second = (
        UserFactory(name=name, role=Role.ACCOUNT_MANAGER, region=customer.region) for name in ("旧经理", "新经理")
    )
    with at("2026-01-05T09:00:00+08:00"):
        line = add_line(
            customer=customer, product_line=ProductLine.objects.get(code="police"), by=head_office, lead=first
        )
    with at("2026-01-10T09:00:00+08:00"):
        line.lead = second
        save_line(line=line, by=head_office)
    with at("2026-01-20T09:00:00+08:00"):
        line.is_active = False
        save_line(line=line, by=head_office)
    told = {
        day: [(one.name, one.lead, one.is_active) for one in past_of(customer, day, head_office).lines]
        for day in ("2026-01-04", "2026-01-05", "2026-01-10", "2026-01-20")
    }
    assert list(told.values()) == [
        [],
        [("Police", "旧经理", True)],
        [("Police", "新经理", True)],
        [("Police", "新经理", False)],
    ]


def test_contacts_are_those_of_then(customer, head_office):
    with at("2026-01-05T09:00:00+08:00"):
        contact = save_contact(contact=Contact(customer=customer, name="王芳", phone="1"), version=0, by=head_office)
    with at("2026-01-10T09:00:00+08:00"):
        edit_contact(contact, head_office, phone="2")
    with at("2026-01-20T09:00:00+08:00"):
        edit_contact(contact, head_office, deleted_at=timezone.now())
    told = {
        day: [(one["name"], one["phone"]) for one in past_of(customer, day, head_office).contacts]
        for day in ("2026-01-04", "2026-01-05", "2026-01-10", "2026-01-20")
    }
    assert list(told.values()) == [[], [("王芳", "1")], [("王芳", "2")], []]


def test_a_contact_that_went_to_another_customer_was_here_then(customer, head_office, north_region):
    with at("2026-01-05T09:00:00+08:00"):
        other = save_customer(customer=Customer(name="另一个", region=north_region), version=0, by=head_office)
        contact = save_contact(contact=Contact(customer=customer, name="王芳"), version=0, by=head_office)
    with at("2026-01-10T09:00:00+08:00"):
        moved = copy(contact)
        moved.customer = other
        save_contact(contact=moved, version=1, by=head_office)
    assert len(past_of(customer, "2026-01-09", head_office).contacts) == 1
    assert len(past_of(customer, "2026-01-10", head_office).contacts) == 0
    assert len(past_of(other, "2026-01-09", head_office).contacts) == 0
    assert len(past_of(other, "2026-01-10", head_office).contacts) == 1


def test_the_region_is_that_of_then(customer, head_office, south_region, south_user, north, client_of):
    with at("2026-01-10T09:00:00+08:00"):
        edit(customer, head_office, region=south_region, short_name="南方名")
    assert past_of(customer, "2026-01-09", head_office).region == "North"
    assert past_of(customer, "2026-01-10", head_office).region == "South"
    page = client_of(south_user).get(address_of(customer, "2026-01-09")).content.decode()
    assert "belonged to a region that you do not see" in page
    assert "North" not in page
    assert past_of(customer, "2026-01-10", south_user).facts
    assert client_of(north).get(address_of(customer, "2026-01-09")).status_code == 404


def test_who_serves_the_customer_looks_back_too(customer, head_office, north_region):
    line = add_line(customer=customer, product_line=ProductLine.objects.get(code="police"), by=head_office)
    consultant = UserFactory(role=Role.CONSULTANT)
    LineMemberFactory(line=line, user=consultant)
    assert past_of(customer, "2026-01-01", consultant).name == "杭州市公安局"


def test_people_and_parents_out_of_scope_are_not_named(customer, head_office, south_region, north, client_of):
    lead = UserFactory(name="南方员工", role=Role.ACCOUNT_MANAGER, region=customer.region)
    with at("2026-01-05T09:00:00+08:00"):
        parent = save_customer(customer=Customer(name="上级单位甲", region=south_region), version=0, by=head_office)
        line = add_line(
            customer=customer, product_line=ProductLine.objects.get(code="police"), by=head_office, lead=lead
        )
        edit(customer, head_office, parent=parent)
    lead.region = south_region
    save_person(person=lead, by=head_office)
    page = client_of(north).get(address_of(customer, "2026-01-06")).content.decode()
    assert "上级单位甲" not in page
    assert "南方员工" not in page
    assert str(line.product_line) in page


def test_it_is_marked_as_a_look_back_and_cannot_be_changed(customer, north, north_region, client_of):
    with at("2026-01-05T09:00:00+08:00"):
        edit(customer, north, branch=BranchFactory(region=north_region, name="石家庄分公司"), note="一\n二")
    page = client_of(north).get(address_of(customer, "2026-01-06")).content.decode()
    assert "A look back" in page
    assert "石家庄分公司" in page
    assert 'method="post"' not in page.split("<main")[1]
    assert client_of(north).post(address_of(customer, "2026-01-06")).status_code == 405


@pytest.mark.parametrize("day", ["2026-1-1", "2026-02-30", "20260101", "x", "2026-W01-1"])
def test_a_day_that_makes_no_sense_is_not_there(customer, north, client_of, day):
    assert client_of(north).get(address_of(customer, day)).status_code == 404


def test_the_picker_leads_to_the_day_and_says_what_it_cannot_read(customer, north, client_of):
    client, address = client_of(north), reverse("crm:pick-as-of", args=[customer.pk])
    assert "Choose a day" in client.get(address).content.decode()
    assert client.get(address, {"day": "2026-01-31"})["Location"] == address_of(customer, "2026-01-31")
    answer = client.get(address, {"day": "31.01.2026"})
    assert answer.status_code == 422
    assert "Write the day as 2026-01-31." in answer.content.decode()


def test_another_regions_customer_is_not_there(customer, south_user, client_of):
    client = client_of(south_user)
    assert client.get(address_of(customer, "2026-01-06")).status_code == 404
    assert client.get(reverse("crm:pick-as-of", args=[customer.pk])).status_code == 404


def test_a_customer_that_was_removed_and_came_back_was_not_there_between(customer, head_office):
    with at("2026-01-05T09:00:00+08:00"):
        edit(customer, head_office, deleted_at=timezone.now())
    with at("2026-01-10T09:00:00+08:00"):
        edit(customer, head_office, deleted_at=None)
    assert past_of(customer, "2026-01-04", head_office).name
    with pytest.raises(NotKnown):
        past_of(customer, "2026-01-07", head_office)


def test_grades_are_those_known_by_the_days_end(north, north_region, client_of):
    with at("2026-01-02T09:00:00+08:00"):
        line = graded_line(north_region)
        Customer.objects.filter(pk=line.customer_id).update(created_at="2025-12-01T00:00:00+08:00")
    client = client_of(north)
    assert "No grade was in force" in client.get(address_of(line.customer, "2026-01-01")).content.decode()
    page = client.get(address_of(line.customer, "2026-01-02")).content.decode()
    assert "grade-b" in page
    assert "Fiscal year 2026" in page


def test_its_queries_do_not_grow(head_office, north_region, client_of):
    line = graded_line(north_region)
    customer = Customer.objects.get(pk=line.customer_id)
    today = timezone.localdate().isoformat()
    client = client_of(head_office)
    few = queries_of(client, address_of(customer, today))
    for number in range(20):
        edit(customer, head_office, short_name=f"{number}")
        save_contact(contact=Contact(customer=customer, name=f"{number}"), version=0, by=head_office)
    for code in ("mms", "tourism"):
        add_line(customer=customer, product_line=ProductLine.objects.get(code=code), by=head_office)
    assert queries_of(client, address_of(customer, today)) == few <= 15


def test_it_speaks_chinese(customer, north, client_of):
    page = client_of(north, "zh-hans").get(address_of(customer, "2025-12-10")).content.decode()
    assert "回看" in page
    assert CustomerLine.objects.count() == 0
    assert Region.objects.filter(code="north").exists()
