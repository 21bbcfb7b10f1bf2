"""Whole lists without pages: ndjson, csv and xlsx, piece by piece, in the memory of one chunk whatever their length.

A record is the same in every form: its line of ndjson is its object of the JSON page; csv and xlsx have a column for
each value of that object, named by its path (`customer.name`). A value that is a list stands in its cell as JSON.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import IO, Any, NamedTuple, Protocol, cast

import orjson
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import get_language, gettext, override
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from crm.api import fields
from crm.api.renderers import Csv, Ndjson, Stream
from crm.lib import exports
from crm.lib.cells import guarded
from crm.lib.exports import Type

CHUNK = 1000
PIECE = 1 << 16  # bytes of a finished file in one piece

Pieces = Generator[bytes]
Shown = Callable[[Sequence[Any]], Sequence[Any]]


class Column(NamedTuple):
    """A value of a record: the names that lead to it, and what it is."""

    path: tuple[str, ...]
    type: Type

    @property
    def name(self) -> str:
        """The column's header."""
        return ".".join(self.path)

    def of(self, record: Any) -> Any:
        """The value; None where something on the way is absent."""
        for step in self.path:
            if not record:
                return None
            record = record[step]
        return record


class Records(Protocol):
    """A list in every form that is not a page."""

    def ndjson(self) -> Pieces:
        """One object a line."""

    def csv(self) -> Pieces:
        """A header, then one record a line."""

    def write_xlsx(self, file: IO[bytes]) -> None:
        """A finished workbook."""


class SerializedRecords:
    """A list by way of its serializer: `shown` makes the objects of a chunk of records, as for a page.

    `columns` are of csv and xlsx; `flat` makes of an object what they read.
    """

    def __init__(
        self, found: QuerySet, shown: Shown, columns: Sequence[Column], flat: Callable[[Any], Any] = lambda one: one
    ) -> None:
        self.found, self.shown, self.columns, self.flat = found, shown, columns, flat

    def ndjson(self) -> Pieces:
        """One object a line."""
        for records in self._chunks():
            yield b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)

    def csv(self) -> Pieces:
        """A header, then one record a line."""
        yield csv_lines([[column.name for column in self.columns]])
        for records in self._chunks():
            yield csv_lines([[cell(column, one) for column in self.columns] for one in map(self.flat, records)])

    def write_xlsx(self, file: IO[bytes]) -> None:
        """A finished workbook."""
        flat = (self.flat(record) for records in self._chunks() for record in records)
        rows = ([typed(column, one) for column in self.columns] for one in flat)
        exports.write_xlsx(heads(self.columns), rows, file)

    def _chunks(self) -> Iterator[Sequence[Any]]:
        some: list[Any] = []
        for record in self.found.iterator(chunk_size=CHUNK):
            some.append(record)
            if len(some) == CHUNK:
                yield self.shown(some)
                some = []
        if some:
            yield self.shown(some)


def respond(request: Request, records: Records, name: str) -> StreamingHttpResponse:
    """The list in the form that was asked for. What goes wrong before the first piece is still a problem object."""
    _refuse_pages(request)
    form = cast(Stream, request.accepted_renderer)
    pieces = _nothing() if request.method == "HEAD" else _spoken(_pieces(form.format, records))
    response = StreamingHttpResponse(_Begun(pieces), content_type=form.content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{form.format}"'
    return response


def columns_of(serializer: Any, path: tuple[str, ...] = ()) -> list[Column]:
    """The columns of what a serializer shows: a nested object's values each, a list as one."""
    return [
        column
        for name, field in serializer.fields.items()
        if not field.write_only
        for column in _columns(field, (*path, name), serializer)
    ]


def csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows of csv: UTF-8, no byte order mark, commas, lines that end as RFC 4180 says."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def heads(columns: Iterable[Column]) -> list[exports.Column]:
    """The columns as a workbook has them."""
    return [exports.Column(column.name, column.type) for column in columns]


def _columns(field: Any, path: tuple[str, ...], serializer: Any) -> list[Column]:
    nested = _nested(field, path[-1], serializer)
    return [Column(path, _type_of(field))] if nested is None else columns_of(nested, path)


def _nested(field: Any, name: str, serializer: Any) -> Any:
    """The serializer of an object inside the record; None for a plain value and for a list."""
    if hasattr(field, "shown_by"):
        return field.shown_by()
    if isinstance(field, serializers.SerializerMethodField):
        field = getattr(serializer, f"get_{name}").__annotations__.get("return")
        field = field() if isinstance(field, type) and issubclass(field, serializers.Serializer) else field
    return field if isinstance(field, serializers.Serializer) else None


_TYPES: tuple[tuple[type, Type], ...] = (
    (fields.RateField, Type.PERCENT),
    (fields.MoneyField, Type.MONEY),
    (fields.ScoreField, Type.POINTS),
    (serializers.IntegerField, Type.WHOLE),
    (serializers.PrimaryKeyRelatedField, Type.WHOLE),
    (serializers.DateTimeField, Type.MOMENT),
    (serializers.DateField, Type.DAY),
)


def _type_of(field: Any) -> Type:
    return next((kind for fields_of_kind, kind in _TYPES if isinstance(field, fields_of_kind)), Type.TEXT)


def cell(column: Column, record: Any) -> str:
    """A record's value as csv has it: text that looks like a formula stays text."""
    value = _text(column.of(record))
    return guarded(value) if column.type == Type.TEXT else value


def typed(column: Column, record: Any) -> Any:
    """A record's value as a workbook takes it: in the database's units."""
    value = column.of(record)
    return None if value is None else _READ[column.type](value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


_READ: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: _text,
    Type.WHOLE: int,
    Type.MONEY: lambda value: int(Decimal(value).scaleb(2)),
    Type.PERCENT: lambda value: int(Decimal(value).scaleb(2)),
    Type.POINTS: lambda value: int(Decimal(value).scaleb(4)),
    Type.DAY: date.fromisoformat,
    Type.MOMENT: datetime.fromisoformat,
}


def _nothing() -> Pieces:
    yield from ()


def _pieces(form: str, records: Records) -> Pieces:
    if form == Ndjson.format:
        return records.ndjson()
    return records.csv() if form == Csv.format else _workbook(records)


def _workbook(records: Records) -> Pieces:
    """A workbook is finished before its first byte is known: it is written to a file and sent from there."""
    with tempfile.TemporaryFile() as file:
        try:
            records.write_xlsx(file)
        except exports.TooManyRows as error:
            sentence = gettext("These are more records than a sheet holds. Narrow the list, or take csv.")
            raise ValidationError({"format": [ErrorDetail(sentence, "too_many_rows")]}) from error
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _spoken(pieces: Pieces) -> Pieces:
    """Every piece in the language of the request, whatever the thread speaks by then."""
    language = get_language()
    try:
        while True:
            with override(language):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece
    finally:
        pieces.close()


class _Begun:
    """A stream whose first piece is there already; closing it ends what makes the others."""

    def __init__(self, pieces: Pieces) -> None:
        first = next(pieces, None)
        self.pieces, self.rest = chain(() if first is None else (first,), pieces), pieces

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces

    def close(self) -> None:
        self.rest.close()


def _refuse_pages(request: Request) -> None:
    for name in ("page_size", "cursor"):
        if name in request.query_params:
            sentence = gettext("A stream has no pages. Leave it out, or take format=json.")
            raise ValidationError({name: [ErrorDetail(sentence, "no_pages")]})
