"""The rejected rows as the file that they came in: the same sheet and columns, and beside them the reasons."""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter

from crm.actions.import_reading import added_headers, all_added_headers
from crm.actions.imports import Report, Row
from crm.lib.cells import Cell, guarded, is_blank, text
from crm.lib.exports import write_text
from crm.lib.spreadsheets import Table

WORKBOOKS = (".xlsx", ".xlsm")
_LONGEST_TITLE = 31
_FAULTY = {"bg_color": "#F8D7DA"}
_DAY, _TEXT = {"num_format": "yyyy-mm-dd"}, {"num_format": 49}  # 49 is @, text, in every program
# What a spreadsheet program takes for a number or a day once it is typed anew.
_LIKE_A_NUMBER = re.compile(r"[-+.,/\dE]*\d[-+.,/\dE]*", re.IGNORECASE)


def name_of_rejected(name: str) -> str:
    """What the file of rejected rows is called; every kind of workbook comes back as xlsx."""
    stem, _dot, ending = name.rpartition(".")
    text_ending = "txt" if ending.lower() == "txt" else "csv"
    return f"{stem or name}.rejected.{'xlsx' if _is_workbook(name) else text_ending}"[-200:]


def write_rejected(*, report: Report, table: Table, name: str, sheet: str = "", header_row: int = 1) -> bytes:
    """The rejected rows of a file called `name`, to be mended and imported again as they are.

    What a file of rejected rows has more than the one it came from is left out the next time.
    """
    kept = _Kept(report, table)
    if _is_workbook(name):
        return _workbook(report, kept, sheet, header_row)
    lines = StringIO(newline="")
    writer = csv.writer(lines, delimiter=table.delimiter)
    above = dict(kept.above)
    writer.writerows(map(_in_csv, above.get(number, ())) for number in range(1, header_row))
    writer.writerow(map(_in_csv, (*kept.head, *added_headers())))
    for row, cells in kept.rows:
        writer.writerow([*map(_in_csv, cells), row.number, guarded(report.reasons_of(row))])
    return lines.getvalue().encode(table.encoding)


class _Kept:
    """What the file of rejected rows has of the one it comes from: the columns at their places, named or not."""

    def __init__(self, report: Report, table: Table) -> None:
        head, added = list(table.head or table.headers), all_added_headers()
        rejected = {row.number for row in report.rejected}
        nameless = {row.number: dict(row.nameless) for row in table.rows if row.nameless and row.number in rejected}
        reach = max(map(_reach, (head, *(cells for _number, cells in table.above))))
        reach = max(reach, *(place + 1 for cells in nameless.values() for place in cells), 0)
        head += [None] * (reach - len(head))
        places = [place for place in range(reach) if text(head[place]) not in added]
        self.headers = [text(head[place]) for place in places]
        self.head = [cell if isinstance(cell, str) else text(cell) for cell in (head[place] for place in places)]
        self.above = [
            (number, [cells[place] for place in places if place < len(cells)]) for number, cells in table.above
        ]
        columns = list(zip(places, self.headers, strict=True))
        self.rows: list[tuple[Row, list[Cell]]] = [
            (row, [row.cells.get(header) if header else beside.get(place) for place, header in columns])
            for row in report.rejected
            for beside in [nameless.get(row.number, {})]
        ]


def _reach(cells: Sequence[Cell]) -> int:
    return max((place for place, cell in enumerate(cells, start=1) if not is_blank(cell)), default=0)


def _is_workbook(name: str) -> bool:
    return name.lower().endswith(WORKBOOKS)


def _in_csv(cell: Cell) -> str:
    return guarded(cell) if isinstance(cell, str) else text(cell)


def _workbook(report: Report, kept: _Kept, title: str, header_row: int) -> bytes:
    file, width = BytesIO(), len(kept.head)
    with xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet(_title(title))
        usual = [None, book.add_format(_TEXT), None]
        faulty = [book.add_format(_FAULTY | form) for form in ({}, _TEXT, _DAY)]
        head = book.add_format({"bold": True, "bottom": 1})
        sheet.set_column(0, width, 16)
        sheet.set_column(width + 1, width + 1, 60)
        sheet.freeze_panes(header_row, 0)
        for number, cells in kept.above:
            _write(sheet, number - 1, cells, [usual] * len(cells))
        _write(sheet, header_row - 1, (*kept.head, *added_headers()), [[head] * 3] * (width + 2))
        for at, (row, cells) in enumerate(kept.rows, start=header_row):
            wrong = {name for fault in row.faults if (name := report.header_of(fault))}
            shown = [faulty if header in wrong else usual for header in (*kept.headers, "", "")]
            _write(sheet, at, (*cells, row.number, report.reasons_of(row)), shown)
    return file.getvalue()


def _title(sheet: str) -> str | None:
    """The sheet's name as Excel can have it: other programs write longer ones, with signs that it forbids."""
    return re.sub(r"[\[\]:*?/\\]", "_", sheet)[:_LONGEST_TITLE].strip("'") or None


def _write(sheet: Any, row: int, cells: Iterable[Cell], formats: Iterable[list[Any]]) -> None:
    """Texts stay texts, whatever they look like, also when they are typed anew; an empty faulty cell is marked too."""
    for place, (cell, (plain, as_text, as_day)) in enumerate(zip(cells, formats, strict=True)):
        if cell is None or cell == "":
            sheet.write_blank(row, place, None, plain)  # without a format nothing is written
        elif isinstance(cell, bool):
            sheet.write_boolean(row, place, cell, plain)
        elif isinstance(cell, int | float):
            sheet.write_number(row, place, cell, plain)
        elif isinstance(cell, datetime | date):
            sheet.write_datetime(row, place, cell, as_day)
        else:
            write_text(sheet, row, place, str(cell), as_text if _LIKE_A_NUMBER.fullmatch(str(cell)) else plain)
