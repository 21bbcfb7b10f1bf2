"""A person's page: what he is and where, whom he guides, what he leads, as far as it exists for the reader."""

from datetime import date

import pytest
import time_machine
from django.urls import reverse

from crm.actions.people import save_person
from crm.models import Role, User
from tests.factories import CustomerLineFactory, DelegationFactory, LineMemberFactory, UserFactory
from tests.pages import TODAY, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY, tick=False) as clock:
        yield clock


@pytest.fixture
def manager(north_region):
    return UserFactory(username="manager", name="王芳", role=Role.ACCOUNT_MANAGER, region=north_region)


def page_of(client, person) -> str:
    return client.get(reverse("crm:view-person", args=[person.pk])).content.decode()


def led_by(person, **line):
    made = CustomerLineFactory(customer__region=person.region, lead=person, **line)
    LineMemberFactory(line=made, user=person)
    return made


def test_who_sees_the_person_sees_the_page(manager, north, south_user, client_of):
    address = reverse("crm:view-person", args=[manager.pk])
    assert "王芳" in page_of(client_of(north), manager)
    assert client_of(south_user).get(address).status_code == 404
    assert client_of(north).get(reverse("crm:view-person", args=[10**9])).status_code == 404


def test_the_number_of_customers_opens_just_these(manager, north, client_of):
    line = led_by(manager, customer__name="北京市公安局")
    led_by(manager, customer__name="天津市公安局", is_active=False)
    client = client_of(north)
    page = page_of(client, manager)
    assert "Leads 1 customer" in page
    address = f"{reverse('crm:list-customers')}?lead={manager.pk}"
    assert address in page
    assert [one.pk for one in client.get(address).context["list"].rows] == [line.customer_id]


def test_what_the_reader_does_not_see_is_not_counted(manager, south_region, north, head_office, client_of):
    led_by(manager, customer__name="北京市公安局")
    elsewhere = CustomerLineFactory(customer__region=south_region, customer__name="广州市公安局", lead=manager)
    LineMemberFactory(line=elsewhere, user=manager)
    assert "Leads 2 customers" in page_of(client_of(head_office), manager)
    page = page_of(client_of(north), manager)
    assert "Leads 1 customer" in page
    assert "广州" not in page


def test_an_administrator_sees_no_customers(manager, client_of):
    led_by(manager, customer__name="北京市公安局")
    page = page_of(client_of(UserFactory(role=Role.ADMINISTRATOR)), manager)
    assert "Leads" not in page
    assert "北京市公安局" not in page


def test_memberships_say_why(manager, north, client_of):
    line = led_by(manager)
    LineMemberFactory(line=line, user=manager, why="标书")
    LineMemberFactory(line=line, user=manager, why="gone", until_on=date(2026, 1, 1))
    page = page_of(client_of(north), manager)
    assert "leads" in page
    assert "标书" in page
    assert "gone" not in page


def test_guides_and_guided_people_of_another_region_are_absent(manager, south_user, north, head_office, client_of):
    User.objects.filter(pk=manager.pk).update(guided_by=south_user)
    UserFactory(name="李雷", role=Role.SALES_MANAGER, region=manager.region, guided_by=manager)
    UserFactory(name="韩梅", role=Role.SALES_MANAGER, region=south_user.region, guided_by=manager)
    page = page_of(client_of(north), manager)
    assert "李雷" in page
    assert "韩梅" not in page
    assert south_user.name not in page
    assert "韩梅" in page_of(client_of(head_office), manager)


def test_places_say_since_when_and_hide_other_regions(manager, south_region, north, head_office, march, client_of):
    UserFactory(role=Role.ADMINISTRATOR)
    manager.region = south_region
    save_person(person=manager, by=head_office)
    march.move_to("2026-03-20T09:00:00+08:00")
    manager.region = north.region
    save_person(person=manager, by=head_office)
    page = page_of(client_of(north), manager)
    assert "2026-03-20" in page
    assert "South" not in page
    assert "South" in page_of(client_of(head_office), manager)


def test_delegations_show_between_people_whom_the_reader_sees(manager, north, south_user, head_office, client_of):
    DelegationFactory(giver=manager, receiver=south_user)
    assert south_user.name not in page_of(client_of(north), manager)
    assert south_user.name in page_of(client_of(head_office), manager)


def test_buttons_are_for_those_who_may(manager, north, head_office, client_of):
    assert "Hand over" in page_of(client_of(head_office), manager)
    page = page_of(client_of(north), manager)
    assert "Hand over" not in page
    assert "Edit person" not in page
    assert reverse("crm:delegate", args=[manager.pk]) not in page
    assert reverse("crm:delegate", args=[manager.pk]) in page_of(client_of(manager), manager)


def test_it_needs_the_same_queries_however_much_there_is(manager, north, client_of):
    client, address = client_of(north), reverse("crm:view-person", args=[manager.pk])
    led_by(manager)
    UserFactory(role=Role.SALES_MANAGER, region=manager.region, guided_by=manager)
    few = queries_of(client, address)
    for _ in range(5):
        led_by(manager)
        UserFactory(role=Role.SALES_MANAGER, region=manager.region, guided_by=manager)
    assert queries_of(client, address) == few <= 15


def test_it_speaks_chinese(manager, north, client_of):
    led_by(manager)
    page = page_of(client_of(north, "zh-hans"), manager)
    assert "负责" in page
    assert "Leads" not in page
