"""Taking an import back as a whole, or not at all."""

import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, record_changes, snapshot
from crm.actions.import_rows import Kind, Occasion, Row
from crm.actions.imports import changed_fields, import_kinds
from crm.actions.jobs import begin_job, fail_job, finish_job, nudge, start_job
from crm.actions.progress import progress_beside
from crm.actions.references import lines_closed_by_undo
from crm.lib.batches import batches
from crm.lib.bulk import update_all
from crm.models import Change, CustomerLine, DataImport, ImportState, User, Way
from crm.permissions import can

JOB_KIND = "undo-import"
AT_ONCE = 5000
CONFLICTS_KEPT = 100  # for the page
_LOCKED, _COMPARED = 0.2, 0.4  # the parts of the work that are reading and comparing


@dataclass(frozen=True)
class Conflict:
    """A record that the import touched and that cannot go back, with the reason for people."""

    table: str
    object_id: int
    row: int | None  # in the file, where known
    reason: str


class UndoRefused(Exception):
    """Something built on the import meanwhile, or it is not one that can be undone; nothing was changed."""

    def __init__(self, conflicts: Sequence[Conflict], message: str = "") -> None:
        super().__init__(message or _("The import cannot be undone: its records have been worked on since."))
        self.conflicts = conflicts


@dataclass
class Touched:
    """The records of one table that an import created or changed, locked, with what each was before."""

    model: type[models.Model]
    records: dict[int, Any]
    before: dict[int, dict[str, Any] | None]  # of the changed fields; None: created
    versions: dict[int, int]
    rows: dict[int, int]  # where the file says it

    @property
    def created(self) -> list[int]:
        """The numbers of those that the import created."""
        return [pk for pk, before in self.before.items() if before is None]


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
            fail_undo(job_id=job_id, error=str(refused), conflicts=refused.conflicts)


@transaction.atomic
def fail_undo(*, job_id: int, error: str, conflicts: Sequence[Conflict] = ()) -> None:
    """End an undo and its job with what went wrong; everything is as the import left it."""
    failed = DataImport.objects.select_for_update().filter(job_id=job_id, state=ImportState.UNDOING).first()
    if failed is not None:
        failed.state, failed.undone_by = ImportState.DONE, None
        kept = [vars(conflict) for conflict in conflicts[:CONFLICTS_KEPT]]
        failed.report["undo"] = {"error": error, "conflicts": kept, "conflict_count": len(conflicts)}
        failed.save()
    fail_job(job_id, error=error)


@transaction.atomic
def _undo(pk: int, job_id: int, rows: int, show: Callable[[float], Any]) -> None:
    """The import is locked from here on: who comes second finds nothing to do."""
    under_way = DataImport.objects.filter(pk=pk, job_id=job_id, state=ImportState.UNDOING)
    locked = under_way.select_for_update(of=("self",), skip_locked=True).first()
    if locked is None:
        return
    by = User.objects.get(pk=locked.undone_by_id)
    kind, batch = _kind_and_batch(locked, by)
    touched = _touched(batch, kind)
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


def _touched(batch: UUID, kind: Kind) -> dict[str, Touched]:
    """What the import touched, by table; the locks of who grades are taken first, then those of the rows."""
    ids: dict[str, dict[int, Change]] = {}
    for change in Change.objects.filter(batch=batch).order_by("sequence").iterator(chunk_size=AT_ONCE):
        ids.setdefault(change.table, {}).setdefault(change.object_id, change)
    kind.lock(sorted(ids.get(kind.model._meta.db_table, ())))
    by_table = {model._meta.db_table: model for model in apps.get_models()}
    return {table: _locked(by_table[table], changes) for table, changes in ids.items()}


def _locked(model: type[models.Model], changes: Mapping[int, Change]) -> Touched:
    records: dict[int, Any] = {}
    for some in batches(sorted(changes), AT_ONCE):
        stored = model._base_manager.filter(pk__in=some).order_by("pk").select_for_update(of=("self",))
        records |= {record.pk: record for record in with_customers(stored)}
    return Touched(
        model,
        records,
        {pk: change.before for pk, change in changes.items()},
        {pk: change.version for pk, change in changes.items()},
        {pk: int(found[0]) for pk, change in changes.items() if (found := re.findall(r"\d+", change.reason))},
    )


