"""What changes a grade or an assessment in the API besides rows of the change log (crm.api.sync)."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils import timezone

from crm.api.sync import Feed, Window
from grading.models import Assessment, Cycle, CycleState, Grade, GradeRecord

_SHOWN = ("line__customer__region", "line__product_line")

GRADES = Feed(customer="line__customer", shows=_SHOWN, fixed=("fiscal_year", "line"))
ASSESSMENTS = Feed(customer="line__customer", shows=_SHOWN, fixed=("fiscal_year", "line"))


def changed_grades(window: Window) -> Iterator[QuerySet]:
    """Grades with a new record, and all of a year that was published."""
    records = GradeRecord.objects.filter(window.within("transaction_number", "recorded_at"))
    yield Grade.objects.filter(pk__in=records.values("grade_id"))
    yield Grade.objects.filter(fiscal_year__in=_years(window, CycleState.PUBLISHED))


def carried_over(window: Window) -> Iterator[QuerySet]:
    """Assessments that were added in one go when their cycle opened."""
    yield Assessment.objects.filter(is_carried_over=True, fiscal_year__in=_years(window, CycleState.OPEN))


def year_in_effect() -> str:
    """The fiscal year that a list without one is of; empty where none is in effect."""
    cycle = Cycle.objects.effective(timezone.localdate()).first()
    return str(cycle) if cycle else ""


def _years(window: Window, state: CycleState) -> QuerySet:
    moved = window.changes(Cycle).filter(after__state=state.value).values("object_id")
    return Cycle.objects.filter(pk__in=moved).values("fiscal_year")
