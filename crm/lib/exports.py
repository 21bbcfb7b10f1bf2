"""Writing tables that people open: csv and xlsx, row by row, in little memory whatever their length.

Rows are sequences of values in the product's own units, in the order of the columns; None leaves a cell empty.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import chain, islice
from typing import IO, Any
from xml.sax.saxutils import escape

from django.utils import timezone
from xlsxwriter import Workbook

from crm.lib import money
from crm.lib.cells import guarded

CSV, XLSX = "csv", "xlsx"
MEDIA_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_SHEET_ROWS = 1_048_575  # beside the head: what a sheet of Excel and WPS holds

_BOM = "\ufeff"
_AT_ONCE = 500  # rows of csv in one piece: one piece per row costs more than the row
_MEASURED = 200  # rows that decide how wide a column is
_WIDEST, _NARROWEST = 60, 6
_LONGEST_TEXT = 32_767  # what a cell of Excel holds, in units of UTF-16
_RICH = re.compile(r"<r>.*</r>", re.DOTALL)
_FIRST_SERIAL = 61  # March 1900; before it Excel counts a day that never was
_DAY_ZERO = date(1899, 12, 30).toordinal()


class Type(StrEnum):
    """What a column holds, and so how its cells are written: numbers stay numbers, codes stay text."""

    TEXT = "text"
    WHOLE = "whole"  # a count, a year
    MONEY = "money"  # whole fen, shown in yuan
    PERCENT = "percent"  # hundredths of a percent, shown in percent
    POINTS = "points"  # ten-thousandths of a point, shown in points
    DAY = "day"
    MOMENT = "moment"


@dataclass(frozen=True)
class Column:
    """A column: its header, what it holds, and its width in Latin characters (0: as wide as what it holds)."""

    header: str
    type: Type = Type.TEXT
    width: int = 0


Row = Sequence[Any]


def csv_lines(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """A csv file that Excel opens as it is, piece by piece: UTF-8 with BOM, no text becomes a formula."""
    written = [_CSV[column.type] for column in columns]
    head = [guarded(column.header) for column in columns]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write(_BOM)
    writer.writerow(head)
    remaining = iter(rows)
    while some := list(islice(remaining, _AT_ONCE)):
        writer.writerows(
            ["" if value is None else write(value) for write, value in zip(written, row, strict=True)] for row in some
        )
        yield _emptied(buffer)
    if buffer.tell():
        yield _emptied(buffer)


def write_xlsx(columns: Sequence[Column], rows: Iterable[Row], file: IO[bytes]) -> int:
    """Write an xlsx file and return how many rows it holds: frozen head with filters, real numbers and days.

    More rows than a sheet holds raise TooManyRows.
    """
    remaining = iter(rows)
    first = [*islice(remaining, _MEASURED)]
    with Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF1F5"})
        for index, column in enumerate(columns):
            sheet.set_column(index, index, _width(column, [row[index] for row in first]))
            write_text(sheet, 0, index, column.header, head)
        sheet.freeze_panes(1, 1)
        last = _fill(book, sheet, columns, chain(first, remaining))
        if columns:
            sheet.autofilter(0, 0, last, len(columns) - 1)
    return last


class TooManyRows(Exception):
    """A sheet holds no more rows."""


def write_text(sheet: Any, row: int, index: int, text: str, shown: Any = None) -> None:
    """A text as it stands. The library takes `<r>…</r>` for markup of its own, so that one is escaped here."""
    if len(text) > _LONGEST_TEXT // 2:
        text = _cut(text)
    if text[:3] == "<r>" and _RICH.fullmatch(text):
        text = f'<r><t xml:space="preserve">{escape(text)}</t></r>'
    sheet.write_string(row, index, text, shown)


def text_width(text: str) -> int:
    """How wide a text is in Latin characters: a Chinese one counts two. The longest of its lines decides."""
    wide = ("W", "F", "A")
    return max(
        (sum(2 if unicodedata.east_asian_width(sign) in wide else 1 for sign in line) for line in text.splitlines()),
        default=0,
    )


def _fill(book: Workbook, sheet: Any, columns: Sequence[Column], rows: Iterable[Row]) -> int:
    """The cells below the head. One call per cell is what this costs, so nothing else stands in the loop."""
    writers = [_cell_writer(book, sheet, column.type) for column in columns]
    number = 0
    for number, row in enumerate(rows, start=1):
        if number > MOST_SHEET_ROWS:
            raise TooManyRows
        for index, value in enumerate(row):
            if value is not None and value != "":
                writers[index](number, index, value)
    return number


def _cell_writer(book: Workbook, sheet: Any, kind: Type) -> Callable[[int, int, Any], None]:
    if kind == Type.TEXT:
        return lambda row, index, value: write_text(sheet, row, index, value)
    shown = book.add_format({"num_format": _FORMATS[kind]})
    write, number = sheet.write_number, _NUMBERS[kind]
    if kind not in (Type.DAY, Type.MOMENT):
        return lambda row, index, value: write(row, index, number(value), shown)

    def write_day(row: int, index: int, value: date) -> None:
        serial = number(value)
        if serial < _FIRST_SERIAL:
            sheet.write_string(row, index, value.isoformat())
        else:
            write(row, index, serial, shown)

    return write_day


def _cut(text: str) -> str:
    """What of a text fits into a cell; an ellipsis says that there was more."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * _LONGEST_TEXT:
        return text
    return units[: 2 * (_LONGEST_TEXT - 1)].decode("utf-16-le", errors="ignore") + "…"


def _width(column: Column, values: Iterable[Any]) -> int:
    if column.width:
        return column.width
    write = _CSV[column.type]
    widest = max((text_width(write(value)) for value in values if value is not None), default=0)
    return min(max(widest + 2, text_width(column.header) + 4, _NARROWEST), _WIDEST)  # the head has a filter's arrow


def _emptied(buffer: io.StringIO) -> bytes:
    piece = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return piece


def _local(moment: datetime) -> datetime:
    return timezone.localtime(moment) if timezone.is_aware(moment) else moment


def _serial(day: date) -> int:
    return day.toordinal() - _DAY_ZERO


def _moment_serial(moment: datetime) -> float:
    local = _local(moment)
    return _serial(local) + (local.hour * 3600 + local.minute * 60 + local.second) / 86_400


_FORMATS = {
    Type.WHOLE: "0",
    Type.MONEY: "#,##0.00",
    Type.PERCENT: '0.00"%"',
    Type.POINTS: "0.00##",
    Type.DAY: "yyyy-mm-dd",
    Type.MOMENT: "yyyy-mm-dd hh:mm",
}
_NUMBERS: dict[Type, Callable[[Any], int | float]] = {
    Type.WHOLE: int,
    Type.MONEY: lambda amount: amount / money.FEN_PER_YUAN,
    Type.PERCENT: lambda rate: rate / 100,
    Type.POINTS: lambda units: units / money.SCORE_UNIT,
    Type.DAY: _serial,
    Type.MOMENT: _moment_serial,
}
_CSV: dict[Type, Callable[[Any], str]] = {
    Type.TEXT: guarded,
    Type.WHOLE: str,
    Type.MONEY: lambda amount: str(money.yuan(amount)),
    Type.PERCENT: lambda rate: str(money.percent(rate)),
    Type.POINTS: lambda units: str(money.score(units)),
    Type.DAY: date.isoformat,
    Type.MOMENT: lambda moment: _local(moment).strftime("%Y-%m-%d %H:%M"),
}
