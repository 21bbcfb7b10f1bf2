"""Reading tables that people send (xlsx, and csv in the encodings of the trade)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from crm.lib.cells import Cell, is_blank, text, without_guard
from crm.lib.collecting import collector_paused
from crm.lib.parsing import FileUnreadable, Limits, parse

__all__ = ["FileUnreadable", "SheetPreview", "Table", "TableRow", "inspect_file", "read_table"]

MOST_ROWS = Limits.rows
PREVIEWED = 50
LONGEST_SHEET_NAME = 100  # Excel writes 31 signs, other programs more; an import remembers as many
_FORMS = {".xlsx": "workbook", ".xlsm": "workbook", ".csv": "text", ".txt": "text"}


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row with its number as a spreadsheet program shows it."""

    number: int
    cells: dict[str, Cell]
    nameless: tuple[tuple[int, Cell], ...] = ()  # what stands in columns without a header, with their places


@dataclass(frozen=True)
class Table:
    """A sheet: its headers and the rows that hold anything; and what a file like it is written by."""

    headers: tuple[str, ...]
    rows: list[TableRow]
    head: Sequence[Cell] = ()  # the row of headers as it stands, with what is empty
    above: Sequence[tuple[int, list[Cell]]] = ()  # the filled rows above it
    encoding: str = "utf-8-sig"
    delimiter: str = ","


@dataclass(frozen=True)
class SheetPreview:
    """A sheet's first filled rows with their numbers, to choose the sheet and the row of headers by."""

    name: str  # empty for a csv file
    height: int | None  # the last row's number, where it is known without reading on
    rows: list[tuple[int, list[Cell]]]


@collector_paused()
def read_table(file: Path | bytes, name: str = "", *, sheet: str | None = None, header_row: int = 1) -> Table:
    """One sheet of an xlsx file (the first visible one if not named), or a csv file. Raises FileUnreadable.

    A cell of a formula holds what the program that saved the file last had reckoned. Where it had not reckoned
    (files that other programs made), the cell is empty or holds the 0 that was left there: nobody can tell it from
    a 0 that is meant, so open and save such a file in Excel or WPS first. An error such as #DIV/0! is an empty cell.
    """
    name = name or _name_of(file)
    question = {"sheet": sheet, "first": 0, "header_row": header_row}
    lines = _lines(file, name, question)
    first = next(lines)
    manner: dict[str, str] = {key: first[key] for key in ("encoding", "delimiter") if key in first}
    return _table((row for line in lines for row in line["rows"]), header_row, manner)


def inspect_file(file: Path | bytes, name: str = "") -> list[SheetPreview]:
    """The sheets that people see in a file, each with its first rows. Raises FileUnreadable."""
    name = name or _name_of(file)
    sheets: list[SheetPreview] = []
    for line in _lines(file, name, {"sheet": None, "first": PREVIEWED, "header_row": 1}):
        if "sheet" in line:
            _refuse_long(line["sheet"], name)
            sheets.append(SheetPreview(line["sheet"], line["height"], []))
        else:
            sheets[-1].rows.extend(line["rows"])
    return sheets


def _refuse_long(sheet: str, name: str) -> None:
    if len(sheet) > LONGEST_SHEET_NAME:
        sentence = _("{name}: the name of the sheet “{sheet}…” is longer than {signs} characters; shorten it")
        raise FileUnreadable(sentence.format(name=name, sheet=sheet[:40], signs=LONGEST_SHEET_NAME))


def _name_of(file: Path | bytes) -> str:
    return file.name if isinstance(file, Path) else ""


def _lines(file: Path | bytes, name: str, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the child says of the file, each cell as what it is."""
    form = _FORMS.get(Path(name).suffix.lower())
    if form is None:
        raise FileUnreadable(_("{name}: only .xlsx and .csv can be read; save it as one of them").format(name=name))
    try:
        for line in parse(file, name, {"form": form, **question}, Limits(rows=MOST_ROWS)):
            if line.get("has_days"):
                line["rows"] = [(number, [_day(cell) for cell in cells]) for number, cells in line["rows"]]
            if form == "text" and "rows" in line:
                line["rows"] = [(number, [without_guard(cell) for cell in cells]) for number, cells in line["rows"]]
            yield line
    except OSError as error:
        raise FileUnreadable(_("{name} cannot be opened: {error}").format(name=name, error=error)) from error


def _day(cell: Cell | dict[str, str]) -> Cell:
    if not isinstance(cell, dict):
        return cell
    written = cell["day"]
    return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)


def _table(rows: Iterator[tuple[int, list[Cell]]], header_row: int, manner: dict[str, str]) -> Table:
    above = []
    number, cells = next(rows, (0, []))
    while 0 < number < header_row:
        above.append((number, cells))
        number, cells = next(rows, (0, []))
    headers = [text(cell) for cell in cells] if number == header_row else []
    if not any(headers):
        raise FileUnreadable(_("row {number} holds no headers").format(number=header_row))
    twice = sorted({header for header in headers if header and headers.count(header) > 1})
    if twice:
        raise FileUnreadable(_("the header {headers} stands there twice").format(headers=", ".join(twice)))
    return Table(tuple(filter(None, headers)), list(_filled(rows, headers)), cells, above, **manner)


def _filled(rows: Iterator[tuple[int, list[Cell]]], headers: list[str]) -> Iterator[TableRow]:
    known = len(headers)
    gaps = [place for place, header in enumerate(headers) if not header]
    for number, cells in rows:
        if not all(is_blank(cell) for cell in cells):
            named = dict(zip(headers, cells, strict=False))
            named.pop("", None)  # columns without a header
            has_more = gaps or len(cells) > known
            yield TableRow(number, named, _nameless(cells, gaps, known) if has_more else ())


def _nameless(cells: list[Cell], gaps: list[int], known: int) -> tuple[tuple[int, Cell], ...]:
    places = (place for place in (*gaps, *range(known, len(cells))) if place < len(cells))
    return tuple((place, cells[place]) for place in places if not is_blank(cells[place]))
