"""The only place that writes grades: heads, records and the pointer between them, set by set.

The lines are locked first, so that an edit and a run never cross; the facts are read after that, in a statement of
their own. A record is written only if something that matters changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.lib.dates import fiscal_year_start
from crm.lib.transactions import transaction_number
from crm.models import ProductLine, User
from grading.actions.graded_set import COLUMNS, GradedSet, fence, graded_set
from grading.actions.heads import Heads, are_recorded, ends_of, heads_of, next_record, reserve_heads
from grading.actions.labels import move_labels
from grading.actions.lines import Lines
from grading.actions.tally import Count, counts_of, packed
from grading.models import Cause, GradingPolicy
from grading.policy import Calendar, Policy

# A moved history sum alone writes nothing; what it changes (the bonus) does.
MATTERS = tuple(
    name for name in COLUMNS if name not in ("product_line_id", "before", "history_sales", "required_margin")
)
BATCH = 2000
_IS_WRITTEN = "is_changed AND grade_id IS NOT NULL"


class Written(NamedTuple):
    """How many records were written, what all of the lines were given, and how many of them have no head yet."""

    records: int
    counts: list[Count]
    headless: int = 0


@dataclass(frozen=True)
class Occasion:
    """What a set of records shares: the year, the policy, the grading date, the moment and who asked."""

    fiscal_year: int
    policy: GradingPolicy
    as_of: date
    cause: Cause
    recorded_at: datetime
    by: User | None = None
    run_id: int | None = None

    @cached_property
    def rules(self) -> Policy:
        """The policy's version as the pure policy reads it, read once."""
        return self.policy.as_rules()

    @cached_property
    def product_lines(self) -> dict[int, str]:
        """The codes of the product lines, read once."""
        return dict(ProductLine.objects.values_list("pk", "code"))

    @property
    def calendar(self) -> Calendar:
        """The days that decide."""
        return Calendar.of(
            fiscal_year=self.fiscal_year,
            as_of=self.as_of,
            policy=self.rules,
            first_month=settings.FISCAL_YEAR_START_MONTH,
        )

    @property
    def effective_on(self) -> date:
        """From when the records count: the moment they are recorded, but not before the fiscal year begins."""
        first_day = fiscal_year_start(self.fiscal_year, settings.FISCAL_YEAR_START_MONTH)
        return max(first_day, timezone.localdate(self.recorded_at))

    def graded(self, lines: Lines, *, with_heads: bool = False) -> GradedSet:
        """The graded set of the lines."""
        return graded_set(
            policy=self.rules,
            calendar=self.calendar,
            product_lines=self.product_lines,
            ids=lines.ids,
            narrowed=lines.narrowed,
            params=lines.params,
            with_heads=with_heads,
        )

    def columns(self) -> dict[str, Any]:
        """The columns that all records of the occasion share."""
        ops = connection.ops
        return {
            "run_id": self.run_id,
            "policy_id": self.policy.pk,
            "by_id": self.by.pk if self.by else None,
            "cause": self.cause.value,
            "as_of": ops.adapt_datefield_value(self.as_of),
            "recorded_at": ops.adapt_datetimefield_value(self.recorded_at),
            "transaction_number": transaction_number(),
            "effective_on": ops.adapt_datefield_value(self.effective_on),
        }


def write_records(lines: Lines, occasion: Occasion) -> Written:
    """Grade the lines and write what changed. Runs in the caller's transaction; the lines stay locked to its end.

    Where nothing has been recorded yet there is nothing to compare with.
    """
    _plan_for_chunks()
    lines.lock()
    if not are_recorded(lines, occasion.fiscal_year):
        try:
            with transaction.atomic():
                return _write_first(lines, occasion)
        except IntegrityError:  # a line without a head, since it came later than the others, or with a record
            return _write_with_heads(lines, occasion)
    heads = heads_of(lines, occasion.fiscal_year)
    written = _write_changed(lines, occasion, heads)
    if not written.headless:
        return written
    late = _write_with_heads(lines, occasion)
    return Written(written.records + late.records, late.counts)


