"""Doing a bulk change's work: apply it in one transaction, in sets; take it back as a whole, or not at all."""

import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.actions.bulk_kinds import BulkField, BulkKind
from crm.actions.bulk_steps import CHUNK, BulkRefused, bulk_field_of, bulk_kind_for, checked_value
from crm.actions.changes import Edit, record_changes, snapshot
from crm.actions.jobs import begin_job, fail_job, finish_job
from crm.actions.progress import WorkStopped, progress_beside
from crm.actions.undo_batch import (
    Conflict,
    Touched,
    UndoRefused,
    changed_since,
    misplaced_since,
    restore,
    touched_by,
    unseen,
)
from crm.lib.batches import batches
from crm.lib.bulk import update_all
from crm.models import BulkChange, BulkState, User, Way

JOB_KIND = "bulk-change"
AT_ONCE = 200  # rows that are changed while the page is waited for
KEPT = 100  # records named on the page
CHANGED, UNCHANGED, MEANWHILE, GONE = OUTCOMES = ("changed", "unchanged", "meanwhile", "gone")
_UNDER_WAY = (BulkState.CHANGING, BulkState.UNDOING)


def work_on_bulk_change(*, job_id: int) -> None:
    """What the job does: apply or take back, in one transaction, with what the person may do by now.

    Safe to run twice, also at once. A killed one has changed nothing and is taken up again.
    """
    found = BulkChange.objects.filter(job_id=job_id, state__in=_UNDER_WAY).first()
    if found is None:
        finish_job(job_id, done=0)
        return
    begin_job(job_id, owner=f"{socket.gethostname()}:{os.getpid()}")
    with translation.override(found.language or None), progress_beside(job_id, total=found.size) as show:
        try:
            _work_once(found.pk, job_id, show)
        except UndoRefused as refused:
            fail_bulk_change(job_id=job_id, reason=str(refused), conflicts=refused.conflicts)
        except BulkRefused as refusal:
            fail_bulk_change(job_id=job_id, reason=str(refusal))
        except WorkStopped:
            stopped = BulkChange.objects.filter(job_id=job_id, state=BulkState.CHANGING)
            stopped.update(state=BulkState.CANCELLED, finished_at=timezone.now())


@transaction.atomic
def fail_bulk_change(*, job_id: int, error: str = "", reason: str = "", conflicts: Sequence[Conflict] = ()) -> None:
    """End a bulk change's job: nothing of it was changed, or all is as it left it.

    `reason` is a sentence for people, `error` is not.
    """
    under_way = BulkChange.objects.filter(job_id=job_id, state__in=_UNDER_WAY)
    failed = under_way.select_for_update(of=("self",)).first()
    if failed is not None and failed.state == BulkState.UNDOING:
        kept = [vars(conflict) for conflict in conflicts[:KEPT]]
        failed.state = BulkState.DONE
        failed.report["undo"] = {"error": reason, "conflicts": kept, "conflict_count": len(conflicts)}
        failed.save()
    elif failed is not None:
        failed.state, failed.finished_at = BulkState.FAILED, timezone.now()
        failed.report["error"] = reason
        failed.save()
    fail_job(job_id, error=error or reason)


def apply_bulk_change(
    locked: BulkChange, kind: BulkKind, by: User, show: Callable[[float], Any] = lambda part: None
) -> None:
    """Change what was confirmed of a locked bulk change, in the transaction under way, and report what came of it.

    A record that somebody has changed since it was shown is left alone. Raises BulkRefused.
    """
    field = bulk_field_of(kind, locked.field)
    value = checked_value(kind, field, locked.value, locked.report["shared"], by)
    batch, counts, left_alone = uuid4(), Counter[str](), list[int]()
    for number, some in enumerate(batches(sorted(locked.chosen), CHUNK), start=1):
        sorted_out = _change_some(locked, kind, field, value, dict(some), by, batch)
        counts.update({outcome: len(numbers) for outcome, numbers in sorted_out.items()})
        left_alone += sorted_out[MEANWHILE]
        show(min(1, number * CHUNK / locked.size))
    locked.report |= {"counts": {name: counts[name] for name in OUTCOMES}, "meanwhile": left_alone[:KEPT]}
    locked.state, locked.batch, locked.finished_at = BulkState.DONE, batch, timezone.now()
    locked.save()


