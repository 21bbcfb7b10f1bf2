"""`as_of` on grades: as recorded by the end of a day, and effective on it."""

from datetime import date

import pytest
import time_machine
from django.utils import timezone

from grading.models import CycleState, GradeRecord
from tests.api.conftest import NOT_GRADABLE, RECORD, policy
from tests.factories import CustomerLineFactory, CycleFactory


@pytest.fixture(autouse=True)
def september():
    with time_machine.travel("2025-09-01", tick=False):
        yield


def record_again(grade, day: str, hour: int = 12, **changes):
    """A later record of a grade; it counts from its day unless told."""
    moment = timezone.make_aware(timezone.datetime(*map(int, day.split("-")), hour))
    own = {"grade": grade, "policy": policy(), "product_line": grade.line.product_line, "recorded_at": moment}
    grade.record = GradeRecord.objects.create(**RECORD | own | {"effective_on": moment.date()} | changes)
    grade.save()


@pytest.fixture
def history(customer, graded):
    """B from December on, A from the end of 10 March on, not gradable from 1 June on."""
    grade = graded(CustomerLineFactory(customer=customer))
    record_again(grade, "2025-03-10", 23, letter="A", score=95_0000)
    record_again(grade, "2025-06-01", **NOT_GRADABLE)
    return grade


@pytest.mark.parametrize(
    ("day", "letter"),
    [("2025-01-01", "B"), ("2025-03-09", "B"), ("2025-03-10", "A"), ("2025-05-31", "A"), ("2025-06-01", None)],
)
def test_it_answers_with_the_last_record_of_the_day(api, north, history, day, letter):
    [row] = api(north).results("grades/", as_of=day)
    assert (row["id"], row["grade"]) == (history.pk, letter)


def test_what_was_recorded_but_not_yet_effective_does_not_count(api, north, history):
    record_again(history, "2025-06-10", letter="C", score=70_0000, effective_on=date(2025, 7, 1))
    assert api(north).results("grades/", as_of="2025-06-30")[0]["grade"] is None
    assert api(north).results("grades/", as_of="2025-07-01")[0]["grade"] == "C"


def test_before_the_first_record_there_is_nothing(api, north, history):
    assert api(north).results("grades/", as_of="2024-12-31", fiscal_year=2025) == []


def test_filters_and_orderings_are_those_of_that_day(api, north, history, customer, graded):
    assert api(north).results("grades/", as_of="2025-04-01", grade="B") == []
    assert len(api(north).results("grades/", as_of="2025-04-01", grade="A", line="police", search="hzsgaj")) == 1
    assert api(north).results("grades/", as_of="2025-04-01", state="not_gradable") == []
    other = graded(CustomerLineFactory(customer=customer, product_line_id=history.line.product_line_id + 1))
    for ordering, first in (("score", other), ("-score", history), ("id", history), ("-id", other)):
        rows = api(north).results("grades/", as_of="2025-04-01", ordering=ordering)
        assert [row["id"] for row in rows][0] == first.pk, ordering


def test_without_a_fiscal_year_it_is_the_one_in_effect_then(api, north, history, cycle, graded):
    type(cycle).objects.filter(pk=cycle.pk).update(published_at="2024-12-31T12:00:00+08:00")
    graded(history.line, fiscal_year=2024, effective_on=date(2024, 1, 1), recorded_at="2024-01-05T12:00:00+08:00")
    CycleFactory(fiscal_year=2024, state=CycleState.CLOSED, published_at="2024-01-02T12:00:00+08:00")
    client = api(north)
    assert [row["fiscal_year"] for row in client.results("grades/", as_of="2024-06-01")] == [2024]
    assert [row["fiscal_year"] for row in client.results("grades/", as_of="2025-02-01")] == [2025]
    assert [row["fiscal_year"] for row in client.results("grades/", as_of="2025-02-01", fiscal_year=2024)] == [2024]


def test_a_day_of_another_region_shows_nothing(api, south_user, history):
    assert api(south_user).results("grades/", as_of="2025-04-01") == []


def test_pages_go_on(api, north, customer, graded, history):
    other = graded(CustomerLineFactory(customer=customer, product_line_id=history.line.product_line_id + 1))
    first = api(north).read("grades/", as_of="2025-04-01", page_size=1, ordering="id").json()
    second = api(north).get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == [history.pk, other.pk]
    assert second["next"] is None


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_streams_show_the_day_too(api, north, history, form):
    answer = api(north).read("grades/", as_of="2025-04-01", format=form)
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content).decode()
    assert "95.00" in body


@pytest.mark.parametrize("day", ["", "yesterday", "2025-13-01", "2025-04-01T00:00:00Z", "\x00"])
def test_a_day_that_is_none_is_refused(api, north, day):
    answer = api(north).read("grades/", as_of=day)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "as_of")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days(api, north, day):
    assert api(north).read("grades/", as_of=day).status_code == 200


def test_the_past_is_not_followed(api, north):
    answer = api(north).read("grades/", as_of="2025-04-01", changed_since="2025-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "as_of")


def test_a_page_costs_the_same_queries_whatever_its_size(
    api, north, history, customer, graded, django_assert_max_num_queries
):
    client = api(north)
    client.results("grades/", as_of="2025-04-01")
    graded(CustomerLineFactory(customer=customer, product_line_id=history.line.product_line_id + 1))
    with django_assert_max_num_queries(6):
        assert len(client.results("grades/", as_of="2025-04-01")) == 2
