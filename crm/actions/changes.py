"""The one function that appends to the change log, for one record or a set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from crm.models import Change, Contact, Customer, CustomerLine, User, Way

_SECRETS = frozenset({"password"})


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
    now, number = timezone.now(), transaction_number()
    rows = [
        Change(**parts, transaction=number, by=by, way=way, reason=reason, batch=batch, at=now)
        for edit in edits
        if (parts := _parts(edit)) is not None
    ]
    return Change.objects.bulk_create(rows, batch_size=2000)


def transaction_number() -> int:
    """The database's number of the transaction under way; SQLite writes one at a time and needs none."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid_current()")
        return int(cursor.fetchone()[0])


def _parts(edit: Edit) -> dict[str, Any] | None:
    before, after = _values(edit)
    if not before and not after:
        return None
    customer = _customer_of(edit.record)
    return {
        "table": edit.record._meta.db_table,
        "object_id": edit.record.pk,
        "region_id": customer.region_id if customer else None,
        "customer": customer,
        "version": getattr(edit.record, "version", 0),
        "before": before,
        "after": after,
    }


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
