"""Asking for a bulk change to be taken back: at once where it is small, else by a job."""

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.actions.bulk_changes import start_work
from crm.actions.bulk_steps import BulkRefused, bulk_kind_for, lock_bulk_change
from crm.actions.undo_batch import UndoRefused
from crm.actions.work_on_bulk_change import AT_ONCE, undo_bulk_change
from crm.models import BulkChange, BulkState, User


@transaction.atomic
def start_undo(*, bulk_change: BulkChange, by: User) -> BulkChange:
    """Give all changed records their former values. Raises UndoRefused, with the list where one was edited since."""
    try:
        locked = lock_bulk_change(bulk_change, by)
        kind = bulk_kind_for(locked.kind, by)
    except BulkRefused as refusal:
        raise UndoRefused([], str(refusal)) from refusal
    if locked.state != BulkState.DONE:
        raise UndoRefused([], _("Only a bulk change that has been done can be undone."))
    locked.language = get_language() or ""
    if locked.report["counts"]["changed"] > AT_ONCE:
        locked.report.pop("undo", None)
        start_work(locked, BulkState.UNDOING)
    else:
        undo_bulk_change(locked, kind, by)
    bulk_change.refresh_from_db()
    return bulk_change
