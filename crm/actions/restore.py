"""Putting a field back to the value it had before a change: by the record's own action, as any other edit."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import EditedMeanwhile, snapshot
from crm.actions.record_kinds import RecordKind, Restoring, kinds_by_model
from crm.models import Branch, Change, User
from crm.permissions import can


class CannotRestore(Exception):
    """The value cannot be put back; the sentence says why. Nothing was saved."""


class MayNotRestore(CannotRestore):
    """The person may read the record, and not change it."""


@dataclass(frozen=True)
class Restoration:
    """A field of a record as it is now, and the older value that is to come back."""

    kind: RecordKind
    record: Any
    field: models.Field
    change: Change
    leads_out: bool = False  # what is linked now does not exist for the person: it shows as absent

    @property
    def now(self) -> Any:
        """The stored value, as far as it exists for the person."""
        return None if self.leads_out else snapshot(self.record)[self.field.attname]

    @property
    def then(self) -> Any:
        """The value before the change."""
        return (self.change.before or {})[self.field.attname]

    @property
    def version(self) -> int:
        """What changes with every save: the record's version, or of one without any its last row in the log."""
        return version_of(self.record)


def version_of(record: Any) -> int:
    """What a person has read of a record, as a number that another save moves on."""
    if hasattr(record, "version"):
        return int(record.version)
    last = Change.objects.of(record).last()
    return last.sequence if last else 0


def restorable_fields(kind: RecordKind, user: User) -> frozenset[str]:
    """The fields that a person may put back in such records; in which of them is `restoring.writable`."""
    restoring = kind.restoring
    return frozenset(restoring.fields) if restoring and can(user, restoring.permission) else frozenset()


def find_restoration(*, kind: RecordKind, pk: int, sequence: int, name: str, by: User) -> Restoration:
    """What is to come back, as far as it exists for the person. Raises ObjectDoesNotExist, MayNotRestore."""
    record = kind.seen(by).get(pk=pk)
    change = Change.objects.visible_to(by).of(record).get(sequence=sequence)
    field = next((one for one in kind.model._meta.concrete_fields if one.name == name), None)
    restoring = kind.restoring
    if restoring is None or field is None or name not in restoring.fields or change.after is None:
        raise Change.DoesNotExist
    if field.attname not in (change.before or {}):
        raise Change.DoesNotExist
    if name not in restorable_fields(kind, by) or not restoring.writable(by).filter(pk=pk).exists():
        raise MayNotRestore(_("You may read this record, but not change it."))
    return Restoration(kind, record, field, change, leads_out(field, getattr(record, field.attname), by))


def leads_out(field: models.Field, value: Any, by: User) -> bool:
    """Whether a stored link leads to a record that does not exist for the person."""
    if not field.is_relation or value is None:
        return False
    target: Any = field.related_model
    kind = kinds_by_model().get(target)
    return kind is None or not kind.seen(by).filter(pk=value).exists()


@transaction.atomic
def restore_value(*, restoration: Restoration, version: int, by: User) -> None:
    """Put the older value back. `version` is the one that the person saw.

    Raises EditedMeanwhile if it is not the latest any more, CannotRestore where the value is not allowed today.
    """
    restoring: Restoring = restoration.kind.restoring  # type: ignore[assignment]  # find_restoration has seen to it
    check_restoration(restoration, by)
    record: Any = restoration.kind.seen(by).get(pk=restoration.record.pk)  # its own: what was shown stays as it was
    if not hasattr(record, "version"):
        type(record)._base_manager.select_for_update().get(pk=record.pk)
        if version_of(record) != version:
            raise EditedMeanwhile(record)
    setattr(record, restoration.field.attname, restoration.field.to_python(restoration.then))
    _refuse_what_the_model_does(record)
    day = timezone.localtime(restoration.change.at).strftime("%Y-%m-%d %H:%M")
    try:
        restoring.save(record, version=version, by=by, reason=_("restored from {day}").format(day=day))
    except tuple(restoring.refusals) as refusal:
        raise CannotRestore(str(restoring.refusals[type(refusal)] or refusal)) from refusal


def check_restoration(restoration: Restoration, by: User) -> None:
    """Refuse what makes no sense any more: the same value, a link to what is gone. Raises CannotRestore."""
    if restoration.then == restoration.now:
        raise CannotRestore(_("It has this value already."))
    if restoration.field.is_relation and restoration.then is not None:
        _check_link(restoration, by)


def _check_link(restoration: Restoration, by: User) -> None:
    """A linked record must exist for the person, be in use, and belong where the record belongs."""
    target: Any = restoration.field.related_model
    kind = kinds_by_model().get(target)
    linked: Any = kind.seen(by).filter(pk=restoration.then).first() if kind else None
    if linked is None:
        raise CannotRestore(_("What stood here is not there any more."))
    if not getattr(linked, "is_active", True):
        raise CannotRestore(_("“{name}” is not in use any more.").format(name=linked))
    if isinstance(linked, Branch) and linked.region_id != restoration.record.region_id:
        raise CannotRestore(_("“{name}” belongs to another region.").format(name=linked))


def _refuse_what_the_model_does(record: models.Model) -> None:
    """The rules of forms and the API: constraints are checked with all columns, those that nobody edits too."""
    fixed = {field.name for field in record._meta.fields if not field.editable}
    try:
        record.clean_fields(exclude=fixed)
        record.clean()
        record.validate_unique()
        record.validate_constraints()
    except ValidationError as error:
        raise CannotRestore(" ".join(error.messages)) from error
