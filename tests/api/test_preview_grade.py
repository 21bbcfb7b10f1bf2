"""POST /api/v1/grades/preview/: the worked case, every boundary, every element; nothing is stored."""

import pytest

from grading.models import Grade, GradeRecord
from tests.factories import UserFactory

WORKED = {
    "line": "police",
    "fiscal_year": 2026,
    "expected_margin": "18.00",
    "potential_sales": "4000000.00",
    "history_sales": "1500000.00",
    "need": True,
    "budget": {"state": "confirmed", "amount": "4000000.00", "fits_pricing": True},
    "timetable": True,
    "decision_makers": True,
    "expected_close_on": "2026-09-30",
}


@pytest.fixture
def preview(api, north):
    client = api(north, "grades:read")

    def ask(**changes):
        body = {name: value for name, value in (WORKED | changes).items() if value is not ...}
        return client.send("post", "grades/preview/", body)

    return ask


def test_the_worked_case_is_b_with_84(preview):
    answer = preview()
    shown = answer.json()
    assert answer.status_code == 200
    assert (shown["score"], shown["grade"], shown["state"]) == ("84.00", "B", "graded")
    assert (shown["required_margin"], shown["id"], shown["customer"], shown["reasons"]) == ("30.00", None, None, [])
    assert (shown["breakdown"]["base"], shown["breakdown"]["bonus"]) == ("80.00", 105)
    assert shown["breakdown"]["inputs"]["budget"] == WORKED["budget"]
    assert not Grade.objects.exists()
    assert not GradeRecord.objects.exists()


def test_it_has_the_shape_of_a_stored_grade(preview, api, head_office, graded):
    grade = graded()
    stored = api(head_office).read(f"grades/{grade.pk}/").json()
    shown = preview().json()
    assert shown.keys() == stored.keys()
    assert shown["breakdown"].keys() == stored["breakdown"].keys()
    assert shown["breakdown"]["inputs"].keys() == stored["breakdown"]["inputs"].keys()


def test_json_numbers_are_taken_as_written(preview):
    shown = preview(history_sales=1500000, potential_sales=4000000, expected_margin=18.0).json()
    assert shown["score"] == "84.00"


@pytest.mark.parametrize(
    ("margin", "points"),
    [
        ("40.00", 100),
        ("39.99", 90),
        ("27.00", 90),
        ("26.99", 80),
        ("20.00", 80),
        ("19.99", 70),
        ("10.00", 70),
        ("9.99", 60),
        ("-1000.00", 60),
        ("100.00", 100),
    ],
)
def test_margins_at_their_limits(preview, margin, points):
    assert preview(expected_margin=margin).json()["breakdown"]["parts"][0]["points"] == points


@pytest.mark.parametrize(
    ("sales", "points"),
    [
        ("8000000.00", 100),
        ("7999999.99", 90),
        ("4000000.00", 90),
        ("3999999.99", 80),
        ("2000000.00", 80),
        ("1999999.99", 70),
        ("1000000.00", 70),
        ("999999.99", 60),
        ("0.00", 60),
    ],
)
def test_potential_sales_at_their_limits(preview, sales, points):
    assert preview(potential_sales=sales).json()["breakdown"]["parts"][1]["points"] == points


@pytest.mark.parametrize(
    ("sales", "bonus"),
    [
        ("4000000.00", 120),
        ("3999999.99", 110),
        ("2000000.00", 110),
        ("1999999.99", 105),
        ("0.01", 105),
        ("0.00", 100),
        ("-0.01", 100),
    ],
)
def test_history_at_its_limits(preview, sales, bonus):
    assert preview(history_sales=sales).json()["breakdown"]["bonus"] == bonus


@pytest.mark.parametrize(
    ("changes", "code", "element"),
    [
        ({"need": False}, "need", "need"),
        ({"need": ...}, "need", "need"),
        ({"budget": False}, "budget", "budget"),
        ({"budget": "none"}, "budget", "budget"),
        ({"budget": ...}, "budget", "budget"),
        ({"budget": {"state": "planned"}}, "budget_pricing", "budget"),
        ({"timetable": False}, "timetable", "timetable"),
        ({"decision_makers": False}, "decision_makers", "decision_makers"),
        ({"expected_close_on": None}, "close_date", "expected_close"),
        ({"expected_close_on": "2025-12-31"}, "close_date_outside", "expected_close"),
        ({"expected_close_on": "2027-01-01"}, "close_date_outside", "expected_close"),
        ({"expected_margin": ...}, "expected_margin", "figures"),
        ({"potential_sales": None}, "potential_sales", "figures"),
    ],
)
def test_what_is_missing_is_named(preview, changes, code, element):
    shown = preview(**changes).json()
    assert (shown["state"], shown["grade"], shown["score"]) == ("not_gradable", None, None)
    assert [(reason["code"], reason["element"]) for reason in shown["reasons"]] == [(code, element)]
    assert shown["required_margin"] == "30.00"


@pytest.mark.parametrize("close_on", ["2026-01-01", "2026-12-31"])
def test_the_close_date_may_be_the_years_first_or_last_day(preview, close_on):
    assert preview(expected_close_on=close_on).json()["state"] == "graded"


@pytest.mark.parametrize("budget", [True, "planned", "confirmed"])
def test_a_bare_budget_fits_the_pricing(preview, budget):
    assert preview(budget=budget).json()["score"] == "84.00"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"line": "no-such-line"}, "line", "does_not_exist"),
        ({"line": 7}, "line", "invalid"),
        ({"line": ...}, "line", "required"),
        ({"fiscal_year": "next"}, "fiscal_year", "invalid"),
        ({"fiscal_year": 99999}, "fiscal_year", "max_value"),
        ({"expected_margin": "18.005"}, "expected_margin", "too_precise"),
        ({"expected_margin": "18,5"}, "expected_margin", "invalid"),
        ({"expected_margin": "100.01"}, "expected_margin", "out_of_range"),
        ({"potential_sales": "1e9"}, "potential_sales", "invalid"),
        ({"potential_sales": "-0.01"}, "potential_sales", "out_of_range"),
        ({"potential_sales": True}, "potential_sales", "invalid"),
        ({"potential_sales": "１００"}, "potential_sales", "invalid"),
        ({"potential_sales": "9" * 40}, "potential_sales", "too_large"),
        ({"history_sales": None}, "history_sales", "null"),
        ({"budget": "maybe"}, "budget", "invalid"),
        ({"budget": {"state": "planned", "amount": "1.234"}}, "budget", "too_precise"),
        ({"budget": {"state": "planned", "size": 1}}, "budget", "invalid"),
        ({"budget": {"state": ["planned"]}}, "budget", "invalid"),
        ({"expected_close_on": "30.09.2026"}, "expected_close_on", "invalid"),
        ({"as_of": "0001-01-01"}, "as_of", "out_of_range"),
        ({"marign": "18.00"}, "marign", "unknown_field"),
    ],
)
def test_it_names_the_field_that_is_wrong(preview, changes, field, code):
    answer = preview(**changes)
    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


def test_an_administrator_has_no_grades_to_preview(api, db):
    from_admin = api(admin()).send("post", "grades/preview/", WORKED)
    assert (from_admin.status_code, from_admin.json()["code"]) == (403, "permission_denied")


def admin():
    return UserFactory(role="administrator")
