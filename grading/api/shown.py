"""A grade as the API shows it: plain functions, for thousands of rows; the serializers describe the same shape."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm.api.streaming import Column, columns_of
from crm.lib import money
from crm.lib.exports import Type
from grading.actions.verdicts import explanation_of
from grading.api.fields import budget
from grading.api.serializers import GradeSerializer
from grading.explain import Explanation, Part
from grading.models import Grade, GradeRecord, GradingPolicy
from grading.policy import Policy

_PARTS = {
    "expected_margin": {"compared": Type.PERCENT, "points": Type.WHOLE, "weight": Type.WHOLE, "subtotal": Type.POINTS},
    "potential_sales": {"points": Type.WHOLE, "weight": Type.WHOLE, "subtotal": Type.POINTS},
    "history_sales": {"points": Type.WHOLE, "subtotal": Type.POINTS},
}
# What csv and xlsx leave out: what stands in another column, the policy's limits, sentences.
_LEFT_OUT = {"breakdown.required_margin", "breakdown.score", "breakdown.limits", "breakdown.lifts"}


def _columns() -> Iterator[Column]:
    for column in columns_of(GradeSerializer()):
        if column.name == "breakdown.parts":
            for factor, values in _PARTS.items():
                yield from (Column((*column.path, factor, name), type_) for name, type_ in values.items())
        elif column.name not in _LEFT_OUT:
            yield column


COLUMNS = tuple(_columns())


def grades(found: Iterable[Grade | GradeRecord]) -> list[dict[str, Any]]:
    """Grades with their breakdowns, as of now or as of a record; the policies are read once for all of them."""
    pairs = [(one, one.record) if isinstance(one, Grade) else (one.grade, one) for one in found]
    rows = [(grade, record) for grade, record in pairs if record is not None]
    wanted = {record.policy_id for _grade, record in rows}
    policies = {row.pk: row.as_rules() for row in GradingPolicy.objects.for_list().filter(pk__in=wanted)}
    return [
        stored(grade, record, _explained(grade, record, policies), policies[record.policy_id]) for grade, record in rows
    ]


def previewed(explanation: Explanation, *, fiscal_year: int, policy: Policy) -> dict[str, Any]:
    """A verdict that is not stored, in the same shape."""
    return {
        "id": None,
        "customer": None,
        "customer_line": None,
        **_verdict(explanation, fiscal_year, policy),
        "graded_at": None,
        "effective_on": None,
        "overridden": False,
    }


def stored(grade: Grade, record: GradeRecord, explanation: Explanation, policy: Policy) -> dict[str, Any]:
    """A recorded grade; `explanation` is of its record under the policy that it names."""
    customer = grade.line.customer
    return {
        "id": grade.pk,
        "customer": {
            "id": customer.pk,
            "name": customer.name,
            "code": customer.code,
            "region": customer.region.code,
        },
        "customer_line": grade.line_id,
        **_verdict(explanation, grade.fiscal_year, policy),
        "graded_at": moment(record.recorded_at),
        "effective_on": record.effective_on.isoformat(),
        "overridden": False,
    }


def flat(grade: dict[str, Any]) -> dict[str, Any]:
    """A grade for csv and xlsx: the reasons as their codes, the parts by their factors."""
    breakdown = grade["breakdown"]
    parts = {part["factor"]: part for part in breakdown["parts"]}
    reasons = " ".join(reason["code"] for reason in grade["reasons"])
    return {**grade, "reasons": reasons, "breakdown": {**breakdown, "parts": parts}}


def _explained(grade: Grade, record: GradeRecord, policies: dict[int, Policy]) -> Explanation:
    return explanation_of(record, line_code=grade.line.product_line.code, policy=policies[record.policy_id])


def _verdict(explanation: Explanation, fiscal_year: int, policy: Policy) -> dict[str, Any]:
    grading, facts = explanation.grading, explanation.facts
    required = grading.required_margin
    if required is None:
        required = policy.required_margin_of(facts.line, fiscal_year)
    return {
        "line": facts.line,
        "fiscal_year": fiscal_year,
        "state": grading.state.value,
        "grade": grading.letter,
        "score": _score(grading.score),
        "reasons": [
            {"code": reason.code, "element": reason.element, "message": reason.message}
            for reason in explanation.reasons
        ],
        "policy_version": explanation.policy_number,
        "required_margin": _rate(required),
        "breakdown": _breakdown(explanation, _rate(required)),
    }


def _breakdown(explanation: Explanation, required_margin: str | None) -> dict[str, Any]:
    grading = explanation.grading
    return {
        "scheme": grading.scheme.value,
        "required_margin": required_margin,
        "inputs": _inputs(explanation),
        "parts": [_part(part) for part in explanation.parts],
        "base": _score(explanation.base),
        "bonus": grading.bonus,
        "score": _score(grading.score),
        "limits": [{"grade": letter, "at_least": _score(limit)} for letter, limit in explanation.limits],
        "lifts": [
            {
                "grade": wish.letter,
                "short_by": _score(wish.short_by),
                "changes": [
                    {"field": name, "now": _figure(name, now), "needed": _figure(name, to)}
                    for name, now, to in wish.changes
                ],
                "message": wish.message,
            }
            for wish in explanation.suggestions
        ],
    }


def _inputs(explanation: Explanation) -> dict[str, Any]:
    facts = explanation.facts
    close_on = facts.expected_close_on
    return {
        "expected_margin": _rate(facts.expected_margin),
        "potential_sales": _yuan(facts.potential_sales),
        "history_sales": _yuan(facts.history_sales),
        "need": facts.has_need,
        "budget": budget(facts),
        "timetable": facts.has_timetable,
        "decision_makers": facts.knows_decision_makers,
        "expected_close_on": close_on and close_on.isoformat(),
        "selection_begun": facts.has_begun_selection,
    }


def _part(part: Part) -> dict[str, Any]:
    shown = _rate if part.unit == "percent" else _yuan
    return {
        "factor": part.factor,
        "label": part.label,
        "unit": part.unit,
        "value": shown(part.raw),
        "compared": shown(part.compared),
        "band_from": shown(part.band_from),
        "band_below": shown(part.band_below),
        "points": part.points,
        "weight": part.weight,
        "subtotal": _score(part.subtotal),
    }


def _figure(name: str, amount: int) -> str | None:
    return _rate(amount) if name == "expected_margin" else _yuan(amount)


def _or_none(convert: Callable[[int], Any]) -> Callable[[int | None], str | None]:
    return lambda value: None if value is None else str(convert(value))


_yuan, _rate, _score = _or_none(money.yuan), _or_none(money.percent), _or_none(money.score)


def moment(value: datetime) -> str:
    """A moment in the company's time zone, ISO 8601."""
    return timezone.localtime(value).isoformat()
