"""Finding and storing many records at once: by COPY on PostgreSQL, by bulk_create and prepared statements elsewhere.

Nothing is checked and no relation is followed: the caller's records are complete. Call it in a transaction.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

import orjson
from django.db import connection, models
from django.db.models.base import ModelState
from django.db.models.expressions import RawSQL
from django.utils import timezone

from crm.lib.batches import batches

Record = TypeVar("Record", bound=models.Model)

_BATCH = 2000
_FEW = 50  # below that a plain INSERT is quicker than COPY
_NULL = r"\N"
_TABLE = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
_NEEDS_ESCAPE = re.compile(r"[\\\n\r\t]").search


def maker_of(model: type[Record]) -> Callable[[], Record]:
    """A function that makes new records as the model does, but asks the fields for their defaults only once."""
    shared = {name: value for name, value in vars(model()).items() if name != "_state"}
    fields: Iterable[Any] = model._meta.concrete_fields
    called = [(field.attname, field.default) for field in fields if field.has_default() and callable(field.default)]

    def make() -> Record:
        record = model.__new__(model)
        vars(record).update(shared, _state=ModelState())
        for name, default in called:
            setattr(record, name, default())
        return record

    return make


def among(values: Iterable[str]) -> Any:
    """Many texts as the right side of an `__in`: one parameter of the query, not one each."""
    listed = list(values)
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::text[])", [listed])
    return RawSQL("SELECT value FROM json_each(%s)", [orjson.dumps(listed).decode()])


def insert_all(
    model: type[Record], records: Sequence[Record], complete: Callable[[Record], Any] | None = None
) -> Sequence[Record]:
    """Store new records and give them their numbers.

    `complete` is called with each record just before it is written, while the database stores those before it.
    """
    if connection.vendor != "postgresql" or len(records) < _FEW:
        return model._base_manager.bulk_create(list(_completed(records, complete)), batch_size=_BATCH)
    fields = model._meta.concrete_fields
    _stamp(fields, records)
    _point(fields, records)
    with connection.cursor() as cursor:
        _number(cursor, model, records)
        _copy(cursor, model._meta.db_table, fields, _completed(records, complete))
    for record in records:
        record._state.adding, record._state.db = False, connection.alias
    return records


def append_all(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Store new rows of a table that nobody needs as records; `names` are the fields' columns in the order of a row.

    Making records of them first costs more than storing them. The rows may be made while the first are stored.
    """
    fields = [next(field for field in model._meta.concrete_fields if field.attname == name) for name in names]
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    rows = chain((first,), rows)
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
    cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'"{table}"', key.column])  # once, not for every row
    sequence = cursor.fetchone()[0]
    cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, len(records)])
    for record, (number,) in zip(records, cursor.fetchall(), strict=True):
        setattr(record, key.attname, number)


def _completed(records: Iterable[Record], complete: Callable[[Record], Any] | None) -> Iterator[Record]:
    for record in records:
        if complete is not None:
            complete(record)
        yield record


def _copy(cursor: Any, table: str, fields: Sequence[Any], records: Iterable[Any]) -> None:
    values = attrgetter(*(field.attname for field in fields))
    _copy_rows(cursor, table, fields, map(values, records))


def _copy_rows(cursor: Any, table: str, fields: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.wrap_database_errors:
        cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', _Lines(fields, rows))


class _Lines:
    """What COPY reads from: it asks for the next lines while the database stores the last ones."""

    def __init__(self, fields: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
        self.writers = [_writer(field) for field in fields]
        self.pieces = map(self._written, batches(rows, _BATCH))

    def read(self, _size: int) -> bytes:
        """The next lines, however many fit; nothing at the end."""
        return next(self.pieces, b"")

    def _written(self, rows: Sequence[Sequence[Any]]) -> bytes:
        columns = [write(column) for write, column in zip(self.writers, zip(*rows, strict=True), strict=True)]
        return "".join(["\t".join(cells) + "\n" for cells in zip(*columns, strict=True)]).encode()


Column = Sequence[Any]


def _writer(field: Any) -> Callable[[Column], Sequence[str]]:
    if isinstance(field, models.JSONField):
        return _json
    return _texts if isinstance(field, models.CharField | models.TextField) else _plain


def _texts(column: Column) -> Sequence[str]:
    """A column of text: what needs no escaping, which is nearly all, is looked at in one go."""
    if None not in column and not _NEEDS_ESCAPE("\0".join(column)):
        return column
    return [_NULL if text is None else text.translate(_TABLE) for text in column]


def _plain(column: Column) -> Sequence[str]:
    first = column[0]
    if column.count(first) == len(column) and len(set(map(type, column))) == 1:
        return [_written(first)] * len(column)
    return [_written(value) for value in column]


def _written(value: Any) -> str:
    if value is None:
        return _NULL
    return value.isoformat() if isinstance(value, date) else str(value)


def _json(column: Column) -> Sequence[str]:
    """JSON has no line ends or tabs of its own."""
    return [_NULL if value is None else orjson.dumps(value).decode().replace("\\", r"\\") for value in column]
