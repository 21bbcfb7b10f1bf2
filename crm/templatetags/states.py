"""Where a record stands, as lists and pages draw it."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from crm.lib.columns import Place
from crm.lib.drawing import pill

register = template.Library()

# Of imports, bulk changes and cycles alike: done well, under way, waiting for a person, gone wrong.
_TONES = {
    **dict.fromkeys(("done", "published"), "good"),
    **dict.fromkeys(("checking", "importing", "changing", "undoing", "open"), "warn"),
    **dict.fromkeys(("uploaded", "checked", "chosen", "shown"), "accent"),
    "failed": "bad",
}


@register.simple_tag
def state_pill(record: Any) -> SafeString:
    """The state of a record that has one."""
    return pill(record.get_state_display(), _TONES.get(record.state, ""))


def state_of(record: Any, _place: Place) -> SafeString:
    """The same in a list."""
    return state_pill(record)
