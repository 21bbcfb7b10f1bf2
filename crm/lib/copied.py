"""The rows of a query as text, as COPY writes them: the quickest way out of PostgreSQL, and the same on SQLite.

A row is bytes: the columns in UTF-8, parted by tabs; `NULL` where there is no value; `t` and `f` for truth values, days
and moments in ISO 8601, moments in UTC. `unescaped` gives back a text that has tabs, line ends or backslashes in it.
"""

import re
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from queue import Full, Queue
from typing import Any

from django.db import connections
from django.db.models import QuerySet

NULL = rb"\N"
CHUNK = 1000  # rows
_AHEAD = 4  # chunks that are read before they are wanted
_PATIENCE = 0.05  # seconds between looks at whether anybody still wants them
_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"\\": b"\\"}
_WRITTEN = {code: b"\\" + letter for letter, sign in _ESCAPES.items() for code in sign}

Rows = list[bytes]


def copied(queryset: QuerySet) -> Generator[Rows]:
    """The rows of a `values_list`, some thousand at a time, read while the last ones are worked on."""
    if connections[queryset.db].vendor == "postgresql":
        return _copied_ahead(queryset)
    return _read(queryset)


def copied_at_once(queryset: QuerySet) -> Rows:
    """All rows of a short `values_list`."""
    if connections[queryset.db].vendor != "postgresql":
        return [row for rows in _read(queryset) for row in rows]
    sink, connection = _Sink(), connections[queryset.db]
    with connection.wrap_database_errors, connection.cursor() as cursor:
        cursor.copy_expert(_statement(cursor, queryset), sink)
    return sink.rows


def unescaped(column: bytes) -> bytes:
    """A column's text as it was stored."""
    if b"\\" not in column:
        return column
    return re.sub(rb"\\(.)", lambda match: _ESCAPES[match[1]], column)


class _Sink:
    """What a short copy writes into; it is called once a row, and the row ends with a line end."""

    def __init__(self) -> None:
        self.rows: Rows = []

    def write(self, row: bytes) -> None:
        self.rows.append(row[:-1])


class _Ahead(_Sink):
    """Chunks of rows on their way from the thread that reads to the one that works on them."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: Queue[Rows | None] = Queue(_AHEAD)
        self.is_over = False  # nobody wants any more
        self.is_read = False  # the statement has ended, well or not

    def write(self, row: bytes) -> None:
        self.rows.append(row[:-1])
        if len(self.rows) == CHUNK:
            self.hand_on(self.rows)
            self.rows = []

    def hand_on(self, rows: Rows | None) -> None:
        """Wait until there is room, or nobody wants it any more."""
        while not self.is_over:
            with suppress(Full):
                return self.queue.put(rows, timeout=_PATIENCE)

    def read(self, cursor: Any, statement: str) -> None:
        """Copy all rows here; at the end, also after an error, hand on the last ones and that they are the last."""
        try:
            cursor.copy_expert(statement, self)
        finally:
            self.is_read = True
            self.hand_on(self.rows)
            self.hand_on(None)


def _statement(cursor: Any, queryset: QuerySet) -> str:
    return f"COPY ({cursor.mogrify(*queryset.query.sql_with_params()).decode()}) TO STDOUT"


def _copied_ahead(queryset: QuerySet) -> Generator[Rows]:
    connection, ahead = connections[queryset.db], _Ahead()
    with connection.cursor() as cursor, ThreadPoolExecutor(1, "copied") as threads:
        reading = threads.submit(ahead.read, cursor, _statement(cursor, queryset))
        try:
            yield from iter(ahead.queue.get, None)
        finally:
            ahead.is_over = True
            if not ahead.is_read:
                connection.connection.cancel()  # nobody waits for the rest of a list that nobody reads
        with connection.wrap_database_errors:
            reading.result()


def _read(queryset: QuerySet) -> Generator[Rows]:
    rows = (b"\t".join(map(_text, row)) for row in queryset.iterator(chunk_size=CHUNK))
    while some := list(islice(rows, CHUNK)):
        yield some


def _text(value: Any) -> bytes:
    if isinstance(value, str):
        encoded = value.encode()
        return b"".join(_WRITTEN.get(code) or bytes((code,)) for code in encoded) if _NEEDS(encoded) else encoded
    if value is None:
        return NULL
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ").encode()
    return str(value).encode()


_NEEDS = re.compile(rb"[\b\f\n\r\t\v\\]").search
