"""Saving reference rows: regions, branch offices, departments, product lines."""

from django.db import transaction

from crm.actions.changes import record_change
from crm.actions.versions import lock_record
from crm.models import Branch, Department, ProductLine, Region, User, Way


@transaction.atomic
def save_named(*, row: Region | Branch | Department | ProductLine, by: User | None, way: Way = Way.FORM) -> None:
    """Save a reference row, new or changed. It is disabled with `is_active`, never deleted."""
    before = lock_record(row)
    row.save()
    record_change(row, before=before, by=by, way=way)
