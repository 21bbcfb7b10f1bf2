"""How a customer is graded in a product line (DOMAIN §2): pure, exact, without a clock.

Units: money in fen, rates and margin gaps in 1/100 % (pp), scores in 1/10,000 point. Points are whole numbers,
weights and bonus whole percents, so that a score has at most four decimals and nothing is ever rounded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntFlag, StrEnum
from typing import Self

from crm.lib.dates import add_months, fiscal_year_end, fiscal_year_start

HISTORY_MONTHS = 24
HIGHEST_MARGIN = 100_00  # 1/100 %: nobody earns more than the price
LETTERS = ("A", "B", "C", "D")


class State(StrEnum):
    """Whether there is a grade, and if not, why not."""

    GRADED = "graded"
    NOT_GRADABLE = "not_gradable"
    NOT_ASSESSED = "not_assessed"


class Scheme(StrEnum):
    """What the grade of a product line's customers measures."""

    CUSTOMER_VALUE = "customer_value"
    CLOSE_HORIZON = "close_horizon"


class BudgetState(StrEnum):
    """How far the customer's budget for the year has come."""

    NONE = "none"
    PLANNED = "planned"
    CONFIRMED = "confirmed"


class Missing(IntFlag):
    """What keeps an assessment from being graded; a record stores the sum."""

    NEED = 1
    BUDGET = 2
    BUDGET_PRICING = 4
    BUDGET_TOO_SMALL = 8
    TIMETABLE = 16
    DECISION_MAKERS = 32
    CLOSE_DATE = 64
    CLOSE_DATE_OUTSIDE = 128
    EXPECTED_MARGIN = 256
    POTENTIAL_SALES = 512

    @property
    def code(self) -> str:
        """The stable word for it on every door."""
        return str(self.name).lower()


ELEMENTS = {
    "need": Missing.NEED,
    "budget": Missing.BUDGET | Missing.BUDGET_PRICING | Missing.BUDGET_TOO_SMALL,
    "timetable": Missing.TIMETABLE,
    "decision_makers": Missing.DECISION_MAKERS,
    "expected_close": Missing.CLOSE_DATE | Missing.CLOSE_DATE_OUTSIDE,
    "figures": Missing.EXPECTED_MARGIN | Missing.POTENTIAL_SALES,
}


@dataclass(frozen=True)
class Band:
    """What a value earns from `floor` on, up to the next band's floor; half-open upwards."""

    points: int
    floor: int | None  # None: no lower end. Fen for money, 1/100 pp for margin gaps.


@dataclass(frozen=True)
class LineRule:
    """What a policy says of one product line."""

    scheme: Scheme = Scheme.CUSTOMER_VALUE
    smallest_budget: int | None = None  # fen
    required_margins: tuple[tuple[int, int], ...] = ()  # (from fiscal year, 1/100 %), any order


@dataclass(frozen=True)
class Policy:
    """One version of the grading policy."""

    margin: tuple[Band, ...]
    potential: tuple[Band, ...]
    bonus: tuple[Band, ...]  # points are percents
    margin_weight: int
    potential_weight: int
    a_from: int
    b_from: int
    c_from: int
    required_margin: int  # where a line has none of its own
    horizon_months: tuple[int, int, int] = (3, 6, 12)
    lines: dict[str, LineRule] = field(default_factory=dict)
    number: int = 0

    def rule(self, line: str) -> LineRule:
        """The rule of a product line."""
        return self.lines.get(line, LineRule())

    def required_margin_of(self, line: str, year: int) -> int:
        """The margin required of a line in a fiscal year, 1/100 %: its own, else the latest earlier year's."""
        earlier = [pair for pair in self.rule(line).required_margins if pair[0] <= year]
        return max(earlier)[1] if earlier else self.required_margin

    @property
    def limits(self) -> tuple[tuple[str, int], ...]:
        """The letters with the lowest score that earns them; D has none."""
        return (("A", self.a_from), ("B", self.b_from), ("C", self.c_from))


@dataclass(frozen=True)
class Calendar:
    """The days that decide, made once for a run."""

    fiscal_year: int
    year_start: date
    year_end: date  # the first day after it
    as_of: date
    history_from: date
    horizons: tuple[date, date, date]

    @classmethod
    def of(cls, *, fiscal_year: int, as_of: date, policy: Policy, first_month: int = 1) -> Self:
        """The calendar of a fiscal year as seen on the grading date."""
        near, middle, far = policy.horizon_months
        return cls(
            fiscal_year=fiscal_year,
            year_start=fiscal_year_start(fiscal_year, first_month),
            year_end=fiscal_year_end(fiscal_year, first_month),
            as_of=as_of,
            history_from=add_months(as_of, -HISTORY_MONTHS),
            horizons=(add_months(as_of, near), add_months(as_of, middle), add_months(as_of, far)),
        )


