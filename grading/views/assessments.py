"""The assessment form: save, preview, and what someone else changed meanwhile."""

from dataclasses import replace
from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.actions.changes import EditedMeanwhile
from crm.clashes import Clash, put_together
from crm.models import CustomerLine
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from grading.actions import assessments as actions
from grading.actions import verdicts
from grading.actions.runs import CycleClosed
from grading.forms import AssessmentForm
from grading.models import Assessment, Cycle, CycleState, GradeRecord
from grading.policy import Facts


@requires(Permission.SAVE_ASSESSMENT)
def save_assessment(request: PageRequest, pk: int) -> HttpResponse:
    """Change an assessment; the grade follows at once."""
    seen = Assessment.objects.visible_to(request.user)
    assessment = get_object_or_404(seen.select_related("line__customer__region", "line__product_line"), pk=pk)
    return _save(request, assessment)


@requires(Permission.SAVE_ASSESSMENT)
def assess_line(request: PageRequest, pk: int, year: int) -> HttpResponse:
    """The assessment of a customer line for a fiscal year: the one there is, or the first."""
    seen = CustomerLine.objects.visible_to(request.user).gradable()
    line = get_object_or_404(seen.select_related("customer__region", "product_line"), pk=pk)
    get_object_or_404(Cycle, fiscal_year=year)
    known = Assessment.objects.visible_to(request.user).filter(line=line, fiscal_year=year).first()
    if known is not None and request.method != "POST":
        return redirect("grading:save-assessment", known.pk)
    return _save(request, known or Assessment(line=line, fiscal_year=year))


@requires(Permission.PREVIEW_GRADE)
@require_POST
def preview_assessment(request: PageRequest, pk: int, year: int) -> HttpResponse:
    """What grade the figures typed so far would give. Saves nothing."""
    line = get_object_or_404(CustomerLine.objects.visible_to(request.user).select_related("product_line"), pk=pk)
    form = AssessmentForm(request.POST, instance=Assessment(line=line, fiscal_year=year))
    explained = None
    if form.is_valid():
        explained = verdicts.preview(facts=_facts(form.instance), fiscal_year=year)
    return render(request, "grading/_preview.html", {"form": form, "explained": explained})


def _save(request: PageRequest, assessment: Assessment) -> HttpResponse:
    line = assessment.line
    if not CustomerLine.objects.writable_by(request.user).filter(pk=line.pk).exists():
        raise PermissionDenied
    cycle = Cycle.objects.filter(fiscal_year=assessment.fiscal_year).first()
    form = AssessmentForm(request.POST or None, instance=assessment)
    clashes: list[Clash] = []
    if form.is_valid():
        try:
            record = actions.save_assessment(
                assessment=form.instance, version=form.cleaned_data["version"], by=request.user
            )
        except EditedMeanwhile:
            form, clashes = _after_clash(request, assessment)
        except CycleClosed:
            form.add_error(None, _("The cycle of this fiscal year is closed: its assessments are history."))
        else:
            _say_saved(request, record)
            return redirect(f"{_customer_url(line)}#line-{line.product_line.code}")
    facts = _facts(form.instance) if not form.is_bound else None
    context = {
        "form": form,
        "line": line,
        "year": assessment.fiscal_year,
        "is_new": assessment.pk is None,
        "is_carried_over": assessment.is_carried_over,
        "is_closed": cycle is not None and cycle.state == CycleState.CLOSED,
        "clashes": clashes,
        "explained": verdicts.preview(facts=facts, fiscal_year=assessment.fiscal_year) if facts else None,
        "customer_url": _customer_url(line),
    }
    return render(request, "grading/save_assessment.html", context, status=409 if clashes else 200)


def _facts(assessment: Assessment) -> Facts:
    """The assessment as it would be graded today once a person has saved it."""
    return replace(assessment.facts(verdicts.history_sales(assessment.line)), is_assessed=True)


def _after_clash(request: PageRequest, assessment: Assessment) -> tuple[AssessmentForm, list[Clash]]:
    ours = Assessment.objects.of_year(assessment.fiscal_year).filter(line=assessment.line)
    latest = ours.select_related("line__customer", "line__product_line").get()
    form, clashes = put_together(
        request.POST, latest, lambda typed, record: AssessmentForm(typed, instance=record), request.user
    )
    return cast(AssessmentForm, form), clashes


def _say_saved(request: PageRequest, record: GradeRecord | None) -> None:
    if record is None:
        messages.success(request, _("Assessment saved; the grade stays as it is."))
    else:
        grade = record.letter or record.get_state_display()
        messages.success(request, _("Assessment saved; grade now: {grade}").format(grade=grade))


def _customer_url(line: CustomerLine) -> str:
    return reverse("crm:view-customer", args=[line.customer_id])
