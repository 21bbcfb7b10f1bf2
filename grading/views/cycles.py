"""Grading cycles: the list, one of them with its run and its report, and what moves it on."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.lib.dates import fiscal_year_of
from crm.lib.listing import Address
from crm.list_pages import elsewhere, list_context, plain_list, render_list
from crm.models import CustomerLine, Way
from crm.permissions import Permission, can, requires
from crm.requests import PageRequest
from crm.scope import scope_of
from grading import reports
from grading.actions import cycles as actions
from grading.actions.runs import CycleClosed, RunUnderWay
from grading.cycle_lists import CYCLES
from grading.lists import CYCLE_GRADES, of_cycle
from grading.models import Assessment, Cycle, CycleState, GradingPolicy, GradingRun, RunState
from grading.progress import progress_of

RUNS_SHOWN = 10


@requires(Permission.VIEW_CYCLES)
@require_safe
def list_cycles(request: PageRequest) -> HttpResponse:
    """All cycles, the latest first, and the one that comes next."""
    wanted = (_this_year() + 1, _this_year())
    known = set(Cycle.objects.filter(fiscal_year__in=wanted).values_list("fiscal_year", flat=True))
    to_open = [year for year in wanted if year not in known]
    return plain_list(request, CYCLES, "grading/list_cycles.html", picked=("state",), more={"to_open": to_open})


@requires(Permission.VIEW_CYCLES)
@require_safe
def view_cycle(request: PageRequest, year: int) -> HttpResponse:
    """Where a cycle stands in one's scope, the run under way, what the last run changed."""
    # Runs first: one that ends in this moment is shown as running, and its bar asks again; never an old state for good.
    known = GradingRun.objects.filter(cycle__fiscal_year=year).order_by("-pk")
    runs = list(known.select_related("job", "cycle", "by", "policy", "product_line", "region")[:RUNS_SHOWN])
    cycle = get_object_or_404(Cycle.objects.select_related("opened_by", "published_by"), fiscal_year=year)
    region = scope_of(request).region
    standing = reports.standing_of_cycle(reports.lines_of_cycle(cycle, request.user, region))
    running = next((run for run in runs if run.state == RunState.RUNNING), None)
    context = {
        "cycle": cycle,
        "region": region,
        "counts": standing.counts,
        "missing": standing.missing,
        "moves": standing.moves if cycle.state == CycleState.OPEN else _moves_of_last_run(request, runs),
        "is_in_force": cycle == Cycle.objects.effective(timezone.localdate()).first(),
        "progress": progress_of(running, request.user, timezone.now()) if running else None,
        "runs": runs,
        "steps": _steps(request, cycle, running if running and running.job.is_active else None),
    }
    return render(request, "grading/view_cycle.html", context)


@requires(Permission.VIEW_CYCLES)
@require_safe
def list_cycle_grades(request: PageRequest, year: int) -> HttpResponse:
    """The customer lines of a cycle in one's scope, and what the cycle made of them."""
    cycle = get_object_or_404(Cycle, fiscal_year=year)
    if there := elsewhere(request):
        return there
    context = list_context(
        request,
        CYCLE_GRADES,
        params=of_cycle(request.GET, year),
        picked=("region", "line", "grade", "state", "missing", "lead"),
        search_label=_("Name / pinyin / initials / code"),
    )
    context |= {
        "cycle": cycle,
        "writable": _writable(request, cycle, context["list"].rows),
        "grid_url": _grid_url(request, cycle),
    }
    return render_list(request, "grading/list_cycle_grades.html", context)


@requires(Permission.VIEW_CYCLES)
@require_safe
def list_assessments(request: PageRequest) -> HttpResponse:
    """The assessments being made: those that wait for me where there are any, else all of the cycle."""
    today = timezone.localdate()
    cycle = Cycle.objects.open().order_by("fiscal_year").first() or Cycle.objects.effective(today).first()
    if cycle is None:
        return redirect("grading:list-cycles")
    address = reverse("grading:list-cycle-grades", args=[cycle.fiscal_year])
    if Assessment.objects.waiting_for(request.user).of_year(cycle.fiscal_year).exists():
        address += f"?state=not_assessed&lead={request.user.pk}"
    return redirect(address)


