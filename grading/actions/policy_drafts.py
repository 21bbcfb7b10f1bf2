"""A policy version from plain data (a JSON file): amounts in yuan and rates in percent as strings, dates as years."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from crm.actions.changes import Edit, record_changes
from crm.lib.money import SCORE_UNIT, basis_points, fen
from crm.models import ProductLine, User, Way
from grading.models import BandKind, GradingPolicy, PolicyBand, PolicyLineRule, RequiredMargin, Scheme
from grading.policy import SHIPPED, Band

_FIELD_KEYS = {"note", "weights", "limits", "required_margin", "horizon_months", "lead_days"}
_KEYS = _FIELD_KEYS | {"margin", "potential", "bonus", "lines"}
_LINE_KEYS = {"scheme", "smallest_budget", "required_margins"}


class PolicyUnreadable(Exception):
    """The data does not describe a policy; the message says what to mend."""


@transaction.atomic
def draft_policy(*, content: Mapping[str, Any], by: User | None = None, way: Way = Way.COMMAND) -> GradingPolicy:
    """Make the next version as a draft; what `content` leaves out is as shipped. Raises PolicyUnreadable."""
    _refuse_unknown(content, _KEYS, "the policy")
    lines = {row.code: row for row in ProductLine.objects.all()}
    _refuse_unknown(content.get("lines", {}), set(lines), "lines")
    try:
        bands = {kind: _bands(content, kind) for kind in BandKind}
        policy = GradingPolicy.objects.create(number=_next_number(), **_fields(content))
        PolicyBand.objects.bulk_create(
            PolicyBand(policy=policy, kind=kind, floor=band.floor, points=band.points)
            for kind, rows in bands.items()
            for band in rows
        )
        for code, rule in content.get("lines", {}).items():
            _add_rule(policy, lines[code], rule)
    except (ValueError, ArithmeticError, KeyError, TypeError) as error:
        raise PolicyUnreadable(f"The policy cannot be read: {error}") from error
    parts = [*policy.bands.all(), *policy.line_rules.all(), *policy.required_margins.all()]
    record_changes([Edit(record, None) for record in (policy, *parts)], by=by, way=way)
    return policy


def _fields(content: Mapping[str, Any]) -> dict[str, Any]:
    weights = content.get("weights", {"margin": SHIPPED.margin_weight, "potential": SHIPPED.potential_weight})
    limits = content.get("limits", {})
    near, middle, far = content.get("horizon_months", SHIPPED.horizon_months)
    return {
        "note": content.get("note", ""),
        "margin_weight": weights["margin"],
        "potential_weight": weights["potential"],
        "a_from": _score(limits.get("A", "90")),
        "b_from": _score(limits.get("B", "80")),
        "c_from": _score(limits.get("C", "70")),
        "required_margin": basis_points(content.get("required_margin", "30")),
        "near_months": near,
        "middle_months": middle,
        "far_months": far,
        "lead_days": content.get("lead_days", 45),
    }


def _bands(content: Mapping[str, Any], kind: BandKind) -> list[Band]:
    if kind not in content:
        return list(getattr(SHIPPED, kind.value))
    exact = basis_points if kind == BandKind.MARGIN else fen
    bands = [Band(row["points"], None if row["from"] is None else exact(row["from"])) for row in content[kind.value]]
    floors = [band.floor for band in bands]
    if floors.count(None) != 1 or len(set(floors)) != len(floors):
        raise ValueError(f"{kind.value} needs one lowest band (from: null) and each other limit once")
    rising = sorted(bands, key=lambda band: (band.floor is not None, band.floor or 0))
    if [band.points for band in rising] != sorted(band.points for band in bands):
        raise ValueError(f"the points of {kind.value} must rise with its limits")
    return rising


def _add_rule(policy: GradingPolicy, line: ProductLine, rule: Mapping[str, Any]) -> None:
    _refuse_unknown(rule, _LINE_KEYS, line.code)
    budget = rule.get("smallest_budget")
    PolicyLineRule.objects.create(
        policy=policy,
        product_line=line,
        scheme=Scheme(rule.get("scheme", Scheme.CUSTOMER_VALUE)),
        smallest_budget=None if budget is None else fen(budget),
    )
    RequiredMargin.objects.bulk_create(_required_margins(policy, line, rule.get("required_margins", {})))


def _required_margins(policy: GradingPolicy, line: ProductLine, margins: Mapping[str, str]) -> Iterator[RequiredMargin]:
    for year, margin in margins.items():
        yield RequiredMargin(policy=policy, product_line=line, from_year=int(year), margin=basis_points(margin))


def _score(points: str) -> int:
    exact = basis_points(points)  # two decimals are enough for a limit
    return exact * (SCORE_UNIT // 100)


def _next_number() -> int:
    return (GradingPolicy.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _refuse_unknown(content: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(content) - known)
    if unknown:
        raise PolicyUnreadable(f"{where} has no {', '.join(unknown)}; it knows {', '.join(sorted(known))}.")
