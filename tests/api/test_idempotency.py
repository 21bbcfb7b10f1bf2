"""Idempotency-Key: sent twice, done once, answered the same."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.actions import customers as customer_actions
from crm.actions.answers import forget_old_answers
from crm.models import Customer, IdempotentAnswer
from crm.tasks import forget_old_answers as forget_task
from tests.factories import UserFactory

NEW = {"name": "宁波市交通运输局", "region": "north"}


@pytest.fixture
def client(api, north):
    return api(north)


def post(client, body=NEW, key="k1", path="customers/"):
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers={"idempotency-key": key})


def test_sent_twice_it_is_done_once(client):
    first, second = post(client), post(client)
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.content, first["Location"], first["ETag"]) == (second.content, second["Location"], second["ETag"])
    assert ("Idempotency-Replayed" in first, second["Idempotency-Replayed"]) == (False, "true")
    assert Customer.objects.count() == 1


def test_neither_key_nor_body_is_kept_where_it_can_be_read(client):
    post(client, key="my-secret-key")
    kept = IdempotentAnswer.objects.get()
    assert "my-secret-key" not in str(vars(kept))
    assert len(kept.request) == 64


def test_another_key_is_another_record(client):
    post(client), post(client, key="k2")
    assert Customer.objects.count() == 2


def test_a_key_belongs_to_its_person(client, api, head_office):
    post(client), post(api(head_office))
    assert Customer.objects.count() == 2


def test_without_a_key_nothing_is_kept(client):
    client.send("post", "customers/", NEW)
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize(
    ("body", "path"), [(NEW | {"name": "other"}, "customers/"), (NEW, "contacts/"), (NEW, "customers/?format=json")]
)
def test_a_key_is_not_used_for_something_else(client, body, path):
    post(client)
    refused = post(client, body, path=path)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert refused["Content-Type"] == "application/problem+json"
    assert Customer.objects.count() == 1


def test_the_same_body_spaced_otherwise_is_the_same(client):
    post(client, {"name": "甲", "region": "north"}), post(client, {"region": "north", "name": "甲"})
    assert Customer.objects.count() == 1


def test_a_refusal_is_an_answer_too(client):
    first, second = post(client, NEW | {"name": ""}), post(client, NEW | {"name": ""})
    assert (first.status_code, second.status_code) == (400, 400)
    assert first.content == second.content
    assert second["Content-Type"] == "application/problem+json"


def test_what_the_role_does_not_allow_is_asked_first(client, api, head_office, north):
    reader = api(north, "read")
    assert post(reader).status_code == 403
    assert not IdempotentAnswer.objects.exists()
    assert post(client).status_code == 201


def test_a_failure_of_the_server_is_not_kept_and_leaves_nothing(client, monkeypatch):
    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(customer_actions, "_require_reach", lambda *_: 1 / 0)
        assert post(client).status_code == 500
    assert (Customer.objects.count(), IdempotentAnswer.objects.count()) == (0, 0)
    assert post(client).status_code == 201


def test_a_refused_half_done_request_leaves_only_its_answer(api, north_region):
    manager = api(UserFactory(role="account_manager", region=north_region))
    assert post(manager).status_code == 403
    assert (Customer.objects.count(), IdempotentAnswer.objects.count()) == (0, 1)


def test_after_a_day_the_key_is_free(client):
    post(client)
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59)):
        assert "Idempotency-Replayed" in post(client)
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)):
        assert "Idempotency-Replayed" not in post(client, NEW | {"name": "other"})
    assert (Customer.objects.count(), IdempotentAnswer.objects.count()) == (2, 1)


def test_the_nightly_task_forgets_what_has_had_its_day(client):
    post(client)
    forget_task()
    assert IdempotentAnswer.objects.count() == 1
    assert forget_old_answers(now=timezone.now() + timedelta(days=1)) == 1


@pytest.mark.parametrize("key", ["", " ", "ü", "x" * 256, "a\x00b"])
def test_a_key_that_is_none_is_refused(client, key):
    refused = post(client, key=key)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "Idempotency-Key")
    assert not Customer.objects.exists()


def test_actions_take_a_key_too(api, head_office, cycle):
    type(cycle).objects.update(state="draft", published_at=None)
    path = f"cycles/{cycle.pk}/open/"
    client = api(head_office)
    first, second = post(client, {}, path=path), post(client, {}, path=path)
    assert (first.status_code, second.status_code, second.json()["state"]) == (200, 200, "open")
    assert client.send("post", path, {}).status_code == 409


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "text/plain"])
def test_a_body_that_is_not_json_is_refused_as_ever(client, content_type):
    answer = client.post("/api/v1/customers/", b"x", content_type=content_type, headers={"idempotency-key": "k"})
    assert answer.status_code == 415


@pytest.mark.parametrize("depth", [200, 300, 1000])
def test_a_body_that_is_nested_too_deeply_is_refused_with_a_key_too(client, depth):
    deep = b'{"name": ' + b"[" * depth + b"]" * depth + b"}"
    for headers in ({}, {"idempotency-key": "k"}):
        answer = client.post("/api/v1/customers/", deep, content_type="application/json", headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert not Customer.objects.exists()
