"""How long something takes, in words."""

from datetime import timedelta

from django.utils.translation import ngettext


def duration(time: timedelta) -> str:
    """Seconds below a minute and a half, else minutes, else hours, rounded up."""
    seconds = max(1, round(time.total_seconds()))
    if seconds < 90:
        return ngettext("{count} second", "{count} seconds", seconds).format(count=seconds)
    minutes = -(-seconds // 60)
    if minutes < 90:
        return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)
    hours = -(-minutes // 60)
    return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
