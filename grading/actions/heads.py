"""The heads of grades: one per customer line and fiscal year, with the number of its first record reserved.

So the annual run finds every head and changes none (docs/benchmarks.md).
"""

from typing import Any, NamedTuple

from django.db import connection

from grading.actions.graded_set import gradable
from grading.actions.lines import Lines

_RECORDS = "grading_graderecord"


class Heads(NamedTuple):
    """Between which numbers the records lie that heads point to, or that are reserved."""

    first_record: int
    last_record: int


def reserve_heads(fiscal_year: int, lines: Lines | None = None) -> int:
    """Add the year's head to each active customer line that has none. Returns how many were added."""
    some = f"AND {lines.ids.format('l.id')}" if lines else ""
    heads = f"AND {lines.ids.format('g.line_id')}" if lines else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO grading_grade (line_id, fiscal_year, record_id)
                SELECT l.id, %(fiscal_year)s, {next_record(cursor)} FROM (
                    SELECT l.id FROM crm_customerline l WHERE {gradable()} {some} AND NOT EXISTS (
                        SELECT 1 FROM grading_grade g
                        WHERE g.line_id = l.id AND g.fiscal_year = %(fiscal_year)s {heads})
                    ORDER BY l.id) l WHERE TRUE
                ON CONFLICT (line_id, fiscal_year) DO NOTHING""",
            {"fiscal_year": fiscal_year, **(lines.params if lines else {})},
        )
        added = int(cursor.rowcount)
        if connection.vendor == "sqlite":
            _pass_numbers(cursor, added)
    return added


def heads_of(lines: Lines, fiscal_year: int) -> Heads:
    """What the heads of the lines point to."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT COALESCE(MIN(record_id), 0), COALESCE(MAX(record_id), 0)
                FROM grading_grade g
                WHERE g.fiscal_year = %(fiscal_year)s AND {lines.ids.format("g.line_id")}""",
            {"fiscal_year": fiscal_year, **lines.params},
        )
        return Heads(*cursor.fetchone())


def ends_of(lines: Lines) -> tuple[str, str]:
    """The numbers of the first and the last line's records, as expressions; quick for a chunk of any size.

    The others' lie between them, but for lines that came late.
    """
    head = f"""SELECT record_id FROM grading_grade g
        WHERE g.fiscal_year = %(fiscal_year)s AND {lines.ids.format("g.line_id")} ORDER BY g.line_id"""
    return f"({head} LIMIT 1)", f"({head} DESC LIMIT 1)"


def are_recorded(lines: Lines, fiscal_year: int) -> bool:
    """Whether the first line has a record, or any that lies between those of the first and the last: a hint."""
    (first, last), record = ends_of(lines), f"SELECT 1 FROM {_RECORDS} WHERE id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS ({record} = {first}) OR EXISTS ({record} BETWEEN {first} AND {last})",
            {"fiscal_year": fiscal_year, **lines.params},
        )
        return bool(cursor.fetchone()[0])


def next_record(cursor: Any) -> str:
    """The next number of a record, as an expression; the sequence is looked up once and not for every row.

    On SQLite the transaction is the only writer: its rows are numbered on from the last number given.
    """
    if connection.vendor == "sqlite":
        return f"ROW_NUMBER() OVER () + {_last_number(cursor)}"
    cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [_RECORDS])
    return f"nextval('{cursor.fetchone()[0]}'::regclass)"


def _last_number(cursor: Any) -> int:
    cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [_RECORDS])
    return int(cursor.fetchone()[0])


def _pass_numbers(cursor: Any, count: int) -> None:
    """SQLite gives the numbers that heads reserve to nobody else."""
    last = _last_number(cursor)
    cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [_RECORDS])
    cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [_RECORDS, last + count])
