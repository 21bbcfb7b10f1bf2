"""SQL and Python give the same verdict: random policies, random facts near every limit, on the suite's database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm.lib.dates import add_months, fiscal_year_end, fiscal_year_start
from crm.models import Customer, CustomerKind, CustomerLine, PolicyState, ProductLine, Sale
from grading import policy as rules
from grading.actions.heads import reserve_heads
from grading.actions.lines import Lines
from grading.actions.records import Occasion, count_verdicts, write_records
from grading.models import (
    Assessment,
    BandKind,
    BudgetState,
    Cause,
    Grade,
    GradeRecord,
    GradingPolicy,
    PolicyBand,
    PolicyLineRule,
    RequiredMargin,
    Scheme,
)
from tests.factories import CustomerFactory, CustomerLineFactory, RegionFactory

pytestmark = pytest.mark.django_db

LINES = 70
QUICK = settings(
    max_examples=30,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],  # the facts hang on a seed: a smaller example would not be a simpler one
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
THOROUGH = settings(QUICK, max_examples=200, derandomize=False, print_blob=True)

MONTH_ENDS = st.sampled_from(
    [date(2024, 2, 29), date(2028, 2, 29), date(2026, 2, 28), date(2025, 8, 31), date(2026, 11, 30), date(2025, 12, 31)]
)


def bands(floors: st.SearchStrategy, points: st.SearchStrategy) -> st.SearchStrategy:
    """One band without a lower end, and up to six above it."""
    steps = st.lists(st.tuples(floors, points), max_size=6, unique_by=lambda step: step[0])
    return st.tuples(points, steps).map(lambda drawn: [(None, drawn[0]), *drawn[1]])


FEN = st.one_of(st.integers(1, 10**7), st.integers(10**7, 10**13))
POLICIES = st.fixed_dictionaries(
    {
        "margin": bands(st.integers(-60_00, 60_00), st.integers(0, 100)),
        "potential": bands(FEN, st.integers(0, 100)),
        "bonus": bands(st.one_of(FEN, st.just(1), st.integers(-(10**9), 0)), st.integers(50, 200)),
        "margin_weight": st.integers(0, 100),
        "limits": st.lists(st.integers(1, 200_0000), min_size=3, max_size=3, unique=True).map(sorted),
        "required_margin": st.integers(-20_00, 60_00),
        "months": st.lists(st.integers(1, 30), min_size=3, max_size=3, unique=True).map(sorted),
        "lines": st.lists(
            st.tuples(
                st.sampled_from(Scheme.values),
                st.none() | FEN,
                st.lists(
                    st.tuples(st.integers(2023, 2028), st.integers(-5_00, 70_00)),
                    max_size=3,
                    unique_by=lambda pair: pair[0],
                ),
            ),
            max_size=7,
        ),
    }
)
OCCASIONS = st.tuples(
    POLICIES,
    st.integers(2024, 2027),
    st.one_of(st.dates(date(2023, 6, 1), date(2028, 12, 31)), MONTH_ENDS),
    st.integers(1, 12),
    st.integers(0, 2**32),
)


@pytest.fixture
def lines() -> list[CustomerLine]:
    """Customer lines in all product lines, one to a customer."""
    region = RegionFactory(code="north")
    customers = Customer.objects.bulk_create(CustomerFactory.build(region=region) for _ in range(LINES))
    product_lines = list(ProductLine.objects.all())
    return CustomerLine.objects.bulk_create(
        CustomerLine(customer=customer, product_line=product_lines[number % len(product_lines)])
        for number, customer in enumerate(customers)
    )


@QUICK
@given(OCCASIONS)
def test_sql_grades_as_python_does(lines, drawn):
    compare(lines, *drawn)


@pytest.mark.exhaustive
@THOROUGH
@given(OCCASIONS)
def test_sql_grades_as_python_does_at_length(lines, drawn):
    compare(lines, *drawn)


def compare(lines, drawn_policy, fiscal_year, as_of, first_month, seed):
    """Grade the lines twice, first without heads and then with them, and compare every record with the pure policy."""
    with transaction.atomic(), override_settings(FISCAL_YEAR_START_MONTH=first_month):
        occasion = occasion_of(store(drawn_policy), fiscal_year, as_of)
        random = Random(seed)
        for is_first in (True, False):
            expected = invent_facts(lines, occasion, random)
            reserve_heads(fiscal_year)
            write_records(EVERYTHING, occasion)
            assert_same(lines, expected, occasion, is_first=is_first)
        transaction.set_rollback(True)


def assert_same(lines, expected, occasion, *, is_first):
    policy, calendar = GradingPolicy.objects.for_list().get(pk=occasion.policy.pk).as_rules(), occasion.calendar
    heads = {head.line_id: head for head in Grade.objects.select_related("record").order_by("line_id")}
    for line in lines:
        record, facts = heads[line.pk].record, expected[line.pk]
        assert record.grading() == rules.grade(facts, policy, calendar), facts
        # A moved history sum alone writes no second record: then the first one's stands there.
        history = facts.history_sales if is_first else record.history_sales
        assert record.facts(facts.line) == replace(facts, history_sales=history)


def occasion_of(policy, fiscal_year, as_of) -> Occasion:
    return Occasion(fiscal_year=fiscal_year, policy=policy, as_of=as_of, cause=Cause.RUN, recorded_at=timezone.now())


EVERYTHING = Lines.between(0, 2**40)


def limits(drawn) -> list[int]:
    """Mostly scores that customers can reach exactly, else any."""
    by_margin, earned = (
        drawn["margin_weight"],
        {kind: {points for _, points in drawn[kind]} for kind in BandKind.values},
    )
    scores = {
        (margin * by_margin + potential * (100 - by_margin)) * bonus
        for margin in earned["margin"]
        for potential in earned["potential"]
        for bonus in earned["bonus"]
    }
    reachable, random = sorted(scores - {0}), Random(by_margin)
    return sorted(random.sample(reachable, 3)) if len(reachable) >= 3 and random.random() < 0.8 else drawn["limits"]


def store(drawn) -> GradingPolicy:
    (c_from, b_from, a_from), (near, middle, far) = limits(drawn), drawn["months"]
    policy = GradingPolicy.objects.create(
        number=99,
        state=PolicyState.PUBLISHED,
        published_at=timezone.now(),
        margin_weight=drawn["margin_weight"],
        potential_weight=100 - drawn["margin_weight"],
        a_from=a_from,
        b_from=b_from,
        c_from=c_from,
        required_margin=drawn["required_margin"],
        near_months=near,
        middle_months=middle,
        far_months=far,
    )
    PolicyBand.objects.bulk_create(
        PolicyBand(policy=policy, kind=kind, floor=floor, points=points)
        for kind in BandKind.values
        for floor, points in drawn[kind]
    )
    product_lines = list(ProductLine.objects.order_by("position"))
    own = list(zip(product_lines, drawn["lines"], strict=False))
    PolicyLineRule.objects.bulk_create(
        PolicyLineRule(policy=policy, product_line=line, scheme=scheme, smallest_budget=smallest)
        for line, (scheme, smallest, _) in own
    )
    RequiredMargin.objects.bulk_create(
        RequiredMargin(policy=policy, product_line=line, from_year=year, margin=margin)
        for line, (_, _, margins) in own
        for year, margin in margins
    )
    return policy


# --- facts near the limits


def invent_facts(lines, occasion, random) -> dict[int, rules.Facts]:
    """Give every line an assessment (or none) and sales, and return what the policy should see of them."""
    policy = GradingPolicy.objects.for_list().get(pk=occasion.policy.pk).as_rules()
    values = Values(policy, occasion, random)
    Assessment.objects.all().delete()
    Sale.objects.all().delete()
    codes = dict(ProductLine.objects.values_list("pk", "code"))
    facts, assessments, sales = {}, [], []
    for line in lines:
        of_line, history = values.sales(line)
        sales += of_line
        assessment = values.assessment(line, codes[line.product_line_id])
        assessments += [assessment] if assessment else []
        facts[line.pk] = facts_of(assessment, codes[line.product_line_id], history)
    Assessment.objects.bulk_create(assessments)
    Sale.objects.bulk_create(sales)
    return facts


def facts_of(assessment, code, history) -> rules.Facts:
    if assessment is None or assessment.is_carried_over:
        return rules.Facts(line=code, is_assessed=False, history_sales=history)
    names = (
        "expected_margin", "potential_sales", "has_need", "budget_state", "budget_amount", "budget_fits_pricing",
        "has_timetable", "knows_decision_makers", "expected_close_on", "has_begun_selection",
    )  # fmt: skip
    return rules.Facts(line=code, history_sales=history, **{name: getattr(assessment, name) for name in names})


class Values:
    """Random values, mostly at a limit or one step beside it."""

    def __init__(self, policy: rules.Policy, occasion: Occasion, random: Random) -> None:
        self.policy, self.occasion, self.calendar, self.random = policy, occasion, occasion.calendar, random

    def assessment(self, line, code) -> Assessment | None:
        if self.random.random() < 0.05:
            return None
        rule = self.policy.rule(code)
        required = self.policy.required_margin_of(code, self.calendar.fiscal_year)
        return Assessment(
            line=line,
            fiscal_year=self.calendar.fiscal_year,
            is_carried_over=self.random.random() < 0.05,
            expected_margin=self.near([required + floor for floor in floors(self.policy.margin)], -1000_00, 100_00),
            potential_sales=self.near(floors(self.policy.potential), 0, 10**13),
            has_need=self.mostly(),
            budget_state=self.random.choice([*BudgetState.values, "confirmed", "planned"]),
            budget_amount=self.near([rule.smallest_budget or 0], 0, 10**13),
            budget_fits_pricing=self.mostly(),
            has_timetable=self.mostly(),
            knows_decision_makers=self.mostly(),
            expected_close_on=self.close_on(),
            has_begun_selection=self.random.random() < 0.5,
        )

    def sales(self, line) -> tuple[list[Sale], int]:
        """Sales whose sum within the window is known; others lie one day outside it or are deleted."""
        first, as_of = self.calendar.history_from, self.calendar.as_of
        total = self.near([*floors(self.policy.bonus), 0], -(10**12), 10**13) or 0
        part = self.random.randrange(-(10**9), 10**9)
        inside = [(first, total - part), (as_of - timedelta(1), part)] if total else []
        outside = [(first - timedelta(1), 10**9), (as_of, 10**9)]
        made = [Sale(line=line, signed_on=day, amount=amount) for day, amount in (*inside, *outside)]
        return [*made, Sale(line=line, signed_on=first, amount=1, deleted_at=timezone.now())], total

    def close_on(self) -> date | None:
        first = fiscal_year_start(self.calendar.fiscal_year, self.calendar.year_start.month)
        after = fiscal_year_end(self.calendar.fiscal_year, self.calendar.year_start.month)
        limits = [first, after - timedelta(1), *self.calendar.horizons, add_months(first, 2) - timedelta(1)]
        limits += [first + timedelta(self.random.randrange(365)) for _ in range(9)]
        within = [day for day in limits if first <= day < after]
        chosen = self.random.choice(within) if self.random.random() < 0.9 else self.random.choice(limits)
        day = chosen + timedelta(self.random.choice([-1, 0, 0, 1]))
        return None if self.random.random() < 0.03 else day

    def near(self, limits: list[int], lowest: int, highest: int) -> int | None:
        if self.random.random() < 0.04:
            return None
        wide: Callable[[], int] = lambda: self.random.randint(lowest, highest)  # noqa: E731
        value = self.random.choice(limits) + self.random.choice([-1, 0, 1]) if limits else wide()
        return min(max(value if self.random.random() < 0.8 else wide(), lowest), highest)

    def mostly(self) -> bool:
        return self.random.random() < 0.95


def floors(of: tuple[rules.Band, ...]) -> list[int]:
    return [band.floor for band in of if band.floor is not None]


# --- which lines are in it


def shipped_occasion() -> Occasion:
    return occasion_of(GradingPolicy.objects.current(), 2026, date(2026, 1, 1))


def counted(lines: Lines = EVERYTHING) -> int:
    return sum(count.lines for count in count_verdicts(lines, shipped_occasion()))


def test_only_active_lines_of_living_customers_are_graded():
    CustomerLineFactory()
    CustomerLineFactory(is_active=False)
    CustomerLineFactory(customer__deleted_at=timezone.now())
    CustomerLineFactory(customer__kind=CustomerKind.AGENT)
    CustomerLineFactory(customer__kind=CustomerKind.GOVERNMENT_RELATION)
    assert counted() == 1


def test_the_set_can_be_narrowed_to_a_range_a_product_line_and_a_region():
    tourism = ProductLine.objects.get(code="tourism")
    lines = [CustomerLineFactory() for _ in range(3)] + [CustomerLineFactory(product_line=tourism)]
    region = lines[0].customer.region
    assert counted(Lines.between(lines[1].pk, lines[2].pk)) == 2
    assert counted(Lines.between(0, 2**40, product_line=tourism.pk)) == 1
    assert counted(Lines.between(0, 2**40, region=region.pk)) == 1
    assert counted(Lines.among([lines[0].pk, lines[3].pk])) == 2


def test_counting_writes_nothing():
    CustomerLineFactory()
    counted()
    assert (Grade.objects.count(), GradeRecord.objects.count()) == (0, 0)
