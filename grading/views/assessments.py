"""The assessment form: save, preview, and what someone else changed meanwhile."""

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.actions.changes import EditedMeanwhile
from crm.models import Change, CustomerLine
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from crm.timeline import field_words
from grading.actions import assessments as actions
from grading.actions import verdicts
from grading.actions.runs import CycleClosed
from grading.forms import AssessmentForm
from grading.models import Assessment, Cycle, CycleState, GradeRecord
from grading.policy import Facts


@dataclass(frozen=True)
class Clash:
    """A field that someone else changed while this person was typing."""

    label: str
    theirs: str
    by: str
    is_taken_over: bool  # this person had not touched it: the form now shows theirs


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
            form, clashes = _after_clash(request.POST, assessment)
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


def _after_clash(data: QueryDict, assessment: Assessment) -> tuple[AssessmentForm, list[Clash]]:
    """Put both edits together: what this person left alone follows the other, what both changed stays as typed here."""
    latest = Assessment.objects.select_related("line__customer", "line__product_line").get(
        line=assessment.line, fiscal_year=assessment.fiscal_year
    )
    typed = AssessmentForm(data, instance=Assessment(line=latest.line, fiscal_year=latest.fiscal_year))
    typed.is_valid()
    base, by = _started_from(latest, int(str(data["version"])))
    merged, clashes = data.copy(), []
    merged["version"] = str(latest.version)
    for name in typed.Meta.fields:
        mine, theirs = typed.cleaned_data.get(name), getattr(latest, name)
        if theirs == base[name] or mine == theirs:
            continue
        is_taken_over = mine == base[name]
        if is_taken_over:
            _put(merged, name, typed.fields[name].prepare_value(theirs))
        clashes.append(Clash(str(typed[name].label), field_words(Assessment, name, theirs), by, is_taken_over))
    return AssessmentForm(merged, instance=latest), clashes


def _started_from(latest: Assessment, version: int) -> tuple[dict[str, Any], str]:
    """The values that the person started from, and who changed them last."""
    changes = list(Change.objects.of(latest).filter(version__gt=version).select_related("by"))
    started = Assessment() if version == 0 else copy(latest)
    for change in reversed(changes):
        for name, value in (change.before or {}).items():
            setattr(started, name, value)
    fields = {field.name: field for field in Assessment._meta.concrete_fields}
    base = {name: fields[name].to_python(getattr(started, name)) for name in AssessmentForm.Meta.fields}
    return base, str(changes[-1].by or "") if changes else ""


def _put(data: QueryDict, name: str, value: Any) -> None:
    if value is False or value is None:
        data.pop(name, None)
    else:
        data[name] = "on" if value is True else str(value)


def _say_saved(request: PageRequest, record: GradeRecord | None) -> None:
    if record is None:
        messages.success(request, _("Assessment saved; the grade stays as it is."))
    else:
        grade = record.letter or record.get_state_display()
        messages.success(request, _("Assessment saved; grade now: {grade}").format(grade=grade))


def _customer_url(line: CustomerLine) -> str:
    return reverse("crm:view-customer", args=[line.customer_id])
