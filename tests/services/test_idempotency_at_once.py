"""The same request twice at once on PostgreSQL: one record, and one answer for both in the end."""

import pytest
from django.db import connection
from django.test import Client

from crm.actions import customers as customer_actions
from crm.actions.tokens import issue_token
from crm.models import Customer, IdempotentAnswer
from tests.services.test_at_once import at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

NEW = {"name": "宁波市交通运输局", "region": "north"}


@pytest.fixture(autouse=True)
def on_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time: there is no `at once` on SQLite")


@pytest.fixture
def post(north):
    token = issue_token(user=north, scopes=["write"])

    def send(key="k"):
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key, "accept-language": "en"}
        client = Client(headers=headers, raise_request_exception=False)
        return client.post("/api/v1/customers/", NEW, content_type="application/json")

    return send


@pytest.fixture
def slow(monkeypatch):
    """Saving takes a while, so that all are under way together."""
    save = customer_actions.save_customer

    def save_slowly(**kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.5)")
        return save(**kwargs)

    monkeypatch.setattr(customer_actions, "save_customer", save_slowly)


def test_of_many_at_once_one_is_done(post, slow):
    answers = at_once(*[post] * 8)
    made = [answer for answer in answers if answer.status_code == 201]
    others = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(others) == 8
    assert len(made) >= 1
    assert {answer["Retry-After"] for answer in others} <= {"1"}
    assert {answer.json()["code"] for answer in others} <= {"idempotency_key_in_use"}
    assert (Customer.objects.count(), IdempotentAnswer.objects.count()) == (1, 1)
    assert post().content == made[0].content


def test_other_keys_do_not_wait_for_each_other(post, slow):
    answers = at_once(*[lambda number=number: post(f"k{number}") for number in range(4)])
    assert {answer.status_code for answer in answers} == {201}
    assert Customer.objects.count() == 4
