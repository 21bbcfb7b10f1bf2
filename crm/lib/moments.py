"""Days as moments in the company's time zone."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

_FIRST, _LAST = date(1900, 1, 1), date(9000, 1, 1)  # nothing is recorded outside, and moments there have no time zone


def day_start(day: date) -> datetime:
    """The day's first moment, midnight in the company's time zone."""
    return timezone.make_aware(datetime.combine(min(max(day, _FIRST), _LAST), time.min))


def day_end(day: date) -> datetime:
    """The moment after a day, midnight in the company's time zone."""
    known = min(max(day, _FIRST), _LAST)
    return timezone.make_aware(datetime.combine(known + timedelta(days=1), time.min))