def regrade_lines(
    *, line_ids: Sequence[int], fiscal_year: int, cause: Cause, by: User | None, as_of: date | None = None
) -> int:
    """Grade some customer lines of a fiscal year at once, labels included. Returns how many records it wrote."""
    moment = timezone.now()
    occasion = Occasion(
        fiscal_year=fiscal_year,
        policy=GradingPolicy.objects.current(),
        as_of=as_of or timezone.localdate(moment),
        cause=cause,
        recorded_at=moment,
        by=by,
    )
    return sum(_regrade_batch(batch, occasion) for batch in _batches(line_ids))


def count_verdicts(lines: Lines, occasion: Occasion) -> list[Count]:
    """What grading the lines would give, without writing anything."""
    graded = occasion.graded(lines)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {packed()}, COUNT(*) FROM ({graded.sql}) graded GROUP BY 1", graded.params)
        return counts_of(cursor.fetchall())


@transaction.atomic
def _regrade_batch(line_ids: Sequence[int], occasion: Occasion) -> int:
    written = write_records(Lines.among(line_ids), occasion).records
    move_labels(today=timezone.localdate(occasion.recorded_at), line_ids=line_ids)
    return written


def _batches(line_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    ordered = sorted(line_ids)
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))


def _plan_for_chunks() -> None:
    """Have PostgreSQL read a chunk by its indexes, compile a large one's expressions and polish nothing.

    Sharing a statement of a second with other processes only costs, and so does compiling a small one.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL random_page_cost = 1.1;"
                "SET LOCAL work_mem = '64MB'; SET LOCAL jit_above_cost = 25000;"
                "SET LOCAL jit_inline_above_cost = -1; SET LOCAL jit_optimize_above_cost = -1"
            )


def _write_with_heads(lines: Lines, occasion: Occasion) -> Written:
    reserve_heads(occasion.fiscal_year, lines)
    return _write_changed(lines, occasion, heads_of(lines, occasion.fiscal_year))


def _write_first(lines: Lines, occasion: Occasion) -> Written:
    """Write the first records of lines that all have a head, under the numbers that the heads reserved."""
    graded = occasion.graded(lines, with_heads=True)
    insert = _insert_records(f"(SELECT *, head_record_id AS record_id FROM ({graded.sql}) graded) first")
    params = {**graded.params, **occasion.columns()}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            counting = "SELECT number, COUNT(*) FROM written GROUP BY 1"
            cursor.execute(f"WITH written AS ({insert} RETURNING {packed()} AS number) {counting}", params)
            counts = counts_of(cursor.fetchall())
        else:
            cursor.execute(insert, params)
            counts = _counts_written(cursor, lines, params)
    return Written(sum(count.lines for count in counts), counts)


def _counts_written(cursor: Any, lines: Lines, params: Mapping[str, Any]) -> list[Count]:
    """What the transaction has just written; returning a million rows to count them would cost more."""
    written, (first, last) = cursor.rowcount, ends_of(lines)
    for there in (f"id BETWEEN {first} AND {last} AND", ""):  # as a rule all of them lie there
        just_written = f"SELECT {packed()} AS number FROM grading_graderecord"
        just_written += f" WHERE {there} transaction_number = %(transaction_number)s {fence()}"
        cursor.execute(f"SELECT number, COUNT(*) FROM ({just_written}) GROUP BY 1", params)
        counts = counts_of(cursor.fetchall())
        if sum(count.lines for count in counts) == written:
            break
    return counts


def _write_changed(lines: Lines, occasion: Occasion, heads: Heads) -> Written:
    """Write a record where something that matters differs from the latest one, and point the head to it."""
    compared = _compared(lines, occasion, heads)
    params = {**compared.params, **occasion.columns()}
    with connection.cursor() as cursor:
        number = f"""CASE WHEN latest_id IS NULL AND head_record_id IS NOT NULL THEN head_record_id
            ELSE {next_record(cursor)} END AS record_id"""
        if connection.vendor == "postgresql":
            return _write_changed_at_once(cursor, compared.sql, number, params)
        cursor.execute(_counted(f"({compared.sql}) compared"), params)
        written = _written(cursor)
        if written.records:
            _write_changed_in_steps(cursor, compared.sql, number, params)
        return written


def _write_changed_at_once(cursor: Any, compared: str, number: str, params: Mapping[str, Any]) -> Written:
    cursor.execute(
        f"""WITH compared AS MATERIALIZED ({compared}),
            written AS (
                {_insert_records(f"(SELECT c.*, {number} FROM compared c WHERE {_IS_WRITTEN}) changed")}
                RETURNING id, grade_id),
            moved AS (
                UPDATE grading_grade g SET record_id = w.id FROM written w
                WHERE g.id = w.grade_id AND g.record_id IS DISTINCT FROM w.id)
            {_counted("compared")}""",
        params,
    )
    return _written(cursor)


def _write_changed_in_steps(cursor: Any, compared: str, number: str, params: Mapping[str, Any]) -> None:
    """The same for SQLite, which writes nothing within a query."""
    cursor.execute("DROP TABLE IF EXISTS temp.changed")
    cursor.execute(f"CREATE TEMP TABLE changed AS SELECT c.*, {number} FROM ({compared}) c WHERE {_IS_WRITTEN}", params)
    cursor.execute(
        """UPDATE grading_grade SET record_id = t.record_id FROM temp.changed t
           WHERE grading_grade.id = t.grade_id AND grading_grade.record_id IS NOT t.record_id"""
    )
    cursor.execute(_insert_records("temp.changed"), params)
    cursor.execute("DROP TABLE temp.changed")


def _counted(compared: str) -> str:
    packed_up = (
        f"SELECT {packed()} AS number, CASE WHEN {_IS_WRITTEN} THEN 1 ELSE 0 END AS one, grade_id FROM {compared}"
    )
    return f"""SELECT number, COUNT(*), SUM(one), COUNT(*) - COUNT(grade_id)
        FROM ({packed_up} {fence()}) packed GROUP BY 1"""


def _written(cursor: Any) -> Written:
    rows = cursor.fetchall()
    counts = counts_of((number, lines) for number, lines, _written, _headless in rows)
    return Written(sum(row[2] for row in rows), counts, sum(row[3] for row in rows))


def _compared(lines: Lines, occasion: Occasion, heads: Heads) -> GradedSet:
    """The graded set beside what was recorded last, and whether anything that matters differs.

    A chunk's records lie together and are read in one go, between the first number and the last.
    """
    graded = occasion.graded(lines, with_heads=True)
    now = ", ".join(f"s.{name}" for name in MATTERS)
    then = ", ".join(f"r.{name}" for name in MATTERS)
    differs = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    sql = f"""
        SELECT s.*, r.id AS latest_id,
            r.id IS NULL OR ({now}, %(policy_id)s) {differs} ({then}, r.policy_id) AS is_changed
        FROM ({graded.sql} {fence()}) s
        LEFT JOIN grading_graderecord r
            ON r.id = s.head_record_id AND r.id BETWEEN {heads.first_record} AND {heads.last_record} {fence()}"""
    return GradedSet(sql, graded.params)


def _insert_records(source: str) -> str:
    shared = ("run_id", "policy_id", "by_id", "cause", "as_of", "recorded_at", "effective_on", "transaction_number")
    names = ", ".join(("id", "grade_id", *shared, *COLUMNS))
    values = ", ".join(("record_id", "grade_id", *(f"%({name})s" for name in shared), *COLUMNS))
    return f"INSERT INTO grading_graderecord ({names}) SELECT {values} FROM {source}"
