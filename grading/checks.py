"""What must be true before the product starts."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import DatabaseError


def check_fiscal_year_start(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The cycles that exist begin in the month that FISCAL_YEAR_START_MONTH names."""
    if not databases:
        return []
    cycles = apps.get_model("grading", "Cycle").objects.exclude(starts_on__month=settings.FISCAL_YEAR_START_MONTH)
    try:
        other = cycles.order_by("fiscal_year").first()
    except DatabaseError:  # nothing is migrated yet, or nobody answers: whoever needs the tables says so
        return []
    return [] if other is None else [_changed(other.starts_on.month, other.fiscal_year)]


def _changed(month: int, fiscal_year: int) -> Error:
    return Error(
        f"FISCAL_YEAR_START_MONTH is {settings.FISCAL_YEAR_START_MONTH}, "
        f"but the grading cycle {fiscal_year} begins in month {month}.",
        hint=f"Write FISCAL_YEAR_START_MONTH={month}: fiscal years that begin in different months do not compare.",
        id="grading.E001",
    )
