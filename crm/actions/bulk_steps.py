"""What every step of a bulk change begins with: may the person do it, is it open, does the form take the value."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.actions.bulk_kinds import BulkField, BulkKind, bulk_kinds
from crm.lib.batches import batches
from crm.models import BulkChange, User
from crm.permissions import can

CHUNK = 2_000


class BulkRefused(Exception):
    """The bulk change cannot take this step; the message says why, for people."""


def bulk_kind_for(name: str, by: User) -> BulkKind:
    """A kind whose records the person may change. Raises BulkRefused."""
    kind = bulk_kinds().get(name)
    if kind is None:
        raise BulkRefused(_("The rows of this list cannot be changed in bulk."))
    if not can(by, kind.permission):
        raise BulkRefused(_("You may not change such records."))
    return kind


def bulk_field_of(kind: BulkKind, name: str) -> BulkField:
    """A field that can be changed in bulk. Raises BulkRefused."""
    field = kind.field(name)
    if field is None:
        raise BulkRefused(_("This field cannot be changed in bulk."))
    return field


def lock_bulk_change(bulk_change: BulkChange, by: User) -> BulkChange:
    """Lock one's own bulk change to the transaction's end. Raises BulkRefused."""
    locked = BulkChange.objects.select_for_update(of=("self",)).select_related("by").get(pk=bulk_change.pk)
    if locked.by_id != by.pk:
        raise BulkRefused(_("Only who selected the rows can change them."))
    return locked


def columns_of_chosen(kind: BulkKind, numbers: Iterable[int], by: User, *names: str) -> Iterator[tuple[Any, ...]]:
    """Some columns of those of the chosen records that the person may change by now, in the order of their numbers."""
    for some in batches(sorted(numbers), CHUNK):
        yield from kind.writable(by).filter(pk__in=some).order_by("pk").values_list(*names)


def shared_by(kind: BulkKind, field: BulkField, numbers: Iterable[int], by: User) -> dict[str, Any]:
    """In what all the records agree, where the field asks for that. Raises BulkRefused where they do not."""
    if not field.shared:
        return {}
    found: set[Any] = set()
    for some in batches(sorted(numbers), CHUNK):
        found |= set(kind.writable(by).filter(pk__in=some).order_by().values_list(field.shared, flat=True).distinct())
    if not found:
        raise BulkRefused(_("You do not see these records any more."))
    if len(found) > 1:
        raise BulkRefused(str(field.unshared))
    return {field.shared: found.pop()}


def checked_value(kind: BulkKind, field: BulkField, value: Any, shared: Mapping[str, Any], by: User) -> Any:
    """A value as it is stored, after the record's own form has taken it. Raises BulkRefused."""
    typed = {field.name: "" if value is None else str(value)}
    form = kind.form(typed, field=field.name, shared=shared, user=by)
    if not form.is_valid():
        raise BulkRefused(" ".join(str(error) for errors in form.errors.values() for error in errors))
    return getattr(form.instance, kind.column(field).attname)
