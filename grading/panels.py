"""What grading shows on crm's pages."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.lib import money
from crm.lib.dates import add_months
from crm.lib.moments import day_end
from crm.models import Customer, CustomerKind, CustomerLine, GradeState, Region, Sale, User
from crm.panels import Panel
from crm.permissions import Permission, can
from crm.requests import PageRequest
from crm.scope import scope_of
from grading import reports
from grading.events import moves, records_of
from grading.explain import Explanation, explain
from grading.models import (
    Assessment,
    Cycle,
    CycleState,
    GradeRecord,
    GradingRun,
    RunState,
    Scheme,
)
from grading.models.policy import rules_of
from grading.policy import HISTORY_MONTHS, Policy
from grading.progress import progress_of
from grading.templatetags.explanations import limits_of

_RECORDS = 100
_SALES = 300


def grades_of_customer(*, request: PageRequest, customer: Customer) -> Panel | None:
    """The customer's product lines: grade, explanation, history, the sales behind it."""
    if not can(request.user, Permission.VIEW_GRADES) or customer.kind != CustomerKind.CUSTOMER:
        return None
    lines: Sequence[CustomerLine] = customer.active_lines  # type: ignore[attr-defined]
    records = records_of(request.user, customer, _RECORDS)
    policies = {record.policy_id: rules_of(record.policy_id) for record in records}
    sales = _sales(request.user, customer)
    years = _years_to_assess()
    writable = _writable(request.user, lines)
    sections = []
    for line in lines:
        own = [record for record in records if record.line_id == line.pk]
        section = _section(line, own, policies, sales, years if line.pk in writable else ())
        lead = line.lead if line.lead is not None and line.lead.exists_for(request.user) else None
        sections.append({**section, "lead": lead})
    return Panel(
        "grading/_grades_of_customer.html",
        {"sections": sections},
        events=tuple(event for line in lines for event in moves(line, records)),
        has_chart=any(section["chart"] for section in sections),
    )


def grades_as_of(*, request: PageRequest, customer: Customer, day: date, lines: Sequence[int]) -> Panel | None:
    """What was known of a customer's grades by a day's end: of the lines there were then, in the year in force."""
    if not can(request.user, Permission.VIEW_GRADES):
        return None
    published = Cycle.objects.effective(day).filter(published_at__lt=day_end(day)).first()
    year = published.fiscal_year if published else None
    seen = GradeRecord.objects.visible_to(request.user).filter(grade__line__in=lines, grade__fiscal_year=year)
    records = seen.known_on(day).for_list().order_by("grade__line__product_line__position")
    return Panel("grading/_grades_as_of.html", {"year": year, "records": list(records) if year else []})


def grades_at_a_glance(*, request: PageRequest) -> Panel | None:
    """Counts by grade per product line, why others are not gradable, the run under way, what waits for me."""
    if not can(request.user, Permission.VIEW_GRADES):
        return None
    region = scope_of(request).region
    cycle = Cycle.objects.effective(timezone.localdate()).first()
    open_cycle = Cycle.objects.open().order_by("fiscal_year").first()
    lines = reports.lines_in_force(request.user, region)
    counts = reports.counts_in_force(lines)
    run = GradingRun.objects.filter(state=RunState.RUNNING).select_related("job", "cycle").order_by("pk").first()
    context = {
        "cycle": cycle,
        "open_cycle": open_cycle,
        "region": region,
        "columns": reports.COLUMNS,
        "counts": counts,
        "missing": reports.missing_in_force(lines, cycle) if cycle else [],
        "progress": progress_of(run, request.user, timezone.now()) if run else None,
        "waiting": [
            *_cycles_to_open(request.user),
            *_waiting(request.user, region, counts, cycle, open_cycle),
        ],
    }
    return Panel("grading/_grades_at_a_glance.html", context)


def _sales(user: User, customer: Customer) -> list[Sale]:
    """Enough of a customer's sales to cover the two years before any grading date shown."""
    return list(Sale.objects.visible_to(user).filter(line__customer=customer).order_by("-signed_on", "-pk")[:_SALES])


def _writable(user: User, lines: Sequence[CustomerLine]) -> set[int]:
    if not can(user, Permission.SAVE_ASSESSMENT):
        return set()
    seen = {line.pk for line in lines}
    if user.writes_all_he_sees:
        return seen
    return set(CustomerLine.objects.writable_by(user).filter(pk__in=seen).values_list("pk", flat=True))


