"""What changes an object of this app in the API besides rows of the change log (crm.api.sync)."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils import timezone

from crm.api.sync import Feed
from crm.api.sync_windows import Window
from crm.models import PolicyState, User
from grading.models import (
    Assessment,
    Cycle,
    CycleState,
    Grade,
    GradeRecord,
    GradingPolicy,
    PolicyBand,
    PolicyLineRule,
    RequiredMargin,
)

_SHOWN = ("line__customer__region", "line__product_line")

GRADES = Feed(customer="line__customer", shows=_SHOWN, fixed=("fiscal_year", "line"))
ASSESSMENTS = Feed(customer="line__customer", shows=_SHOWN, fixed=("fiscal_year", "line"))
POLICIES = Feed(shows=("line_rules__product_line", "required_margins__product_line"))
CYCLES = Feed(shows=("runs__product_line", "runs__region"), fixed=("fiscal_year",))


def changed_grades(window: Window) -> Iterator[QuerySet]:
    """Grades with a new record, and all of a year that was published."""
    records = GradeRecord.objects.filter(window.within("transaction_number", "recorded_at"))
    yield Grade.objects.filter(pk__in=records.values("grade_id"))
    yield Grade.objects.filter(fiscal_year__in=_years(window, CycleState.PUBLISHED))


def carried_over(window: Window) -> Iterator[QuerySet]:
    """Assessments that were added in one go when their cycle opened."""
    yield Assessment.objects.filter(is_carried_over=True, fiscal_year__in=_years(window, CycleState.OPEN))


def edited_drafts(window: Window) -> Iterator[QuerySet]:
    """Drafts, where a band or a rule of one was saved or taken out; a published version has none of that any more."""
    if window.changes(PolicyBand, PolicyLineRule, RequiredMargin).exists():
        yield GradingPolicy.objects.filter(state=PolicyState.DRAFT)


def cycles_with_runs(user: User) -> Iterator[QuerySet]:
    """Cycles whose runs may have gone on, for those who see runs: a closed one has none under way."""
    if user.sees_all_regions:
        yield Cycle.objects.exclude(state=CycleState.CLOSED)


def year_in_effect() -> str:
    """The fiscal year that a list without one is of; empty where none is in effect."""
    cycle = Cycle.objects.effective(timezone.localdate()).first()
    return str(cycle) if cycle else ""


def _years(window: Window, state: CycleState) -> QuerySet:
    moved = window.changes(Cycle).filter(after__state=state.value).values("object_id")
    return Cycle.objects.filter(pk__in=moved).values("fiscal_year")
