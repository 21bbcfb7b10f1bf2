"""How often one may ask: said in every answer, refused with the time to wait."""

import pytest
import time_machine
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from redis.exceptions import ConnectionError as RedisAway

from crm.api.throttling import counted

NOON = "2026-11-21T12:00:15+08:00"


@pytest.fixture(autouse=True)
def three_a_minute(settings):
    settings.API_RATE = (3, 60)


@time_machine.travel(NOON, tick=False)
def test_each_answer_says_what_is_left(api, north):
    client = api(north)
    answers = [client.read("customers/") for _ in range(3)]
    assert [answer["RateLimit"] for answer in answers] == [f'"default";r={left};t=45' for left in (2, 1, 0)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"default";q=3;w=60'}


@time_machine.travel(NOON, tick=False)
def test_what_has_not_changed_says_what_is_left_too(api, north):
    client = api(north)
    tag = client.read("customers/")["ETag"]
    answer = client.get("/api/v1/customers/", headers={"if-none-match": tag})
    assert (answer.status_code, answer["RateLimit"]) == (304, '"default";r=1;t=45')
    assert answer["RateLimit-Policy"] == '"default";q=3;w=60'


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("get", "sales/", "application/json", 403),
        ("post", "regions/", "application/json", 405),
        ("get", "regions/", "text/turtle", 406),
        ("get", "regions/0/", "application/json", 404),
        ("get", "regions/?colour=red", "application/json", 400),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_a_refusal_is_counted_once_and_says_what_is_left(api, north, method, path, accept, status):
    client = api(north, "grades:read")
    for left in (2, 1, 0):
        answer = getattr(client, method)(f"/api/v1/{path}", headers={"accept": accept})
        assert (answer.status_code, answer["RateLimit"]) == (status, f'"default";r={left};t=45')
        assert answer["RateLimit-Policy"] == '"default";q=3;w=60'
    assert getattr(client, method)(f"/api/v1/{path}", headers={"accept": accept}).status_code == 429


def test_one_too_many_is_told_when_to_come_back(api, north):
    client = api(north)
    with time_machine.travel(NOON, tick=False):
        for _ in range(3):
            assert client.read("customers/").status_code == 200
        refused = client.read("customers/")
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "throttled", "45")
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["RateLimit"] == '"default";r=0;t=45'
    with time_machine.travel("2026-11-21T12:01:00+08:00", tick=False):
        assert client.read("customers/").status_code == 200


def test_a_cache_that_is_emptied_meanwhile_counts_anew(monkeypatch):
    monkeypatch.setattr(LocMemCache, "add", lambda *args, **kwargs: True)  # and gone again at once
    assert counted("rate:x:1", 60) == 1


@time_machine.travel(NOON, tick=False)
def test_tokens_and_sessions_are_counted_apart(api, north):
    first, second, browser = api(north), api(north), Client()
    browser.force_login(north)
    for _ in range(3):
        first.read("customers/")
    assert first.read("customers/").status_code == 429
    assert second.read("customers/").status_code == 200
    assert browser.get("/api/v1/customers/").status_code == 200


def test_zero_is_no_limit(api, north, settings):
    settings.API_RATE = (0, 1)
    client = api(north)
    assert {client.read("customers/").status_code for _ in range(5)} == {200}
    assert "RateLimit" not in client.read("customers/")


def test_the_public_description_is_not_counted(db):
    for _ in range(4):
        assert Client().get("/api/v1/schema/").status_code == 200


def test_without_its_cache_the_api_goes_on(api, north, monkeypatch, caplog):
    def away(*args):
        raise RedisAway("connection refused")

    monkeypatch.setattr(LocMemCache, "incr", away)
    assert api(north).read("customers/").status_code == 200
    assert "does not count" in caplog.text
