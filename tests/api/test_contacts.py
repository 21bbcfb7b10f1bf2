"""/api/v1/contacts/ and people/: who works where; in scope only, and nothing that is nobody else's business."""

import pytest

from crm.models import Change, Contact, Role, Way
from tests.factories import ContactFactory, UserFactory


@pytest.fixture
def contact(customer):
    return ContactFactory(customer=customer, name="王芳", phone="13800000000", email="wang@example.com")


def test_it_shows_the_people_at_a_customer(api, north, customer, contact):
    assert api(north).results("contacts/") == [
        {
            "id": contact.pk,
            "customer": {"id": customer.pk, "name": "杭州市公安局", "code": "N1", "region": "north"},
            "name": "王芳",
            "department": "",
            "title": "",
            "phone": "13800000000",
            "email": "wang@example.com",
            "is_key_person": False,
            "note": "",
            "version": 1,
        }
    ]


def test_another_regions_contacts_do_not_exist(api, south_user, contact):
    client = api(south_user)
    assert client.results("contacts/") == []
    assert client.read(f"contacts/{contact.pk}/").status_code == 404
    assert client.send("patch", f"contacts/{contact.pk}/", {"name": "x", "version": 1}).status_code == 404
    body = {"customer": contact.customer_id, "name": "李雷"}
    assert client.send("post", "contacts/", body).json()["errors"][0]["field"] == "customer"


def test_a_new_contact_is_logged(api, north, customer):
    answer = api(north).send("post", "contacts/", {"customer": customer.pk, "name": "李雷", "is_key_person": True})
    assert answer.status_code == 201
    assert answer.json()["name"] == "李雷"
    change = Change.objects.get(object_id=Contact.objects.get().pk, table="crm_contact")
    assert (change.by, change.way) == (north, Way.API)


def test_a_change_needs_the_version_that_was_read(api, north, contact):
    client = api(north)
    answer = client.send("patch", f"contacts/{contact.pk}/", {"title": "局长", "version": 1})
    assert (answer.status_code, answer.json()["title"], answer.json()["version"]) == (200, "局长", 2)
    again = client.send("patch", f"contacts/{contact.pk}/", {"title": "处长", "version": 1})
    assert (again.status_code, again.json()["code"]) == (412, "edited_meanwhile")


@pytest.mark.parametrize(
    ("field", "value"), [("email", "nobody"), ("name", ""), ("name", "x" * 61), ("customer", 1), ("salary", 1)]
)
def test_what_makes_no_sense_is_named_and_nothing_is_saved(api, north, contact, field, value):
    refused = api(north).send("patch", f"contacts/{contact.pk}/", {field: value, "version": 1})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == field
    contact.refresh_from_db()
    assert contact.version == 1


def test_contacts_are_found_by_name_and_by_customer(api, north, contact):
    ContactFactory(customer__region=north.region, name="李雷", is_key_person=True)
    client = api(north)
    assert [row["name"] for row in client.results("contacts/", search="王芳 hzs")] == ["王芳"]
    assert [row["name"] for row in client.results("contacts/", customer=contact.customer_id)] == ["王芳"]
    assert [row["name"] for row in client.results("contacts/", is_key_person="true")] == ["李雷"]


def test_a_reader_adds_no_contact(api, customer):
    body = {"customer": customer.pk, "name": "李雷"}
    assert api(UserFactory(role=Role.EXECUTIVE)).send("post", "contacts/", body).status_code == 403


def test_people_are_shown_without_how_they_sign_in(api, north):
    shown = {row["id"]: row for row in api(north).results("people/")}
    assert shown[north.pk] == {
        "id": north.pk,
        "name": "北方员工",
        "role": "regional_staff",
        "region": "north",
        "branch": None,
        "department": None,
        "guided_by": None,
        "is_active": True,
    }


def test_a_region_sees_head_office_and_itself(api, north, south_user, head_office):
    assert {row["id"] for row in api(north).results("people/")} == {north.pk, head_office.pk}
    assert api(north).read(f"people/{south_user.pk}/").status_code == 404
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    everyone = {north.pk, south_user.pk, head_office.pk, administrator.pk}
    assert {row["id"] for row in api(administrator).results("people/")} == everyone


def test_a_guide_out_of_sight_is_not_shown(api, north, north_region, south_user):
    guided = UserFactory(role=Role.SALES_MANAGER, region=north_region, guided_by=south_user)
    assert api(north).read(f"people/{guided.pk}/").json()["guided_by"] is None


def test_people_cannot_be_written_here(api, head_office):
    client = api(head_office)
    assert client.send("post", "people/", {"name": "x"}).status_code == 405
    assert client.send("patch", f"people/{head_office.pk}/", {"role": "administrator"}).status_code == 405