def _years_to_assess() -> tuple[int, ...]:
    """The fiscal years whose assessments may be changed now, the latest first."""
    cycles = Cycle.objects.filter(state__in=(CycleState.OPEN, CycleState.PUBLISHED)).order_by("fiscal_year")
    years, today = cycles.values_list("fiscal_year", "starts_on"), timezone.localdate()
    in_force = [year for year, starts_on in years if starts_on <= today][-1:]
    to_come = [year for year, starts_on in years if starts_on > today]
    return (*to_come, *in_force)


def _section(
    line: CustomerLine,
    records: Sequence[Any],
    policies: dict[int, Policy],
    sales: Sequence[Sale],
    years: Sequence[int],
) -> dict[str, Any]:
    current = next((record for record in records if record.fiscal_year == line.fiscal_year), None)
    later = [record for record in records if line.fiscal_year is None or record.fiscal_year > line.fiscal_year]
    as_of = current.as_of if current else timezone.localdate()
    first_day = add_months(as_of, -HISTORY_MONTHS)
    behind = [sale for sale in sales if sale.line_id == line.pk and first_day <= sale.signed_on < as_of]
    return {
        "line": line,
        "record": current,
        "policy": policies[current.policy_id] if current else None,
        "explained": _explained(line, current, policies) if current else None,
        "upcoming": later[0] if later else None,
        "records": records,
        "chart": _chart(records, policies),
        "sales": behind,
        "sales_sum": sum(sale.amount for sale in behind),
        "counted_from": first_day,
        "as_of": as_of,
        "years": years,
    }


def _explained(line: CustomerLine, record: GradeRecord, policies: dict[int, Policy]) -> Explanation:
    return explain(record.grading(), record.facts(line.product_line.code), policies[record.policy_id])


def _chart(records: Sequence[Any], policies: dict[int, Policy]) -> dict[str, Any] | None:
    """The score over time, where it has moved at least once; schemes without a score have none."""
    scored = [record for record in reversed(records) if record.scheme == Scheme.CUSTOMER_VALUE]
    if sum(record.score is not None for record in scored) < 2:
        return None
    latest = policies[scored[-1].policy_id]
    return {
        "kind": "steps",
        "name": _("Score"),
        "limits": [{"letter": limit["letter"], "at": float(limit["at"])} for limit in limits_of(latest.limits)],
        "points": [
            {
                "on": max(record.effective_on, timezone.localdate(record.recorded_at)).isoformat(),
                "score": None if record.score is None else float(money.score(record.score)),
                "grade": record.letter,
            }
            for record in scored
        ],
    }


def _waiting(
    user: User,
    region: Region | None,
    counts: Sequence[reports.LineCounts],
    cycle: Cycle | None,
    open_cycle: Cycle | None,
) -> Iterator[dict[str, Any]]:
    """What there is to do for a person who keeps assessments, each with the rows behind it."""
    if not can(user, Permission.SAVE_ASSESSMENT):
        return
    if open_cycle is not None:
        mine = Assessment.objects.waiting_for(user).of_year(open_cycle.fiscal_year).count()
        if mine:
            yield _task(_("Lines I lead, not confirmed yet"), mine, open_cycle, lead=user.pk, state="not_assessed")
        lines = reports.lines_of_cycle(open_cycle, user, region)
        everyones = lines.filter(cycle_state=GradeState.NOT_ASSESSED).count()
        yield _task(_("Not assessed yet in my scope"), everyones, open_cycle, region, state="not_assessed")
    if cycle is not None:
        ungraded = sum(count.counts.get(GradeState.NOT_GRADABLE, 0) for count in counts)
        yield _task(_("Not gradable: something is missing"), ungraded, cycle, region, state="not_gradable")


def _cycles_to_open(user: User) -> Iterator[dict[str, Any]]:
    """The drafts that sales management has to open."""
    if can(user, Permission.OPEN_CYCLE):
        for cycle in Cycle.objects.filter(state=CycleState.DRAFT).order_by("fiscal_year"):
            url = reverse("grading:view-cycle", args=[cycle.fiscal_year])
            yield {"label": _("Grading cycle to open"), "count": 1, "cycle": cycle, "url": url}


def _task(label: str, number: int, cycle: Cycle, region: Region | None = None, **filters: Any) -> dict[str, Any]:
    path = reverse("grading:list-cycle-grades", args=[cycle.fiscal_year])
    within = {"region": region.code} if region else {}
    return {"label": label, "count": number, "cycle": cycle, "url": f"{path}?{urlencode({**filters, **within})}"}
