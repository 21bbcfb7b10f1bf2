"""Grades by the ten thousand look as one grade does: whatever the verdict, the figures and the words."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.api.streaming import cell
from crm.models import ProductLine
from grading.api import rows, shown
from grading.models import BandKind, Cycle, Grade, GradeRecord, GradingPolicy, PolicyBand
from grading.policy import Missing
from tests.api.conftest import NOT_GRADABLE, RECORD
from tests.factories import CustomerFactory, CustomerLineFactory

NAMES = [
    "杭州市公安局",
    "",
    '"quoted"',
    "a,b",
    "back\\slash",
    "tab\tline\nend\r",
    "\\N",
    "=1+1",
    "＝SUM(A1)",
    "-5",
    "x %s %b 100%",
    "😀",
    "é\x0b",
]
MONEY = [None, 0, 1, 99, 100, -1, -99, -100, -12_345, 999_999_99, 1_000_000_00, 8_000_000_00, 9_007_199_254_740_993]
RATES = [None, 0, -1000_00, -99, 5, 99, 18_00, 27_00, 30_00, 40_00, 99_99, 100_00]
MOMENTS = [datetime(2024, 12, 20, 4, tzinfo=UTC), datetime(2025, 6, 1, 23, 59, 59, 123456, tzinfo=UTC)]


def pick(draw, *values):
    return draw(st.sampled_from(values))


@st.composite
def records(draw):
    """The columns of a record: mostly as grading writes them, and sometimes as nothing would."""
    state = pick(draw, "graded", "graded", "graded", "not_gradable", "not_assessed")
    is_horizon = state == "graded" and pick(draw, False, False, True)
    figures = {
        "state": state,
        "scheme": "close_horizon" if is_horizon else "customer_value",
        "letter": pick(draw, *"ABCD") if state == "graded" else None,
        "score": pick(draw, 60_0000, 69_9999, 84_0000, 89_2500, 120_0000, 70_1230) if state == "graded" else None,
        "missing": draw(st.integers(1, sum(Missing))) if state == "not_gradable" else 0,
        "required_margin": pick(draw, 30_00, 25_50),
        "margin_points": pick(draw, 60, 70, 80, 90, 100),
        "potential_points": pick(draw, 60, 70, 80, 90, 100),
        "bonus": pick(draw, 100, 105, 110, 120),
        "expected_margin": pick(draw, *RATES),
        "potential_sales": pick(draw, *[value for value in MONEY if value is None or value >= 0]),
        "history_sales": pick(draw, *[value for value in MONEY if value is not None]),
        "budget_amount": pick(draw, *MONEY),
        "budget_state": pick(draw, "none", "planned", "confirmed"),
        "expected_close_on": pick(draw, None, date(2025, 9, 30), date(2199, 1, 1)),
        "recorded_at": pick(draw, *MOMENTS),
        "effective_on": pick(draw, date(2025, 1, 1), date(2025, 6, 2)),
        **{name: pick(draw, True, False) for name in RECORD if name.startswith(("has_", "knows_", "budget_fits"))},
    }
    if figures["letter"] != "A" and figures["score"] is not None:
        figures |= {name: figures[name] or 0 for name in ("expected_margin", "potential_sales")}
    if is_horizon or state != "graded":
        points = ("score", "required_margin", "margin_points", "potential_points", "bonus")
        figures |= dict.fromkeys(points)
    return figures


def held_to_one_by_one():
    """What the quick way writes, as JSON and csv, against what `shown` says of each record."""
    found = Grade.objects.for_list().order_by("pk")
    expected = shown.grades(found)
    quick = rows.GradeRows(found)
    written = b"".join(quick.ndjson()).splitlines()
    table = list(csv.reader(io.StringIO(b"".join(quick.csv()).decode(), newline="")))
    assert [json.loads(line) for line in written] == json.loads(json.dumps(expected))
    assert table[0] == [column.name for column in shown.COLUMNS]
    assert table[1:] == [[cell(column, one) for column in shown.COLUMNS] for one in map(shown.flat, expected)]
    return expected


def grades(graded, verdicts, name="杭州市公安局"):
    for index, figures in enumerate(verdicts):
        graded(CustomerLineFactory(customer=CustomerFactory(name=f"{name}{index}")), **figures)


@given(verdicts=st.lists(records(), min_size=1, max_size=8), language=st.sampled_from(["en", "zh-hans"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_verdict_looks_as_it_does_alone(graded, verdicts, language):
    Grade.objects.update(record=None)
    GradeRecord.objects.all().delete()
    Grade.objects.all().delete()
    grades(graded, verdicts)
    with translation.override(language):
        assert held_to_one_by_one()


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_kept(graded, name):
    customer = CustomerFactory(name=name, code=f"C-{name}"[:40])
    graded(CustomerLineFactory(customer=customer))
    [one] = held_to_one_by_one()
    assert one["customer"]["name"] == name


def test_thousands_of_the_same_kind_differ_in_their_own_figures_only(graded):
    line = CustomerLineFactory()
    for step in range(40):
        margin, potential = step * 250 - 3000, step * 12_345_678
        graded(
            line, fiscal_year=2025 - step, expected_margin=margin, potential_sales=potential, letter="D", score=59_0000
        )
    shown_ones = held_to_one_by_one()
    assert len({one["breakdown"]["lifts"][0]["message"] for one in shown_ones if one["breakdown"]["lifts"]}) > 10


def test_bands_with_the_same_points_are_told_apart(graded):
    PolicyBand.objects.filter(kind=BandKind.POTENTIAL).update(points=70)
    for potential in (50_000_000, 150_000_000, 350_000_000, 900_000_000):
        graded(potential_sales=potential, potential_points=70)
    bands = {one["breakdown"]["parts"][1]["band_from"] for one in held_to_one_by_one()}
    assert len(bands) == 4


def test_a_policy_that_changes_is_not_remembered_as_it_was(graded):
    graded(letter="B")
    before = held_to_one_by_one()
    GradingPolicy.objects.update(a_from=95_0000)
    after = held_to_one_by_one()
    assert before[0]["breakdown"]["limits"] != after[0]["breakdown"]["limits"]


def test_what_is_remembered_is_bounded(graded, monkeypatch):
    monkeypatch.setattr(rows, "_MOST_TEMPLATES", 5)
    for missing in range(1, 20):
        graded(**{**NOT_GRADABLE, "missing": missing})
    held_to_one_by_one()
    assert rows.known().templates <= 5


@time_machine.travel("2025-06-01")
@pytest.mark.parametrize("ordering", ["id", "-id", "name", "-score", "graded_at", "grade"])
def test_pages_lead_on_by_any_ordering(api, head_office, graded, ordering):
    for index in range(7):
        moment = RECORD["recorded_at"] + timedelta(microseconds=index)
        graded(score=84_0000 + index, recorded_at=moment) if index % 3 else graded(**NOT_GRADABLE, recorded_at=moment)
    client = api(head_office)
    whole = client.results("grades/", ordering=ordering)
    found, answer = [], client.read("grades/", ordering=ordering, page_size=2).json()
    while True:
        found += answer["results"]
        if answer["next"] is None:
            break
        answer = client.get(answer["next"]).json()
    assert found == whole
    assert len(whole) == 7
    back = client.get(answer["previous"]).json()["results"]
    assert back == whole[4:6]


@time_machine.travel("2025-06-01")
def test_every_form_holds_the_grades_of_the_pages(api, north, customer, foreign_customer, graded):
    for owner in (customer, foreign_customer):
        graded(CustomerLineFactory(customer=owner))
        graded(CustomerLineFactory(customer=owner, product_line=ProductLine.objects.get(code="mms")), **NOT_GRADABLE)
    Cycle.objects.update(published_at=RECORD["recorded_at"])
    client = api(north)
    pages = client.results("grades/")
    assert len(pages) == 2
    lines = b"".join(client.read("grades/", format="ndjson").streaming_content).splitlines()
    assert [json.loads(line) for line in lines] == pages
    assert pages == [client.read(f"grades/{one['id']}/").json() for one in pages]
    text = b"".join(client.read("grades/", format="csv").streaming_content).decode()
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in table] == [str(one["id"]) for one in pages]
    [other] = [row for row in table if row["state"] == "not_gradable"]
    assert (other["reasons"], other["score"], other["breakdown.parts.expected_margin.points"]) == ("need", "", "")
    [scored] = [row for row in table if row["state"] == "graded"]
    assert (scored["score"], scored["breakdown.parts.expected_margin.compared"]) == ("84.00", "-12.00")
    assert client.results("grades/", as_of="2025-05-01") == pages
    past = b"".join(client.read("grades/", format="csv", as_of="2025-05-01").streaming_content).decode()
    assert past == text
