"""The one function that appends to the change log, for one record or a set."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from crm.lib.bulk import insert_all
from crm.lib.transactions import transaction_number
from crm.models import ApiToken, Change, Contact, Customer, CustomerLine, User, Way

_SECRETS = frozenset({"password", "digest", "token_key"})


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
    values = {field.attname: _plain(getattr(record, field.attname)) for field in record._meta.concrete_fields}
    return {name: _fingerprint(value) if name in _SECRETS else value for name, value in values.items()}


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
    return next(iter(record_changes([Edit(record, before)], by=by, way=way, reason=reason, batch=batch)), None)


def record_removal(record: models.Model, *, by: User | None, way: Way, reason: str = "") -> None:
    """Append that a part of something unfinished is taken out; call it before. Facts are never removed."""
    record_changes([Edit(record, snapshot(record), is_removed=True)], by=by, way=way, reason=reason)


def record_changes(
    edits: Iterable[Edit], *, by: User | None, way: Way, reason: str = "", batch: UUID | None = None
) -> Sequence[Change]:
    """Append the changes of a set of records; those in which nothing differs leave no row."""
    shared = {"transaction": transaction_number(), "by": by, "way": way, "at": timezone.now()}
    edits = list(edits)
    rows = [
        Change(**parts, **shared, reason=edit.reason or reason, batch=batch)
        for edit in edits
        if (parts := _parts(edit)) is not None
    ]
    tombstones = [Change(**parts, **shared, is_tombstone=True) for parts in _left(edits)]
    return insert_all(Change, [*rows, *tombstones])[: len(rows)]


def _parts(edit: Edit) -> dict[str, Any] | None:
    before, after = _values(edit)
    if not before and not after:
        return None
    customer = _customer_of(edit.record)
    return {
        "table": edit.record._meta.db_table,
        "object_id": edit.record.number if isinstance(edit.record, ApiToken) else edit.record.pk,
        "region_id": customer.region_id if customer else None,
        "customer": customer,
        "version": getattr(edit.record, "version", 0),
        "before": before,
        "after": after,
    }


def _left(edits: Iterable[Edit]) -> Iterator[dict[str, Any]]:
    """What went to another region or customer, for those who followed it at its old place."""
    for edit in edits:
        place = _old_place(edit.record, edit.before or {})
        if place is not None:
            yield {"table": edit.record._meta.db_table, "object_id": edit.record.pk, **place}


def _old_place(record: Any, before: dict[str, Any]) -> dict[str, Any] | None:
    if isinstance(record, Customer):
        region = before.get("region_id", record.region_id)
        return None if region == record.region_id else {"region_id": region, "customer_id": record.pk}
    if before.get("line_id") not in (None, getattr(record, "line_id", None)):
        customer = Customer.objects.get(lines=before["line_id"])
    elif before.get("customer_id") not in (None, getattr(record, "customer_id", None)):
        customer = Customer.objects.get(pk=before["customer_id"])
    else:
        return None
    return {"region_id": customer.region_id, "customer_id": customer.pk}


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


def _fingerprint(secret: str) -> str:
    return f"#{blake2b(secret.encode(), digest_size=4).hexdigest()}"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
