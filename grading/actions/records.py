"""The only place that writes grades: heads, records and the pointer between them, set by set.

The lines are locked first, so that an edit and a run never cross; the facts are read after that, in a statement of
their own. A record is written only if something that matters changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.lib.dates import fiscal_year_start
from crm.lib.transactions import transaction_number
from crm.models import ProductLine, User
from grading.actions.graded_set import COLUMNS, GradedSet, gradable, graded_set
from grading.actions.labels import move_labels
from grading.actions.locks import lock_lines, lock_range
from grading.models import Cause, GradingPolicy
from grading.policy import Calendar, Policy

# A moved history sum alone writes nothing; what it changes (the bonus) does.
MATTERS = tuple(
    name for name in COLUMNS if name not in ("product_line_id", "before", "history_sales", "required_margin")
)
BATCH = 2000


class Count(NamedTuple):
    """How many lines of a product line got a verdict, and what they were labelled before.

    A verdict is the letter where there is one, else the state; so is what was before.
    """

    product_line: int
    verdict: str
    missing: int
    before: str
    lines: int


class Written(NamedTuple):
    """How many records were written, what all of the lines were given, and how many of them have no head yet."""

    records: int
    counts: list[Count]
    headless: int = 0


class Heads(NamedTuple):
    """How many heads there are, how many point to a record or its reserved number, and between which numbers."""

    lines: int
    numbered: int
    first_record: int
    last_record: int


@dataclass(frozen=True)
class Lines:
    """Which customer lines: a condition on their ids ({} is the column), and one more on crm_customerline AS l."""

    ids: str
    params: Mapping[str, Any]
    lock: Callable[[], None]
    narrowed: str = ""

    @classmethod
    def between(cls, first: int, last: int, *, product_line: int | None = None, region: int | None = None) -> "Lines":
        """Those with an id from `first` to `last`, of one product line or region where given."""
        narrowed = "" if product_line is None else f" AND l.product_line_id = {product_line:d}"
        if region is not None:
            narrowed += f" AND l.customer_id IN (SELECT id FROM crm_customer WHERE region_id = {region:d})"
        return cls(
            "{} BETWEEN %(first)s AND %(last)s",
            {"first": first, "last": last},
            partial(lock_range, first, last),
            narrowed,
        )

    @classmethod
    def among(cls, ids: Sequence[int]) -> "Lines":
        """Those with one of the ids."""
        return cls(f"{{}} IN ({', '.join(f'{pk:d}' for pk in sorted(ids))})", {}, partial(lock_lines, ids))


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
    """Grade the lines and write what changed. Runs in the caller's transaction; the lines stay locked to its end."""
    _plan_for_chunks()
    lines.lock()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _write_on_postgresql(cursor, lines, occasion)
        return _write_on_sqlite(cursor, lines, occasion)


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


def reserve_heads(fiscal_year: int, lines: Lines | None = None) -> int:
    """Add the year's head to each active customer line that has none, with the number of its first record reserved.

    So the annual run finds every head and changes none (docs/benchmarks.md). On SQLite, where a run is the only
    writer, it adds the heads itself. Returns how many were added.
    """
    if connection.vendor != "postgresql":
        return 0
    some = f"AND {lines.ids.format('l.id')}" if lines else ""
    heads = f"AND {lines.ids.format('g.line_id')}" if lines else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO grading_grade (line_id, fiscal_year, record_id)
                SELECT l.id, %(fiscal_year)s, {_next(cursor, "grading_graderecord")} FROM (
                    SELECT l.id FROM crm_customerline l WHERE {gradable()} {some} AND NOT EXISTS (
                        SELECT 1 FROM grading_grade g
                        WHERE g.line_id = l.id AND g.fiscal_year = %(fiscal_year)s {heads})
                    ORDER BY l.id) l
                ON CONFLICT (line_id, fiscal_year) DO NOTHING""",
            {"fiscal_year": fiscal_year, **(lines.params if lines else {})},
        )
        return int(cursor.rowcount)


def count_lines(lines: Lines) -> int:
    """How many of the customer lines are graded at all."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT COUNT(*) FROM crm_customerline l
                WHERE {gradable()} AND {lines.ids.format("l.id")}{lines.narrowed}""",
            lines.params,
        )
        return int(cursor.fetchone()[0])


def count_verdicts(lines: Lines, occasion: Occasion) -> list[Count]:
    """What grading the lines would give, without writing anything."""
    graded = occasion.graded(lines)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT product_line_id, COALESCE(letter, state), missing, before, COUNT(*)
                FROM ({graded.sql}) graded GROUP BY 1, 2, 3, 4""",
            graded.params,
        )
        return [Count(*row) for row in cursor.fetchall()]


