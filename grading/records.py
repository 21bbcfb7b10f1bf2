"""The kinds of records of this app whose history people read, and how an assessment goes back to an older value."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.actions.record_kinds import RecordKind, Restoring, Topic
from crm.models import CustomerLine, User
from crm.permissions import Permission
from crm.records import NAMED, all_of, columns_from, first_of, in_language, of_line
from grading.actions.assessments import save_assessment
from grading.actions.runs import CycleClosed
from grading.models import Assessment, BandKind, Cycle, GradingPolicy, PolicyBand, PolicyLineRule, RequiredMargin


def _assessments(user: User) -> QuerySet[Assessment]:
    """Those of the lines one sees, removed ones included: that they were removed is history too."""
    return Assessment.objects.filter(line__in=CustomerLine.objects.visible_to(user))


def _save_assessment(record: Assessment, **how: Any) -> None:
    save_assessment(assessment=record, **how)


def _of_assessment(parts: Sequence[str]) -> str:
    return f"{of_line(parts[:3])} · {parts[3]}"


def _version(parts: Sequence[str]) -> str:
    return f"v{parts[0]}"


def _band(parts: Sequence[str]) -> str:
    return f"v{parts[0]} · {BandKind(parts[1]).label}"


def _of_policy_and_line(parts: Sequence[str]) -> str:
    return f"v{parts[0]} · {in_language(parts[1:])}"


def _hundredths(value: int) -> str:
    """Yuan of sales or points of a margin: both are kept in hundredths."""
    return f"{value / 100:,.2f}"


_RESTORING = Restoring(
    Permission.SAVE_ASSESSMENT,
    lambda user: Assessment.objects.writable_by(user),
    (
        *("expected_margin", "potential_sales", "has_need", "budget_state", "budget_amount", "budget_fits_pricing"),
        *("has_timetable", "knows_decision_makers", "expected_close_on", "has_begun_selection", "has_system", "note"),
    ),
    _save_assessment,
    {CycleClosed: _("The cycle of this fiscal year is closed: its assessments are history.")},
)


def _setting(name: str, model: Any, columns: tuple[str, ...], named: Any, **more: Any) -> RecordKind:
    return RecordKind(name, model, Topic.SETTINGS, Permission.VIEW_AUDIT, all_of(model), columns, named, **more)


_OF_POLICY = {"policy": _("grading policy")}

KINDS = (
    RecordKind(
        "assessment",
        Assessment,
        Topic.ASSESSMENTS,
        Permission.VIEW_GRADES,
        _assessments,
        (*columns_from("line"), "fiscal_year"),
        _of_assessment,
        restoring=_RESTORING,
    ),
    _setting("grading-policy", GradingPolicy, ("number",), _version),
    _setting(
        "policy-band", PolicyBand, ("policy__number", "kind"), _band, words={"floor": _hundredths}, labels=_OF_POLICY
    ),
    _setting(
        "policy-line-rule",
        PolicyLineRule,
        ("policy__number", *columns_from("product_line", NAMED)),
        _of_policy_and_line,
        labels=_OF_POLICY,
    ),
    _setting(
        "required-margin",
        RequiredMargin,
        ("policy__number", *columns_from("product_line", NAMED)),
        _of_policy_and_line,
        labels=_OF_POLICY,
    ),
    _setting(
        *("grading-cycle", Cycle, ("fiscal_year",), first_of),
        labels={"opened_by": _("opened by"), "published_by": _("published by")},
    ),
)
