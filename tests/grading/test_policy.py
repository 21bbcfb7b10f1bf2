"""The grading policy of DOMAIN §2; no database, and the name of a test is the rule."""

from dataclasses import replace
from datetime import date

import pytest

from grading.policy import (
    SHIPPED,
    Band,
    BudgetState,
    Calendar,
    Facts,
    LineRule,
    Missing,
    Scheme,
    State,
    grade,
    lifts,
    points,
)

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


def graded(policy=SHIPPED, calendar=CALENDAR, **changes):
    return grade(facts(**changes), policy, calendar)


def with_rule(policy=SHIPPED, **rule):
    return replace(policy, lines={"police": LineRule(**rule)})


def test_the_worked_example_of_the_policy_is_b_with_84():
    grading = graded(expected_margin=18_00, potential_sales=yuan(4_000_000), history_sales=yuan(1_500_000))
    assert (grading.letter, grading.score) == ("B", 84_0000)


# --- the bands


@pytest.mark.parametrize(
    ("gap", "earned"),
    [
        (70_00, 100),
        (10_01, 100),
        (10_00, 100),
        (9_99, 90),
        (3_00, 90),
        (0, 90),
        (-2_99, 90),
        (-3_00, 90),
        (-3_01, 80),
        (-9_99, 80),
        (-10_00, 80),
        (-10_01, 70),
        (-19_99, 70),
        (-20_00, 70),
        (-20_01, 60),
        (-1000_00, 60),
    ],
)
def test_the_margin_earns_by_its_gap_to_the_required(gap, earned):
    assert graded(expected_margin=30_00 + gap).margin_points == earned


@pytest.mark.parametrize(
    ("potential", "earned"),
    [
        (0, 60),
        (999_999.99, 60),
        (1_000_000, 70),
        (1_000_000.01, 70),
        (1_999_999.99, 70),
        (2_000_000, 80),
        (2_000_000.01, 80),
        (3_999_999.99, 80),
        (4_000_000, 90),
        (4_000_000.01, 90),
        (7_999_999.99, 90),
        (8_000_000, 100),
        (8_000_000.01, 100),
        (90_000_000_000, 100),
    ],
)
def test_potential_sales_earn_by_bands_that_are_half_open_upwards(potential, earned):
    assert graded(potential_sales=yuan(potential)).potential_points == earned


@pytest.mark.parametrize(
    ("history", "percent"),
    [
        (-1_000_000, 100),
        (-0.01, 100),
        (0, 100),
        (0.01, 105),
        (1_999_999.99, 105),
        (2_000_000, 110),
        (2_000_000.01, 110),
        (3_999_999.99, 110),
        (4_000_000, 120),
        (4_000_000.01, 120),
    ],
)
def test_the_sales_of_two_years_earn_a_bonus_and_a_sum_of_zero_or_less_is_no_sales(history, percent):
    grading = graded(history_sales=yuan(history))
    assert grading.bonus == percent
    assert grading.score == 90 * 100 * percent


def test_bands_count_in_any_order():
    bands = (Band(100, 10), Band(60, None), Band(80, 0))
    assert [points(value, bands) for value in (-1, 0, 9, 10)] == [60, 80, 80, 100]


# --- score and letter


def test_a_score_above_100_exists():
    grading = graded(expected_margin=40_00, potential_sales=yuan(8_000_000), history_sales=yuan(4_000_000))
    assert (grading.letter, grading.score) == ("A", 120_0000)


def test_89_25_is_b():
    grading = graded(expected_margin=20_00, history_sales=yuan(1))  # (80 + 90) / 2 × 1.05
    assert (grading.letter, grading.score) == ("B", 89_2500)


def with_score(score):
    """A policy under which every customer scores exactly this, in 1/10,000 point: the limits are what is tested."""
    return replace(SHIPPED, a_from=90_0000 + 90_0000 - score, b_from=80_0000 + 90_0000 - score, c_from=160_0000 - score)


