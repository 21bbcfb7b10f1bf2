"""What a record's history shows around its rows: the way back, the fields to ask for, what can be put back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import snapshot
from crm.actions.record_kinds import RecordKind, Topic, record_kinds
from crm.actions.restore import Restoration, leads_out, restorable_fields
from crm.change_words import FieldChange, Told, fields_of, value_words
from crm.lib.listing import Address
from crm.models import Change, Customer, User
from crm.permissions import Permission, can
from crm.record_names import names_of


@dataclass(frozen=True)
class HistoryRow:
    """A change of a record; beside each field the address that puts its older value back, if the person may."""

    told: Told
    fields: Sequence[tuple[FieldChange, str]]


@dataclass(frozen=True)
class RestorationWords:
    """What a restoration does, as people read it."""

    record: str
    label: str
    now: str
    then: str
    until: str


@dataclass(frozen=True)
class RecordHistory:
    """A record as it is, absent where a setting is gone, and its changes that a person sees."""

    kind: RecordKind
    record: Any
    changes: QuerySet[Change]

    def of_field(self, name: str) -> QuerySet[Change]:
        """The changes of one field; all where none is named. Raises ObjectDoesNotExist for one that there is not."""
        if not name:
            return self.changes
        if name not in dict(fields_of(self.kind)):
            raise ObjectDoesNotExist
        column = next(field.attname for field in self.kind.model._meta.concrete_fields if field.name == name)
        return self.changes.filter(before__has_key=column, after__isnull=False)


def kind_for(name: str, user: User) -> RecordKind:
    """A kind of records whose history a person may read. Raises ObjectDoesNotExist, and PermissionDenied."""
    kind = record_kinds().get(name)
    if kind is None or not kind.is_changed:
        raise ObjectDoesNotExist
    if not kind.is_open_to(user):
        raise PermissionDenied
    return kind


def history_of(name: str, pk: int, user: User) -> RecordHistory:
    """The history of a record. Raises ObjectDoesNotExist where there is none to be seen, PermissionDenied for its kind.

    A setting that is gone still has its history; a record of a customer must exist for the reader.
    """
    kind = kind_for(name, user)
    record = kind.seen(user).filter(pk=pk).first()
    changes = Change.objects.visible_to(user).told().filter(table=kind.table, object_id=pk)
    if record is None and not (kind.topic == Topic.SETTINGS and changes.exists()):
        raise ObjectDoesNotExist
    return RecordHistory(kind, record, changes)


def customer_of(record: Any) -> Customer | None:
    """The customer that a record is part of."""
    if record is None or isinstance(record, Customer):
        return record
    return getattr(record, "customer", None) or getattr(getattr(record, "line", None), "customer", None)


def record_crumbs(kind: RecordKind, record: Any, user: User) -> list[dict[str, str]]:
    """The way back: to the customer, or to the changes of settings and people."""
    customer = customer_of(record)
    if customer is not None:
        return [
            {"label": _("Customers"), "url": reverse("crm:list-customers")},
            {"label": customer.name, "url": reverse("crm:view-customer", args=[customer.pk])},
        ]
    if kind.topic == Topic.SETTINGS and can(user, Permission.LIST_CHANGES):
        return [{"label": _("History"), "url": f"{reverse('crm:list-changes')}?about=settings&kind={kind.name}"}]
    return []


def fields_to_ask(kind: RecordKind, address: Address, chosen: str) -> list[tuple[str, str, bool]]:
    """The fields by which a history can be narrowed: address, label, and whether it is the one."""
    everything = (address.having(field=None, before=None), _("All fields"), not chosen)
    named = [(address.having(field=name, before=None), label, name == chosen) for name, label in fields_of(kind)]
    return [everything, *named]


def history_rows(kind: RecordKind, record: Any, told: Sequence[Told], user: User) -> list[HistoryRow]:
    """The rows, with the way back to each older value that the person may put back."""
    fields = restorable_fields(kind, user)
    is_writable = bool(fields) and record is not None and _is_writable(kind, record, user)
    now = _as_seen(record, fields, user) if is_writable else {}
    return [HistoryRow(row, list(_with_ways_back(kind, row, fields if is_writable else (), now))) for row in told]


def restoration_words(restoration: Restoration, user: User) -> RestorationWords:
    """What is there now and what was then; a link only where it exists for the person."""
    field, model = restoration.field, type(restoration.record)
    values = {restoration.now, restoration.then} - {None}
    linked: Any = field.related_model
    names = names_of({linked: values}, user) if field.is_relation else {}
    return RestorationWords(
        record=str(restoration.record),
        label=restoration.kind.label_of(field),
        now=value_words(model, field, restoration.now, names),
        then=value_words(model, field, restoration.then, names),
        until=timezone.localtime(restoration.change.at).strftime("%Y-%m-%d %H:%M"),
    )


def _is_writable(kind: RecordKind, record: Any, user: User) -> bool:
    return kind.restoring is not None and kind.restoring.writable(user).filter(pk=record.pk).exists()


def _as_seen(record: Any, fields: frozenset[str], user: User) -> dict[str, Any]:
    """The stored values; a link that leads out of the person's sight is as good as none."""
    now = snapshot(record)
    for field in record._meta.concrete_fields:
        if field.name in fields and leads_out(field, getattr(record, field.attname), user):
            now[field.attname] = None
    return now


def _with_ways_back(
    kind: RecordKind, row: Told, fields: frozenset[str] | tuple[()], now: dict[str, Any]
) -> Iterator[tuple[FieldChange, str]]:
    change = row.change
    columns = {field.name: field.attname for field in kind.model._meta.concrete_fields}
    for field in row.fields:
        was_changed = change.before is not None and change.after is not None
        may = was_changed and field.name in fields and not field.has_absent
        column = columns[field.name]
        if may and (change.before or {})[column] != now[column]:
            way = reverse("crm:restore-value", args=[kind.name, change.object_id, change.sequence, field.name])
            yield field, way
        else:
            yield field, ""
