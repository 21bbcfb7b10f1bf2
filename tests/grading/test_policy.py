"""The grading policy of DOMAIN §2; no database, and the name of a test is the rule."""

from dataclasses import replace
from datetime import date

from grading.policy import SHIPPED, BudgetState, Calendar, Facts, grade

CALENDAR = Calendar.of(fiscal_year=2026, as_of=date(2026, 1, 1), policy=SHIPPED)


def yuan(amount):
    return round(amount * 100)


def facts(**changes):
    met = Facts(
        line="police",
        expected_margin=30_00,
        potential_sales=yuan(4_000_000),
        has_need=True,
        budget_state=BudgetState.CONFIRMED,
        budget_fits_pricing=True,
        has_timetable=True,
        knows_decision_makers=True,
        expected_close_on=date(2026, 6, 30),
    )
    return replace(met, **changes)


def test_the_worked_example_of_the_policy_is_b_with_84():
    grading = grade(
        facts(expected_margin=18_00, potential_sales=yuan(4_000_000), history_sales=yuan(1_500_000)), SHIPPED, CALENDAR
    )
    assert (grading.letter, grading.score) == ("B", 84_0000)
