"""The annual cycle: opened by sales management, graded while it is open, published, closed when its year is over."""

from datetime import date, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from crm.actions.changes import record_change, snapshot
from crm.lib.dates import fiscal_year_end, fiscal_year_of
from crm.models import ACTIVE_STATES, CustomerKind, User, Way
from grading.actions.heads import reserve_heads
from grading.actions.runs import RunUnderWay, give_up_failed, start_run
from grading.models import Cycle, CycleState, GradingPolicy, GradingRun


class WrongCycleState(Exception):
    """The cycle is in a state in which this cannot be done."""

    def __init__(self, cycle: Cycle, wanted: CycleState) -> None:
        super().__init__(f"The grading cycle {cycle} is {cycle.state}; this needs one that is {wanted.value}.")
        self.cycle, self.wanted = cycle, wanted


@transaction.atomic
def ensure_cycle(fiscal_year: int, *, by: User | None = None, way: Way = Way.JOB) -> Cycle:
    """The cycle of a fiscal year; a draft where there was none."""
    first_day = Cycle.first_day(fiscal_year)
    cycle, is_new = Cycle.objects.get_or_create(fiscal_year=fiscal_year, defaults={"starts_on": first_day})
    if is_new:
        record_change(cycle, before=None, by=by, way=way)
    return cycle


@transaction.atomic
def open_cycle(*, cycle: Cycle, by: User | None, way: Way = Way.FORM) -> Cycle:
    """Open a draft cycle: every active customer line gets the year's assessment, last year's figures carried over.

    The four elements are unconfirmed: a carried-over assessment counts as not assessed until a person saves it.
    Raises WrongCycleState unless the cycle is a draft.
    """
    locked = _locked(cycle, CycleState.DRAFT)
    before = snapshot(locked)
    locked.state, locked.opened_at, locked.opened_by = CycleState.OPEN, timezone.now(), by
    locked.save()
    carry_over(locked)
    reserve_heads(locked.fiscal_year)
    record_change(locked, before=before, by=by, way=way)
    return locked


def publish_cycle(*, cycle: Cycle, by: User) -> GradingRun:
    """Start the last run of an open cycle; it publishes the grades at its end. Raises WrongCycleState unless open."""
    if cycle.state != CycleState.OPEN:
        raise WrongCycleState(cycle, CycleState.OPEN)
    return start_run(cycle=cycle, by=by, publishes=True)


def carry_over(cycle: Cycle) -> int:
    """Add the year's assessment to each active customer line that has none. Returns how many were added."""
    kept = "expected_margin, potential_sales, budget_amount, has_system"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO grading_assessment (line_id, fiscal_year, is_carried_over, {kept}, has_need, budget_state,
                    budget_fits_pricing, has_timetable, knows_decision_makers, has_begun_selection, note, version,
                    updated_at)
                SELECT l.id, %(year)s, TRUE, last.expected_margin, last.potential_sales, last.budget_amount,
                    COALESCE(last.has_system, FALSE), FALSE, 'none', FALSE, FALSE, FALSE, FALSE, '', 1, %(now)s
                FROM crm_customerline l
                JOIN crm_customer c ON c.id = l.customer_id AND c.deleted_at IS NULL AND c.kind = %(kind)s
                LEFT JOIN grading_assessment last
                    ON last.line_id = l.id AND last.fiscal_year = %(year)s - 1 AND last.deleted_at IS NULL
                WHERE l.is_active AND NOT EXISTS (
                    SELECT 1 FROM grading_assessment a
                    WHERE a.line_id = l.id AND a.fiscal_year = %(year)s AND a.deleted_at IS NULL)""",
            {
                "year": cycle.fiscal_year,
                "now": connection.ops.adapt_datetimefield_value(timezone.now()),
                "kind": CustomerKind.CUSTOMER.value,
            },
        )
        return int(cursor.rowcount)


def prepare_next_cycle(*, today: date) -> Cycle | None:
    """From the policy's lead time before the next fiscal year on, have its draft waiting for sales management."""
    year = fiscal_year_of(today, settings.FISCAL_YEAR_START_MONTH) + 1
    lead = timedelta(days=GradingPolicy.objects.current().lead_days)
    return ensure_cycle(year) if Cycle.first_day(year) - lead <= today else None


def start_nightly_runs(*, today: date) -> list[GradingRun]:
    """Grade every open cycle once a day. Returns the runs that this call started.

    A cycle with a run of yesterday under way is left to the next call.
    """
    due = [cycle for cycle in Cycle.objects.open().order_by("fiscal_year") if not _has_run_on(cycle, today)]
    return [run for cycle in due if (run := _start_nightly_run(cycle, today)) is not None]


def _start_nightly_run(cycle: Cycle, today: date) -> GradingRun | None:
    try:
        return start_run(cycle=cycle, by=None, as_of=today)
    except RunUnderWay:
        return None


@transaction.atomic
def close_past_cycles(*, today: date) -> int:
    """Close published cycles whose fiscal year is over and whose successor is published. Returns how many.

    A cycle with a run under way is left to the next call: the grades of a closed one do not change any more.
    A run whose job has failed ends with its cycle.
    """
    ended = [
        cycle
        for cycle in Cycle.objects.select_for_update().filter(state=CycleState.PUBLISHED)
        if not cycle.runs.filter(job__state__in=ACTIVE_STATES).exists()
        and fiscal_year_end(cycle.fiscal_year, settings.FISCAL_YEAR_START_MONTH) <= today
        and Cycle.objects.effective(today).filter(fiscal_year__gt=cycle.fiscal_year).exists()
    ]
    for cycle in ended:
        give_up_failed(cycle.runs.all())
        before = snapshot(cycle)
        cycle.state, cycle.closed_at = CycleState.CLOSED, timezone.now()
        cycle.save()
        record_change(cycle, before=before, by=None, way=Way.JOB)
    return len(ended)


def _locked(cycle: Cycle, wanted: CycleState) -> Cycle:
    locked = Cycle.objects.select_for_update().get(pk=cycle.pk)
    if locked.state != wanted:
        raise WrongCycleState(locked, wanted)
    return locked


def _has_run_on(cycle: Cycle, day: date) -> bool:
    latest = cycle.runs.filter(product_line=None, region=None).order_by("-started_at").first()
    return latest is not None and timezone.localdate(latest.started_at) >= day
