"""The explain panel: a verdict with its parts, its scale and its way out, drawn from grading.explain."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from crm.lib import money
from grading.explain import Explanation, Part, Reason
from grading.policy import ELEMENTS, Scheme, State

register = template.Library()

LONGEST = Decimal(120)  # the scale's end; a score beyond it stands there


@register.inclusion_tag("grading/_explanation.html")
def explanation(explained: Explanation, is_preview: bool = False) -> dict[str, Any]:
    """Raw figures → bands → weights → bonus → total on the scale of limits; what is missing; what would lift it."""
    grading = explained.grading
    return {
        "explained": explained,
        "grading": grading,
        "is_preview": is_preview,
        "verdict": _verdict(explained),
        "score": None if grading.score is None else min(money.score(grading.score), LONGEST),
        "limits": limits_of(explained.limits),
        "steps": [_step(part) for part in explained.parts],
        "elements": _elements(explained) if grading.state != State.NOT_ASSESSED else [],
    }


@register.filter
def factor(percent: int) -> str:
    """A bonus of whole percents as what multiplies the score: × 1.05."""
    return f"× {Decimal(percent) / 100:.2f}"


def limits_of(limits: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
    """The letters with the score they begin at, lowest first, as the scale and the chart read them."""
    found = [{"letter": letter, "at": _short(money.score(limit))} for letter, limit in reversed(limits)]
    return [{"letter": "D", "at": Decimal(0)}, *found]


def _verdict(explained: Explanation) -> str:
    grading = explained.grading
    if grading.state == State.NOT_ASSESSED:
        return _("Nobody has assessed this line for the fiscal year yet.")
    if grading.state == State.NOT_GRADABLE:
        return _("Not gradable: something that a grade needs is missing.")
    if grading.scheme == Scheme.CLOSE_HORIZON:
        return _("Graded by when the deal closes: expected on {day}.").format(day=explained.facts.expected_close_on)
    score, floors = money.score(grading.score or 0), dict(explained.limits)
    if grading.letter not in floors:
        lowest = min(floors.values())
        return _("{score} points: below {limit}, where {letter} begins.").format(
            score=score, limit=_short(money.score(lowest)), letter=explained.limits[-1][0]
        )
    return _("{score} points: {letter} begins at {limit}.").format(
        score=score, letter=grading.letter, limit=_short(money.score(floors[grading.letter]))
    )


def _step(part: Part) -> dict[str, Any]:
    is_margin = part.factor == "expected_margin"
    required = None if not is_margin else (part.raw or 0) - (part.compared or 0)
    return {
        "label": part.label,
        "figure": _figure(part.factor, part.raw),
        "note": _required_words(required, part.compared) if is_margin else "",
        "band": _band(part),
        "points": part.points if part.weight is not None else "",
        "weight": f"{part.weight} %" if part.weight is not None else factor(part.points),
        "subtotal": money.score(part.subtotal),
        "is_bonus": part.weight is None,
    }


def _figure(factor: str, amount: int | None) -> str:
    if amount is None:
        return "–"
    return f"{money.percent(amount)} %" if factor == "expected_margin" else _wan(amount)


def _required_words(required: int | None, gap: int | None) -> str:
    return _("required {required} %, gap {gap} pp").format(
        required=money.percent(required or 0), gap=_signed(money.percent(gap or 0))
    )


def _band(part: Part) -> str:
    low, high = _edge(part, part.band_from), _edge(part, part.band_below)
    if part.factor == "history_sales" and part.band_from == 1:
        return _("over 0, below {high}").format(high=high) if high else _("over 0")
    if part.factor == "history_sales" and part.band_from is None and part.band_below == 1:
        return _("no sales")
    if low is None:
        return _("below {high}").format(high=high)
    if high is None:
        return _("{low} and more").format(low=low)
    return _("{low} to below {high}").format(low=_edge(part, part.band_from, has_unit=False), high=high)


def _edge(part: Part, edge: int | None, *, has_unit: bool = True) -> str | None:
    """Where a band begins or ends; of two ends only the second has the unit."""
    if edge is None:
        return None
    if part.factor == "expected_margin":
        amount = _signed(_short(money.percent(edge)))
        return _("{amount} pp").format(amount=amount) if has_unit else amount
    return _wan(edge) if has_unit else _plain_wan(edge)


def _elements(explained: Explanation) -> list[dict[str, Any]]:
    missing: dict[str, list[Reason]] = {}
    for reason in explained.reasons:
        missing.setdefault(reason.element, []).append(reason)
    return [
        {"label": label, "is_met": name not in missing, "reasons": missing.get(name, [])}
        for name, label in element_labels().items()
        if name in ELEMENTS and (name != "figures" or name in missing)
    ]


def element_labels() -> dict[str, str]:
    """The project-initiation elements in words, in their order."""
    return {
        "need": _("Potential need for the product"),
        "budget": _("Budget that fits our pricing"),
        "timetable": _("Clear timetable within the year"),
        "decision_makers": _("Decision maker and influencers known"),
        "expected_close": _("Expected close in the fiscal year"),
        "figures": _("Figures of the score"),
    }


def _wan(amount: int) -> str:
    return _("{amount} (10k CNY)").format(amount=_plain_wan(amount))


def _plain_wan(amount: int) -> str:
    return f"{money.wan_cut(amount).normalize():,f}"


def _short(value: Decimal) -> Decimal:
    return Decimal(f"{value.normalize():f}")


def _signed(value: Decimal) -> str:
    return f"{value:+f}".replace("-", "−") if value else "0"
