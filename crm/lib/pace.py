"""How quickly work goes and how long it still takes, in words."""

from datetime import timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from crm.lib.durations import duration


def whole(number: float) -> str:
    """A number without decimals, its thousands apart as the reader's language writes them."""
    return number_format(round(number), use_l10n=True, force_grouping=True)


def pace(rate: float | None, left: timedelta | None) -> dict[str, str]:
    """What every bar of progress says beside its figures; nothing where nothing is known yet."""
    return {
        "rate_label": _("{count} a second").format(count=whole(rate)) if rate else "",
        "left_label": "" if left is None else duration(left),
    }
