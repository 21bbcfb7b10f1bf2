"""Regrading what other apps changed: they mark the customer line, this follows."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.models import CustomerLine
from grading.actions.locks import lock_lines
from grading.actions.records import regrade_lines
from grading.models import Cause, Cycle, CycleState

BATCH = 2000


def regrade_changed_facts() -> int:
    """Grade the lines that are marked, in the years whose cycle is open or published. Returns how many lines it took.

    A mark set meanwhile stays: only what was read is cleared.
    """
    began_at, taken = timezone.now(), 0
    while line_ids := _marked(began_at):
        _regrade(line_ids, began_at)
        taken += len(line_ids)
    return taken


def _regrade(line_ids: list[int], began_at: datetime) -> None:
    """The lock of everyone who grades is taken first, so that nobody waits in a ring."""
    under_way = Cycle.objects.filter(state__in=[CycleState.OPEN, CycleState.PUBLISHED])
    years = list(under_way.order_by("fiscal_year").values_list("fiscal_year", flat=True))
    with transaction.atomic():
        lock_lines(line_ids)
        cleared = CustomerLine.objects.filter(pk__in=line_ids, facts_changed_at__lte=began_at)
        cleared.update(facts_changed_at=None)
        for year in years:
            regrade_lines(line_ids=line_ids, fiscal_year=year, cause=Cause.FACTS, by=None)


def _marked(before: datetime) -> list[int]:
    marked = CustomerLine.objects.filter(facts_changed_at__lte=before).order_by("pk")
    return list(marked.values_list("pk", flat=True)[:BATCH])
