"""Grading runs: start one, watch it, cancel it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from crm.models import CustomerLine
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from grading.actions import runs as actions
from grading.forms import RunForm
from grading.models import Cycle, CycleState, GradingPolicy, GradingRun
from grading.progress import progress_of


@requires(Permission.START_RUN)
def start_run(request: PageRequest, year: int) -> HttpResponse:
    """Ask, then grade all customer lines of the cycle in the background."""
    cycle = get_object_or_404(Cycle, fiscal_year=year)
    form = RunForm(request.POST or None, initial={"as_of": timezone.localdate()})
    if form.is_valid():
        try:
            actions.start_run(cycle=cycle, by=request.user, as_of=form.cleaned_data["as_of"])
        except actions.RunUnderWay:
            messages.error(request, _("Another run of this cycle is under way. Wait for its end or cancel it."))
        except actions.CycleClosed:
            messages.error(request, _("The cycle is closed: its grades do not change any more."))
        return redirect("grading:view-cycle", year)
    context = {
        "cycle": cycle,
        "year": year,
        "form": form,
        "is_possible": cycle.state in (CycleState.OPEN, CycleState.PUBLISHED),
        "lines": CustomerLine.objects.visible_to(request.user).gradable().count(),
        "policy": GradingPolicy.objects.published().order_by("-published_at", "-number").first(),
    }
    return render(request, "grading/start_run.html", context)


@requires(Permission.VIEW_CYCLES)
@require_safe
def view_run_progress(request: PageRequest, pk: int) -> HttpResponse:
    """The progress bar by itself; the page around it is drawn anew when the run has ended."""
    run = get_object_or_404(GradingRun.objects.select_related("job", "cycle"), pk=pk)
    if not run.job.is_active and request.htmx:
        return HttpResponseClientRefresh()
    progress = progress_of(run, request.user, timezone.now())
    return render(request, "grading/_run_progress.html", {"progress": progress})


@requires(Permission.START_RUN)
@require_POST
def cancel_run(request: PageRequest, pk: int) -> HttpResponse:
    """Stop a run; what it has graded until now stays."""
    run = get_object_or_404(GradingRun.objects.select_related("cycle"), pk=pk)
    if not actions.cancel_run(run=run, by=request.user):
        messages.warning(request, _("The run had already ended."))
    return redirect("grading:view-cycle", run.cycle.fiscal_year)
