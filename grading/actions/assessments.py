"""Saving an assessment: it grades the customer line at once, in the same transaction."""

from django.db import IntegrityError, transaction

from crm.actions.changes import EditedMeanwhile, record_change, snapshot
from crm.models import User, Way
from grading.actions.locks import lock_lines
from grading.actions.records import regrade_lines
from grading.actions.runs import CycleClosed
from grading.models import Assessment, Cause, Cycle, CycleState, GradeRecord


@transaction.atomic
def save_assessment(*, assessment: Assessment, version: int, by: User, way: Way = Way.FORM) -> GradeRecord | None:
    """Save what a person entered and grade it at once; saving also confirms figures that were carried over.

    `version` is the one that the person saw, 0 for a new assessment. Returns the new record, or None where nothing
    that matters changed. Raises EditedMeanwhile if `version` is not the latest, CycleClosed if the year is history.
    """
    _refuse_closed(assessment.fiscal_year)
    lock_lines([assessment.line_id])
    before = _lock(assessment, version)
    assessment.is_carried_over = False
    assessment.version = version + 1
    _store(assessment)
    record_change(assessment, before=before, by=by, way=way)
    written = regrade_lines(
        line_ids=[assessment.line_id], fiscal_year=assessment.fiscal_year, cause=Cause.ASSESSMENT, by=by
    )
    if not written:
        return None
    return GradeRecord.objects.filter(grade__line=assessment.line_id, grade__fiscal_year=assessment.fiscal_year).latest(
        "pk"
    )


def _refuse_closed(fiscal_year: int) -> None:
    cycle = Cycle.objects.filter(fiscal_year=fiscal_year, state=CycleState.CLOSED).first()
    if cycle is not None:
        raise CycleClosed(cycle)


def _lock(assessment: Assessment, version: int) -> dict | None:
    if assessment.pk is None:
        return None
    stored = Assessment.objects.select_for_update().get(pk=assessment.pk)
    if stored.version != version:
        raise EditedMeanwhile(stored)
    return snapshot(stored)


def _store(assessment: Assessment) -> None:
    try:
        with transaction.atomic():
            assessment.save()
    except IntegrityError:
        taken = Assessment.objects.of_year(assessment.fiscal_year).filter(line_id=assessment.line_id)
        other = taken.exclude(pk=assessment.pk).first()
        if other is None:
            raise
        assessment.pk = None
        raise EditedMeanwhile(other) from None
