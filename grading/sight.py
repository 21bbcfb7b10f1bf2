"""Why a person sees an assessment or a grade (crm.sight)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import User
from crm.permissions import Permission
from crm.sight import Reason, Sight, SightKind, deleted, missing, reasons_for_customer, sight
from grading.models import Assessment, Cycle, Grade, GradeRecord


def why_assessment(person: User, assessment: Assessment) -> Sight:
    """Who sees a customer line sees its assessments."""
    customer = assessment.line.customer
    return sight(reasons_for_customer(person, customer), deleted(assessment), deleted(customer))


def why_grade(person: User, grade: Grade) -> Sight:
    """The published grades of the customer lines that a person sees."""
    customer = grade.line.customer
    reasons = reasons_for_customer(person, customer)
    return sight(reasons, _unrecorded(grade), _unpublished(grade), deleted(customer))


def why_grade_record(person: User, record: GradeRecord) -> Sight:
    """Who sees a grade sees how it came about."""
    return why_grade(person, record.grade)


def _unrecorded(grade: Grade) -> Reason | None:
    is_recorded = Grade.objects.recorded().filter(pk=grade.pk).exists()
    return None if is_recorded else missing("unrecorded", _("No run has graded this line yet."))


def _unpublished(grade: Grade) -> Reason | None:
    if Cycle.objects.visible_grades().filter(fiscal_year=grade.fiscal_year).exists():
        return None
    said = _("The grades of {year} are not published yet.")
    return missing("unpublished", said.format(year=grade.fiscal_year))


KINDS = (
    SightKind("assessment", gettext_lazy("Assessment"), Assessment, Permission.VIEW_GRADES, why_assessment),
    SightKind("grade", gettext_lazy("Grade"), Grade, Permission.VIEW_GRADES, why_grade),
    SightKind("grade-record", gettext_lazy("Grade record"), GradeRecord, Permission.VIEW_GRADES, why_grade_record),
)
