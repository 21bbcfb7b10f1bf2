"""The pages of delegations: one's own, a new one, an end to one."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import Delegation, Role
from tests.factories import DelegationFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = reverse("crm:list-delegations")


def new(giver) -> str:
    return reverse("crm:delegate", args=[giver.pk])


def end(delegation) -> str:
    return reverse("crm:end-delegation", args=[delegation.pk])


def typed(receiver):
    today = timezone.localdate()
    days = {"from_on": today.isoformat(), "until_on": (today + timedelta(days=5)).isoformat()}
    return {"receiver": receiver.pk, "reason": "年假", **days}


@pytest.fixture
def colleague(north_region):
    return UserFactory(username="colleague", name="同事", role=Role.SALES_MANAGER, region=north_region)


def test_without_any_it_says_what_they_are_for(north, client_of):
    assert "Nothing is delegated" in client_of(north).get(LIST).content.decode()


def test_one_delegates_ones_own_and_ends_it(north, colleague, client_of):
    client = client_of(north)
    page = client.post(new(north), typed(colleague), follow=True).content.decode()
    made = Delegation.objects.get()
    assert (made.giver, made.receiver, made.reason) == (north, colleague, "年假")
    assert "in force today" in page
    assert client.get(end(made)).status_code == 200
    assert "ended early" in client.post(end(made), follow=True).content.decode()


def test_nobody_delegates_or_ends_for_another_but_who_keeps_people(north, colleague, head_office, client_of):
    made = DelegationFactory(giver=north, receiver=colleague)
    assert client_of(colleague).get(new(north)).status_code == 404
    assert client_of(colleague).post(end(made)).status_code == 404
    client_of(head_office).post(end(made))
    made.refresh_from_db()
    assert made.ended_at is not None
    assert client_of(head_office).post(new(north), typed(colleague)).status_code == 302


def test_of_another_region_there_is_nothing(north, colleague, south_user, client_of):
    made = DelegationFactory(giver=north, receiver=colleague)
    client = client_of(south_user)
    assert client.get(new(north)).status_code == 404
    assert client.get(end(made)).status_code == 404
    assert colleague.name not in client.get(LIST).content.decode()
    assert client.post(new(south_user), typed(colleague)).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"from_on": "2001-01-01"}, "from_on"), ({"until_on": "2001-01-01"}, "until_on"), ({"until_on": "x"}, "until_on"),
     ({"receiver": ""}, "receiver"), ({"reason": "x" * 600}, "reason")],
)  # fmt: skip
def test_what_makes_no_sense_is_said_at_its_field(north, colleague, client_of, changes, field):
    answer = client_of(north).post(new(north), typed(colleague) | changes)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])


def test_twice_is_once(north, colleague, client_of):
    client = client_of(north)
    client.post(new(north), typed(colleague))
    assert client.post(new(north), typed(colleague)).status_code == 422
    assert Delegation.objects.count() == 1


def test_an_administrator_has_nothing_to_delegate(client_of):
    client = client_of(UserFactory(role=Role.ADMINISTRATOR))
    assert "Delegate my customers" not in client.get(LIST).content.decode()


def test_it_speaks_chinese(north, client_of):
    assert "没有委托" in client_of(north, "zh-hans").get(LIST).content.decode()
