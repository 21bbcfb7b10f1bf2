"""What stands in a list's cell besides plain text: links, states, buttons."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString


def link(url: str, text: Any) -> SafeString:
    """A text that leads somewhere."""
    return format_html('<a href="{}">{}</a>', url, text)


def long_link(url: str, text: Any) -> SafeString:
    """The same, where the text may be one long word."""
    return format_html('<a class="long-word" href="{}">{}</a>', url, text)


def pill(text: Any, tone: str = "") -> SafeString:
    """A state; `tone` is good, warn, bad, accent or none."""
    return format_html('<span class="pill{}">{}</span>', f" pill-{tone}" if tone else "", text)


def marked(name: Any, state: str) -> SafeString:
    """A name with a state beside it."""
    return format_html("{} {}", name, pill(state))


def small_button(url: str, text: Any, name: Any) -> SafeString:
    """What can be done about a row; `name` is what it says to those who do not see the row around it."""
    return format_html('<a class="btn btn-sm" href="{}" aria-label="{}">{}</a>', url, name, text)
