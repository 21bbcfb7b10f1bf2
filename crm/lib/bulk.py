"""Storing many records at once: by COPY on PostgreSQL, by bulk_create and prepared statements elsewhere.

Nothing is checked and no relation is followed: the caller's records are complete. Call it in a transaction.
"""

import io
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection, models
from django.utils import timezone

Record = TypeVar("Record", bound=models.Model)

_BATCH = 2000
_FEW = 50  # below that a plain INSERT is quicker than COPY


def insert_all(model: type[Record], records: Sequence[Record]) -> Sequence[Record]:
    """Store new records and give them their numbers."""
    if connection.vendor != "postgresql" or len(records) < _FEW:
        return model._base_manager.bulk_create(records, batch_size=_BATCH)
    fields = model._meta.concrete_fields
    _stamp(fields, records)
    _point(fields, records)
    with connection.cursor() as cursor:
        _number(cursor, model, records)
        _copy(cursor, model._meta.db_table, fields, records)
    for record in records:
        record._state.adding, record._state.db = False, connection.alias
    return records


def append_all(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Store new rows of a table that nobody needs as records; `names` are the fields' columns in the order of a row.

    Making records of them first costs more than storing them.
    """
    fields = [next(field for field in model._meta.concrete_fields if field.attname == name) for name in names]
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy_rows(cursor, model._meta.db_table, fields, rows)
            return
        columns = ", ".join(f'"{field.column}"' for field in fields)
        cursor.executemany(
            f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({", ".join(["%s"] * len(fields))})',
            [
                [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)]
                for row in rows
            ],
        )


def update_all(model: type[models.Model], records: Sequence[Any], names: Iterable[str]) -> None:
    """Store some fields of records that are there."""
    fields = [model._meta.get_field(name) for name in sorted(names)]
    if not records or not fields:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _update_by_copy(cursor, model, fields, records)
        else:
            _update_one_by_one(cursor, model, fields, records)


def _update_by_copy(cursor: Any, model: type[models.Model], fields: list[Any], records: Sequence[Any]) -> None:
    table, key = model._meta.db_table, model._meta.pk
    columns = ", ".join(f'"{field.column}"' for field in (key, *fields))
    moved = ", ".join(f'"{field.column}" = new."{field.column}"' for field in fields)
    cursor.execute(f'CREATE TEMP TABLE bulk_update ON COMMIT DROP AS SELECT {columns} FROM "{table}" LIMIT 0')
    _copy(cursor, "bulk_update", (key, *fields), records)
    cursor.execute(
        f'UPDATE "{table}" AS old SET {moved} FROM bulk_update new WHERE old."{key.column}" = new."{key.column}"'
    )
    cursor.execute("DROP TABLE bulk_update")


def _update_one_by_one(cursor: Any, model: type[models.Model], fields: list[Any], records: Sequence[Any]) -> None:
    moved = ", ".join(f'"{field.column}" = %s' for field in fields)
    cursor.executemany(
        f'UPDATE "{model._meta.db_table}" SET {moved} WHERE "{model._meta.pk.column}" = %s',
        [
            (*(field.get_db_prep_save(getattr(record, field.attname), connection) for field in fields), record.pk)
            for record in records
        ],
    )


def _stamp(fields: Iterable[Any], records: Iterable[Any]) -> None:
    now = timezone.now()
    for field in fields:
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            for record in records:
                setattr(record, field.attname, now)


def _point(fields: Iterable[Any], records: Iterable[Any]) -> None:
    """A related record may have been stored after it was named: take its number now."""
    for field in fields:
        if field.is_relation:
            for record in records:
                if getattr(record, field.attname) is None and field.is_cached(record):
                    setattr(record, field.name, field.get_cached_value(record))


def _number(cursor: Any, model: type[models.Model], records: Sequence[Any]) -> None:
    """Take the numbers from the table's sequence, as the database itself would."""
    key, table = model._meta.pk, model._meta.db_table
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
        [f'"{table}"', key.column, len(records)],
    )
    for record, (number,) in zip(records, cursor.fetchall(), strict=True):
        setattr(record, key.attname, number)


def _copy(cursor: Any, table: str, fields: Sequence[Any], records: Iterable[Any]) -> None:
    values = attrgetter(*(field.attname for field in fields))
    _copy_rows(cursor, table, fields, map(values, records))


def _copy_rows(cursor: Any, table: str, fields: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    writers = [_writer(field) for field in fields]
    lines = io.StringIO()
    for row in rows:
        lines.write("\t".join([write(value) for write, value in zip(writers, row, strict=True)]))
        lines.write("\n")
    lines.seek(0)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.wrap_database_errors:
        cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', lines)


def _writer(field: Any) -> Callable[[Any], str]:
    return _json if isinstance(field, models.JSONField) else _plain


def _plain(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, str):
        escaped = str(value).replace("\\", r"\\")
        return escaped.replace("\n", r"\n").replace("\r", r"\r").replace("\t", r"\t")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _json(value: Any) -> str:
    """JSON has no line ends or tabs of its own."""
    return r"\N" if value is None else json.dumps(value, ensure_ascii=False).replace("\\", r"\\")
