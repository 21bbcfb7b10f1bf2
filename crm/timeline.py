"""A customer's timeline: what was changed, by whom, in words; a few of it on the customer's page, all of it beside."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.actions.record_kinds import Topic, kinds_by_table
from crm.change_words import field_words, label_of, told_fields, what_changed
from crm.models import Change, Customer, User, Way, people_seen_by
from crm.panels import Event

SHOWN = 15
FURTHEST = 1_500  # of a customer with more, the page of all changes tells the rest
_FIELDS_SHOWN, _LETTERS_SHOWN = 4, 60
IMPORTS, GRADES = "imports", "grades"
# what the timeline can be narrowed to, in the order in which it is offered
TOPICS = {
    Topic.EDITS.value: Topic.EDITS.label,
    GRADES: gettext_lazy("Grades"),
    Topic.ASSESSMENTS.value: Topic.ASSESSMENTS.label,
    Topic.SALES.value: Topic.SALES.label,
    Topic.PEOPLE.value: Topic.PEOPLE.label,
    IMPORTS: gettext_lazy("Imports"),
}


@dataclass(frozen=True)
class Timeline:
    """A stretch of a customer's timeline by day, newest first, with the way to what came before it."""

    customer: int
    days: Sequence[tuple[date, list[Event]]]
    topic: str = ""
    start: int = 0
    has_more: bool = False

    @property
    def more_url(self) -> str:
        """Where what came before stands; nothing where that was all."""
        if not self.has_more:
            return ""
        params = {"topic": self.topic} if self.topic else {}
        address = reverse("crm:view-timeline", args=[self.customer])
        return f"{address}?{urlencode({**params, 'start': self.start + SHOWN})}"


def timeline_of(
    customer: Customer,
    user: User,
    others: Iterable[Event],
    *,
    topic: str = "",
    start: int = 0,
    is_survivor: bool = True,
) -> Timeline:
    """The events around a customer, from the `start`-th on; `others` come from other apps.

    Those of customers merged into it are its own; nobody looks for them where it is known that there are none.
    """
    end = start + SHOWN
    merged = Customer.objects.filter(merged_into=customer).values_list("pk", flat=True) if is_survivor else ()
    seen = Change.objects.visible_to(user).filter(customer__in=[customer.pk, *merged], is_tombstone=False)
    changes = _of_topic(seen, topic).prefetch_related(people_seen_by(user, "by")).order_by("-sequence")[: end + 1]
    events = [_event(change) for change in changes] if topic != GRADES else []
    fitting = [event for event in others if topic in ("", event.topic)]
    found = sorted([*events, *fitting], key=lambda event: event.at, reverse=True)
    return Timeline(
        customer=customer.pk,
        days=_by_day(found[start:end]),
        topic=topic,
        start=start,
        has_more=len(found) > end and end < FURTHEST,
    )


def events_of_other_apps(customer: Customer, user: User) -> list[Event]:
    """What other apps know of a customer beside the change log."""
    sources: list[Callable[..., Iterable[Event]]] = [import_string(name) for name in settings.CUSTOMER_EVENTS]
    return [event for source in sources for event in source(customer=customer, user=user)]


def _of_topic(changes: QuerySet[Change], topic: str) -> QuerySet[Change]:
    if topic in ("", GRADES):
        return changes
    if topic == IMPORTS:
        return changes.filter(way=Way.IMPORT)
    tables = [table for table, kind in kinds_by_table().items() if kind.topic == topic]
    found = changes.filter(table__in=tables)
    return found.filter(~Q(way=Way.IMPORT)) if topic == Topic.EDITS else found


def _by_day(events: Sequence[Event]) -> list[tuple[date, list[Event]]]:
    return [(day, list(found)) for day, found in groupby(events, key=lambda event: timezone.localdate(event.at))]


def _event(change: Change) -> Event:
    after = change.after or {}
    if change.before is None:
        title = _("{record} added")
    elif change.after is None or after.get("deleted_at"):
        title = _("{record} removed")
    else:
        title = _("{record} changed")
    kind = kinds_by_table().get(change.table)
    return Event(
        at=change.at,
        title=title.format(record=what_changed(change.table)),
        by=str(change.by or change.get_way_display()),
        details=() if change.before is None else tuple(_differences(change)),
        url=_history_address(kind.name, get_script_prefix()).format(change.object_id) if kind else "",
    )


def _differences(change: Change) -> Iterator[str]:
    """The first few fields; a link only by its label, since its name would be another query (the history has it)."""
    changed = told_fields(change)
    before, after = change.before or {}, change.after or {}
    for field in changed[:_FIELDS_SHOWN]:
        if field.is_relation:
            yield label_of(change.table, field)
            continue
        was, became = (field_words(field.model, field.name, values.get(field.attname)) for values in (before, after))
        yield _("{field}: {before} → {after}").format(
            field=label_of(change.table, field), before=_cut(was), after=_cut(became)
        )
    if len(changed) > _FIELDS_SHOWN:
        yield _("and {count} more").format(count=len(changed) - _FIELDS_SHOWN)


def _cut(words: str) -> str:
    return words if len(words) <= _LETTERS_SHOWN else f"{words[:_LETTERS_SHOWN]}…"


@lru_cache(maxsize=100)
def _history_address(kind: str, _prefix: str) -> str:
    return reverse("crm:view-history", args=[kind, 0]).replace("/0/", "/{}/")
