"""A customer as it was at a day's end: today's state, with every later row of the change log taken back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.actions.changes import snapshot
from crm.change_words import value_words
from crm.lib.moments import day_end
from crm.models import Change, Contact, Customer, CustomerLine, CustomerRegion, ProductLine, Region, User
from crm.panels import Panel
from crm.record_names import ABSENT, Names, names_of
from crm.requests import PageRequest

_FACTS = (
    *("code", "name", "short_name", "kind", "credit_code", "industry", "parent", "branch", "division"),
    *("address", "website", "note"),
)
_CONTACT = ("name", "department", "title", "phone", "email", "is_key_person")
_NOT_THERE: dict[str, Any] = {}

Values = Mapping[str, Any]


class NotKnown(Exception):
    """Nothing can be said of that day; the sentence says why."""


@dataclass(frozen=True)
class PastLine:
    """A product line as it was."""

    pk: int
    name: str
    is_active: bool
    lead: str


@dataclass(frozen=True)
class Past:
    """A customer at a day's end, in words."""

    name: str
    region: str
    facts: Sequence[tuple[str, str]]
    lines: Sequence[PastLine]
    contacts: Sequence[Mapping[str, str]]


def look_back(customer: Customer, day: date, user: User) -> Past:
    """The customer, its lines with their leads and its contacts by the end of a day. Raises NotKnown."""
    if day > timezone.localdate():
        raise NotKnown(_("This day is still to come."))
    dated = CustomerRegion.objects.filter(customer=customer, from_on__lte=day).order_by("-from_on")
    region = next(iter(dated.values_list("region", flat=True)[:1]), None)
    # Customers that were taken over from elsewhere may have belonged to a region before they were recorded here.
    if customer.created_at >= day_end(day) and region is None:
        raise NotKnown(_("The customer was not recorded yet on this day."))
    states = _states(customer, day)
    own = states[Customer][customer.pk]
    if not own or own["deleted_at"]:
        raise NotKnown(_("The customer was not recorded on this day."))
    region = region or own["region_id"]
    if not Region.objects.visible_to(user).filter(pk=region).exists() and region != customer.region_id:
        raise NotKnown(_("On this day the customer belonged to a region that you do not see."))
    lines = _alive(states[CustomerLine], customer)
    contacts = _alive(states[Contact], customer)
    names = names_of(_links(own, region, lines.values()), user)
    return Past(
        name=own["name"],
        region=names.get((Region, str(region)), ""),
        facts=[fact for fact in _facts(own, names) if fact[1] not in ("", ABSENT)],
        lines=[_line(pk, values, names) for pk, values in lines.items()],
        contacts=[{name: _words(Contact, name, values, {}) for name in _CONTACT} for values in contacts.values()],
    )


def past_panels(request: PageRequest, customer: Customer, day: date, lines: Iterable[PastLine]) -> list[Panel]:
    """What other apps know of that day."""
    sources: list[Callable[..., Panel | None]] = [import_string(name) for name in settings.AS_OF_PANELS]
    active = [line.pk for line in lines if line.is_active]
    found = [source(request=request, customer=customer, day=day, lines=active) for source in sources]
    return [panel for panel in found if panel is not None]


def _states(customer: Customer, day: date) -> dict[type[Model], dict[int, dict[str, Any]]]:
    """The stored values by model and number; nothing of a record that was not there yet.

    A contact that has gone to another customer since left a tombstone here.
    """
    gone = Change.objects.filter(customer=customer, is_tombstone=True, table=Contact._meta.db_table)
    found: dict[type[Model], list[Any]] = {
        Customer: [customer],
        CustomerLine: list(CustomerLine.objects.filter(customer=customer).order_by("product_line__position")),
        Contact: list(
            Contact.objects.filter(Q(customer=customer) | Q(pk__in=gone.values("object_id"))).order_by(
                "-is_key_person", "pk"
            )
        ),
    }
    states = {model: {record.pk: snapshot(record) for record in records} for model, records in found.items()}
    by_table = {model._meta.db_table: of_model for model, of_model in states.items()}
    since = Q()
    for table, of_model in by_table.items():
        since |= Q(table=table, object_id__in=list(of_model))
    for change in Change.objects.filter(since, at__gte=day_end(day)).told().order_by("-sequence"):
        _take_back(by_table[change.table], change)
    return states


def _take_back(states: dict[int, dict[str, Any]], change: Change) -> None:
    if change.before is None:
        states[change.object_id] = _NOT_THERE
    elif states[change.object_id]:
        states[change.object_id] = {**states[change.object_id], **change.before}


def _alive(states: Mapping[int, dict[str, Any]], customer: Customer) -> dict[int, dict[str, Any]]:
    """Those that were there, belonged to the customer and had not been removed."""
    return {
        pk: values
        for pk, values in states.items()
        if values and values["customer_id"] == customer.pk and not values.get("deleted_at")
    }


def _links(own: Values, region: int, lines: Iterable[Values]) -> dict[type[Model], set[Any]]:
    found: dict[type[Model], set[Any]] = {Region: {region}, ProductLine: set(), User: set()}
    for name in _FACTS:
        field = Customer._meta.get_field(name)
        if field.is_relation:
            linked: Any = field.related_model
            found.setdefault(linked, set()).add(own[f"{name}_id"])
    for line in lines:
        found[ProductLine].add(line["product_line_id"])
        found[User].add(line["lead_id"])
    return {model: keys - {None} for model, keys in found.items()}


def _facts(own: Values, names: Names) -> list[tuple[str, str]]:
    fields = {field.name: field for field in Customer._meta.concrete_fields}
    return [(capfirst(str(fields[name].verbose_name)), _words(Customer, name, own, names)) for name in _FACTS]


def _words(model: type[Model], name: str, values: Values, names: Names) -> str:
    """A value in words; nothing for none."""
    field: Any = model._meta.get_field(name)
    value = values[field.attname]
    return "" if value in (None, "", False) else value_words(model, field, value, names)


def _line(pk: int, values: Values, names: Names) -> PastLine:
    return PastLine(
        pk=pk,
        name=names.get((ProductLine, str(values["product_line_id"])), ""),
        is_active=values["is_active"],
        lead=names.get((User, str(values["lead_id"])), ""),
    )
