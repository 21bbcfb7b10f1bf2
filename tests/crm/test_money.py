"""Amounts as they are shown: cut, so that nothing seems to reach a limit that it does not reach."""

from decimal import Decimal

import pytest

from crm.lib.money import wan_cut, wan_needed

LIMIT = 4_000_000_00  # 400 万元


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(LIMIT, "400.00"), (LIMIT - 1, "399.99"), (2_558_001_00, "255.80"), (0, "0.00"), (-1, "-0.01")],
)
def test_an_amount_that_is_shown_is_cut_to_two_decimals(amount, shown):
    assert wan_cut(amount) == Decimal(shown)


@pytest.mark.parametrize(("amount", "asked"), [(LIMIT, "400.00"), (1, "0.01"), (1_441_999_00, "144.20")])
def test_an_amount_that_is_asked_for_is_never_too_small(amount, asked):
    assert wan_needed(amount) == Decimal(asked)
