"""/api/v1/cycles/, policies, regions and product lines."""

import pytest

from crm.models import ProductLine
from grading.models import Cycle, CycleState, GradingPolicy, GradingRun
from tests.factories import CycleFactory


@pytest.fixture
def draft(db):
    return CycleFactory(fiscal_year=2027, state=CycleState.DRAFT)


@pytest.fixture
def client(api, head_office):
    return api(head_office)


def test_it_shows_cycles_the_latest_first(client, draft):
    CycleFactory(fiscal_year=2026)
    assert [row["fiscal_year"] for row in client.results("cycles/")] == [2027, 2026]
    shown = client.read(f"cycles/{draft.pk}/").json()
    assert (shown["state"], shown["starts_on"], shown["run"]) == ("draft", "2027-01-01", None)
    assert [row["fiscal_year"] for row in client.results("cycles/", state="draft")] == [2027]


def test_it_opens_a_draft_once(client, draft):
    opened = client.send("post", f"cycles/{draft.pk}/open/")
    assert (opened.status_code, opened.json()["state"]) == (200, "open")
    again = client.send("post", f"cycles/{draft.pk}/open/")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_cycle_state")


def test_it_starts_a_run_in_the_background(client, draft):
    client.send("post", f"cycles/{draft.pk}/open/")
    started = client.send("post", f"cycles/{draft.pk}/start-run/", {"as_of": "2026-12-01"})
    assert started.status_code == 202, started.content
    run = started.json()["run"]
    assert (run["id"], run["as_of"], run["policy_version"]) == (GradingRun.objects.get().pk, "2026-12-01", 1)
    assert run["progress"].keys() == {"done", "total", "rate", "time_left"}
    other = client.send("post", f"cycles/{draft.pk}/start-run/", {"as_of": "2026-12-02"})
    assert (other.status_code, other.json()["code"]) == (409, "run_under_way")


def test_it_publishes_an_open_cycle_only(client, draft):
    refused = client.send("post", f"cycles/{draft.pk}/publish/")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_cycle_state")
    client.send("post", f"cycles/{draft.pk}/open/")
    published = client.send("post", f"cycles/{draft.pk}/publish/")
    assert (published.status_code, published.json()["run"]["publishes"]) == (202, True)


@pytest.mark.parametrize("verb", ["open", "start-run", "publish"])
def test_a_region_reads_cycles_and_moves_none(api, north, draft, verb):
    client = api(north)
    assert client.read(f"cycles/{draft.pk}/").status_code == 200
    assert client.send("post", f"cycles/{draft.pk}/{verb}/").status_code == 403
    assert Cycle.objects.get().state == CycleState.DRAFT


@pytest.mark.parametrize("verb", ["open", "start-run", "publish"])
def test_a_reading_token_moves_none(api, head_office, draft, verb):
    answer = api(head_office, "read").send("post", f"cycles/{draft.pk}/{verb}/")
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


def test_a_runs_counts_are_for_those_who_see_every_region(api, north, client, draft):
    client.send("post", f"cycles/{draft.pk}/open/")
    client.send("post", f"cycles/{draft.pk}/start-run/")
    assert client.read(f"cycles/{draft.pk}/").json()["run"] is not None
    assert api(north).read(f"cycles/{draft.pk}/").json()["run"] is None


def test_a_run_names_what_is_wrong_with_its_wish(client, draft):
    answer = client.send("post", f"cycles/{draft.pk}/start-run/", {"line": "poetry", "when": "now"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "when"


def test_it_shows_the_policy_in_words_of_its_units(client):
    [shown] = client.results("policies/")
    assert shown == client.read("policies/1/").json()
    assert (shown["number"], shown["state"], shown["margin_weight"]) == (1, "published", 50)
    assert shown["limits"][0] == {"grade": "A", "at_least": "90.00"}
    assert {"at_least": "10.00", "points": 100} in shown["margin_bands"]
    assert {"at_least": "8000000.00", "points": 100} in shown["potential_bands"]
    assert {"at_least": None, "points": 100} in shown["bonus_bands"]
    assert (shown["required_margin"], shown["horizon_months"]) == ("30.00", [3, 6, 12])


def test_drafts_of_a_policy_are_for_those_who_edit_them(api, north, client):
    GradingPolicy.objects.create(number=2)
    assert [row["number"] for row in client.results("policies/")] == [2, 1]
    assert [row["number"] for row in api(north).results("policies/")] == [1]
    assert api(north).read("policies/2/").status_code == 404


def test_product_lines_are_the_same_for_everyone(api, north):
    shown = api(north).results("product-lines/")
    assert [row["code"] for row in shown] == list(
        ProductLine.objects.order_by("position").values_list("code", flat=True)
    )
    assert shown[2]["name_en"] == "Police"


def test_a_region_sees_itself(api, north, client, north_region, south_region):
    assert [row["code"] for row in api(north).results("regions/")] == ["north"]
    assert {row["code"] for row in client.results("regions/")} == {"north", "south"}
    assert api(north).read(f"regions/{south_region.pk}/").status_code == 404
