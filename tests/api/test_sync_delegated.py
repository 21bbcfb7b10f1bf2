"""Who follows a list starts again where the calendar has changed what he sees: nothing is missed, nothing is kept."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.actions.delegations import delegate, end_delegation
from crm.models import User
from tests.factories import CustomerFactory, CustomerLineFactory, LineMemberFactory, UserFactory

LONG_AGO = "1970-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel("2026-03-02T09:00:00+08:00", tick=False) as clock:
        yield clock


@pytest.fixture
def line(north_region):
    line = CustomerLineFactory(customer__region=north_region)
    LineMemberFactory(line=line, user=UserFactory(role="account_manager", region=north_region))
    return line


@pytest.fixture
def read(api):
    def since(user, sync=LONG_AGO):
        return api(User.objects.get(pk=user.pk)).read("customers/", changed_since=sync)

    return since


def ids(answer) -> list[int]:
    return [row["id"] for row in answer.json()["results"] if "deleted" not in row]


@pytest.mark.parametrize("role", ["sales_manager", "regional_staff"])
def test_a_delegation_that_begins_or_ends_starts_again(read, line, south_region, head_office, role):
    receiver = UserFactory(role=role, region=south_region)
    before = read(receiver)
    assert ids(before) == []
    today = timezone.localdate()
    giver = line.members.get().user
    made = delegate(giver=giver, receiver=receiver, from_on=today, until_on=today, by=head_office)
    assert read(receiver, before.json()["sync"]).status_code == 410
    during = read(receiver)
    assert ids(during) == [line.customer_id]
    assert read(receiver, during.json()["sync"]).status_code == 200
    end_delegation(delegation=made, by=head_office)
    assert read(receiver, during.json()["sync"]).status_code == 410
    assert ids(read(receiver)) == []


def test_what_changes_within_what_is_delegated_is_told(read, line, south_region, head_office, api):
    receiver = UserFactory(role="regional_staff", region=south_region)
    today = timezone.localdate()
    delegate(
        giver=line.members.get().user, receiver=receiver, from_on=today, until_on=today + timedelta(9), by=head_office
    )
    CustomerFactory(region=south_region)
    sync = read(receiver).json()["sync"]
    client = api(head_office, "read", "write")
    shown = client.read(f"customers/{line.customer_id}/").json()
    sent = client.send("patch", f"customers/{line.customer_id}/", {"version": shown["version"], "name": "新名"})
    assert sent.status_code == 200
    told = [row["id"] for row in read(receiver, sync).json()["results"]]
    assert line.customer_id in told


def test_a_membership_that_the_calendar_begins_starts_again(read, line, north_region, march):
    person = UserFactory(role="consultant")
    LineMemberFactory(line=line, user=person, why="bid", from_on=date(2026, 3, 9))
    before = read(person)
    assert ids(before) == []
    march.move_to("2026-03-09T09:00:00+08:00")
    assert read(person, before.json()["sync"]).status_code == 410
    assert ids(read(person)) == [line.customer_id]