def undo_bulk_change(
    locked: BulkChange, kind: BulkKind, by: User, show: Callable[[float], Any] = lambda part: None
) -> None:
    """Give all records of a locked bulk change their former values, in the transaction under way.

    Raises UndoRefused with what was edited since or is out of the person's sight.
    """
    if locked.batch is None:
        raise UndoRefused([], _("Only a bulk change that has been done can be undone."))
    touched = touched_by(locked.batch)
    show(0.3)
    conflicts = [conflict for one in touched.values() for conflict in _conflicts(one, locked.batch, by)]
    if conflicts:
        raise UndoRefused(conflicts)
    show(0.5)
    batch, reason = uuid4(), _("undo of bulk change {number}").format(number=locked.pk)
    for one in touched.values():
        edits = restore(one, withdraw=_never)
        record_changes(edits, by=by, way=Way.BULK, reason=reason, batch=batch)
    locked.state, locked.undo_batch, locked.undone_at = BulkState.UNDONE, batch, timezone.now()
    locked.report.pop("undo", None)
    locked.save()


@transaction.atomic
def _work_once(pk: int, job_id: int, show: Callable[[float], Any]) -> None:
    """The bulk change is locked from here on: who comes second finds nothing to do. Raises WorkStopped."""
    under_way = BulkChange.objects.filter(pk=pk, job_id=job_id, state__in=_UNDER_WAY)
    locked = under_way.select_for_update(of=("self",), skip_locked=True).first()
    if locked is None:
        return
    by = User.objects.get(pk=locked.by_id)
    kind = bulk_kind_for(locked.kind, by)
    work = apply_bulk_change if locked.state == BulkState.CHANGING else undo_bulk_change
    work(locked, kind, by, show)
    if not finish_job(job_id, done=locked.size):
        raise WorkStopped


def _change_some(
    locked: BulkChange,
    kind: BulkKind,
    field: BulkField,
    value: Any,
    versions: Mapping[int, int],
    by: User,
    batch: UUID,
) -> dict[str, list[int]]:
    """Lock some of the records, change those that are as they were shown, and say what became of each."""
    attribute, shared = kind.column(field).attname, locked.report["shared"]
    stored = kind.writable(by).filter(pk__in=versions).order_by("pk").select_for_update(of=("self",))
    found: dict[str, list[int]] = {name: [] for name in OUTCOMES}
    edits = []
    for record in stored:
        outcome = _outcome(record, versions[record.pk], attribute, value, shared)
        found[outcome].append(record.pk)
        if outcome == CHANGED:
            edits.append(Edit(record, snapshot(record)))
            setattr(record, attribute, value)
            record.version += 1
    update_all(kind.model, [edit.record for edit in edits], [field.name, "version"])
    record_changes(edits, by=by, way=Way.BULK, batch=batch)
    _require_reach(kind, found[CHANGED], by)
    seen = {pk for numbers in found.values() for pk in numbers}
    found[GONE] = sorted(versions.keys() - seen)
    return found


def _require_reach(kind: BulkKind, changed: Sequence[int], by: User) -> None:
    """Nobody puts records out of his own sight. Raises BulkRefused."""
    if kind.writable(by).filter(pk__in=changed).count() != len(changed):
        raise BulkRefused(_("You would not see all of these records afterwards. Nothing was changed."))


def _outcome(record: Any, version: int, attribute: str, value: Any, shared: Mapping[str, Any]) -> str:
    if record.version != version or any(getattr(record, name) != what for name, what in shared.items()):
        return MEANWHILE
    return UNCHANGED if getattr(record, attribute) == value else CHANGED


def _conflicts(one: Touched, batch: UUID, by: User) -> Iterator[Conflict]:
    """Records that were changed since, or that the person does not see any more."""
    reasons: dict[int, str] = dict.fromkeys(unseen(one, by), _("you do not see this record"))
    reasons = misplaced_since(one) | changed_since(one, batch, by) | reasons
    for pk in sorted(reasons):
        yield Conflict(one.model._meta.db_table, pk, None, reasons[pk])


def _never(record: Any) -> None:
    """A bulk change creates no records."""
    raise AssertionError(record)
