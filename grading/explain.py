"""A verdict in words: the same object for the page, the API and the export."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.lib import money
from grading import policy as rules
from grading.policy import Band, Facts, Grading, Lift, Missing, Policy

SENTENCES: dict[Missing, Promise] = {
    Missing.NEED: gettext_lazy("There is no confirmed need for the product."),
    Missing.BUDGET: gettext_lazy("No budget is planned or confirmed for the year."),
    Missing.BUDGET_PRICING: gettext_lazy("Nobody has confirmed that the budget fits our pricing policy."),
    Missing.BUDGET_TOO_SMALL: gettext_lazy("The budget is below the smallest that the policy asks for."),
    Missing.TIMETABLE: gettext_lazy("There is no clear timetable within the year."),
    Missing.DECISION_MAKERS: gettext_lazy("The decision maker or the decision influencers are not known."),
    Missing.CLOSE_DATE: gettext_lazy("There is no expected close date."),
    Missing.CLOSE_DATE_OUTSIDE: gettext_lazy("The expected close date lies outside the fiscal year."),
    Missing.EXPECTED_MARGIN: gettext_lazy("The expected gross margin is missing."),
    Missing.POTENTIAL_SALES: gettext_lazy("The potential sales of the year are missing."),
}


@dataclass(frozen=True)
class Reason:
    """One thing that keeps a customer line from being graded: stable codes and a sentence."""

    code: str
    element: str
    message: str


@dataclass(frozen=True)
class Part:
    """One factor of a score: raw figure → band → points → weight → subtotal (score units: 1/10,000 point)."""

    factor: str  # expected_margin | potential_sales | history_sales
    label: str
    raw: int | None  # fen, or 1/100 %
    unit: str  # yuan | percent
    compared: int | None  # the figure that the bands measure: the margin gap, the sales
    band_from: int | None
    band_below: int | None  # the band reaches up to here; None: no upper end
    points: int
    weight: int | None  # percent; None for the bonus, which multiplies
    subtotal: int


@dataclass(frozen=True)
class Suggestion:
    """A way to the next better grade, with its sentence."""

    letter: str
    short_by: int  # 1/10,000 point
    changes: tuple[tuple[str, int, int], ...]
    message: str


@dataclass(frozen=True)
class Explanation:
    """A grade's verdict in parts; score units are 1/10,000 point."""

    grading: Grading
    facts: Facts
    policy_number: int
    parts: tuple[Part, ...]
    base: int | None  # before the bonus
    limits: tuple[tuple[str, int], ...]
    reasons: tuple[Reason, ...]
    suggestions: tuple[Suggestion, ...]


def explain(grading: Grading, facts: Facts, policy: Policy) -> Explanation:
    """Put a verdict and its inputs into parts and sentences, in the active language. Computes no grade."""
    parts = tuple(_parts(grading, facts, policy))
    return Explanation(
        grading=grading,
        facts=facts,
        policy_number=policy.number,
        parts=parts,
        base=sum(part.subtotal for part in parts[:2]) if parts else None,
        limits=policy.limits,
        reasons=reasons(grading),
        suggestions=tuple(_suggestion(lift) for lift in rules.lifts(grading, facts, policy)),
    )


def reasons(grading: Grading) -> tuple[Reason, ...]:
    """Why there is no grade, element by element."""
    return reasons_of(grading.missing)


def reasons_of(missing: Missing) -> tuple[Reason, ...]:
    """What is missing, in words."""
    return tuple(Reason(flag.code, element_of(flag), str(SENTENCES[flag])) for flag in Missing if flag in missing)


def element_of(flag: Missing) -> str:
    """The project-initiation element that a gap belongs to."""
    return next(name for name, flags in rules.ELEMENTS.items() if flag in flags)


def figure(factor: str, amount: int) -> str:
    """A figure as people say it: 12.00 % or 150万."""
    if factor == "expected_margin":
        return f"{money.percent(amount)} %"
    return _("{amount} (10k CNY)").format(amount=f"{money.wan(amount).normalize():f}")


def _parts(grading: Grading, facts: Facts, policy: Policy) -> Iterator[Part]:
    if grading.score is None:
        return
    margin, required = facts.expected_margin or 0, grading.required_margin or 0
    potential, history = facts.potential_sales or 0, facts.history_sales
    base = 0
    for factor, label, raw, compared, bands, points, weight in (
        (
            "expected_margin",
            _("Expected gross margin"),
            margin,
            margin - required,
            policy.margin,
            grading.margin_points,
            policy.margin_weight,
        ),
        (
            "potential_sales",
            _("Potential sales"),
            potential,
            potential,
            policy.potential,
            grading.potential_points,
            policy.potential_weight,
        ),
    ):
        subtotal = (points or 0) * weight * 100
        base += subtotal
        unit = "percent" if factor == "expected_margin" else "yuan"
        yield Part(factor, label, raw, unit, compared, *_band(compared, bands), points or 0, weight, subtotal)
    bonus = grading.bonus or 100
    yield Part(
        "history_sales",
        _("Sales of the last two years"),
        history,
        "yuan",
        history,
        *_band(history, policy.bonus),
        bonus,
        None,
        grading.score - base,
    )


def _band(value: int, bands: tuple[Band, ...]) -> tuple[int | None, int | None]:
    floors = sorted(band.floor for band in bands if band.floor is not None)
    return max((floor for floor in floors if floor <= value), default=None), min(
        (floor for floor in floors if floor > value), default=None
    )


def message_of(lift: Lift | Suggestion, amount: Callable[[str, int, int], str]) -> str:
    """A way to the next better grade as a sentence; `amount` says by how much a figure would have to change."""
    wishes = _(" and ").join(_wish(*change, amount) for change in lift.changes)
    return _("{short} points short of {letter}; {wishes} would do it.").format(
        short=f"{money.score(lift.short_by).normalize():f}", letter=lift.letter, wishes=wishes
    )


def by_how_much(factor: str, now: int, to: int) -> str:
    """The change of a figure: points of a percent, or 万元."""
    by = money.percent(to - now) if factor == "expected_margin" else money.wan_needed(to - now)
    return f"{by.normalize():f}"


def _suggestion(lift: Lift) -> Suggestion:
    return Suggestion(lift.letter, lift.short_by, lift.changes, message_of(lift, by_how_much))


def _wish(factor: str, now: int, to: int, amount: Callable[[str, int, int], str]) -> str:
    if factor == "history_sales" and now <= 0 < to < money.FEN_PER_YUAN:
        return _("sales of two years above zero")
    names = {
        "expected_margin": _("expected margin +{by} pp"),
        "potential_sales": _("potential sales +{by} (10k CNY)"),
        "history_sales": _("sales of two years +{by} (10k CNY)"),
    }
    return names[factor].format(by=amount(factor, now, to))


def elements_in_words(mask: int | None) -> list[str]:
    """The project-initiation elements that a sum of flags names, in short words."""
    words = {
        "need": _("need"),
        "budget": _("budget"),
        "timetable": _("timetable"),
        "decision_makers": _("decision makers"),
        "expected_close": _("expected close"),
        "figures": _("figures"),
    }
    return [words[name] for name in dict.fromkeys(reason.element for reason in reasons_of(Missing(mask or 0)))]
