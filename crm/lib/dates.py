"""Fiscal years and months. `today` and the fiscal year's first month are arguments: nothing here reads the clock."""

import calendar
from datetime import date


def add_months(day: date, months: int) -> date:
    """The same day `months` later (or earlier); the month's last day where there is no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def fiscal_year_of(day: date, first_month: int) -> int:
    """The fiscal year that a day lies in, named by the calendar year it starts in."""
    return day.year if day.month >= first_month else day.year - 1


def fiscal_year_start(year: int, first_month: int) -> date:
    """The first day of a fiscal year."""
    return date(year, first_month, 1)


def fiscal_year_end(year: int, first_month: int) -> date:
    """The first day after a fiscal year."""
    return date(year + 1, first_month, 1)
