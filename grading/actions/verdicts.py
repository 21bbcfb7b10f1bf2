"""Verdicts in parts and sentences: of facts that are not stored, and of records that are."""

from datetime import date

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from crm.lib.dates import add_months
from crm.models import CustomerLine, Sale
from grading import policy as rules
from grading.explain import Explanation, explain
from grading.models import GradeRecord, GradingPolicy


def preview(*, facts: rules.Facts, fiscal_year: int, as_of: date | None = None) -> Explanation:
    """What the facts would be graded under the policy in force; nothing is stored."""
    policy = GradingPolicy.objects.for_list().current().as_rules()
    calendar = rules.Calendar.of(
        fiscal_year=fiscal_year,
        as_of=as_of or timezone.localdate(),
        policy=policy,
        first_month=settings.FISCAL_YEAR_START_MONTH,
    )
    return explain(rules.grade(facts, policy, calendar), facts, policy)


def explanation_of(record: GradeRecord, *, line_code: str, policy: rules.Policy) -> Explanation:
    """A stored verdict with its parts, as they were recorded; `policy` is the version that the record names."""
    return explain(record.grading(), record.facts(line_code), policy)


def history_sales(line: CustomerLine, *, as_of: date | None = None) -> int:
    """The sales of a customer line in the 24 months before the grading date, in fen."""
    day = as_of or timezone.localdate()
    sales = Sale.objects.filter(line=line).signed_between(add_months(day, -rules.HISTORY_MONTHS), day)
    return sales.aggregate(total=Sum("amount"))["total"] or 0
