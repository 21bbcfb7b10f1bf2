"""The labels of customer lines as every page draws them."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
def grade_badge(grade: str | None, state: str, badge_class: str = "") -> SafeString:
    """A grade, or why there is none. The few badges that there are, are drawn once; a list shows hundreds."""
    return _drawn(grade, state, badge_class, get_language())


@lru_cache(maxsize=200)
def _drawn(grade: str | None, state: str, badge_class: str, _language: str | None) -> SafeString:
    shown = {"grade": grade, "state": state, "badge_class": badge_class}
    return SafeString(render_to_string("_includes/grade_badge.html", shown).strip())
