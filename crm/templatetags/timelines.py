"""A customer's timeline as its page draws it; every customer's page has one, and a template takes thrice as long."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from django import template
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.panels import Event
from crm.timeline import TOPICS, Timeline

register = template.Library()

_DAY = '<h3 class="events-day">{}</h3><ol class="events">{}</ol>'
_EVENT = '<li><time datetime="{}">{}</time> {}{}</li>'
_TOPIC = '<a href="{0}" hx-get="{0}" hx-target="#timeline" hx-swap="outerHTML"{1}>{2}</a>'
_CURRENT = SafeString(' aria-current="true"')
_CUSTOMER = 4_000_000_007  # stands for a customer's number in what is drawn once for all of them


@register.simple_tag
def timeline_topics(timeline: Timeline) -> SafeString:
    """The ways to narrow a timeline; of each topic drawn once, but for the customer's number."""
    drawn = _topics(timeline.topic, get_language(), get_script_prefix())
    return SafeString(drawn.replace(str(_CUSTOMER), str(int(timeline.customer))))


@register.simple_tag
def timeline_days(timeline: Timeline) -> SafeString:
    """The events of each day under its date."""
    return SafeString("".join([_day(day, events) for day, events in timeline.days]))


@lru_cache(maxsize=100)
def _topics(chosen: str, _language: str | None, _prefix: str) -> SafeString:
    address = reverse("crm:view-timeline", args=[_CUSTOMER])
    offered = [("", _("All")), *TOPICS.items()]
    return format_html_join(
        "\n",
        _TOPIC,
        (
            (f"{address}?topic={name}" if name else address, _CURRENT if name == chosen else "", label)
            for name, label in offered
        ),
    )


def _day(day: date, events: Sequence[Event]) -> str:
    return format_html(_DAY, day.isoformat(), SafeString("".join([_event(event) for event in events])))


def _event(event: Event) -> str:
    moment = timezone.localtime(event.at)
    clock = moment.strftime("%H:%M")
    title = format_html('<a href="{}">{}</a>', event.url, event.title) if event.url else event.title
    details = format_html_join("", '<div class="text-soft">{}</div>', ((detail,) for detail in event.details))
    return format_html(_EVENT, moment.isoformat(), f"{clock} · {event.by}" if event.by else clock, title, details)
