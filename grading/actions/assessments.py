"""Saving an assessment: it grades the customer line at once, in the same transaction."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from crm.actions.changes import Edit, EditedMeanwhile, record_changes, snapshot
from crm.lib.bulk import update_all
from crm.models import User, Way
from grading.actions.locks import lock_lines
from grading.actions.records import regrade_lines
from grading.actions.runs import CycleClosed
from grading.models import Assessment, Cause, Cycle, CycleState, GradeRecord

_FIXED = ("id", "line", "fiscal_year", "deleted_at")
_WRITTEN = [field.name for field in Assessment._meta.concrete_fields if field.name not in _FIXED]


class Entered(NamedTuple):
    """What a person entered into an assessment, and the version that the person saw, 0 for a new one."""

    assessment: Assessment
    version: int


class Saved(NamedTuple):
    """What came of a set: how many grade records it wrote, and the lines whose assessment someone else had changed."""

    records: int
    late: dict[int, EditedMeanwhile]


@transaction.atomic
def save_assessment(
    *, assessment: Assessment, version: int, by: User, way: Way = Way.FORM, reason: str = ""
) -> GradeRecord | None:
    """Save what a person entered and grade it at once; saving also confirms figures that were carried over.

    `version` is the one that the person saw, 0 for a new assessment. Returns the new record, or None where nothing
    that matters changed. Raises EditedMeanwhile if `version` is not the latest, CycleClosed if the year is history.
    """
    line, year = assessment.line_id, assessment.fiscal_year
    saved = save_assessments(entered=[Entered(assessment, version)], fiscal_year=year, by=by, way=way, reason=reason)
    for refusal in saved.late.values():
        raise refusal
    if not saved.records:
        return None
    return GradeRecord.objects.filter(grade__line=line, grade__fiscal_year=year).latest("pk")


@transaction.atomic
def save_assessments(
    *, entered: Sequence[Entered], fiscal_year: int, by: User, way: Way = Way.FORM, reason: str = ""
) -> Saved:
    """Save a set of assessments of one year, a line at most once, and grade their lines at once.

    One that someone else has changed after it was read is left as it is and named; the others are saved.
    Raises CycleClosed if the year is history.
    """
    _refuse_closed(fiscal_year)
    line_ids = [one.assessment.line_id for one in entered]
    lock_lines(line_ids)
    late, edits = _take(entered, _lock(line_ids, fiscal_year))
    prefetch_related_objects([edit.record for edit in edits], "line__customer")
    record_changes(edits, by=by, way=way, reason=reason)
    changed = [edit.record.line_id for edit in edits]  # type: ignore[attr-defined]
    written = regrade_lines(line_ids=changed, fiscal_year=fiscal_year, cause=Cause.ASSESSMENT, by=by)
    return Saved(written, late)


def _refuse_closed(fiscal_year: int) -> None:
    cycle = Cycle.objects.filter(fiscal_year=fiscal_year, state=CycleState.CLOSED).first()
    if cycle is not None:
        raise CycleClosed(cycle)


def _lock(line_ids: Sequence[int], fiscal_year: int) -> dict[int, Assessment]:
    """The assessments of the lines as they are stored, by line, locked to the end of the transaction."""
    stored = Assessment.objects.of_year(fiscal_year).filter(line__in=line_ids)
    return {one.line_id: one for one in stored.select_for_update()}


def _take(entered: Sequence[Entered], stored: dict[int, Assessment]) -> tuple[dict[int, EditedMeanwhile], list[Edit]]:
    """Store what was entered upon what is stored now; what was entered upon anything older is late."""
    late: dict[int, EditedMeanwhile] = {}
    edits = []
    for assessment, version in entered:
        try:
            edits.append(_edit(assessment, version, stored.get(assessment.line_id)))
        except EditedMeanwhile as refusal:
            late[assessment.line_id] = refusal
    _update([edit.record for edit in edits if edit.before is not None])
    return late, edits


def _edit(assessment: Assessment, version: int, known: Assessment | None) -> Edit:
    """One of them with what it was; a new one is stored at once."""
    if (assessment.pk, version) != ((known.pk, known.version) if known else (None, 0)):
        raise EditedMeanwhile(known or assessment)
    assessment.is_carried_over = False
    assessment.version = version + 1
    if known is None:
        _insert(assessment)
    return Edit(assessment, snapshot(known) if known else None)


def _update(assessments: Sequence[Any]) -> None:
    if len(assessments) == 1:
        assessments[0].save()
        return
    now = timezone.now()
    for assessment in assessments:
        assessment.updated_at = now
    update_all(Assessment, assessments, _WRITTEN)


def _insert(assessment: Assessment) -> None:
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