@transaction.atomic
def _regrade_batch(line_ids: Sequence[int], occasion: Occasion) -> int:
    written = write_records(Lines.among(line_ids), occasion).records
    move_labels(today=timezone.localdate(occasion.recorded_at), line_ids=line_ids)
    return written


def _batches(line_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    ordered = sorted(line_ids)
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))


def _plan_for_chunks() -> None:
    """Have PostgreSQL read a chunk by its indexes: compiling and sharing a statement of a second only costs."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0;"
                "SET LOCAL random_page_cost = 1.1; SET LOCAL work_mem = '64MB'"
            )


def _heads(lines: Lines, fiscal_year: int) -> Heads:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT COUNT(*), COUNT(record_id), COALESCE(MIN(record_id), 0), COALESCE(MAX(record_id), 0)
                FROM grading_grade g
                WHERE g.fiscal_year = %(fiscal_year)s AND {lines.ids.format("g.line_id")}""",
            {"fiscal_year": fiscal_year, **lines.params},
        )
        return Heads(*cursor.fetchone())


def _write_on_postgresql(cursor: Any, lines: Lines, occasion: Occasion) -> Written:
    """Where nothing has been recorded yet there is nothing to compare with; the rest is compared in one statement."""
    heads = _heads(lines, occasion.fiscal_year)
    if heads.lines == heads.numbered and not _are_recorded(cursor, heads):
        try:
            with transaction.atomic():
                return _write_first(cursor, lines, occasion)
        except IntegrityError:  # a line without a head, since it came later than the others
            reserve_heads(occasion.fiscal_year, lines)
            return _write_changed(cursor, lines, occasion, _heads(lines, occasion.fiscal_year))
    written = _write_changed(cursor, lines, occasion, heads)
    if not written.headless:
        return written
    reserve_heads(occasion.fiscal_year, lines)
    late = _write_changed(cursor, lines, occasion, _heads(lines, occasion.fiscal_year))
    return Written(written.records + late.records, late.counts)


def _write_first(cursor: Any, lines: Lines, occasion: Occasion) -> Written:
    """Write the first records of lines that all have a head, under the numbers that the heads reserved."""
    graded = occasion.graded(lines, with_heads=True)
    first = f"(SELECT *, head_record_id AS record_id FROM ({graded.sql}) graded) first"
    cursor.execute(
        f"""WITH written AS (
                {_insert_records(first)} RETURNING product_line_id, letter, state, missing, before, grade_id)
            {_counted("written", "TRUE")}""",
        {**graded.params, **occasion.columns()},
    )
    return _written(cursor)


def _write_changed(cursor: Any, lines: Lines, occasion: Occasion, heads: Heads) -> Written:
    """Write a record where something that matters differs from the latest one, and point the head to it."""
    compared = _compared(lines, occasion, heads)
    is_written = "is_changed AND grade_id IS NOT NULL"
    number = f"""CASE WHEN latest_id IS NULL AND head_record_id IS NOT NULL THEN head_record_id
        ELSE {_next(cursor, "grading_graderecord")} END AS record_id"""
    cursor.execute(
        f"""WITH compared AS MATERIALIZED ({compared.sql}),
            written AS (
                {_insert_records(f"(SELECT c.*, {number} FROM compared c WHERE {is_written}) changed")}
                RETURNING id, grade_id),
            moved AS (
                UPDATE grading_grade g SET record_id = w.id FROM written w
                WHERE g.id = w.grade_id AND g.record_id IS DISTINCT FROM w.id)
            {_counted("compared", is_written)}""",
        {**compared.params, **occasion.columns()},
    )
    return _written(cursor)


