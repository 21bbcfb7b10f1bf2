"""The graded set: one row per customer line with its verdict and inputs, as SQL made from the policy.

The run inserts it, what-if groups it, the bench times it. It says in SQL what grading.policy says in Python; a
property test holds the two to the same result on SQLite and on PostgreSQL. Only whole numbers and the policy's own
words are written into the statement; dates are parameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from crm.models import CustomerKind
from grading.policy import Band, BudgetState, Calendar, LineRule, Missing, Policy, Scheme, State

INPUTS = (
    "expected_margin",
    "potential_sales",
    "history_sales",
    "has_need",
    "budget_state",
    "budget_amount",
    "budget_fits_pricing",
    "has_timetable",
    "knows_decision_makers",
    "expected_close_on",
    "has_begun_selection",
)
VERDICT = (
    "state",
    "letter",
    "score",
    "missing",
    "scheme",
    "required_margin",
    "margin_points",
    "potential_points",
    "bonus",
)
COLUMNS = ("product_line_id", "before", *VERDICT, *INPUTS)

# Inputs as they stand where nobody has assessed the line.
_FLAGS = ("has_need", "budget_fits_pricing", "has_timetable", "knows_decision_makers", "has_begun_selection")


@dataclass(frozen=True)
class GradedSet:
    """A SELECT with line_id and COLUMNS, and its parameters.

    `before` is what the line is labelled: a letter, else a state.
    Where it was asked for with heads, also grade_id and head_record_id, NULL where a line has no head.
    """

    sql: str
    params: Mapping[str, Any]


def graded_set(
    *,
    policy: Policy,
    calendar: Calendar,
    product_lines: Mapping[int, str],
    ids: str,
    narrowed: str = "",
    params: Mapping[str, Any],
    with_heads: bool = False,
) -> GradedSet:
    """Build the set for some customer lines.

    `ids` is a condition on the id of a customer line, with {} for the column, so that each table is read by its own
    index; `narrowed` is one more condition, on crm_customerline AS l. `params` are the parameters of both.
    `product_lines` maps the ids of product lines to their codes. Heads are joined among the facts, where everything
    still lies in the order of lines.
    """
    rules = {pk: policy.rule(code) for pk, code in product_lines.items()}
    margins = {pk: policy.required_margin_of(code, calendar.fiscal_year) for pk, code in product_lines.items()}
    facts = _facts(rules, margins, ids, narrowed, with_heads)
    pointed = _pointed(facts, rules, policy)
    return GradedSet(_graded(pointed, policy, with_heads), {**_days(calendar), **params})


def gradable() -> str:
    """The condition on crm_customerline AS l that CustomerLineQuerySet.gradable() puts in Django's words."""
    return f"l.is_active AND l.customer_id NOT IN ({never_graded()})"


def never_graded() -> str:
    """The few customers that no line of is graded; they have an index of their own."""
    return f"SELECT id FROM crm_customer WHERE deleted_at IS NOT NULL OR NOT (kind = '{CustomerKind.CUSTOMER.value}')"


def _facts(rules: Mapping[int, LineRule], margins: Mapping[int, int], ids: str, narrowed: str, with_heads: bool) -> str:
    """The facts of each line: what was entered, the sales of two years, the rule of its product line."""
    heads = f"""LEFT JOIN grading_grade g
            ON g.line_id = l.id AND {ids.format("g.line_id")} AND g.fiscal_year = %(fiscal_year)s"""
    flags = "".join(f", COALESCE(a.{name}, FALSE) AS {name}" for name in _FLAGS)
    scheme = _by_line({pk: f"'{rule.scheme.value}'" for pk, rule in rules.items()}, f"'{Scheme.CUSTOMER_VALUE.value}'")
    return f"""
        SELECT l.id AS line_id, l.product_line_id, COALESCE(l.grade, l.state) AS before,
            a.id IS NOT NULL AS is_assessed, {scheme} AS scheme, {_by_line(margins, "NULL")} AS line_margin,
            {_by_line({pk: rule.smallest_budget for pk, rule in rules.items()}, "NULL")} AS smallest_budget,
            a.expected_margin, a.potential_sales, COALESCE(s.total, 0) AS history_sales,
            COALESCE(a.budget_state, '{BudgetState.NONE.value}') AS budget_state, a.budget_amount,
            a.expected_close_on{flags}{", g.id AS grade_id, g.record_id AS head_record_id" if with_heads else ""}
        FROM crm_customerline l
        {heads if with_heads else ""}
        LEFT JOIN grading_assessment a
            ON a.line_id = l.id AND {ids.format("a.line_id")}
            AND a.fiscal_year = %(fiscal_year)s AND a.deleted_at IS NULL AND NOT a.is_carried_over
        LEFT JOIN (
            SELECT line_id, CAST(SUM(amount) AS bigint) AS total FROM crm_sale
            WHERE deleted_at IS NULL AND signed_on >= %(history_from)s AND signed_on < %(as_of)s
                AND {ids.format("line_id")}
            GROUP BY line_id
        ) s ON s.line_id = l.id
        WHERE {gradable()} AND {ids.format("l.id")}{narrowed}
        {fence()}"""


def _pointed(facts: str, rules: Mapping[int, LineRule], policy: Policy) -> str:
    """What is missing, and what each figure earns."""
    return f"""
        SELECT f.*, CASE WHEN f.is_assessed THEN {_missing_sum(rules)} ELSE 0 END AS missing,
            {_points("f.expected_margin - f.line_margin", policy.margin)} AS margin_earned,
            {_points("f.potential_sales", policy.potential)} AS potential_earned,
            {_points("f.history_sales", policy.bonus)} AS bonus_earned
        FROM ({facts}) f {fence()}"""


