"""A bulk change's way: rows chosen, a field and its value set up, shown, confirmed. Nothing is changed before that."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.actions.bulk_kinds import BulkKind
from crm.actions.bulk_steps import (
    BulkRefused,
    bulk_field_of,
    bulk_kind_for,
    checked_value,
    columns_of_chosen,
    lock_bulk_change,
    shared_by,
)
from crm.actions.exports import Reader, listed_by_name
from crm.actions.jobs import cancel_job, nudge, start_job, stop_job
from crm.actions.work_on_bulk_change import AT_ONCE, JOB_KIND, apply_bulk_change
from crm.lib.listing import errors_of
from crm.models import BULK_APPLIED, BulkChange, BulkState, User
from crm.permissions import can

MOST = 50_000  # rows in one go
EXAMPLES = 5


def choose_rows(*, kind: str, params: QueryDict, numbers: Collection[int] | None, by: User) -> BulkChange:
    """Keep which rows of a list a person has chosen; None: all of the list as `params` filter it.

    Of the numbers only those count that the person may change. Raises BulkRefused.
    """
    known = bulk_kind_for(kind, by)
    wanted = _all_of_the_list(known, params, by) if numbers is None else numbers
    if len(wanted) > MOST:
        said = _("More than {most} rows: filter the list further, and change them in parts.")
        raise BulkRefused(said.format(most=f"{MOST:,}"))
    chosen = [list(pair) for pair in columns_of_chosen(known, wanted, by, "pk", "version")]
    if not chosen:
        raise BulkRefused(_("No row is selected. Tick the rows that you want to change."))
    return BulkChange.objects.create(
        kind=kind, query=params.urlencode(), chosen=chosen, size=len(chosen), by=by, created_at=timezone.now()
    )


@transaction.atomic
def set_up_bulk_change(*, bulk_change: BulkChange, field: str, value: Any, by: User) -> BulkChange:
    """Say which field gets which value, and note each record's version: what the confirmation shows.

    `value` is what the database stores. Raises BulkRefused where it is under way or done, or the value is refused.
    """
    locked = _lock_open(bulk_change, by)
    kind = bulk_kind_for(locked.kind, by)
    changed = bulk_field_of(kind, field)
    numbers = [pk for pk, _version in locked.chosen]
    shared = shared_by(kind, changed, numbers, by)
    locked.value = checked_value(kind, changed, value, shared, by)
    rows = list(columns_of_chosen(kind, numbers, by, "pk", "version", kind.column(changed).attname))
    if not rows:
        raise BulkRefused(_("You do not see these records any more."))
    differing = [pk for pk, _version, present in rows if present != locked.value]
    locked.chosen, locked.size = [[pk, version] for pk, version, _present in rows], len(rows)
    locked.report = {
        "already": len(rows) - len(differing),
        "examples": differing[:EXAMPLES],
        "shared": shared,
    }
    locked.field, locked.state, locked.version = field, BulkState.SHOWN, locked.version + 1
    locked.job, locked.finished_at = None, None
    locked.save()
    return _renewed(bulk_change)


@transaction.atomic
def start_bulk_change(*, bulk_change: BulkChange, version: int, by: User) -> BulkChange:
    """Do what has been shown: at once where it is small, else by a job. Called twice it is done once.

    `version` says which set-up was shown. Raises BulkRefused where that is not the latest.
    """
    locked = lock_bulk_change(bulk_change, by)
    if locked.version == version and locked.state in (BulkState.CHANGING, BulkState.DONE):
        return _renewed(bulk_change)
    if locked.state != BulkState.SHOWN:
        raise BulkRefused(_("This bulk change has ended or is not set up. Select the rows again."))
    if locked.version != version:
        raise BulkRefused(_("It has been set up anew in another window. Look at what it would change now."))
    kind = bulk_kind_for(locked.kind, by)
    locked.language = get_language() or ""
    if locked.size > AT_ONCE:
        start_work(locked, BulkState.CHANGING)
    else:
        apply_bulk_change(locked, kind, by)
    return _renewed(bulk_change)


def cancel_bulk_change(*, bulk_change: BulkChange, by: User) -> BulkChange:
    """Give up a bulk change of which nothing has been applied; its job applies nothing then. Raises BulkRefused."""
    under_way = BulkChange.objects.filter(pk=bulk_change.pk, by=by, state=BulkState.CHANGING)
    for job_id in under_way.values_list("job_id", flat=True):
        stop_job(job_id, by=by)
    return _cancel(bulk_change, by)


@transaction.atomic
def _cancel(bulk_change: BulkChange, by: User) -> BulkChange:
    locked = lock_bulk_change(bulk_change, by)
    if locked.state in BULK_APPLIED:
        raise BulkRefused(_("It has been changed already; it can be undone."))
    if locked.job_id is not None:
        cancel_job(locked.job_id, by=by)
    locked.state, locked.finished_at = BulkState.CANCELLED, timezone.now()
    locked.save()
    return _renewed(bulk_change)


def start_work(locked: BulkChange, state: BulkState) -> None:
    """Have a job apply a locked bulk change or take it back."""
    locked.job, _is_new = start_job(kind=JOB_KIND, key=str(locked.pk), by=locked.by)
    locked.state = state
    locked.save()
    nudge(locked.job)


def _lock_open(bulk_change: BulkChange, by: User) -> BulkChange:
    locked = lock_bulk_change(bulk_change, by)
    if not locked.is_open:
        said = _("This bulk change is under way or has ended ({state}). Select the rows again.")
        raise BulkRefused(said.format(state=locked.get_state_display()))
    return locked


def _all_of_the_list(kind: BulkKind, params: QueryDict, by: User) -> list[int]:
    """The rows of a list as its page filters it, a few more than are allowed at most."""
    listed = listed_by_name()[kind.name]
    if not can(by, listed.permission):
        raise BulkRefused(_("You may not see this list any more."))
    opened = listed.open(Reader(by), params)
    if wrong := errors_of(opened.filters):
        raise BulkRefused(" ".join(wrong))
    return list(dict.fromkeys(opened.filters.qs.order_by().values_list("pk", flat=True)[: MOST + 1]))


def _renewed(bulk_change: BulkChange) -> BulkChange:
    bulk_change.refresh_from_db()
    return bulk_change