@pytest.mark.parametrize(
    ("score", "letter"),
    [
        (120_0000, "A"),
        (90_0001, "A"),
        (90_0000, "A"),
        (89_9999, "B"),
        (80_0001, "B"),
        (80_0000, "B"),
        (79_9999, "C"),
        (70_0001, "C"),
        (70_0000, "C"),
        (69_9999, "D"),
        (60_0000, "D"),
    ],
)
def test_the_letter_follows_the_unrounded_score(score, letter):
    assert graded(with_score(score)).letter == letter


@pytest.mark.parametrize(
    ("margin_weight", "score"), [(100, 70_0000), (70, 76_0000), (37, 82_6000), (1, 89_8000), (0, 90_0000)]
)
def test_the_weights_are_the_policys(margin_weight, score):
    policy = replace(SHIPPED, margin_weight=margin_weight, potential_weight=100 - margin_weight)
    assert graded(policy, expected_margin=18_00).score == score  # 70 and 90 points


def test_a_score_keeps_four_decimals():
    policy = replace(SHIPPED, margin_weight=37, potential_weight=63, margin=(Band(71, None),), bonus=(Band(103, None),))
    assert graded(policy).score == (71 * 37 + 90 * 63) * 103  # 85.4591


# --- what a line requires in a year


@pytest.mark.parametrize(
    ("year", "required"), [(2023, 30_00), (2024, 25_00), (2025, 25_00), (2026, 28_00), (2030, 28_00)]
)
def test_a_year_without_a_required_margin_takes_the_latest_earlier_one(year, required):
    policy = with_rule(required_margins=((2026, 28_00), (2024, 25_00)))
    calendar = Calendar.of(fiscal_year=year, as_of=date(year, 1, 1), policy=policy)
    grading = graded(policy, calendar, expected_close_on=date(year, 6, 30))
    assert grading.required_margin == required


def test_the_required_margin_of_one_line_says_nothing_of_another():
    policy = with_rule(required_margins=((2020, 5_00),))
    assert (graded(policy).required_margin, graded(policy, line="tourism").required_margin) == (5_00, 30_00)


# --- the four elements

FOUR_ELEMENTS = [
    ({"has_need": False}, "need"),
    ({"budget_state": BudgetState.NONE}, "budget"),
    ({"budget_fits_pricing": False}, "budget_pricing"),
    ({"has_timetable": False}, "timetable"),
    ({"knows_decision_makers": False}, "decision_makers"),
    ({"expected_close_on": None}, "close_date"),
    ({"expected_close_on": date(2027, 1, 1)}, "close_date_outside"),
    ({"expected_margin": None}, "expected_margin"),
    ({"potential_sales": None}, "potential_sales"),
]


@pytest.mark.parametrize(("change", "reason"), FOUR_ELEMENTS)
def test_without_one_element_there_is_no_grade_and_the_reason_names_it(change, reason):
    grading = graded(**change)
    assert (grading.state, grading.reasons) == (State.NOT_GRADABLE, (reason,))
    assert (grading.letter, grading.score, grading.margin_points, grading.bonus) == (None,) * 4


def test_everything_that_is_missing_is_named_in_the_order_of_the_elements():
    grading = grade(Facts(line="police"), SHIPPED, CALENDAR)
    assert grading.reasons == (
        "need",
        "budget",
        "timetable",
        "decision_makers",
        "close_date",
        "expected_margin",
        "potential_sales",
    )


def test_what_nobody_has_assessed_is_neither_graded_nor_gradable_nor_short_of_anything():
    grading = graded(is_assessed=False)
    assert (grading.state, grading.letter, grading.score, grading.missing) == (
        State.NOT_ASSESSED,
        None,
        None,
        Missing(0),
    )


@pytest.mark.parametrize("state", [BudgetState.PLANNED, BudgetState.CONFIRMED])
def test_a_planned_budget_is_as_good_as_a_confirmed_one(state):
    assert graded(budget_state=state).state == State.GRADED


def test_without_a_budget_nobody_asks_whether_it_fits():
    policy = with_rule(smallest_budget=yuan(1))
    grading = graded(policy, budget_state=BudgetState.NONE, budget_fits_pricing=False, budget_amount=None)
    assert grading.reasons == ("budget",)


