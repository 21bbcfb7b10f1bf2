"""Keyset pages: complete and in order through ties, records without a value and other people's writes."""

import random
from urllib.parse import parse_qs, urlsplit

import pytest

from crm.models import CustomerLine, GradeLetter
from tests.factories import CustomerFactory, CustomerLineFactory

ORDERINGS = ["id", "-id", "score", "-score", "name", "-name", "expected_close_on", "-expected_close_on"]


def make_line(region, score, close_on=None):
    graded = {} if score is None else {"state": "graded", "grade": GradeLetter.B, "score": score}
    name = "杭州市公安局" if (score or 0) % 2 else "宁波市公安局"
    customer = CustomerFactory(region=region, name=name)
    return CustomerLineFactory(customer=customer, expected_close_on=close_on, **graded)


@pytest.fixture
def lines(north_region):
    rng = random.Random(7)
    days = [None, "2026-03-01", "2026-03-02"]
    return [make_line(north_region, rng.choice([None, 1, 2, 2, 3]), rng.choice(days)) for _ in range(23)]


def pages(client, path, link="next"):
    """The pages from an address on, following a link."""
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        yield page
        path = page[link]


def ids(page):
    return [row["id"] for row in page["results"]]


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.parametrize("size", [1, 4, 23, 24])
def test_forward_and_back_is_the_whole_list_in_order(api, north, lines, ordering, size):
    client = api(north)
    whole = ids(client.read("customer-lines/", ordering=ordering).json())
    assert sorted(whole) == sorted(line.pk for line in lines)
    forward = list(pages(client, f"/api/v1/customer-lines/?ordering={ordering}&page_size={size}"))
    assert [pk for page in forward for pk in ids(page)] == whole
    assert (forward[0]["previous"], forward[-1]["next"]) == (None, None)
    if len(forward) > 1:
        back = [forward[-1], *pages(client, forward[-1]["previous"], "previous")]
        assert [pk for page in reversed(back) for pk in ids(page)] == whole
        assert back[-1]["previous"] is None


@pytest.mark.parametrize("ordering", ["score", "-score"])
def test_without_a_value_is_last(api, north, lines, ordering):
    scores = [row["score"] for row in api(north).results("customer-lines/", ordering=ordering)]
    with_score = [score for score in scores if score is not None]
    assert with_score == sorted(with_score, reverse=ordering.startswith("-"))
    assert scores == with_score + [None] * (len(scores) - len(with_score))


@pytest.mark.parametrize("ordering", ["id", "-id", "score", "-score", "name"])
@pytest.mark.parametrize("seed", range(4))
def test_others_write_meanwhile_and_nothing_is_lost_or_shown_twice(api, north, north_region, lines, ordering, seed):
    rng, client = random.Random(seed), api(north)
    stay, go = lines[::2], lines[1::2]
    shown = []
    for page in pages(client, f"/api/v1/customer-lines/?ordering={ordering}&page_size=3"):
        shown += ids(page)
        make_line(north_region, rng.choice([None, 0, 2, 9]))
        if go:
            CustomerLine.objects.filter(pk=go.pop(rng.randrange(len(go))).pk).delete()
    assert len(shown) == len(set(shown))
    assert {line.pk for line in stay} <= set(shown)


def test_the_row_at_the_cursor_may_disappear(api, north, lines):
    client = api(north)
    first = client.read("customer-lines/", page_size=5).json()
    CustomerLine.objects.filter(pk=ids(first)[-1]).delete()
    second = client.get(first["next"]).json()
    assert ids(second)[0] > ids(first)[-1]
    assert ids(client.get(second["previous"]).json()) == ids(first)[:-1]


@pytest.mark.parametrize("ordering", ["id", "-id", "name", "-name"])
def test_an_empty_page_still_leads_back(api, north, lines, ordering):
    client = api(north)
    first = client.read("customer-lines/", page_size=20, ordering=ordering).json()
    CustomerLine.objects.exclude(pk__in=ids(first)).delete()
    empty = client.get(first["next"]).json()
    assert (ids(empty), empty["next"]) == ([], None)
    assert ids(client.get(empty["previous"]).json()) == ids(first)


def test_links_keep_filters_and_size(api, north, lines):
    link = api(north).read("customer-lines/", state="graded", page_size=2, ordering="-score").json()["next"]
    asked = parse_qs(urlsplit(link).query)
    assert (asked["state"], asked["page_size"], asked["ordering"]) == (["graded"], ["2"], ["-score"])


def cursor_of(link):
    return parse_qs(urlsplit(link).query)["cursor"][0]


def test_a_cursor_is_bound_to_its_filters_ordering_and_list(api, north, lines):
    client = api(north)
    cursor = cursor_of(client.read("customer-lines/", page_size=2).json()["next"])
    assert client.read("customer-lines/", cursor=cursor, page_size=9).status_code == 200
    for path, other in [
        ("customer-lines/", {"state": "graded"}),
        ("customer-lines/", {"ordering": "name"}),
        ("customers/", {}),
    ]:
        refused = client.read(path, cursor=cursor, **other)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("cursor", ["", "x", "a:b:c", "W2ZhbHNlXQ:1abc:zzz", "é", "\x00", "x" * 3000])
def test_a_cursor_that_was_not_made_here_is_refused(api, north, cursor):
    refused = api(north).read("customers/", cursor=cursor)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("size", ["0", "-1", "1001", "many", "1.5", "", "１０", "9" * 30])
def test_a_page_size_that_makes_no_sense_is_named(api, north, size):
    refused = api(north).read("customers/", page_size=size)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "page_size"


def test_a_page_has_a_hundred_unless_told(api, north, north_region):
    CustomerFactory.create_batch(101, region=north_region)
    page = api(north).read("customers/").json()
    assert len(page["results"]) == 100
    assert page.keys() == {"next", "previous", "results"}
    assert len(api(north).results("customers/", page_size=1000)) == 101
