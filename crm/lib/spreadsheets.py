"""Reading tables that people send: xlsx, and csv as UTF-8 (with or without BOM) or GB18030."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from crm.lib.cells import Cell, guarded, is_blank, text

LARGEST_FILE = 50_000_000  # bytes, unpacked
LARGEST_RATIO = 200
MOST_ROWS = 200_000
_ENCODINGS = ("utf-8-sig", "gb18030")


class FileUnreadable(Exception):
    """The file is not a table that can be read; the message says why."""


@dataclass(frozen=True)
class TableRow:
    """One row with its number as a spreadsheet program shows it."""

    number: int
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Table:
    """A sheet: its headers and the rows that hold anything."""

    headers: tuple[str, ...]
    rows: list[TableRow]


def read_table(path: Path) -> Table:
    """The first sheet of an xlsx file, or a csv file. Raises FileUnreadable."""
    readers = {".xlsx": _xlsx_rows, ".csv": _csv_rows}
    if path.suffix.lower() not in readers:
        raise FileUnreadable(_("{name}: only .xlsx and .csv can be read").format(name=path.name))
    try:
        return _table(readers[path.suffix.lower()](path))
    except OSError as error:
        raise FileUnreadable(_("{name} cannot be opened: {error}").format(name=path.name, error=error)) from error


def write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write a csv file that Excel opens as it is: UTF-8 with BOM, and no cell becomes a formula."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([guarded(cell) for cell in row] for row in rows)


def _table(rows: Iterator[Sequence[Cell]]) -> Table:
    headers = [text(cell) for cell in next(rows, [])]
    twice = sorted({header for header in headers if header and headers.count(header) > 1})
    if not any(headers):
        raise FileUnreadable(_("the first row holds no headers"))
    if twice:
        raise FileUnreadable(_("the header {headers} stands there twice").format(headers=", ".join(twice)))
    return Table(tuple(filter(None, headers)), list(_filled(rows, headers)))


def _filled(rows: Iterator[Sequence[Cell]], headers: list[str]) -> Iterator[TableRow]:
    for number, cells in enumerate(rows, start=2):
        if number > MOST_ROWS + 1:
            raise FileUnreadable(_("more than {most} rows; cut the file").format(most=f"{MOST_ROWS:,}"))
        if not all(is_blank(cell) for cell in cells):
            yield TableRow(number, {header: cell for header, cell in zip(headers, cells, strict=False) if header})


def _csv_rows(path: Path) -> Iterator[Sequence[Cell]]:
    if path.stat().st_size > LARGEST_FILE:
        raise FileUnreadable(_("{name} is larger than 50 MB").format(name=path.name))
    written = _decoded(path.read_bytes(), path.name)
    first_line = written.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        yield from csv.reader(io.StringIO(written, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise FileUnreadable(_("{name} is not a csv file: {error}").format(name=path.name, error=error)) from error


def _decoded(content: bytes, name: str) -> str:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileUnreadable(_("{name} is neither UTF-8 nor GB18030; save it as “CSV UTF-8”").format(name=name))


def _xlsx_rows(path: Path) -> Iterator[Sequence[Cell]]:
    _refuse_bomb(path)
    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except CalamineError as error:
        raise FileUnreadable(_("{name} is not an xlsx file: {error}").format(name=path.name, error=error)) from error
    return iter(sheet.to_python(skip_empty_area=False))  # type: ignore[arg-type]


def _refuse_bomb(path: Path) -> None:
    """Add up what the archive says it unpacks to, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile as error:
        raise FileUnreadable(_("{name} is not an xlsx file: {error}").format(name=path.name, error=error)) from error
    if unpacked > LARGEST_FILE or unpacked > LARGEST_RATIO * path.stat().st_size:
        raise FileUnreadable(_("{name} unpacks to more than 50 MB").format(name=path.name))
