"""Figures in templates: whole fen, hundredths of a percent and ten-thousandths of a point as people read them."""

from decimal import Decimal

from django import template

from crm.lib import money

register = template.Library()


@register.filter
def wan(amount: int | None) -> str:
    """Fen in 万元, exact: 400 or 799.999999; nothing for nothing."""
    return "" if amount is None else _grouped(money.wan(amount))


@register.filter
def wan_cut(amount: int | None) -> str:
    """Fen in 万元 with two decimals at most, cut: for a sum that stands beside its contracts."""
    return "" if amount is None else _grouped(money.wan_cut(amount))


@register.filter
def wan_rounded(amount: int | None) -> str:
    """Fen in whole 万元, for sums of many."""
    return "" if amount is None else _grouped(money.round_half_up(money.wan(amount)))


@register.filter
def yuan(amount: int | None) -> str:
    """Fen in yuan with two decimals, for single contracts."""
    return "" if amount is None else f"{money.yuan(amount):,.2f}"


@register.filter
def percent(rate: int | None) -> str:
    """Hundredths of a percent with two decimals."""
    return "" if rate is None else f"{money.percent(rate):.2f}"


@register.filter
def points(score: int | None) -> str:
    """A score with two decimals at least, never rounded."""
    return "" if score is None else f"{money.score(score)}"


def _grouped(value: Decimal) -> str:
    return f"{value.normalize():,f}"