@dataclass(frozen=True)
class Facts:
    """What is known of a customer in a product line for one fiscal year."""

    line: str  # the product line's code
    is_assessed: bool = True
    expected_margin: int | None = None  # 1/100 %
    potential_sales: int | None = None  # fen, in the year
    history_sales: int = 0  # fen, [as_of - 24 months, as_of)
    has_need: bool = False
    budget_state: str = BudgetState.NONE
    budget_amount: int | None = None  # fen
    budget_fits_pricing: bool = False
    has_timetable: bool = False
    knows_decision_makers: bool = False
    expected_close_on: date | None = None
    has_begun_selection: bool = False


@dataclass(frozen=True)
class Lift:
    """A change that would earn the next better grade; several parts have to come together."""

    letter: str
    short_by: int  # 1/10,000 point
    changes: tuple[tuple[str, int, int], ...]  # (figure, from, to) in the figure's unit


@dataclass(frozen=True)
class Grading:
    """The verdict with its parts."""

    state: State
    scheme: Scheme
    missing: Missing = Missing(0)
    letter: str | None = None
    score: int | None = None  # 1/10,000 point
    required_margin: int | None = None
    margin_points: int | None = None
    potential_points: int | None = None
    bonus: int | None = None  # percent

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes of what is missing, in the order of the elements."""
        return tuple(flag.code for flag in Missing if flag in self.missing)


def points(value: int, bands: Sequence[Band]) -> int:
    """What a value earns: the highest floor at or below it decides."""
    return max((band for band in bands if band.floor is None or band.floor <= value), key=_floor).points


def letter(score: int, policy: Policy) -> str:
    """The grade of an unrounded score."""
    return next((name for name, limit in policy.limits if score >= limit), "D")


def missing(facts: Facts, policy: Policy, calendar: Calendar) -> Missing:
    """What keeps the facts from being graded: the four elements, the close date, the figures of the scheme."""
    rule = policy.rule(facts.line)
    found = _missing_budget(facts, rule) | _missing_close_date(facts, calendar)
    for is_met, flag in (
        (facts.has_need, Missing.NEED),
        (facts.has_timetable, Missing.TIMETABLE),
        (facts.knows_decision_makers, Missing.DECISION_MAKERS),
    ):
        found |= Missing(0) if is_met else flag
    if rule.scheme == Scheme.CUSTOMER_VALUE:
        found |= Missing(0) if facts.expected_margin is not None else Missing.EXPECTED_MARGIN
        found |= Missing(0) if facts.potential_sales is not None else Missing.POTENTIAL_SALES
    return found


def grade(facts: Facts, policy: Policy, calendar: Calendar) -> Grading:
    """Grade one customer line. Outside `graded`, letter and score are None and `missing` says why."""
    scheme = policy.rule(facts.line).scheme
    if not facts.is_assessed:
        return Grading(State.NOT_ASSESSED, scheme)
    gaps = missing(facts, policy, calendar)
    if gaps:
        return Grading(State.NOT_GRADABLE, scheme, gaps)
    if scheme == Scheme.CLOSE_HORIZON:
        return Grading(State.GRADED, scheme, letter=_letter_of_horizon(facts, calendar))
    return _grade_value(facts, policy, calendar)


def lifts(grading: Grading, facts: Facts, policy: Policy) -> tuple[Lift, ...]:
    """What would earn the next better grade: each figure that does alone, else margin and potential together."""
    if grading.score is None or grading.letter in (None, "A"):
        return ()
    better = LETTERS[LETTERS.index(str(grading.letter)) - 1]
    limit = dict(policy.limits)[better]
    steps = _steps(grading, facts, policy)
    alone = [[step] for name in steps for step in _first(steps[name], limit, grading, policy)]
    found = alone or _pairs(steps, limit, grading, policy)
    return tuple(
        Lift(better, limit - grading.score, tuple((name, now, to) for name, now, to, _ in changes)) for changes in found
    )


def _grade_value(facts: Facts, policy: Policy, calendar: Calendar) -> Grading:
    required = policy.required_margin_of(facts.line, calendar.fiscal_year)
    margin = points(_known(facts.expected_margin) - required, policy.margin)
    potential = points(_known(facts.potential_sales), policy.potential)
    bonus = points(facts.history_sales, policy.bonus)
    total = _score(margin, potential, bonus, policy)
    return Grading(
        State.GRADED,
        Scheme.CUSTOMER_VALUE,
        letter=letter(total, policy),
        score=total,
        required_margin=required,
        margin_points=margin,
        potential_points=potential,
        bonus=bonus,
    )


def _score(margin: int, potential: int, bonus: int, policy: Policy) -> int:
    base = margin * policy.margin_weight + potential * policy.potential_weight  # percent × points: 1/100 point
    return base * bonus  # × percent: 1/10,000 point


def _letter_of_horizon(facts: Facts, calendar: Calendar) -> str:
    near, middle, far = calendar.horizons
    close_on = facts.expected_close_on or calendar.year_end
    if close_on < near and facts.has_begun_selection:
        return "A"
    if close_on < middle:
        return "B"
    return "C" if close_on < far else "D"


def _missing_budget(facts: Facts, rule: LineRule) -> Missing:
    if facts.budget_state == BudgetState.NONE:
        return Missing.BUDGET
    found = Missing(0) if facts.budget_fits_pricing else Missing.BUDGET_PRICING
    if rule.smallest_budget is not None and (facts.budget_amount or 0) < rule.smallest_budget:
        found |= Missing.BUDGET_TOO_SMALL
    return found


def _missing_close_date(facts: Facts, calendar: Calendar) -> Missing:
    if facts.expected_close_on is None:
        return Missing.CLOSE_DATE
    if not calendar.year_start <= facts.expected_close_on < calendar.year_end:
        return Missing.CLOSE_DATE_OUTSIDE
    return Missing(0)


# A step: (figure, its value now, the value that reaches a better band, the points or percent of that band).
Step = tuple[str, int, int, int]


def _steps(grading: Grading, facts: Facts, policy: Policy) -> dict[str, list[Step]]:
    """Every better band of every figure, nearest first."""
    required, margin = _known(grading.required_margin), _known(facts.expected_margin)
    potential, history = _known(facts.potential_sales), facts.history_sales
    return {
        "potential_sales": [("potential_sales", potential, *up) for up in _better(potential, policy.potential)],
        "expected_margin": [
            ("expected_margin", margin, floor + required, earned)
            for floor, earned in _better(margin - required, policy.margin)
            if floor + required <= HIGHEST_MARGIN
        ],
        "history_sales": [("history_sales", history, *up) for up in _better(history, policy.bonus)],
    }


def _better(value: int, bands: Iterable[Band]) -> list[tuple[int, int]]:
    return sorted((band.floor, band.points) for band in bands if band.floor is not None and band.floor > value)


def _first(steps: list[Step], limit: int, grading: Grading, policy: Policy) -> list[Step]:
    return [step for step in steps if _score_with([step], grading, policy) >= limit][:1]


def _pairs(steps: dict[str, list[Step]], limit: int, grading: Grading, policy: Policy) -> list[list[Step]]:
    pairs = [[potential, margin] for potential in steps["potential_sales"] for margin in steps["expected_margin"]]
    return [pair for pair in pairs if _score_with(pair, grading, policy) >= limit][:1]


def _score_with(changes: Iterable[Step], grading: Grading, policy: Policy) -> int:
    earned = {name: value for name, _, _, value in changes}
    return _score(
        earned.get("expected_margin", _known(grading.margin_points)),
        earned.get("potential_sales", _known(grading.potential_points)),
        earned.get("history_sales", _known(grading.bonus)),
        policy,
    )


def _known(value: int | None) -> int:
    if value is None:
        raise ValueError("a graded assessment has all its figures")
    return value


def _floor(band: Band) -> float:
    return float("-inf") if band.floor is None else band.floor


def _wan(amount: int) -> int:
    return amount * 1_000_000


SHIPPED = Policy(
    number=1,
    margin=(Band(60, None), Band(70, -20_00), Band(80, -10_00), Band(90, -3_00), Band(100, 10_00)),
    potential=(Band(60, None), Band(70, _wan(100)), Band(80, _wan(200)), Band(90, _wan(400)), Band(100, _wan(800))),
    bonus=(Band(100, None), Band(105, 1), Band(110, _wan(200)), Band(120, _wan(400))),
    margin_weight=50,
    potential_weight=50,
    a_from=90_0000,
    b_from=80_0000,
    c_from=70_0000,
    required_margin=30_00,
)
