"""Taking an import back as a whole, or not at all."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.actions.changes import record_changes
from crm.actions.import_rows import Kind, Occasion, Row
from crm.actions.imports import import_kinds
from crm.actions.jobs import begin_job, fail_job, finish_job, nudge, start_job
from crm.actions.progress import progress_beside
from crm.actions.references import lines_closed_by_undo
from crm.actions.ties import Move, end_ties_of_customers
from crm.actions.undo_batch import (
    AT_ONCE,
    Conflict,
    Touched,
    UndoRefused,
    belonging,
    changed_since,
    follow_customers,
    misplaced_since,
    restore,
    taken_since,
    touched_by,
    unseen,
)
from crm.lib.batches import batches
from crm.models import CustomerLine, DataImport, ImportState, LineMember, User, Way
from crm.permissions import can

JOB_KIND = "undo-import"
CONFLICTS_KEPT = 100  # for the page
_LOCKED, _COMPARED = 0.2, 0.4  # the parts of the work that are reading and comparing


@transaction.atomic
def start_undo(*, data_import: DataImport, by: User) -> DataImport:
    """Have a job take back everything that an import changed. Raises UndoRefused."""
    locked = DataImport.objects.select_for_update().get(pk=data_import.pk)
    if locked.state != ImportState.DONE:
        raise UndoRefused([], _("Only an import that has been done can be undone."))
    _kind_and_batch(locked, by)
    locked.job, _is_new = start_job(kind=JOB_KIND, key=str(locked.pk), by=by)
    locked.state, locked.undone_by, locked.language = ImportState.UNDOING, by, get_language() or ""
    locked.report.pop("undo", None)
    locked.save()
    nudge(locked.job)
    data_import.refresh_from_db()
    return data_import


def work_on_undo(*, job_id: int) -> None:
    """What the job does: take everything back in one transaction, grades included, or nothing.

    Where it is refused the import is done as before, and `report["undo"]` says what is in the way. Safe to run twice,
    also at once; a killed one has changed nothing and is taken up again.
    """
    found = DataImport.objects.filter(job_id=job_id, state=ImportState.UNDOING).first()
    if found is None:
        finish_job(job_id, done=0)
        return
    begin_job(job_id, owner=f"{socket.gethostname()}:{os.getpid()}")
    rows = sum(found.report.get("counts", {}).get(name, 0) for name in ("created", "updated"))
    with translation.override(found.language or None), progress_beside(job_id, total=rows) as show:
        try:
            _undo(found.pk, job_id, rows, show)
        except UndoRefused as refused:
            fail_undo(job_id=job_id, reason=str(refused), conflicts=refused.conflicts)


@transaction.atomic
def fail_undo(*, job_id: int, error: str = "", reason: str = "", conflicts: Sequence[Conflict] = ()) -> None:
    """End an undo and its job; all is as the import left it. `reason` is a sentence for people, `error` is not."""
    failed = DataImport.objects.select_for_update().filter(job_id=job_id, state=ImportState.UNDOING).first()
    if failed is not None:
        failed.state, failed.undone_by = ImportState.DONE, None
        kept = [vars(conflict) for conflict in conflicts[:CONFLICTS_KEPT]]
        failed.report["undo"] = {"error": reason, "conflicts": kept, "conflict_count": len(conflicts)}
        failed.save()
    fail_job(job_id, error=error or reason)


@transaction.atomic
def _undo(pk: int, job_id: int, rows: int, show: Callable[[float], Any]) -> None:
    """The import is locked from here on: who comes second finds nothing to do."""
    under_way = DataImport.objects.filter(pk=pk, job_id=job_id, state=ImportState.UNDOING)
    locked = under_way.select_for_update(of=("self",), skip_locked=True).first()
    if locked is None:
        return
    by = User.objects.get(pk=locked.undone_by_id)
    kind, batch = _kind_and_batch(locked, by)
    touched = touched_by(batch, lock=lambda ids: kind.lock(sorted(ids.get(kind.model._meta.db_table, ()))))
    show(_LOCKED)
    conflicts = [conflict for one in touched.values() for conflict in _conflicts(one, touched, kind, batch, by)]
    if conflicts:
        raise UndoRefused(conflicts)
    show(_COMPARED)
    occasion = Occasion(by, uuid4())
    _restore(touched, kind, occasion, _("undo of import {number}").format(number=locked.pk))
    locked.state, locked.undo_batch, locked.undone_at = ImportState.UNDONE, occasion.batch, timezone.now()
    locked.save()
    finish_job(job_id, done=rows)


def _kind_and_batch(locked: DataImport, by: User) -> tuple[Kind, UUID]:
    """The kind and the batch of an import that the person may undo. Raises UndoRefused."""
    kind = import_kinds().get(locked.kind)
    if kind is None or locked.batch is None:
        raise UndoRefused([], _("Only an import that has been done can be undone."))
    if not can(by, kind.permission) or not DataImport.objects.visible_to(by).filter(pk=locked.pk).exists():
        raise UndoRefused([], _("You may not change such records, so you cannot undo this import."))
    return kind, locked.batch


def _conflicts(one: Touched, touched: Mapping[str, Touched], kind: Kind, batch: UUID, by: User) -> Iterator[Conflict]:
    """Records that were changed since or built upon, whose place is taken, or that the person does not see any more."""
    is_asked = kind.model is not User or one.model is User  # what follows from people is their keepers' to take back
    hidden = unseen(one, by) if is_asked else ()
    reasons: dict[int, str] = dict.fromkeys(hidden, _("you do not see this record"))
    since = changed_since(one, batch, by)
    for found in (since, _children(one, touched), _held(one, kind), taken_since(one), misplaced_since(one)):
        reasons = found | reasons
    for pk in sorted(reasons):
        yield Conflict(one.model._meta.db_table, pk, one.rows.get(pk), reasons[pk])


def _children(one: Touched, touched: Mapping[str, Touched]) -> dict[int, str]:
    """Created records to which others belong that the import did not create."""
    reasons: dict[int, str] = {}
    if not one.created or one.model is User:  # people are not taken away; what they do is asked of their kind
        return reasons
    for relation in one.model._meta.related_objects:
        model: Any = relation.related_model
        if model._meta.label in settings.DERIVED_RECORDS:
            continue
        own = touched.get(model._meta.db_table)
        expected = set(own.records) if own else set()
        found = [pair for pair in belonging(model, relation.field.attname, one.created) if pair[1] not in expected]
        gone = _closed_again(model, [child for _parent, child in found])
        for parent, child in found:
            if child not in gone:
                reasons[parent] = _("it has {what} by now").format(what=model._meta.verbose_name_plural)
    return reasons


def _closed_again(model: Any, children: Sequence[int]) -> set[int]:
    """Lines that a later import opened and whose undo has closed them count no more."""
    if model is not CustomerLine:
        return set()
    some_at_once = (CustomerLine.objects.filter(pk__in=some) for some in batches(children, AT_ONCE))
    return {pk for lines in some_at_once for pk in lines_closed_by_undo(lines)}


def _held(one: Touched, kind: Kind) -> dict[int, str]:
    if one.model is not kind.model:
        return {}
    created = set(one.created)
    held = kind.holds(list(one.records.values()))
    return {pk: reason for pk, reason in held.items() if kind.model is not User or pk in created}


def _restore(touched: Mapping[str, Touched], kind: Kind, occasion: Occasion, reason: str) -> None:
    """The kind's own records first: their grades follow while the lines that the import opened are still active."""
    own = touched.get(kind.model._meta.db_table)
    if own is not None:
        changed = _restore_table(own, kind, occasion, reason)
        kind.restored(changed, occasion)
        kind.follow(changed, occasion)
    for table, one in touched.items():
        if table != kind.model._meta.db_table:
            follow_customers(one)
            _restore_table(one, kind, occasion, reason)
    _end_ties_again(touched, Move(occasion.by, Way.IMPORT, reason, occasion.batch))


def _end_ties_again(touched: Mapping[str, Touched], move: Move) -> None:
    """Leads and members who came back do not stay where either has moved meanwhile."""
    lines, members = (touched.get(model._meta.db_table) for model in (CustomerLine, LineMember))
    customers = {line.customer_id for line in lines.records.values()} if lines else set()
    customers |= {member.line.customer_id for member in members.records.values()} if members else set()
    end_ties_of_customers(sorted(customers), move)


def _restore_table(one: Touched, kind: Kind, occasion: Occasion, reason: str) -> list[Row]:
    edits = restore(one, withdraw=lambda record: _withdraw(record, kind))
    record_changes(edits, by=occasion.by, way=Way.IMPORT, reason=reason, batch=occasion.batch)
    return [Row(0, {}, record=edit.record, before=edit.before) for edit in edits]


def _withdraw(record: Any, kind: Kind) -> None:
    """Created records stay and count no more."""
    if isinstance(record, kind.model) and kind.withdraw is not None:
        kind.withdraw(record)
    elif isinstance(record, CustomerLine):
        record.is_active = False
    else:
        record.deleted_at = timezone.now()
