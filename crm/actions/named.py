"""Saving reference rows: regions, branch offices, departments, product lines."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import record_change, snapshot
from crm.actions.places import move_branch
from crm.actions.versions import lock_record, lock_version
from crm.models import Branch, Department, ProductLine, Region, User, Way


class StillInUse(Exception):
    """What is switched off has others that belong to it; nothing was saved."""


@transaction.atomic
def save_named(
    *,
    row: Region | Branch | Department | ProductLine,
    by: User | None,
    way: Way = Way.FORM,
    version: int | None = None,
) -> None:
    """Save a reference row, new or changed. It is disabled with `is_active`, never deleted.

    A branch office with another region moves there today, with its people and customers. Raises StillInUse,
    MoveRefused, and EditedMeanwhile if `version` is not the latest; None is whatever there is.
    """
    before = lock_record(row) if version is None else lock_version(row, version)
    if not row.is_active:
        _require_unused(row)
    if isinstance(row, Branch) and before is not None and before["region_id"] != row.region_id:
        _move_today(row, by, way)
        before = snapshot(Branch.objects.get(pk=row.pk))
    row.version = before["version"] + 1 if before is not None else 1
    row.save()
    record_change(row, before=before, by=by, way=way)


def _move_today(row: Branch, by: User | None, way: Way) -> None:
    move_branch(branch=row, region=row.region, from_on=timezone.localdate(), by=by, way=way)


def _require_unused(row: Region | Branch | Department | ProductLine) -> None:
    if isinstance(row, Region) and Branch.objects.filter(region=row, is_active=True).exists():
        raise StillInUse(_("Branch offices belong to this region: move them or switch them off first."))
    place = {Region: "region", Branch: "branch"}.get(type(row))
    if place and User.objects.filter(**{place: row.pk}, is_active=True).exists():
        raise StillInUse(_("People work here: give them another place first."))
