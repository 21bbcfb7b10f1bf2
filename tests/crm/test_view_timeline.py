"""A customer's timeline: by day, by topic, a stretch at a time; the first stretch stands on the customer's page."""

import pytest
import time_machine
from django.urls import reverse

from crm.actions.changes import record_change
from crm.actions.people import save_person
from crm.models import Change, Role, Way
from tests.changes import at, edit, edit_contact, made
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
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


def address_of(customer, **params) -> str:
    return reverse("crm:view-timeline", args=[customer.pk], query=params or None)


def titles_of(response) -> list[str]:
    return [event.title for _day, events in response.context["timeline"].days for event in events]


def test_it_is_grouped_by_the_companys_days(north, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    for moment in ("2025-12-31T23:59:59+08:00", "2026-01-01T00:00:00+08:00", "2026-01-01T09:00:00+08:00"):
        with at(moment):
            edit(customer, north, short_name=moment[:19])
    days = client_of(north).get(address_of(customer)).context["timeline"].days
    assert [(str(day), len(events)) for day, events in days] == [("2026-01-01", 2), ("2025-12-31", 1)]


def test_each_topic_shows_its_own(north, north_region, client_of):
    line = graded_line(north_region)
    customer = line.customer
    edit(customer, north, short_name="杭公")
    edit(customer, north, way=Way.IMPORT, short_name="市局")
    edit_contact(ContactFactory(customer=customer), north, phone="1")
    for record in (SaleFactory(line=line), LineMemberFactory(line=line)):
        record_change(record, before=None, by=north, way=Way.FORM)
    client = client_of(north)
    found = {topic: titles_of(client.get(address_of(customer, topic=topic))) for topic in TOPICS}
    assert found == {
        "edits": ["Contact changed", "Customer changed"],
        "imports": ["Customer changed"],
        "sales": ["Sale added"],
        "people": ["Line member added"],
        "grades": ["Police: B"],
        "assessments": [],
    }
    assert len(titles_of(client.get(address_of(customer)))) == 6


TOPICS = ("edits", "imports", "sales", "people", "grades", "assessments")


def test_each_entry_leads_to_the_history_of_its_record(north, north_region, client_of):
    customer = made(region=north_region)
    contact = ContactFactory(customer=customer)
    edit_contact(contact, north, phone="1")
    page = client_of(north).get(reverse("crm:view-customer", args=[customer.pk])).content.decode()
    aside = page.split('id="timeline"')[1]
    assert reverse("crm:view-history", args=["contact", contact.pk]) in aside
    assert reverse("crm:view-history", args=["customer", customer.pk]) in aside


def test_show_more_gives_the_next_stretch(north, north_region, client_of):
    customer = made(region=north_region)
    for number in range(20):
        edit(customer, north, short_name=f"名{number}")
    client = client_of(north)
    page = client.get(reverse("crm:view-customer", args=[customer.pk]))
    more = page.context["timeline"].more_url
    assert more == address_of(customer, start=15)
    assert more in page.content.decode()
    fragment = client.get(more, headers=HTMX)
    assert "<html" not in fragment.content.decode()
    assert len(titles_of(fragment)) == 6
    assert fragment.context["timeline"].more_url == ""
    assert "<html" in client.get(more).content.decode()


def test_a_topic_replaces_the_timeline_in_its_place(north, north_region, client_of):
    customer = made(region=north_region)
    fragment = client_of(north).get(address_of(customer, topic="sales"), headers=HTMX).content.decode()
    assert "<html" not in fragment
    assert 'id="timeline"' in fragment
    assert "Nothing of this kind has happened yet." in fragment


@pytest.mark.parametrize("wrong", [{"topic": "secret"}, {"start": "x"}, {"start": "-1"}, {"start": "999999"}])
def test_what_makes_no_sense_is_not_there(north, north_region, client_of, wrong):
    assert client_of(north).get(address_of(made(region=north_region), **wrong)).status_code == 404


def test_another_regions_customer_is_not_there(south_user, north_region, client_of):
    assert client_of(south_user).get(address_of(made(region=north_region))).status_code == 404


def test_who_did_it_is_not_named_to_those_who_do_not_see_him(north, south_user, north_region, client_of):
    customer = made(region=north_region)
    edit(customer, None, short_name="杭公")
    Change.objects.filter(customer=customer).update(by=south_user)
    page = client_of(north).get(address_of(customer)).content.decode()
    assert "杭公" in page
    assert "南方员工" not in page


@pytest.mark.parametrize("role", [Role.REGIONAL_STAFF, Role.SALES_MANAGEMENT, Role.ADMINISTRATOR, Role.CONSULTANT])
def test_a_person_exists_for_the_same_readers_one_by_one_and_in_a_list(north_region, south_region, role, db):
    place = None if role in (Role.SALES_MANAGEMENT, Role.ADMINISTRATOR) else north_region
    reader = UserFactory(role=role, region=place)
    people = [UserFactory(region=region) for region in (None, north_region, south_region)]
    seen = type(reader).objects.visible_to(reader)
    assert [person.exists_for(reader) for person in people] == [person in seen for person in people]


def test_what_settings_do_is_no_event_of_a_customer(north, north_region, head_office, client_of):
    customer = made(region=north_region)
    save_person(person=UserFactory(role=Role.CONSULTANT), by=head_office)
    assert titles_of(client_of(north).get(address_of(customer))) == ["Customer added"]


def test_its_queries_do_not_grow(head_office, north, north_region, client_of):
    line = graded_line(north_region)
    client = client_of(head_office)
    edit(line.customer, north, short_name="y")
    few = queries_of(client, address_of(line.customer))
    for number in range(20):
        edit(line.customer, north, short_name=f"{number}")
    other = CustomerLineFactory(customer=line.customer, product_line_id=line.product_line_id + 1)
    edit(other.customer, north, short_name="x")
    assert queries_of(client, address_of(line.customer)) == few <= 15


def test_it_speaks_chinese(north, north_region, client_of):
    customer = made(region=north_region)
    page = client_of(north, "zh-hans").get(address_of(customer)).content.decode()
    assert "动态" in page
    assert "导入" in page