def with_customers(stored: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """With what the change log asks of each record, so that it need not ask one by one."""
    names = {field.name for field in stored.model._meta.concrete_fields}
    wanted = [path for name, path in (("line", "line__customer"), ("customer", "customer")) if name in names]
    return stored.select_related(*wanted) if wanted else stored


def _conflicts(one: Touched, touched: Mapping[str, Touched], kind: Kind, batch: UUID, by: User) -> Iterator[Conflict]:
    """Records that were changed since, that others were built upon, or that the person does not see any more."""
    reasons: dict[int, str] = dict.fromkeys(_unseen(one, by), _("you do not see this record"))
    for found in (_changed_since(one, batch), _children(one, touched), _held(one, kind)):
        reasons = found | reasons
    for pk in sorted(reasons):
        yield Conflict(one.model._meta.db_table, pk, one.rows.get(pk), reasons[pk])


def _unseen(one: Touched, by: User) -> set[int]:
    manager: Any = one.model._default_manager
    if not hasattr(manager, "visible_to"):
        return set()
    seen: set[int] = set()
    for some in batches(sorted(one.records), AT_ONCE):
        seen |= set(manager.visible_to(by).filter(pk__in=some).values_list("pk", flat=True))
    return set(one.records) - seen


def _changed_since(one: Touched, batch: UUID) -> dict[int, str]:
    """Records with a version or a change that is not the import's."""
    reasons = {
        pk: _("it was changed since")
        for pk, record in one.records.items()
        if getattr(record, "version", one.versions[pk]) != one.versions[pk]
    }
    imported = Change.objects.filter(batch=batch).order_by("sequence").values_list("sequence", flat=True).first()
    for some in batches(sorted(one.records), AT_ONCE):
        later = Change.objects.filter(
            table=one.model._meta.db_table, object_id__in=some, sequence__gt=imported, is_tombstone=False
        )
        for pk, at, who in later.exclude(batch=batch).values_list("object_id", "at", "by__name"):
            day = timezone.localtime(at).strftime("%Y-%m-%d %H:%M")
            reasons[pk] = _("{who} changed it on {day}").format(who=who or "—", day=day)
    return reasons


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
        found = [pair for pair in _belonging(model, relation.field.attname, one.created) if pair[1] not in expected]
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


def _belonging(model: Any, attribute: str, parents: Sequence[int]) -> Iterator[tuple[int, int]]:
    alive = {"deleted_at": None} if any(field.name == "deleted_at" for field in model._meta.concrete_fields) else {}
    for some in batches(parents, AT_ONCE):
        found = model._base_manager.filter(**{f"{attribute}__in": some}, **alive)
        yield from found.values_list(attribute, F("pk"))


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
            _restore_table(one, kind, occasion, reason)


def _restore_table(one: Touched, kind: Kind, occasion: Occasion, reason: str) -> list[Row]:
    stamped = [field.attname for field in one.model._meta.concrete_fields if getattr(field, "auto_now", False)]
    rows, now = [], timezone.now()
    for pk, record in one.records.items():
        rows.append(Row(0, {}, record=record, before=snapshot(record)))
        before = one.before[pk]
        if before is None:
            _withdraw(record, kind)
        else:
            _put_back(record, before)
        for name in stamped:
            setattr(record, name, now)
        if hasattr(record, "version"):
            record.version = one.versions[pk] + 1
    update_all(one.model, [row.record for row in rows], changed_fields(rows))
    edits = [Edit(row.record, row.before) for row in rows]
    record_changes(edits, by=occasion.by, way=Way.IMPORT, reason=reason, batch=occasion.batch)
    return rows


def _withdraw(record: Any, kind: Kind) -> None:
    """Created records stay and count no more."""
    if isinstance(record, kind.model) and kind.withdraw is not None:
        kind.withdraw(record)
    elif isinstance(record, CustomerLine):
        record.is_active = False
    else:
        record.deleted_at = timezone.now()


def _put_back(record: Any, before: Mapping[str, Any]) -> None:
    fields = {field.attname: field for field in record._meta.concrete_fields}
    for name, value in before.items():
        if name != "version":
            field = fields[name]
            target = field.target_field if field.is_relation else field
            setattr(record, name, target.to_python(value))