@requires(Permission.OPEN_CYCLE)
def open_cycle(request: PageRequest, year: int) -> HttpResponse:
    """Ask, then open: every active customer line gets its assessment of the year."""
    cycle = Cycle.objects.filter(fiscal_year=year).first()
    if cycle is None and year not in (_this_year(), _this_year() + 1):
        raise Http404
    if request.method == "POST":
        by = request.user
        drafted = partial(actions.ensure_cycle, year, by=by, way=Way.FORM)
        return _do(request, year, lambda: actions.open_cycle(cycle=cycle or drafted(), by=by))
    lines = CustomerLine.objects.visible_to(request.user).gradable()
    context = {
        "year": year,
        "is_possible": cycle is None or cycle.state == CycleState.DRAFT,
        "lines": lines.count(),
        "carried_over": Assessment.objects.of_year(year - 1).filter(line__in=lines).count(),
    }
    return render(request, "grading/open_cycle.html", context)


@requires(Permission.PUBLISH_CYCLE)
def publish_cycle(request: PageRequest, year: int) -> HttpResponse:
    """Ask, then run once more and publish at its end."""
    cycle = get_object_or_404(Cycle, fiscal_year=year)
    if request.method == "POST":
        return _do(request, year, lambda: actions.publish_cycle(cycle=cycle, by=request.user))
    assessments = Assessment.objects.visible_to(request.user)
    context = {
        "cycle": cycle,
        "year": year,
        "is_possible": cycle.state == CycleState.OPEN,
        "unconfirmed": assessments.of_year(year).unconfirmed().filter(line__is_active=True).count(),
        "policy": GradingPolicy.objects.published().order_by("-published_at", "-number").first(),
    }
    return render(request, "grading/publish_cycle.html", context)


def _do(request: PageRequest, year: int, act: Callable[[], Any]) -> HttpResponse:
    """Move a cycle on; where that is refused, its page says why."""
    try:
        act()
    except (actions.WrongCycleState, RunUnderWay, CycleClosed) as refusal:
        messages.error(request, _refusal(refusal))
    return redirect("grading:view-cycle", year)


def _refusal(refusal: Exception) -> str:
    if isinstance(refusal, RunUnderWay):
        return _("Another run of this cycle is under way. Wait for its end or cancel it.")
    return _("The cycle has moved on meanwhile: this step is not open any more.")


def _this_year() -> int:
    return fiscal_year_of(timezone.localdate(), settings.FISCAL_YEAR_START_MONTH)


def _steps(request: PageRequest, cycle: Cycle, running: GradingRun | None) -> list[str]:
    """What may be done with the cycle now, the next step first."""
    offered = {
        CycleState.DRAFT: ["open"],
        CycleState.OPEN: ["publish", "run"] if running is None else [],
        CycleState.PUBLISHED: ["run"] if running is None else [],
    }
    needed = {"open": Permission.OPEN_CYCLE, "run": Permission.START_RUN, "publish": Permission.PUBLISH_CYCLE}
    return [step for step in offered.get(CycleState(cycle.state), []) if can(request.user, needed[step])]


def _moves_of_last_run(request: PageRequest, runs: list[GradingRun]) -> list[reports.LineMoves]:
    """What the last complete run changed. The stored report counts the whole company: it is for those who see it."""
    complete = [run for run in runs if run.state == RunState.DONE and not run.region_id and not run.product_line_id]
    if not complete or not request.user.sees_all_regions or scope_of(request).region:
        return []
    return reports.moves_from_report(complete[0].report)


def _grid_url(request: PageRequest, cycle: Cycle) -> str:
    """Where the same customers are assessed as a grid, if the person may assess any now."""
    if cycle.state not in (CycleState.OPEN, CycleState.PUBLISHED) or not can(request.user, Permission.SAVE_ASSESSMENT):
        return ""
    address = Address(reverse("grading:edit-grid", args=[cycle.fiscal_year]), request.GET)
    return address.having(page=None, page_size=None, columns=None)


def _writable(request: PageRequest, cycle: Cycle, rows: list[CustomerLine]) -> set[int]:
    """Of the rows shown, those that the person may assess now."""
    is_open = cycle.state in (CycleState.OPEN, CycleState.PUBLISHED)
    if not is_open or not can(request.user, Permission.SAVE_ASSESSMENT):
        return set()
    own = Q(pk__in=[line.pk for line in rows], is_active=True)
    return set(CustomerLine.objects.writable_by(request.user).filter(own).values_list("pk", flat=True))
