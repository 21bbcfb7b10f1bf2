"""Taking back all that one batch of changes did, from its before-images: what an import and a merge share."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, changed_fields, snapshot
from crm.lib.batches import batches
from crm.lib.bulk import update_all
from crm.models import Branch, BulkChange, Change, Customer, CustomerMerge, DataImport, User, people_seen_by

AT_ONCE = 5000
# Counters that only grow: an earlier number would let in again what it has shut out.
_NEVER_BACK = frozenset({"version", "session_version"})


@dataclass(frozen=True)
class Conflict:
    """A record that the batch touched and that cannot go back, with the reason for people."""

    table: str
    object_id: int
    row: int | None  # in the file of an import, where known
    reason: str


class UndoRefused(Exception):
    """Something was built on the batch meanwhile, or it is none that can be undone; nothing was changed."""

    def __init__(self, conflicts: Sequence[Conflict], message: str = "") -> None:
        super().__init__(message or _("This cannot be undone: its records have been worked on since."))
        self.conflicts = conflicts


@dataclass
class Touched:
    """The records of one table that a batch created or changed, locked, with what each was before."""

    model: type[models.Model]
    records: dict[int, Any]
    before: dict[int, dict[str, Any] | None]  # of the changed fields; None: created
    versions: dict[int, int]
    rows: dict[int, int]  # where the file says it

    def only(self, numbers: Collection[int]) -> "Touched":
        """The same of some of the records."""
        return replace(self, records={pk: record for pk, record in self.records.items() if pk in numbers})

    @property
    def created(self) -> list[int]:
        """The numbers of those that the batch created."""
        return [pk for pk, before in self.before.items() if before is None]


def touched_by(batch: UUID, *, lock: Callable[[Mapping[str, Sequence[int]]], None] | None = None) -> dict[str, Touched]:
    """What a batch touched, by table, locked; before any row is, `lock` is told the numbers by table."""
    ids: dict[str, dict[int, Change]] = {}
    for change in Change.objects.filter(batch=batch).order_by("sequence").iterator(chunk_size=AT_ONCE):
        ids.setdefault(change.table, {}).setdefault(change.object_id, change)
    if lock is not None:
        lock({table: sorted(changes) for table, changes in ids.items()})
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


def unseen(one: Touched, by: User) -> set[int]:
    """The numbers of touched records that do not exist for the person."""
    manager: Any = one.model._default_manager
    if not hasattr(manager, "visible_to"):
        return set()
    seen: set[int] = set()
    for some in batches(sorted(one.records), AT_ONCE):
        seen |= set(manager.visible_to(by).filter(pk__in=some).values_list("pk", flat=True))
    return set(one.records) - seen


def changed_since(one: Touched, batch: UUID, by: User) -> dict[int, str]:
    """Records with a version or a change that is not the batch's, with who made it if he exists for the person.

    What was undone meanwhile counts as never done where the record is as the batch left it.
    """
    versions, reasons = dict(one.versions), {}
    first = Change.objects.filter(batch=batch).order_by("sequence").values_list("sequence", flat=True).first()
    for some in batches(sorted(one.records), AT_ONCE):
        later = Change.objects.filter(
            table=one.model._meta.db_table, object_id__in=some, sequence__gt=first, is_tombstone=False
        )
        later = later.exclude(batch=batch).order_by("sequence").prefetch_related(people_seen_by(by, "by"))
        undone = _undone_among({change.batch for change in later if change.batch})
        for pk, changes in _by_record(later).items():
            if _come_to_nothing(one.model, changes, undone):
                versions[pk] = changes[-1].version
            else:
                last = next((change for change in reversed(changes) if change.batch not in undone), changes[-1])
                day = timezone.localtime(last.at).strftime("%Y-%m-%d %H:%M")
                reasons[pk] = _("{who} changed it on {day}").format(who=last.by or "—", day=day)
    changed = [pk for pk, record in one.records.items() if getattr(record, "version", versions[pk]) != versions[pk]]
    return dict.fromkeys(changed, _("it was changed since")) | reasons


def _by_record(changes: Iterable[Change]) -> dict[int, list[Change]]:
    found: dict[int, list[Change]] = {}
    for change in changes:
        found.setdefault(change.object_id, []).append(change)
    return found


def _undone_among(batches_of_changes: Collection[UUID]) -> set[UUID]:
    """Of some batches those that were taken back, with those that took them back."""
    found: set[UUID] = set()
    for model in (DataImport, BulkChange, CustomerMerge) if batches_of_changes else ():
        undone = model._base_manager.filter(undo_batch__isnull=False)
        concerned = Q(batch__in=batches_of_changes) | Q(undo_batch__in=batches_of_changes)
        found.update(*undone.filter(concerned).values_list("batch", "undo_batch"))
    return found


def _come_to_nothing(model: type[models.Model], changes: Sequence[Change], undone: Collection[UUID]) -> bool:
    """Whether all changes of a record, one after another, were undone and left each value as it was."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for change in changes:
        before = (change.before or {}) | before
        after |= change.after or {}
    passing = _NEVER_BACK | set(_stamped(model))
    as_it_was = all(after.get(name) == value for name, value in before.items() if name not in passing)
    return as_it_was and all(change.batch in undone for change in changes)


