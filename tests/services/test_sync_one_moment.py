"""Who follows a list is told of what moves between two questions of one call."""

from threading import Thread

import pytest
from django.db import connection

from crm.actions.contacts import save_contact
from crm.actions.customers import save_customer
from crm.actions.tokens import issue_token
from crm.api import sync
from crm.models import Contact, Customer
from tests.api.conftest import LONG_AGO, ApiClient
from tests.factories import ContactFactory, CustomerFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_a_contact_that_goes_on_while_it_is_asked_for_leaves_the_copy(monkeypatch, north, north_region, south_region):
    """Its customer has left the region; between what changed and whose it was, it goes to another one there."""
    left, other = CustomerFactory(region=north_region), CustomerFactory(region=south_region)
    contact = ContactFactory(customer=left)
    client = ApiClient(issue_token(user=north))
    first = client.read("contacts/", changed_since=LONG_AGO).json()
    assert [row["id"] for row in first["results"]] == [contact.pk]
    left.region = south_region
    save_customer(customer=left, version=left.version, by=None)

    def move() -> None:
        moved = Contact.objects.get(pk=contact.pk)
        moved.customer = Customer.objects.get(pk=other.pk)
        save_contact(contact=moved, version=moved.version, by=None)
        connection.close()

    usual = sync.few_or_all

    def interrupted(changed):
        found = usual(changed)
        mover = Thread(target=move)
        mover.start()
        mover.join(20)
        return found

    monkeypatch.setattr(sync, "few_or_all", interrupted)
    second = client.read("contacts/", changed_since=first["sync"]).json()
    monkeypatch.undo()
    third = client.read("contacts/", changed_since=second["sync"]).json()
    assert {"id": contact.pk, "deleted": True} in [*second["results"], *third["results"]]
