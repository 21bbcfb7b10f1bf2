"""What is known of a customer line: its assessments year by year and its sales. Amounts in fen, rates in 1/100 %."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from crm.lib.dates import add_months
from grading.demo.places import Level

WAN = 1_000_000  # fen
REQUIRED_MARGINS = {
    "mms": 30_00,
    "urban-management": 28_00,
    "police": 32_00,
    "digital-city": 30_00,
    "transport": 26_00,
    "emergency": 30_00,
    "tourism": 35_00,
}
_TYPICAL_WAN = {Level.PROVINCE: 300, Level.PREFECTURE: 160, Level.COUNTY: 70}


@dataclass(frozen=True)
class SalePlan:
    """A contract, or what is taken back of one."""

    contract_no: str
    signed_on: date
    amount: int
    note: str = ""


@dataclass(frozen=True)
class AssessmentPlan:
    """What a person entered for a fiscal year; the names are the model's."""

    fiscal_year: int
    expected_margin: int | None
    potential_sales: int | None
    has_need: bool
    budget_state: str
    budget_amount: int | None
    budget_fits_pricing: bool
    has_timetable: bool
    knows_decision_makers: bool
    expected_close_on: date | None
    has_begun_selection: bool
    has_system: bool
    note: str = ""


# What people forget: (how often, what is then missing).
_GAPS: tuple[tuple[float, dict[str, object]], ...] = (
    (0.030, {"has_need": False}),
    (0.030, {"budget_state": "none", "budget_amount": None, "budget_fits_pricing": False}),
    (0.015, {"budget_fits_pricing": False}),
    (0.035, {"has_timetable": False}),
    (0.040, {"knows_decision_makers": False}),
    (0.010, {"expected_close_on": None, "has_timetable": False}),
    (0.010, {"expected_margin": None}),
    (0.008, {"potential_sales": None}),
)
_CLOSES_LATER = 0.012
_NOT_ASSESSED = 0.06


def assessments(
    rng: Random, line: str, level: Level, starts: dict[int, date], is_existing: bool
) -> Iterator[AssessmentPlan]:
    """One for each fiscal year of `starts` (year → first day), but where nobody has assessed the customer."""
    potential = _typical(rng, level) * (1.25 if is_existing else 1)
    margin = REQUIRED_MARGINS[line] + rng.gauss(-1200, 1600)
    for year, first_day in sorted(starts.items()):
        potential *= rng.lognormvariate(0.05, 0.35)
        margin += rng.gauss(0, 300)
        plan = _assessment(
            rng, year, first_day, _rounded(potential), int(max(3_00, min(margin, 70_00))) // 50 * 50, is_existing
        )
        if rng.random() >= _NOT_ASSESSED:
            yield _with_gaps(rng, plan, first_day)


def sales(rng: Random, level: Level, prefix: str, first_day: date, last_day: date) -> Iterator[SalePlan]:
    """What an existing customer bought from the first day to the last, now and then with something taken back."""
    days = (last_day - first_day).days
    typical = _typical(rng, level) / 2.2
    for number in range(1, rng.choice((1, 2, 2, 3, 3, 4, 5, 7)) + 1):
        signed_on = first_day + timedelta(days=rng.randrange(days))
        amount = _rounded(typical * rng.lognormvariate(0, 0.6)) + rng.choice((0, 0, 0, 50, 1234_56))
        yield SalePlan(f"{prefix}-{signed_on.year % 100:02}{number:02}", signed_on, amount)
        back_on = signed_on + timedelta(days=rng.randrange(20, 120))
        if rng.random() < 0.04 and back_on < last_day:
            yield SalePlan("", back_on, -_rounded(amount * rng.uniform(0.1, 0.5)), f"{prefix} 部分退货")


def _typical(rng: Random, level: Level) -> float:
    return _TYPICAL_WAN[level] * WAN * rng.lognormvariate(0, 1.1)


def _rounded(amount: float) -> int:
    """As people estimate: to 5万, small amounts to a thousand yuan."""
    step = 5 * WAN if amount >= 100 * WAN else WAN // 10
    return max(step, round(amount / step) * step)


def _assessment(
    rng: Random, year: int, first_day: date, potential: int, margin: int, is_existing: bool
) -> AssessmentPlan:
    month = rng.choices(range(12), weights=(5, 4, 8, 8, 8, 11, 8, 8, 11, 9, 9, 11))[0]
    return AssessmentPlan(
        fiscal_year=year,
        expected_margin=margin,
        potential_sales=potential,
        has_need=True,
        budget_state="confirmed" if rng.random() < 0.6 else "planned",
        budget_amount=_rounded(potential * rng.uniform(0.8, 1.3)),
        budget_fits_pricing=True,
        has_timetable=True,
        knows_decision_makers=True,
        expected_close_on=add_months(first_day, month) + timedelta(days=rng.randrange(28)),
        has_begun_selection=rng.random() < (0.75 if month < 4 else 0.25),
        has_system=is_existing or rng.random() < 0.3,
    )


def _with_gaps(rng: Random, plan: AssessmentPlan, first_day: date) -> AssessmentPlan:
    for likely, absent in _GAPS:
        if rng.random() < likely:
            plan = replace(plan, **absent)  # type: ignore[arg-type]
    if plan.expected_close_on and rng.random() < _CLOSES_LATER:
        plan = replace(plan, expected_close_on=add_months(first_day, 13) + timedelta(days=rng.randrange(28)))
    return plan