def _counted(graded: str, is_written: str) -> str:
    bytewise = ' COLLATE "C"' if connection.vendor == "postgresql" else ""  # equal is equal, no language decides
    verdict, before = f"COALESCE(letter, state){bytewise}", f"before{bytewise}"
    return f"""SELECT product_line_id, {verdict}, missing, {before}, COUNT(*),
            SUM(CASE WHEN {is_written} THEN 1 ELSE 0 END), COUNT(*) - COUNT(grade_id)
        FROM {graded} GROUP BY 1, 2, 3, 4"""


def _written(cursor: Any) -> Written:
    rows = cursor.fetchall()
    return Written(sum(row[5] for row in rows), [Count(*row[:5]) for row in rows], sum(row[6] for row in rows))


def _are_recorded(cursor: Any, heads: Heads) -> bool:
    cursor.execute(
        "SELECT EXISTS (SELECT 1 FROM grading_graderecord WHERE id BETWEEN %s AND %s)",
        [heads.first_record, heads.last_record],
    )
    return bool(cursor.fetchone()[0])


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
        FROM ({graded.sql}) s
        LEFT JOIN grading_graderecord r
            ON r.id = s.head_record_id AND r.id BETWEEN {heads.first_record} AND {heads.last_record}"""
    return GradedSet(sql, graded.params)


def _next(cursor: Any, table: str) -> str:
    """The next number of a table, its sequence looked up once and not for every row."""
    cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
    return f"nextval('{cursor.fetchone()[0]}'::regclass)"


def _write_on_sqlite(cursor: Any, lines: Lines, occasion: Occasion) -> Written:
    """The same in steps; the transaction is the only writer, so the next number is the greatest plus one."""
    compared = _compared(lines, occasion, _heads(lines, occasion.fiscal_year))
    params = {**compared.params, **occasion.columns()}
    cursor.execute("DROP TABLE IF EXISTS temp.compared")
    cursor.execute(f"CREATE TEMP TABLE compared AS {compared.sql}", params)
    cursor.execute(_counted("temp.compared", "is_changed"))
    written = _written(cursor)
    if written.records:
        _write_compared(cursor, params)
    cursor.execute("DROP TABLE temp.compared")
    return written._replace(headless=0)


def _write_compared(cursor: Any, params: Mapping[str, Any]) -> None:
    cursor.execute("DROP TABLE IF EXISTS temp.changed")
    cursor.execute(
        f"""CREATE TEMP TABLE changed AS
            SELECT c.*, {_numbered("grading_graderecord")} AS record_id, {_numbered("grading_grade")} AS new_grade_id
            FROM temp.compared c WHERE c.is_changed"""
    )
    cursor.execute(
        """UPDATE grading_grade SET record_id = t.record_id FROM temp.changed t WHERE grading_grade.id = t.grade_id"""
    )
    cursor.execute(
        """INSERT INTO grading_grade (id, line_id, fiscal_year, record_id)
           SELECT new_grade_id, line_id, %(fiscal_year)s, record_id FROM temp.changed WHERE grade_id IS NULL""",
        params,
    )
    with_head = "(SELECT t.*, COALESCE(t.grade_id, t.new_grade_id) AS head_id FROM temp.changed t) changed"
    cursor.execute(_insert_records(with_head).replace("record_id, grade_id,", "record_id, head_id,", 1), params)
    cursor.execute("DROP TABLE temp.changed")


def _numbered(table: str) -> str:
    return f"ROW_NUMBER() OVER () + (SELECT COALESCE(MAX(id), 0) FROM {table})"


def _insert_records(source: str) -> str:
    shared = ("run_id", "policy_id", "by_id", "cause", "as_of", "recorded_at", "effective_on", "transaction_number")
    names = ", ".join(("id", "grade_id", *shared, *COLUMNS))
    values = ", ".join(("record_id", "grade_id", *(f"%({name})s" for name in shared), *COLUMNS))
    return f"INSERT INTO grading_graderecord ({names}) SELECT {values} FROM {source}"