def _graded(pointed: str, policy: Policy, with_heads: bool) -> str:
    """State, score and letter from what was earned."""
    base = f"p.margin_earned * {policy.margin_weight} + p.potential_earned * {policy.potential_weight}"
    heads = " p.grade_id, p.head_record_id," if with_heads else ""
    limits = " ".join(f"WHEN p.score >= {limit} THEN '{letter}'" for letter, limit in policy.limits)
    scored = f"""
        SELECT p.*, p.is_assessed AND p.missing = 0 AS is_graded,
            CASE WHEN p.is_assessed AND p.missing = 0 AND p.scheme = '{Scheme.CUSTOMER_VALUE.value}'
                THEN ({base}) * p.bonus_earned END AS score
        FROM ({pointed}) p {fence()}"""
    return f"""
        SELECT p.line_id, p.product_line_id, p.before,{heads}
            CASE WHEN NOT p.is_assessed THEN '{State.NOT_ASSESSED.value}'
                WHEN p.is_graded THEN '{State.GRADED.value}' ELSE '{State.NOT_GRADABLE.value}' END AS state,
            CASE WHEN p.score IS NOT NULL THEN CASE {limits} ELSE 'D' END
                WHEN p.is_graded THEN {_horizon_letter()} END AS letter,
            p.score, p.missing, p.scheme,
            CASE WHEN p.score IS NOT NULL THEN p.line_margin END AS required_margin,
            CASE WHEN p.score IS NOT NULL THEN p.margin_earned END AS margin_points,
            CASE WHEN p.score IS NOT NULL THEN p.potential_earned END AS potential_points,
            CASE WHEN p.score IS NOT NULL THEN p.bonus_earned END AS bonus,
            {", ".join(f"p.{name}" for name in INPUTS)}
        FROM ({scored}) p"""


def _missing_sum(rules: Mapping[int, LineRule]) -> str:
    """The sum of what is missing, as grading.policy.missing adds it up."""
    in_value_scheme = f"f.scheme = '{Scheme.CUSTOMER_VALUE.value}'"
    no_budget = f"f.budget_state = '{BudgetState.NONE.value}'"
    conditions = {
        Missing.NEED: "NOT f.has_need",
        Missing.BUDGET: no_budget,
        Missing.BUDGET_PRICING: f"NOT {no_budget} AND NOT f.budget_fits_pricing",
        Missing.TIMETABLE: "NOT f.has_timetable",
        Missing.DECISION_MAKERS: "NOT f.knows_decision_makers",
        Missing.CLOSE_DATE: "f.expected_close_on IS NULL",
        Missing.CLOSE_DATE_OUTSIDE: "f.expected_close_on < %(year_start)s OR f.expected_close_on >= %(year_end)s",
        Missing.EXPECTED_MARGIN: f"{in_value_scheme} AND f.expected_margin IS NULL",
        Missing.POTENTIAL_SALES: f"{in_value_scheme} AND f.potential_sales IS NULL",
    }
    if any(rule.smallest_budget is not None for rule in rules.values()):
        conditions[Missing.BUDGET_TOO_SMALL] = f"NOT {no_budget} AND COALESCE(f.budget_amount, 0) < f.smallest_budget"
    return " + ".join(f"CASE WHEN {condition} THEN {flag.value} ELSE 0 END" for flag, condition in conditions.items())


def _points(value: str, bands: Sequence[Band]) -> str:
    """The points of a value: the highest floor at or below it decides; nothing for nothing."""
    rising = sorted((band for band in bands if band.floor is not None), key=lambda band: band.floor or 0, reverse=True)
    lowest = next((band.points for band in bands if band.floor is None), None)
    steps = " ".join(f"WHEN {value} >= {band.floor} THEN {band.points}" for band in rising)
    return f"CASE WHEN {value} IS NULL THEN NULL {steps} ELSE {'NULL' if lowest is None else lowest} END"


def _horizon_letter() -> str:
    return """CASE WHEN p.expected_close_on < %(near)s AND p.has_begun_selection THEN 'A'
                    WHEN p.expected_close_on < %(middle)s THEN 'B'
                    WHEN p.expected_close_on < %(far)s THEN 'C' ELSE 'D' END"""


def _by_line(values: Mapping[int, Any], otherwise: str) -> str:
    """A value that depends on the product line; the few different values once each."""
    cases: dict[Any, list[int]] = {}
    for pk, value in values.items():
        cases.setdefault(value, []).append(pk)
    spoken = " ".join(
        f"WHEN l.product_line_id IN ({', '.join(map(str, sorted(pks)))}) THEN {value}"
        for value, pks in cases.items()
        if value is not None
    )
    return f"CASE {spoken} ELSE {otherwise} END" if spoken else f"CAST({otherwise} AS bigint)"


def _days(calendar: Calendar) -> dict[str, Any]:
    near, middle, far = calendar.horizons
    days = {
        "year_start": calendar.year_start,
        "year_end": calendar.year_end,
        "as_of": calendar.as_of,
        "history_from": calendar.history_from,
        "near": near,
        "middle": middle,
        "far": far,
    }
    adapted = {name: connection.ops.adapt_datefield_value(day) for name, day in days.items()}
    return {"fiscal_year": calendar.fiscal_year, **adapted}


def fence() -> str:
    """Keep the planner from repeating a subquery's expressions in the query around it.

    Measured for 1,000,000 lines: 5.9 s against 3.7 on PostgreSQL, 80 s against 16 on SQLite.
    """
    return "OFFSET 0" if connection.vendor == "postgresql" else "LIMIT -1"
