"""The annual run: chunks of customer lines that any number of workers share, each graded in one transaction."""

import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import record_change, snapshot
from crm.actions.jobs import cancel_job, fail_job, finish_job, nudge, show_progress, start_job
from crm.models import ACTIVE_STATES, CustomerLine, Job, ProductLine, Region, User, Way
from crm.permissions import Permission, can
from grading.actions.labels import move_labels
from grading.actions.lines import Lines, count_lines
from grading.actions.locks import BUCKET
from grading.actions.records import Occasion, write_records
from grading.actions.tally import Count
from grading.models import Cause, ChunkState, Cycle, CycleState, GradingPolicy, GradingRun, RunChunk, RunState
from grading.policy import LETTERS, Missing

JOB_KIND = "grade-year"
LARGEST_CHUNK, SMALLEST_CHUNK, WANTED_CHUNKS = 96 * BUCKET, BUCKET, 10
LONGEST_QUEUE = 16  # nudges sent at the start: so many workers may share a run from its first second


class RunUnderWay(Exception):
    """Another run of the same lines, with another grading date or purpose, has not ended yet."""

    def __init__(self, run: GradingRun) -> None:
        super().__init__(
            f"A run of {run.cycle} as of {run.as_of} is under way; wait for its end or cancel it, then start this one."
        )
        self.run = run


def start_run(
    *,
    cycle: Cycle,
    by: User | None,
    as_of: date | None = None,
    product_line: ProductLine | None = None,
    region: Region | None = None,
    publishes: bool = False,
    is_nudged: bool = True,
) -> GradingRun:
    """Start grading a cycle's customer lines, or join the run of the same lines that is under way.

    `as_of` is the grading date, today unless given. With `publishes` the cycle is published when the run ends.
    Raises RunUnderWay where the one under way has another grading date or purpose, CycleClosed for a closed cycle.
    """
    day = as_of or timezone.localdate()
    with transaction.atomic():
        _require_not_closed(cycle)
        job, is_new = start_job(kind=JOB_KIND, key=_key(cycle, product_line, region), by=by)
        if not is_new:
            return _join(job, day, publishes)
        give_up_failed(cycle.runs.filter(product_line=product_line, region=region))
        run = GradingRun.objects.create(
            cycle=cycle,
            policy=GradingPolicy.objects.current(),
            as_of=day,
            product_line=product_line,
            region=region,
            publishes=publishes,
            job=job,
            by=by,
            started_at=timezone.now(),
        )
        chunks = RunChunk.objects.bulk_create(_chunks(run))
        Job.objects.filter(pk=job.pk).update(total=_count(run, chunks))
        if is_nudged:
            nudge(job, times=min(len(chunks), LONGEST_QUEUE))
    run.refresh_from_db()
    return run


class CycleClosed(Exception):
    """The cycle of the fiscal year is closed: its grades are history."""

    def __init__(self, cycle: Cycle) -> None:
        super().__init__(f"The grading cycle {cycle} is closed; its grades do not change any more.")
        self.cycle = cycle


def give_up_failed(runs: QuerySet[GradingRun]) -> None:
    """End those of the runs whose job has failed: nobody goes on with them any more."""
    failed = runs.filter(state=RunState.RUNNING).exclude(job__state__in=ACTIVE_STATES)
    failed.update(state=RunState.CANCELLED, finished_at=timezone.now())


def work_on(run: GradingRun, *, worker: str = "", on_progress: Callable[[Job], Any] | None = None) -> None:
    """Grade chunk after chunk until none is free, and end the run if none is left. Safe to call any number of times.

    A run whose starter may not start it any more ends its job with that, and grades nothing.
    """
    if _is_refused(run):
        return
    owner = worker or f"{socket.gethostname()}:{os.getpid()}"
    while _work_on_next_chunk(run, owner):
        job = _show_progress(run, owner)
        if on_progress:
            on_progress(job)
    finish_run(run)


@transaction.atomic
def finish_run(run: GradingRun) -> bool:
    """End the run if all its chunks are done: report, publication, labels, job. Returns whether this call ended it."""
    locked = GradingRun.objects.select_for_update().select_related("cycle").get(pk=run.pk)
    if locked.state != RunState.RUNNING or locked.chunks.exclude(state=ChunkState.DONE).exists() or _is_refused(locked):
        return False
    locked.state, locked.finished_at, locked.report = RunState.DONE, timezone.now(), report_of(locked)
    locked.save()
    if locked.publishes and locked.cycle.state == CycleState.OPEN:
        _publish(locked)
    move_labels(today=timezone.localdate())
    finish_job(locked.job_id, done=_done(locked))
    return True


@transaction.atomic
def cancel_run(*, run: GradingRun, by: User) -> bool:
    """Stop a run after the chunks that are under way; what they wrote stays. Returns whether it was still running."""
    stopped = GradingRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
        state=RunState.CANCELLED, finished_at=timezone.now()
    )
    if stopped:
        cancel_job(run.job_id, by=by)
    return bool(stopped)


def report_of(run: GradingRun) -> dict[str, Any]:
    """The run's report (INTERFACE: counts per line, what is missing, moves against the labels of before)."""
    codes = dict(ProductLine.objects.order_by("position").values_list("pk", "code"))
    chunks = run.chunks.values_list("written", "counts")
    counts = [Count(*row) for _written, rows in chunks for row in rows]
    return {**report(counts, codes), "written": sum(written for written, _rows in chunks)}