@pytest.mark.parametrize(
    ("amount", "reasons"),
    [
        (None, ("budget_too_small",)),
        (0, ("budget_too_small",)),
        (yuan(499_999.99), ("budget_too_small",)),
        (yuan(500_000), ()),
        (yuan(500_000.01), ()),
    ],
)
def test_a_line_may_ask_for_a_smallest_budget(amount, reasons):
    assert graded(with_rule(smallest_budget=yuan(500_000)), budget_amount=amount).reasons == reasons


def test_as_shipped_a_budget_needs_no_amount():
    assert graded(budget_amount=None).state == State.GRADED


@pytest.mark.parametrize(
    ("close_on", "reasons"),
    [
        (date(2025, 12, 31), ("close_date_outside",)),
        (date(2026, 1, 1), ()),
        (date(2026, 12, 31), ()),
        (date(2027, 1, 1), ("close_date_outside",)),
    ],
)
def test_the_expected_close_lies_in_the_fiscal_year(close_on, reasons):
    assert graded(expected_close_on=close_on).reasons == reasons


@pytest.mark.parametrize(
    ("close_on", "reasons"),
    [
        (date(2026, 3, 31), ("close_date_outside",)),
        (date(2026, 4, 1), ()),
        (date(2027, 3, 31), ()),
        (date(2027, 4, 1), ("close_date_outside",)),
    ],
)
def test_a_fiscal_year_may_begin_in_april_and_is_named_by_the_year_it_starts_in(close_on, reasons):
    april = Calendar.of(fiscal_year=2026, as_of=date(2026, 4, 1), policy=SHIPPED, first_month=4)
    assert graded(SHIPPED, april, expected_close_on=close_on).reasons == reasons


@pytest.mark.parametrize(
    ("as_of", "history_from"),
    [
        (date(2026, 1, 1), date(2024, 1, 1)),
        (date(2026, 2, 28), date(2024, 2, 28)),
        (date(2024, 2, 29), date(2022, 2, 28)),
        (date(2026, 12, 31), date(2024, 12, 31)),
    ],
)
def test_two_years_are_the_24_months_before_the_grading_date(as_of, history_from):
    assert Calendar.of(fiscal_year=as_of.year, as_of=as_of, policy=SHIPPED).history_from == history_from


# --- the close horizon

HORIZON = with_rule(scheme=Scheme.CLOSE_HORIZON)


@pytest.mark.parametrize(
    ("close_on", "letter"),
    [
        (date(2026, 1, 1), "A"),
        (date(2026, 3, 31), "A"),
        (date(2026, 4, 1), "B"),
        (date(2026, 6, 30), "B"),
        (date(2026, 7, 1), "C"),
        (date(2026, 12, 31), "C"),
    ],
)
def test_the_close_horizon_counts_whole_months_from_the_grading_date(close_on, letter):
    grading = graded(HORIZON, expected_close_on=close_on, has_begun_selection=True)
    assert (grading.letter, grading.score, grading.scheme) == (letter, None, Scheme.CLOSE_HORIZON)


def test_what_closes_after_twelve_months_is_d():
    early = Calendar.of(fiscal_year=2026, as_of=date(2025, 11, 20), policy=HORIZON)
    letters = [graded(HORIZON, early, expected_close_on=date(2026, 11, day)).letter for day in (19, 20)]
    assert letters == ["C", "D"]


@pytest.mark.parametrize(
    ("as_of", "near"), [(date(2026, 11, 30), date(2027, 2, 28)), (date(2027, 11, 30), date(2028, 2, 29))]
)
def test_three_months_from_a_day_that_the_month_lacks_end_with_its_last_day(as_of, near):
    assert Calendar.of(fiscal_year=2026, as_of=as_of, policy=HORIZON).horizons[0] == near


def test_a_customer_who_has_not_begun_selection_is_b_however_soon_it_closes():
    assert graded(HORIZON, expected_close_on=date(2026, 1, 2), has_begun_selection=False).letter == "B"


