"""The labels of customer lines as every page draws them."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from crm.lib.columns import Place
from crm.models import Customer, CustomerKind, CustomerLine

register = template.Library()

_LINK = '<a href="{}{}{}?{}at={}">{}</a>'


@register.simple_tag
def grade_badge(grade: str | None, state: str, badge_class: str = "") -> SafeString:
    """A grade, or why there is none. The few badges that there are, are drawn once; a list shows hundreds."""
    return _drawn(grade, state, badge_class, get_language())


def customer_link(customer: Customer, place: Place) -> SafeString:
    """The customer's name as a link that knows the way back: the list's address and the place in it."""
    before, after = _around_customer(get_script_prefix())
    link = format_html(_LINK, before, customer.pk, after, place.query, place.at, customer.name)
    if customer.kind == CustomerKind.CUSTOMER:
        return link
    return format_html('{} <span class="pill">{}</span>', link, customer.get_kind_display())


def line_grades(customer: Customer, _place: Place) -> SafeString:
    """Each active line of a customer that a list has fetched, with its grade; those who are never graded have none."""
    is_graded = customer.kind == CustomerKind.CUSTOMER
    lines: list[CustomerLine] = getattr(customer, "active_lines", [])
    language = get_language()
    drawn = "\n".join(
        _line_grade(str(line.product_line), is_graded, line.grade, line.state, language)  # the few that there are, once
        for line in lines
    )
    return SafeString(f'<span class="line-grades">{drawn}</span>')


@lru_cache(maxsize=1000)
def _line_grade(name: str, is_graded: bool, grade: str | None, state: str, language: str | None) -> SafeString:
    badge = _drawn(grade, state, "", language) if is_graded else ""
    return format_html('<span class="line-grade">{} {}</span>', name, badge)


@lru_cache(maxsize=10)
def _around_customer(_prefix: str) -> tuple[str, str]:
    """What stands before and after the number in the address of a customer's page."""
    before, _number, after = reverse("crm:view-customer", args=[0]).rpartition("0")
    return before, after


@lru_cache(maxsize=200)
def _drawn(grade: str | None, state: str, badge_class: str, _language: str | None) -> SafeString:
    shown = {"grade": grade, "state": state, "badge_class": badge_class}
    return SafeString(render_to_string("_includes/grade_badge.html", shown).strip())
