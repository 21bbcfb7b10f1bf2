"""The one function that appends to the change log, for one record or a set."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from crm.lib.bulk import append_all
from crm.lib.transactions import transaction_number
from crm.models import ApiToken, Change, Contact, Customer, CustomerLine, User, Way

SECRETS = frozenset({"password", "digest", "token_key"})


class EditedMeanwhile(Exception):
    """Someone else changed the record after it was read; nothing was saved."""

    def __init__(self, record: models.Model) -> None:
        super().__init__(f"{record._meta.verbose_name} {record.pk} was changed by someone else meanwhile")
        self.record = record


@dataclass(frozen=True)
class Edit:
    """A record with the values it had before; None where it is new."""

    record: models.Model
    before: dict[str, Any] | None
    is_removed: bool = False
    reason: str = ""  # of this one, where a set has several


def snapshot(record: models.Model) -> dict[str, Any]:
    """The record's stored values, in a form that JSON keeps exactly; of a secret only whether it is the same."""
    names, values_of, secrets = _stored(record.__class__)
    values = dict(zip(names, map(_plain, values_of(record)), strict=True))
    for name in secrets:
        values[name] = _fingerprint(values[name])
    return values


def changed_fields(edits: Sequence[Any]) -> list[str]:
    """The fields in which any record of one table differs from what it was; `edits` have `record` and `before`."""
    changed = {
        name
        for edit in edits
        for name, value in snapshot(edit.record).items()
        if (edit.before or {}).get(name) != value
    }
    return [field.name for edit in edits[:1] for field in edit.record._meta.concrete_fields if field.attname in changed]


def record_change(
    record: models.Model,
    *,
    before: dict[str, Any] | None,
    by: User | None,
    way: Way,
    reason: str = "",
    batch: UUID | None = None,
) -> Change | None:
    """Append the change of one record: the fields that differ from `before` (a snapshot, None for a new record)."""
    made = [
        Change.objects.create(**dict(zip(_COLUMNS, row, strict=True)))
        for row in _rows([Edit(record, before)], by, way, reason, batch)
    ]
    return next((change for change in made if not change.is_tombstone), None)


def record_removal(record: models.Model, *, by: User | None, way: Way, reason: str = "") -> None:
    """Append that a part of something unfinished is taken out; call it before. Facts are never removed."""
    record_changes([Edit(record, snapshot(record), is_removed=True)], by=by, way=way, reason=reason)


def record_changes(
    edits: Sequence[Edit], *, by: User | None, way: Way, reason: str = "", batch: UUID | None = None
) -> None:
    """Append the changes of a set of records; those in which nothing differs leave no row."""
    append_all(Change, _COLUMNS, _rows(edits, by, way, reason, batch))


def record_departures(records: Iterable[models.Model], *, place: Customer, by: User | None, way: Way) -> None:
    """Tell followers at a customer's place that records have left it with their line; nothing in them changed."""
    shared = (transaction_number(), by.pk if by else None, way.value)
    now = timezone.now()
    rows = [  # all of them before the first is stored: nothing can be read while PostgreSQL copies
        (one._meta.db_table, one.pk, place.region_id, place.pk, 0, None, None, "", True, *shared, None, now)
        for one in records
    ]
    append_all(Change, _COLUMNS, rows)


_COLUMNS = (
    *("table", "object_id", "region_id", "customer_id", "version", "before", "after", "reason", "is_tombstone"),
    *("transaction", "by_id", "way", "batch", "at"),
)


def _rows(
    edits: Sequence[Edit], by: User | None, way: Way, reason: str, batch: UUID | None
) -> Iterator[tuple[Any, ...]]:
    """The rows of the log, and after them what tells followers at an old place that a record has left it."""
    shared = (transaction_number(), by.pk if by else None, way.value)
    now = timezone.now()
    places = _Places()  # asked for before the first row is stored: nothing can be read while PostgreSQL copies
    left = [(one.record, place) for one in edits if (place := _old_place(one.record, one.before or {}, places))]
    for edit in edits:
        parts = _parts(edit)
        if parts is not None:
            yield (*parts, edit.reason or reason, False, *shared, batch, now)
    for record, place in left:
        yield (record._meta.db_table, record.pk, *place, 0, None, None, "", True, *shared, None, now)


def _parts(edit: Edit) -> tuple[Any, ...] | None:
    before, after = _values(edit)
    if not before and not after:
        return None
    record: Any = edit.record
    customer = _customer_of(record)
    return (
        record._meta.db_table,
        record.number if isinstance(record, ApiToken) else record.pk,
        customer.region_id if customer else None,
        customer.pk if customer else None,
        getattr(record, "version", 0),
        before,
        after,
    )


class _Places:
    """Region and customer of customers and lines, each asked of the database once: a merge moves them by hundreds."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[int, int]] = {}

    def of(self, name: str, number: int) -> tuple[int, int]:
        """Of a customer (`pk`) or of one of its lines (`lines`)."""
        if (name, number) not in self._known:
            customer = Customer.objects.get(**{name: number})
            self._known[name, number] = (customer.region_id, customer.pk)
        return self._known[name, number]


def _old_place(record: Any, before: dict[str, Any], places: _Places) -> tuple[int, int] | None:
    """Region and customer that a record belonged to and belongs to no more."""
    if isinstance(record, Customer):
        region = before.get("region_id", record.region_id)
        return None if region == record.region_id else (region, record.pk)
    if before.get("line_id") not in (None, getattr(record, "line_id", None)):
        return places.of("lines", before["line_id"])
    if before.get("customer_id") not in (None, getattr(record, "customer_id", None)):
        return places.of("pk", before["customer_id"])
    return None


def _values(edit: Edit) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    if edit.is_removed:
        return edit.before, None
    after = snapshot(edit.record)
    if edit.before is None:
        return None, after
    changed = [name for name, value in after.items() if edit.before.get(name) != value]
    return {name: edit.before.get(name) for name in changed}, {name: after[name] for name in changed}


def _customer_of(record: Any) -> Customer | None:
    if isinstance(record, Customer):
        return record
    if isinstance(record, Contact | CustomerLine):
        return record.customer
    return record.line.customer if isinstance(getattr(record, "line", None), CustomerLine) else None


@lru_cache
def _stored(model: type[models.Model]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], frozenset[str]]:
    """The columns of a model, what reads them all from a record, and which of them are secret."""
    names = tuple(field.attname for field in model._meta.concrete_fields)
    return names, attrgetter(*names), SECRETS & set(names)


def _fingerprint(secret: str) -> str:
    return f"#{blake2b(secret.encode(), digest_size=4).hexdigest()}"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