def test_the_close_horizon_asks_for_no_margin_and_no_potential():
    grading = graded(HORIZON, expected_margin=None, potential_sales=None)
    assert (grading.state, grading.required_margin, grading.bonus) == (State.GRADED, None, None)


@pytest.mark.parametrize(("change", "reason"), FOUR_ELEMENTS[:7])
def test_the_close_horizon_asks_for_the_four_elements_too(change, reason):
    assert graded(HORIZON, **change).reasons == (reason,)


def test_the_months_of_the_horizon_are_the_policys():
    policy = replace(HORIZON, horizon_months=(1, 2, 3))
    calendar = Calendar.of(fiscal_year=2026, as_of=date(2026, 1, 1), policy=policy)
    days = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 1)]
    found = [graded(policy, calendar, expected_close_on=day, has_begun_selection=True).letter for day in days]
    assert found == ["A", "B", "C", "D"]


# --- what lifts a grade


def lifted(policy=SHIPPED, **changes):
    known = facts(**changes)
    return lifts(grade(known, policy, CALENDAR), known, policy)


def test_each_figure_that_earns_the_next_grade_alone_is_named_with_how_far_it_has_to_go():
    found = lifted(expected_margin=27_00, potential_sales=yuan(3_500_000), history_sales=yuan(1_000_000))
    assert {(lift.letter, lift.short_by) for lift in found} == {("A", 7500)}  # 85 × 1.05 = 89.25
    assert [lift.changes for lift in found] == [
        (("potential_sales", yuan(3_500_000), yuan(4_000_000)),),
        (("expected_margin", 27_00, 40_00),),
        (("history_sales", yuan(1_000_000), yuan(2_000_000)),),
    ]


def test_what_is_suggested_earns_the_grade_and_a_fen_less_does_not():
    known = facts(expected_margin=27_00, potential_sales=yuan(3_500_000), history_sales=yuan(1_000_000))
    for lift in lifts(grade(known, SHIPPED, CALENDAR), known, SHIPPED):
        ((figure, _, to),) = lift.changes
        assert grade(replace(known, **{figure: to}), SHIPPED, CALENDAR).letter == "A"
        assert grade(replace(known, **{figure: to - 1}), SHIPPED, CALENDAR).letter == "B"


def test_a_figure_goes_as_many_bands_as_it_takes():
    found = lifted(expected_margin=20_00, potential_sales=yuan(500_000))  # 80 and 60: C with 70; B needs 80
    assert [lift.changes for lift in found] == [
        (("potential_sales", yuan(500_000), yuan(2_000_000)),),
        (("expected_margin", 20_00, 40_00),),
        (("history_sales", 0, yuan(4_000_000)),),
    ]


def test_margin_and_potential_come_together_where_neither_does_alone():
    policy = replace(SHIPPED, c_from=91_0000, b_from=96_0000, a_from=110_0000, bonus=(Band(100, None),))
    (pair,) = lifted(policy, expected_margin=20_00, potential_sales=yuan(500_000))  # 80 and 60: D with 70
    assert (pair.letter, pair.short_by) == ("C", 21_0000)
    assert pair.changes == (
        ("potential_sales", yuan(500_000), yuan(4_000_000)),
        ("expected_margin", 20_00, 40_00),
    )


def test_an_a_cannot_be_lifted():
    assert lifted(expected_margin=40_00, potential_sales=yuan(8_000_000)) == ()


def test_what_is_not_graded_by_a_score_is_not_lifted():
    assert lifted(has_need=False) == ()
    assert lifted(is_assessed=False) == ()
    assert lifted(HORIZON) == ()


def test_nobody_is_asked_for_a_margin_above_100_percent():
    policy = replace(SHIPPED, required_margin=95_00, a_from=95_0000)
    found = lifted(policy, expected_margin=94_00, potential_sales=yuan(7_000_000))  # 90 and 90
    assert [lift.changes[0][0] for lift in found] == ["potential_sales", "history_sales"]


def test_where_nothing_reaches_the_next_grade_nothing_is_suggested():
    policy = replace(SHIPPED, a_from=200_0000)
    assert lifted(policy) == ()
