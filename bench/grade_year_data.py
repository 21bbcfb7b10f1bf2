"""The company of bench.grade_year, the same on every database, and the one statement that our run is held against."""

import time
from datetime import date

from django.db import connection
from django.utils import timezone

from grading.actions.heads import reserve_heads
from grading.actions.lines import Lines
from grading.actions.records import Occasion, _insert_records
from grading.models import Cause, GradingPolicy

YEAR = 2026
LINES_PER_CUSTOMER = 4
SUMS = "COUNT(*), SUM(score), SUM(history_sales), SUM(missing), SUM(CASE WHEN letter = 'A' THEN 1 ELSE 0 END)"
_expected: list[tuple] = []


def fill(rows: int) -> None:
    """Fill the database by arithmetic instead of chance, with gaps and grades of every kind."""
    is_postgresql = connection.vendor == "postgresql"
    day = "DATE '2023-07-01' + {}" if is_postgresql else "date('2023-07-01', '+' || ({}) || ' days')"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
    region = "INSERT INTO crm_region (code, name, name_en, position, is_active) VALUES ('one', 'one', '', 1, TRUE)"
    customers = f"""INSERT INTO crm_customer (id, code, name, short_name, kind, credit_code, industry, region_id,
            address, website, note, pinyin, search_text, version, created_at)
        {numbers.format(rows // LINES_PER_CUSTOMER)}
        SELECT i, 'C' || i, 'C' || i, '', 'customer', '', '', (SELECT MIN(id) FROM crm_region), '', '', '', 'c' || i,
            'c' || i, 1, CURRENT_TIMESTAMP FROM n"""
    lines = f"""INSERT INTO crm_customerline (id, customer_id, product_line_id, is_active, state)
        {numbers.format(rows)}
        SELECT i, (i - 1) / {LINES_PER_CUSTOMER} + 1, (SELECT MIN(id) FROM crm_productline) + i % {LINES_PER_CUSTOMER},
            TRUE, 'not_assessed' FROM n"""
    assessments = f"""INSERT INTO grading_assessment (line_id, fiscal_year, is_carried_over, expected_margin,
            potential_sales, has_need, budget_state, budget_amount, budget_fits_pricing, has_timetable,
            knows_decision_makers, expected_close_on, has_begun_selection, has_system, note, version, updated_at)
        SELECT id, 2026, FALSE, id * 7919 % 5000, id * 104729 % 1000000000, id % 31 > 0,
            CASE WHEN id % 29 > 0 THEN 'planned' ELSE 'none' END, 100000000, id % 37 > 0, id % 41 > 0, id % 43 > 0,
            {day.format("CAST(915 + id * 7907 % 370 AS integer)")}, id % 2 = 0, FALSE, '', 1, CURRENT_TIMESTAMP
        FROM crm_customerline"""
    sales = f"""INSERT INTO crm_sale (line_id, contract_no, signed_on, amount, note, version)
        {numbers.format(3)}
        SELECT l.id, 'N' || n.i, {day.format("CAST(l.id * n.i * 7907 % 900 AS integer)")},
            l.id * n.i * 1299709 % 300000000 - 20000000, '', 1 FROM crm_customerline l CROSS JOIN n ORDER BY l.id"""
    with connection.cursor() as cursor:
        for statement in (region, customers, lines, assessments, sales):
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE" if is_postgresql else "ANALYZE")
        for table in ("grading_grade", "grading_graderecord") if is_postgresql else ():
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")  # it would run in anybody's time


def clear() -> None:
    """Forget all grades, as when the year's cycle has been opened and nothing has run yet."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("TRUNCATE grading_grade, grading_graderecord")
        else:
            cursor.execute("DELETE FROM grading_grade")
            cursor.execute("DELETE FROM grading_graderecord")
    reserve_heads(YEAR)
    settle()


def settle() -> None:
    """Let the database catch up with what was written, so that nobody's timing pays for somebody else's rows."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        cursor.execute("CHECKPOINT" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")


def time_statement(year: int, as_of: date) -> float:
    """Seconds of the one statement that writes the year's records into a table like ours."""
    moment = timezone.now()
    occasion = Occasion(
        fiscal_year=year,
        policy=GradingPolicy.objects.current(),
        as_of=as_of,
        cause=Cause.RUN,
        recorded_at=moment,
    )
    graded = occasion.graded(Lines.between(0, 2**40))
    source = f"(SELECT g.*, line_id AS grade_id, TRUE AS is_changed FROM ({graded.sql}) g) numbered"
    statement = _insert_records(source).replace("grading_graderecord", "like_record")
    statement = statement.replace("(id, ", "(", 1).replace("SELECT record_id, ", "SELECT ", 1)
    with connection.cursor() as cursor:
        _make_like_table(cursor)
        began = time.perf_counter()
        cursor.execute(statement, {**graded.params, **occasion.columns()})
        seconds = time.perf_counter() - began
        cursor.execute(f"SELECT {SUMS} FROM like_record")
        _expected[:] = cursor.fetchall()
        cursor.execute("DROP TABLE like_record")
    return seconds


def check_same(rows: int) -> None:
    """Hold what the run wrote to what the statement wrote."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SUMS} FROM grading_graderecord")
        written = cursor.fetchall()
        cursor.execute("SELECT COUNT(*) FROM grading_grade g JOIN grading_graderecord r ON r.id = g.record_id")
        heads = cursor.fetchone()[0]
    if written != _expected or heads != rows:
        raise SystemExit(f"the run wrote {written} and {heads} heads, the statement {_expected}")


def _make_like_table(cursor) -> None:
    if connection.vendor == "postgresql":
        cursor.execute("CREATE TABLE like_record (LIKE grading_graderecord INCLUDING ALL)")
        return
    cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'grading_graderecord' AND sql IS NOT NULL")
    for (sql,) in cursor.fetchall():
        cursor.execute(sql.replace("grading_graderecord", "like_record"))
