"""What tests of histories share: records made and edited by the actions, each at a moment of its own."""

from contextlib import contextmanager
from copy import copy

import time_machine

from crm.actions.changes import record_change
from crm.actions.contacts import save_contact
from crm.actions.customers import save_customer
from crm.models import Change, Contact, Customer, Way
from tests.factories import CustomerFactory


@contextmanager
def at(moment: str):
    """Things happen at a moment, written as 2026-03-02T09:00:00+08:00."""
    with time_machine.travel(moment, tick=False):
        yield


def made(by=None, **fields) -> Customer:
    """A customer as it is made: with its row of the log."""
    customer = CustomerFactory(**fields)
    record_change(customer, before=None, by=by, way=Way.FORM)
    return customer


def edit(customer: Customer, by=None, way: Way = Way.FORM, **fields) -> Change:
    """Save other values of a customer by its action. Returns the row of the log."""
    customer.refresh_from_db()
    for name, value in fields.items():
        setattr(customer, name, value)
    save_customer(customer=customer, version=customer.version, by=by, way=way)
    return Change.objects.of(customer).last()


def edit_contact(contact: Contact, by=None, **fields) -> Change:
    """The same for a contact."""
    contact.refresh_from_db()
    changed = copy(contact)
    for name, value in fields.items():
        setattr(changed, name, value)
    save_contact(contact=changed, version=contact.version, by=by)
    return Change.objects.of(contact).last()