def _stamped(model: type[models.Model]) -> list[str]:
    """The columns that say when a record was last saved."""
    return [field.attname for field in model._meta.concrete_fields if getattr(field, "auto_now", False)]


def belonging(model: Any, attribute: str, parents: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of a parent and a record that belongs to it by an attribute; removed ones count no more."""
    alive = {"deleted_at": None} if any(field.name == "deleted_at" for field in model._meta.concrete_fields) else {}
    for some in batches(parents, AT_ONCE):
        found = model._base_manager.filter(**{f"{attribute}__in": some}, **alive)
        yield from found.values_list(attribute, F("pk"))


def misplaced_since(one: Touched) -> dict[int, str]:
    """Customers whose former branch office belongs to another region by now than they would."""
    if one.model is not Customer:
        return {}
    former = {
        pk: (before.get("branch_id", one.records[pk].branch_id), before.get("region_id", one.records[pk].region_id))
        for pk, before in one.before.items()
        if before and {"branch_id", "region_id"} & before.keys()
    }
    regions = dict(Branch.objects.values_list("pk", "region")) if former else {}
    said = _("its former branch office belongs to another region by now")
    return {pk: said for pk, (branch, region) in former.items() if branch and regions[branch] != region}


def follow_customers(one: Touched) -> None:
    """Have records say where their customer is by now: the log files each of their changes there."""
    names = {field.name for field in one.model._meta.concrete_fields}
    path = "line__customer" if "line" in names else "customer" if "customer" in names else ""
    records = list(one.records.values()) if path else []
    for record in records:
        record._state.fields_cache.pop(path.partition("__")[0], None)
    for some in batches(records, AT_ONCE):
        models.prefetch_related_objects(some, path)


def taken_since(one: Touched) -> dict[int, str]:
    """Changed records whose former values another record holds by now where only one may."""
    reasons: dict[int, str] = {}
    for constraint in one.model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
            reasons = _taken(one, constraint) | reasons
    return reasons


def _taken(one: Touched, constraint: models.UniqueConstraint) -> dict[int, str]:
    fields: list[Any] = [one.model._meta.get_field(name) for name in constraint.fields]
    condition = constraint.condition or models.Q()
    concerned = {field.attname for field in fields} | condition.referenced_base_fields
    changed = [pk for pk, before in one.before.items() if before and concerned & before.keys()]
    values_of = attrgetter(*(field.attname for field in fields))
    found: dict[int, str] = {}
    for some in batches(sorted(changed), AT_ONCE):
        former = {pk: _as_before(one.records[pk], one.before[pk] or {}) for pk in some}
        wanted = {pk: values_of(record) for pk, record in former.items()}
        each = zip(constraint.fields, map(set, zip(*wanted.values(), strict=True)), strict=True)
        alike = one.model._base_manager.filter(condition, **{f"{name}__in": values for name, values in each})
        held = {tuple(values) for pk, *values in alike.values_list("pk", *constraint.fields) if pk not in one.records}
        found |= {pk: said for pk in some if wanted[pk] in held and (said := _refusal(constraint, former[pk]))}
    return found


def _refusal(constraint: models.UniqueConstraint, record: Any) -> str:
    """Why a record cannot be stored so; nothing where the constraint does not ask it of such a record."""
    try:
        constraint.validate(type(record), record)
    except ValidationError as error:
        return _("what it had before is taken by now: {reason}").format(reason=" ".join(error.messages))
    return ""


def _as_before(record: Any, before: Mapping[str, Any]) -> Any:
    """The record as it was, for a look at it."""
    former = copy(record)
    _put_back(former, before)
    return former


def restore(one: Touched, *, withdraw: Callable[[Any], None]) -> list[Edit]:
    """Store the records of a table as they were, in a new version; `withdraw` takes a created one back.

    Returns what is to be recorded.
    """
    stamped = _stamped(one.model)
    edits, now = [], timezone.now()
    for pk, record in one.records.items():
        edits.append(Edit(record, snapshot(record)))
        before = one.before[pk]
        if before is None:
            withdraw(record)
        else:
            _put_back(record, before)
        for name in stamped:
            setattr(record, name, now)
        if hasattr(record, "version"):
            record.version += 1
    records = [edit.record for edit in edits]
    update_all(one.model, records, changed_fields(edits))
    _point_again(one.model, records)
    return edits


def _point_again(model: type[models.Model], records: Sequence[Any]) -> None:
    """Look the customers and lines up to which records have gone back, all at once: the change log asks for them."""
    for name, beside in (("line", "customer"), ("customer", None)):
        field: Any = next((field for field in model._meta.concrete_fields if field.name == name), None)
        if field is None:
            continue
        lost = [record for record in records if not field.is_cached(record)]
        found = field.related_model._base_manager.select_related(*filter(None, [beside]))
        known = found.in_bulk({getattr(record, field.attname) for record in lost}) if lost else {}
        for record in lost:
            setattr(record, name, known[getattr(record, field.attname)])


def _put_back(record: Any, before: Mapping[str, Any]) -> None:
    fields = {field.attname: field for field in record._meta.concrete_fields}
    for name, value in before.items():
        if name not in _NEVER_BACK:
            field = fields[name]
            target = field.target_field if field.is_relation else field
            setattr(record, name, target.to_python(value))
