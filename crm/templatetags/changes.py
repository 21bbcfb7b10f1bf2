"""Rows of the change log as lists draw them: links to what exists for the reader, long texts cut."""

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from crm.change_words import Told
from crm.lib.columns import Place

register = template.Library()

_FIELDS_SHOWN, _LETTERS_SHOWN = 4, 120


@register.filter
def history_url(told: Told) -> str:
    """Where all changes of the record stand; nothing for a record that has no page of them."""
    if told.kind is None:
        return ""
    return reverse("crm:view-history", args=[told.kind.name, told.change.object_id])


def moment_of(told: Told, _place: Place) -> SafeString:
    """When, to the second."""
    moment = timezone.localtime(told.change.at)
    return format_html(
        '<time class="tabular text-nowrap" datetime="{}">{}</time>', moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S}"
    )


def record_of(told: Told, _place: Place) -> SafeString:
    """The kind of record with its name, as a link to its history."""
    label = _("{kind}: {name}").format(kind=told.what, name=_cut(told.record)) if told.record else told.what
    url = history_url(told)
    return format_html('<a href="{}">{}</a>', url, label) if url else conditional_escape(label)


def customer_of(told: Told, _place: Place) -> SafeString:
    """The customer as a link; nothing where it does not exist for the reader."""
    if not told.customer:
        return SafeString("")
    url = reverse("crm:view-customer", args=[told.change.customer_id])
    return format_html('<a href="{}">{}</a>', url, _cut(told.customer))


def changed_fields(told: Told, _place: Place) -> SafeString:
    """The first few fields, each on its line."""
    sentences = told.sentences
    shown = [_cut(sentence) for sentence in sentences[:_FIELDS_SHOWN]]
    if len(sentences) > _FIELDS_SHOWN:
        shown.append(_("and {count} more").format(count=len(sentences) - _FIELDS_SHOWN))
    return format_html_join("", "<div>{}</div>", ((sentence,) for sentence in shown))


def _cut(text: str) -> str:
    return Truncator(text).chars(_LETTERS_SHOWN)
