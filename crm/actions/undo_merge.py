"""Taking a merge of two customers back as a whole, or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import record_changes, record_departures
from crm.actions.facts import facts_changed
from crm.actions.merging import merge_steps
from crm.actions.undo_batch import (
    Conflict,
    Touched,
    UndoRefused,
    belonging,
    changed_since,
    restore,
    taken_since,
    touched_by,
)
from crm.models import Change, Customer, CustomerLine, CustomerMerge, Sale, User, Way

_CUSTOMERS, _LINES = Customer._meta.db_table, CustomerLine._meta.db_table


@transaction.atomic
def undo_merge(*, merge: CustomerMerge, by: User) -> CustomerMerge:
    """Make two customers of one again, as they were.

    Raises UndoRefused with what is in the way where a record that went over was changed since, or something was added
    to one; then nothing is changed.
    """
    locked = CustomerMerge.objects.select_for_update().get(pk=merge.pk)
    if locked.undone_at is not None:
        raise UndoRefused([], _("This merge has been undone already."))
    touched = touched_by(locked.batch, lock=lambda _ids: _lock(locked))
    conflicts = [conflict for one in touched.values() for conflict in _conflicts(one, touched, locked, by)]
    if conflicts:
        raise UndoRefused(conflicts)
    batch = uuid4()
    reason = _("undo of merge {number}").format(number=locked.pk)
    edits = [edit for one in _in_order(touched, locked) for edit in restore(one, withdraw=_never)]
    record_changes(edits, by=by, way=Way.FORM, reason=reason, batch=batch)
    _tell_departures(touched.get(_LINES), locked, by)
    facts_changed(CustomerLine.objects.filter(customer__in=(locked.survivor_id, locked.loser_id)))
    locked.undo_batch, locked.undone_by, locked.undone_at = batch, by, timezone.now()
    locked.save()
    return locked


def _lock(merge: CustomerMerge) -> None:
    """The lock of everyone who grades, for the lines of both, before any row is locked."""
    lines = CustomerLine.objects.filter(customer__in=(merge.survivor_id, merge.loser_id)).order_by("pk")
    numbers = list(lines.values_list("pk", flat=True))
    for step in merge_steps():
        step.lock(numbers)


def _in_order(touched: Mapping[str, Touched], merge: CustomerMerge) -> Iterator[Touched]:
    """The survivor first: it gives the codes back that the other needs to be there again."""
    customers = touched[_CUSTOMERS]
    yield customers.only({merge.survivor_id})
    yield customers.only(customers.records.keys() - {merge.survivor_id})
    yield from (one for table, one in touched.items() if table != _CUSTOMERS)


def _never(record: Any) -> None:
    """A merge creates no records."""
    raise AssertionError(record)


def _conflicts(one: Touched, touched: Mapping[str, Touched], merge: CustomerMerge, by: User) -> Iterator[Conflict]:
    reasons = taken_since(one) | _added_since(one, touched, merge) | changed_since(one, merge.batch, by)
    for pk in sorted(reasons):
        yield Conflict(one.model._meta.db_table, pk, None, reasons[pk])


def _added_since(one: Touched, touched: Mapping[str, Touched], merge: CustomerMerge) -> dict[int, str]:
    """The two customers, or lines that went over, to which something was added after the merge."""
    parents = _parents(one, merge)
    reasons: dict[int, str] = {}
    first = Change.objects.filter(batch=merge.batch).order_by("sequence").values_list("sequence", flat=True).first()
    for relation in one.model._meta.related_objects if parents else ():
        model: Any = relation.related_model
        if model._meta.label in settings.DERIVED_RECORDS:
            continue
        own = touched.get(model._meta.db_table)
        parent_of = {child: parent for parent, child in belonging(model, relation.field.attname, parents)}
        unknown = parent_of.keys() - (own.records.keys() if own else set())
        added = Change.objects.filter(
            table=model._meta.db_table,
            object_id__in=unknown,
            before__isnull=True,
            is_tombstone=False,
            sequence__gt=first,
        )
        for child in added.values_list("object_id", flat=True):
            reasons[parent_of[child]] = _("it has {what} by now").format(what=model._meta.verbose_name_plural)
    return reasons


def _parents(one: Touched, merge: CustomerMerge) -> Sequence[int]:
    if one.model is Customer:
        return (merge.survivor_id, merge.loser_id)
    return list(one.records) if one.model is CustomerLine else ()


def _tell_departures(lines: Touched | None, merge: CustomerMerge, by: User) -> None:
    """What goes back with its line leaves the survivor's place."""
    back = [pk for pk, before in (lines.before.items() if lines else ()) if "customer_id" in (before or {})]
    leaving = [Sale.objects.filter(line__in=back, deleted_at=None), *(step.belonging(back) for step in merge_steps())]
    for records in leaving:
        record_departures(records, place=merge.survivor, by=by, way=Way.FORM)
