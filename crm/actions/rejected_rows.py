"""The rejected rows as the file that they came in: the same sheet and columns, and beside them the reasons."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter

from crm.actions.import_reading import added_headers, all_added_headers
from crm.actions.imports import Report, Row
from crm.lib.cells import Cell, guarded, text
from crm.lib.exports import write_text
from crm.lib.spreadsheets import Table

WORKBOOKS = (".xlsx", ".xlsm")
_LONGEST_TITLE = 31


def name_of_rejected(name: str) -> str:
    """What the file of rejected rows is called; every kind of workbook comes back as xlsx."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem or name}.rejected.{'xlsx' if _is_workbook(name) else 'csv'}"[-200:]


def write_rejected(*, report: Report, table: Table, name: str, sheet: str = "", header_row: int = 1) -> bytes:
    """The rejected rows of a file called `name`, to be mended and imported again as they are.

    What a file of rejected rows has more than the one it came from is left out the next time.
    """
    added = all_added_headers()
    headers = [header for header in table.headers if header not in added]
    if _is_workbook(name):
        return _workbook(report, headers, sheet, header_row)
    lines = StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerows([] for _line in range(1, header_row))
    writer.writerow([guarded(header) for header in (*headers, *added_headers())])
    for row, cells in _rows(report, headers):
        writer.writerow([*map(_in_csv, cells), row.number, guarded(report.reasons_of(row))])
    return ("\ufeff" + lines.getvalue()).encode()


def _is_workbook(name: str) -> bool:
    return name.lower().endswith(WORKBOOKS)


def _rows(report: Report, headers: Sequence[str]) -> Iterator[tuple[Row, list[Cell]]]:
    for row in report.rejected:
        yield row, [row.cells.get(header) for header in headers]


def _in_csv(cell: Cell) -> str:
    return guarded(cell) if isinstance(cell, str) else text(cell)


def _workbook(report: Report, headers: Sequence[str], title: str, header_row: int) -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet(_title(title))
        head, faulty = book.add_format({"bold": True, "bottom": 1}), book.add_format({"bg_color": "#F8D7DA"})
        faulty_day = book.add_format({"bg_color": "#F8D7DA", "num_format": "yyyy-mm-dd"})
        places = {header: place for place, header in enumerate(headers)}
        sheet.set_column(0, len(headers), 16)
        sheet.set_column(len(headers) + 1, len(headers) + 1, 60)
        sheet.freeze_panes(header_row, 0)
        _write(sheet, header_row - 1, (*headers, *added_headers()), dict.fromkeys(range(len(headers) + 2), head))
        for at, (row, cells) in enumerate(_rows(report, headers), start=header_row):
            wrong = {places[name] for fault in row.faults if (name := report.header_of(fault)) in places}
            formats = {place: faulty_day if isinstance(cells[place], date) else faulty for place in wrong}
            _write(sheet, at, (*cells, row.number, report.reasons_of(row)), formats)
    return file.getvalue()


def _title(sheet: str) -> str | None:
    """The sheet's name as Excel can have it: other programs write longer ones, with signs that it forbids."""
    return re.sub(r"[\[\]:*?/\\]", "_", sheet)[:_LONGEST_TITLE].strip("'") or None


def _write(sheet: Any, row: int, cells: Iterable[Cell], formats: dict[int, Any]) -> None:
    """Texts stay texts, whatever they look like; a faulty cell that is empty is marked too."""
    for place, cell in enumerate(cells):
        shown = formats.get(place)
        if cell is None or cell == "":
            if shown:
                sheet.write_blank(row, place, None, shown)
        elif isinstance(cell, bool):
            sheet.write_boolean(row, place, cell, shown)
        elif isinstance(cell, int | float):
            sheet.write_number(row, place, cell, shown)
        elif isinstance(cell, datetime | date):
            sheet.write_datetime(row, place, cell, shown)
        else:
            write_text(sheet, row, place, str(cell), shown)