def report(counts: list[Count], codes: dict[int, str]) -> dict[str, Any]:
    """Counts as a report; `codes` names the product lines in the order in which they are shown."""
    states: Counter[str] = Counter()
    lines: dict[int, Counter[str]] = {pk: Counter() for pk in codes}
    missing: Counter[str] = Counter()
    moves: Counter[tuple[str, str, str]] = Counter()
    for count in counts:
        before, after = count.before, count.verdict
        states["graded" if after in LETTERS else after] += count.lines
        lines[count.product_line][after] += count.lines
        missing.update({flag.code: count.lines for flag in Missing if flag in Missing(count.missing)})
        if before != after:
            moves[codes[count.product_line], before, after] += count.lines
    return {
        **{state: states[state] for state in ("graded", "not_gradable", "not_assessed")},
        "lines": [
            {"line": codes[pk], **{name: tally[name] for name in (*LETTERS, "not_gradable", "not_assessed")}}
            for pk, tally in lines.items()
            if tally
        ],
        "missing": dict(missing),
        "moves": [{"line": line, "from": old, "to": new, "count": n} for (line, old, new), n in sorted(moves.items())],
    }


def _is_refused(run: GradingRun) -> bool:
    """Whether the person who started the run has lost the right to; the job says so then."""
    by = None if run.by_id is None else User.objects.get(pk=run.by_id)
    if by is None or can(by, Permission.PUBLISH_CYCLE if run.publishes else Permission.START_RUN):
        return False
    fail_job(run.job_id, error=_("{name}, who started the run, may not do so any more.").format(name=by))
    return True


def _work_on_next_chunk(run: GradingRun, owner: str) -> bool:
    """Take a free chunk and grade it, in one transaction: killed anywhere, it is as if it had never begun."""
    with transaction.atomic():
        pending = run.chunks.filter(
            state=ChunkState.PENDING, run__state=RunState.RUNNING, run__job__state__in=ACTIVE_STATES
        )
        chunk = _leased(pending.order_by("number")).first()
        if chunk is None:
            return False
        _commit_without_waiting()
        written = write_records(_lines_of(run, chunk.first_line, chunk.last_line), _occasion(run))
        chunk.written, chunk.counts = written.records, written.counts
        chunk.size = sum(count.lines for count in written.counts)
        chunk.state, chunk.worker, chunk.finished_at = ChunkState.DONE, owner, timezone.now()
        chunk.save()
    return True


@transaction.atomic
def _show_progress(run: GradingRun, owner: str) -> Job:
    _commit_without_waiting()
    return show_progress(run.job_id, done=_done(run), owner=owner)


def _commit_without_waiting() -> None:
    """Do not wait for the disk after each chunk: what a crash of the database loses, it loses with its `done`.

    The run's last transaction waits, and with it everything before is on the disk.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


def _leased(chunks: Any) -> Any:
    """The lease is the row's lock, where the database has them: it ends with its holder, however that ends."""
    can_skip = connection.features.has_select_for_update_skip_locked
    return chunks.select_for_update(skip_locked=True, of=("self",)) if can_skip else chunks


def _require_not_closed(cycle: Cycle) -> None:
    """A cycle is not closed while a run begins, nor does one begin while it is closed. Raises CycleClosed."""
    stored = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    if stored.state == CycleState.CLOSED:
        raise CycleClosed(stored)


def _publish(run: GradingRun) -> None:
    before = snapshot(run.cycle)
    run.cycle.state, run.cycle.published_at, run.cycle.published_by = CycleState.PUBLISHED, run.finished_at, run.by
    run.cycle.save()
    record_change(run.cycle, before=before, by=run.by, way=Way.JOB)


def _join(job: Job, as_of: date, publishes: bool) -> GradingRun:
    run = GradingRun.objects.select_related("cycle", "job").get(job=job)
    if run.as_of != as_of or run.publishes != publishes:
        raise RunUnderWay(run)
    return run


def _lines_of(run: GradingRun, first: int, last: int) -> Lines:
    return Lines.between(first, last, product_line=run.product_line_id, region=run.region_id)


def _count(run: GradingRun, chunks: Sequence[RunChunk]) -> int:
    return count_lines(_lines_of(run, chunks[0].first_line, chunks[-1].last_line)) if chunks else 0


def _occasion(run: GradingRun) -> Occasion:
    return Occasion(
        fiscal_year=run.cycle.fiscal_year,
        policy=run.policy,
        as_of=run.as_of,
        cause=Cause.RUN,
        recorded_at=timezone.now(),
        by=run.by,
        run_id=run.pk,
    )


def _chunks(run: GradingRun) -> Iterator[RunChunk]:
    """Ranges of ids, cut small enough to show progress and large enough to cost nothing.

    They end where buckets end: two chunks that share a bucket would wait for each other's lock.
    """
    lines = CustomerLine.objects.order_by("pk").values_list("pk", flat=True)
    first_line, last_line = lines.first(), lines.last()  # SQLite reads the whole table to find both at once
    if first_line is None or last_line is None:
        return
    span = last_line - first_line + 1
    size = min(LARGEST_CHUNK, max(SMALLEST_CHUNK, -(-span // WANTED_CHUNKS)))
    size -= size % BUCKET if size >= BUCKET else 0
    start = first_line - first_line % BUCKET if size >= BUCKET else first_line
    for number, first in enumerate(range(start, last_line + 1, size)):
        yield RunChunk(run=run, number=number, first_line=first, last_line=min(first + size - 1, last_line), size=0)


def _done(run: GradingRun) -> int:
    return sum(run.chunks.filter(state=ChunkState.DONE).values_list("size", flat=True))


def _key(cycle: Cycle, product_line: ProductLine | None, region: Region | None) -> str:
    narrowed = [part.code for part in (product_line, region) if part is not None]
    return "/".join([str(cycle.fiscal_year), *narrowed])
