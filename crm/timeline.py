"""A record's timeline: what was changed, by whom, in words."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.lib import money
from crm.models import Change, Customer, User
from crm.models.fields import FenField, RateField, ScoreField
from crm.panels import Event

_SHOWN = 15
_FIELDS_SHOWN = 4
_SILENT = frozenset(
    {
        "id",
        "version",
        "updated_at",
        "created_at",
        "deleted_at",
        "pinyin",
        "search_text",
        "facts_changed_at",
        "labels_transaction",
    }
)


def events_of(customer: Customer, user: User, more: Iterable[Event] = ()) -> list[Event]:
    """The latest events around a customer, newest first; `more` is what other apps know."""
    seen = Change.objects.visible_to(user).filter(customer=customer, is_tombstone=False)
    changes = seen.select_related("by").order_by("-sequence")
    events = [_event(change) for change in changes[:_SHOWN]]
    return sorted([*events, *more], key=lambda event: event.at, reverse=True)[:_SHOWN]


def field_words(model: type[models.Model], name: str, value: Any) -> str:
    """A stored value as people read it."""
    field = model._meta.get_field(name)
    if value is None or value == "":
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, FenField):
        return _("{amount}万 yuan").format(amount=f"{money.wan(value).normalize():f}")
    if isinstance(field, RateField):
        return f"{money.percent(value)} %"
    if isinstance(field, ScoreField):
        return f"{money.score(value)}"
    return str(dict(getattr(field, "flatchoices", ())).get(value, value))


def _event(change: Change) -> Event:
    model = _models().get(change.table)
    what = capfirst(str(model._meta.verbose_name)) if model else change.table
    if change.before is None:
        title = _("{record} added").format(record=what)
    elif (change.after or {}).get("deleted_at"):
        title = _("{record} removed").format(record=what)
    else:
        title = _("{record} changed").format(record=what)
    details = tuple(_differences(model, change)) if model and change.before is not None else ()
    return Event(at=change.at, title=title, by=str(change.by or change.get_way_display()), details=details)


def _differences(model: type[models.Model], change: Change) -> Iterator[str]:
    before, after = change.before or {}, change.after or {}
    fields = {field.attname: field for field in model._meta.concrete_fields}
    changed = [name for name in after if name in fields and name not in _SILENT]
    for attname in changed[:_FIELDS_SHOWN]:
        field = fields[attname]
        if field.is_relation:
            yield str(field.verbose_name)
            continue
        yield _("{field}: {before} → {after}").format(
            field=field.verbose_name,
            before=field_words(model, field.name, before.get(attname)),
            after=field_words(model, field.name, after[attname]),
        )
    if len(changed) > _FIELDS_SHOWN:
        yield _("and {count} more").format(count=len(changed) - _FIELDS_SHOWN)


@cache
def _models() -> dict[str, type[models.Model]]:
    return {model._meta.db_table: model for model in apps.get_models()}
