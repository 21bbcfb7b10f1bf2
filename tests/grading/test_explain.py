"""A verdict in parts and sentences, in both languages; no database."""

from dataclasses import replace
from datetime import date

import pytest
from django.utils import translation

from grading.explain import SENTENCES, explain, figure, reasons_of
from grading.policy import ELEMENTS, SHIPPED, Calendar, Missing, Scheme, grade
from tests.grading.test_policy import HORIZON, facts, yuan

CALENDAR = Calendar.of(fiscal_year=2026, as_of=date(2026, 1, 1), policy=SHIPPED)


def explained(policy=SHIPPED, language="en", **changes):
    known = facts(**changes)
    with translation.override(language):
        return explain(grade(known, policy, CALENDAR), known, policy)


def test_the_parts_of_the_worked_example_add_up_to_84():
    found = explained(expected_margin=18_00, history_sales=yuan(1_500_000))
    margin, potential, history = found.parts
    assert (margin.raw, margin.compared, margin.points, margin.weight, margin.subtotal) == (
        18_00, -12_00, 70, 50, 35_0000,
    )  # fmt: skip
    assert (potential.raw, potential.points, potential.subtotal) == (yuan(4_000_000), 90, 45_0000)
    assert (history.raw, history.points, history.weight, history.subtotal) == (yuan(1_500_000), 105, None, 4_0000)
    assert (found.base, found.grading.score) == (80_0000, 84_0000)
    assert sum(part.subtotal for part in found.parts) == found.grading.score


def test_each_part_says_in_which_band_its_figure_lies():
    margin, potential, history = explained(expected_margin=18_00, history_sales=yuan(1_500_000)).parts
    assert (margin.band_from, margin.band_below) == (-20_00, -10_00)
    assert (potential.band_from, potential.band_below) == (yuan(4_000_000), yuan(8_000_000))
    assert (history.band_from, history.band_below) == (1, yuan(2_000_000))


def test_the_outermost_bands_are_open_to_one_side():
    margin, potential, history = explained(expected_margin=-50_00, potential_sales=yuan(9_000_000)).parts
    assert (margin.band_from, margin.band_below) == (None, -20_00)
    assert (potential.band_from, potential.band_below) == (yuan(8_000_000), None)
    assert (history.band_from, history.band_below) == (None, 1)


def test_the_limits_of_the_policy_stand_beside_the_total():
    found = explained(replace(SHIPPED, number=7))
    assert (found.limits, found.policy_number) == ((("A", 90_0000), ("B", 80_0000), ("C", 70_0000)), 7)


def test_what_is_not_graded_has_reasons_and_no_parts():
    found = explained(has_need=False, budget_fits_pricing=False)
    assert [(reason.code, reason.element, reason.message) for reason in found.reasons] == [
        ("need", "need", "There is no confirmed need for the product."),
        ("budget_pricing", "budget", "Nobody has confirmed that the budget fits our pricing policy."),
    ]
    assert (found.parts, found.base, found.suggestions) == ((), None, ())


def test_a_grade_by_close_horizon_has_no_parts():
    found = explained(HORIZON)
    assert (found.grading.scheme, found.parts, found.suggestions) == (Scheme.CLOSE_HORIZON, (), ())


@pytest.mark.parametrize("flag", list(Missing))
def test_everything_that_can_be_missing_has_an_element_and_a_sentence_in_both_languages(flag):
    assert sum(flag in flags for flags in ELEMENTS.values()) == 1
    with translation.override("en"):
        (english,) = reasons_of(flag)
    with translation.override("zh-hans"):
        (chinese,) = reasons_of(flag)
    assert english.code == chinese.code == flag.name.lower()
    assert english.message != chinese.message


def test_there_is_no_sentence_for_what_cannot_be_missing():
    assert set(SENTENCES) == set(Missing)


def messages(**changes):
    return [suggestion.message for suggestion in explained(**changes).suggestions]


def test_what_lifts_it_is_said_in_one_sentence_each():
    assert messages(expected_margin=27_00, potential_sales=yuan(3_500_000), history_sales=yuan(1_000_000)) == [
        "0.75 points short of A; potential sales +50 (10k CNY) would do it.",
        "0.75 points short of A; expected margin +13 pp would do it.",
        "0.75 points short of A; sales of two years +100 (10k CNY) would do it.",
    ]


def test_a_pair_is_said_as_one_wish():
    policy = replace(SHIPPED, c_from=91_0000, b_from=96_0000, a_from=130_0000)
    found = explained(policy, expected_margin=20_00, potential_sales=yuan(500_000), history_sales=yuan(-1))
    assert [suggestion.message for suggestion in found.suggestions] == [
        "21 points short of C; potential sales +350 (10k CNY) and expected margin +20 pp would do it."
    ]


def test_the_first_sale_is_said_in_words_and_not_as_a_fen():
    policy = replace(SHIPPED, a_from=94_0000)
    found = explained(policy, history_sales=yuan(-50_000))  # 90; 94.5 with any sale
    assert found.suggestions[-1].message == "4 points short of A; sales of two years above zero would do it."


def test_the_sentence_is_chinese_for_a_chinese_reader():
    found = explained(language="zh-hans", expected_margin=27_00, potential_sales=yuan(3_500_000))
    assert all(suggestion.letter in suggestion.message for suggestion in found.suggestions)
    assert not any(
        "short of" in suggestion.message or "would do it" in suggestion.message for suggestion in found.suggestions
    )


@pytest.mark.parametrize(
    ("factor", "amount", "text"),
    [
        ("expected_margin", 12_00, "12.00 %"),
        ("expected_margin", -5, "-0.05 %"),
        ("potential_sales", yuan(1_500_000), "150 (10k CNY)"),
        ("potential_sales", 0, "0 (10k CNY)"),
        ("history_sales", yuan(100_000_000), "10000 (10k CNY)"),
        ("history_sales", 1, "0.000001 (10k CNY)"),
    ],
)
def test_a_figure_is_said_as_people_say_it(factor, amount, text):
    with translation.override("en"):
        assert figure(factor, amount) == text
