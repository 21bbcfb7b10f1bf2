"""The labels of customer lines as every page draws them."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from crm.lib.columns import Place
from crm.models import Customer, CustomerKind, CustomerLine

register = template.Library()


@register.simple_tag
def grade_badge(grade: str | None, state: str, badge_class: str = "") -> SafeString:
    """A grade, or why there is none. The few badges that there are, are drawn once; a list shows hundreds."""
    return _drawn(grade, state, badge_class, get_language())


def customer_link(customer: Customer, place: Place) -> SafeString:
    """The customer's name as a link that knows the way back: the list's address and the place in it."""
    path = reverse("crm:view-customer", args=[customer.pk])
    link = format_html('<a href="{}?{}at={}">{}</a>', path, place.query, place.at, customer.name)
    if customer.kind == CustomerKind.CUSTOMER:
        return link
    return format_html('{} <span class="pill">{}</span>', link, customer.get_kind_display())


def line_grades(customer: Customer, _place: Place) -> SafeString:
    """Each active line of a customer that a list has fetched, with its grade; those who are never graded have none."""
    is_graded = customer.kind == CustomerKind.CUSTOMER
    lines: list[CustomerLine] = getattr(customer, "active_lines", [])
    drawn = ((str(line.product_line), grade_badge(line.grade, line.state) if is_graded else "") for line in lines)
    return format_html(
        '<span class="line-grades">{}</span>', format_html_join("\n", '<span class="line-grade">{} {}</span>', drawn)
    )


@lru_cache(maxsize=200)
def _drawn(grade: str | None, state: str, badge_class: str, _language: str | None) -> SafeString:
    shown = {"grade": grade, "state": state, "badge_class": badge_class}
    return SafeString(render_to_string("_includes/grade_badge.html", shown).strip())
