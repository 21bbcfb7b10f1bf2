"""What grading does when two customers are merged: assessments go over, grades are computed again by themselves."""

from collections.abc import Iterator, Sequence
from itertools import chain

from django.db import models

from crm.actions.merging import MergeStep, Merging
from grading.actions.locks import lock_lines
from grading.models import Assessment, Cycle, CycleState, Grade


def follow(merging: Merging) -> None:
    """An assessment of a retired line goes to the line that goes on, where that has none of the year.

    Where both are assessed the survivor's counts and the loser's stays with its retired line, as do those of closed
    years, which are history, and all grade records, which are never edited.
    """
    lines = {*merging.retired, *(line.pk for line in merging.retired.values())}
    closed = Cycle.objects.filter(state=CycleState.CLOSED).values("fiscal_year")
    stored = Assessment.objects.filter(deleted_at=None, line__in=lines).exclude(fiscal_year__in=closed)
    found = list(stored.select_related("line__customer").order_by("pk").select_for_update(of=("self",)))
    taken = {(one.line_id, one.fiscal_year) for one in found}
    going = [
        one
        for one in found
        if (to := merging.retired.get(one.line_id)) is not None and (to.pk, one.fiscal_year) not in taken
    ]

    def go_over(assessment: Assessment) -> None:
        assessment.line = merging.retired[assessment.line_id]

    merging.change("assessments", going, go_over, "line")
    merging.counts["assessments_kept"] += sum(one.line_id in merging.retired for one in found)


def belonging(lines: Sequence[int]) -> Iterator[models.Model]:
    """The assessments and grades of customer lines."""
    assessments = Assessment.objects.filter(deleted_at=None, line__in=lines)
    return chain(assessments.order_by("pk"), Grade.objects.filter(line__in=lines).order_by("pk"))


STEP = MergeStep(lock=lock_lines, follow=follow, belonging=belonging)
