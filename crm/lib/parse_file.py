"""The child process that opens what people send, so that a hostile file can end it and nothing else.

Started by crm.lib.parsing with its path (it imports no Django): the question as JSON in its argument, the file on
stdin, the answer on stdout as lines of JSON. A line is one of

    {"sheet": name, "height": the last row}                      what follows is of this sheet; a text says besides
                                                                 its "encoding" and "delimiter"
    {"rows": [[number, [cell, ...]], ...], "has_days": bool}     a day is {"day": ISO 8601}
    {"refused": code, ...}                                       the last line: why there is no table

Whatever else ends it (no memory, no time left, a reader that panics) its parent sees by its exit status.
"""

import codecs
import csv
import io
import json
import re
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, BinaryIO, TextIO
from xml.parsers.expat import ExpatError, ParserCreate

import orjson
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    WorksheetNotFound,
)

try:
    import resource
except ImportError:  # Windows: the parent's clock is the only limit there
    resource = None  # type: ignore[assignment]

Cells = list[Any]
_OLD_CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PERCENT_FORMATS = {"9", "10"}  # 0% and 0.00%, which every program knows by these numbers
_PLACE = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]*\d+)[\"']")
_ROWS_AND_CELLS = re.compile(rb"<(?:[\w.-]+:)?(row|c)(?=[\s/>])([^>]*)")
_BLOCK = 1_000_000  # bytes or signs at a time
_ROWS_AT_ONCE = 1000
_DECIDING_LINES = 100
_CSV_ERRORS = {"larger than field limit": "cell", "unexpected end of data": "open_quote"}


class Refusal(Exception):
    """There is no table to be had; a code that the parent has a sentence for."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.line = {"refused": code, **facts}


def main() -> None:
    """Answer the question in the argument about the file on stdin."""
    asked = json.loads(sys.argv[1])
    _limit(asked["memory"], asked["seconds"])
    file = sys.stdin.buffer
    try:
        for line in (_workbook if asked["form"] == "workbook" else _text)(file, asked):
            _send(line)
    except Refusal as refusal:
        _send(refusal.line)
    except MemoryError:
        _send({"refused": "too_much"})


def _limit(memory: int, seconds: int) -> None:
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _send(line: dict[str, Any]) -> None:
    written = orjson.dumps(line, default=_tagged, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_APPEND_NEWLINE)
    sys.stdout.buffer.write(written)


def _tagged(cell: Any) -> Any:
    """A day as an object, so that nobody takes it for text; a time of day or a duration as it is read."""
    return {"day": cell.isoformat()} if isinstance(cell, date) else str(cell)


# --- workbooks


def _workbook(file: BinaryIO, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    _refuse_container(file)
    _refuse_bomb(file, asked["largest"], asked["ratio"])
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        percents = Percents(file)
        for name in _chosen(book, asked):
            yield from _sheet(name, book.get_sheet_by_name(name), percents.of(name), asked)
    except PasswordError as error:
        raise Refusal("encrypted") from error
    except WorksheetNotFound as error:
        raise Refusal("no_sheet", sheet=asked["sheet"]) from error
    except CalamineError as error:
        raise Refusal("no_workbook", error=str(error)) from error


def _refuse_container(file: BinaryIO) -> None:
    """Excel 97's format, which is also what a workbook with a password lies in."""
    if file.read(len(_OLD_CONTAINER)) == _OLD_CONTAINER:
        raise Refusal("encrypted" if _ENCRYPTED in file.read() else "old")
    file.seek(0)


def _refuse_bomb(file: BinaryIO, largest: int, ratio: int) -> None:
    """Add up what the archive says it unpacks to, before anything is unpacked; a lie meets the limits of memory."""
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Refusal("no_workbook", error=str(error)) from error
    if unpacked > largest:
        raise Refusal("unpacked")
    if unpacked > ratio * file.seek(0, io.SEEK_END):
        raise Refusal("packed")


def _chosen(book: CalamineWorkbook, asked: dict[str, Any]) -> list[str]:
    """The sheet that is asked for, else the first that people see; to inspect, all that they see."""
    if asked["sheet"] is not None:
        return [asked["sheet"]]
    sheets = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    seen = [one.name for one in sheets if one.visible == SheetVisibleEnum.Visible] or [one.name for one in sheets]
    if not seen:
        raise Refusal("no_workbook", error="no sheet")
    return seen if asked["first"] else seen[:1]


def _sheet(name: str, sheet: CalamineSheet, percents: set[bytes], asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    bottom, right = sheet.end or (-1, -1)
    _refuse_reach(bottom + 1, right + 1, asked)
    yield {"sheet": name, "height": bottom + 1}
    # What lies above the first filled cell is given as rows of nothing, what lies left of it is not given at all.
    left = [""] * sheet.start[1] if sheet.start else []
    rows: Iterable[Cells] = ([*left, *cells] for cells in sheet.iter_rows()) if left else sheet.iter_rows()
    yield from _chunks(_in_percent(rows, percents) if percents else rows, asked)


def _in_percent(rows: Iterable[Cells], percents: set[bytes]) -> Iterator[Cells]:
    """A number that people see as 18% becomes that text; nobody could tell 0.18 from it otherwise."""
    for number, cells in enumerate(rows, start=1):
        yield [
            _percent(cell) if type(cell) is float and b"%s%d" % (_letters(column), number) in percents else cell
            for column, cell in enumerate(cells)
        ]


def _percent(cell: float) -> str:
    return f"{(Decimal(f'{cell:.15g}') * 100).normalize():f}%"


def _column(place: bytes) -> int:
    """The number of a place's column, the reverse of `_letters`."""
    number = 0
    for letter in place.rstrip(b"0123456789"):
        number = number * 26 + letter - 64
    return number - 1


@lru_cache
def _letters(column: int) -> bytes:
    left, last = divmod(column, 26)
    return (_letters(left - 1) if left else b"") + bytes([65 + last])


class Percents:
    """Which cells of a workbook are shown in percent: the reader gives their numbers without saying so."""

    def __init__(self, file: BinaryIO) -> None:
        self.archive = zipfile.ZipFile(file)
        self.names = {name.lower(): name for name in self.archive.namelist()}
        styles = b"|".join(b"%d" % number for number in self._styles())
        self.cell = re.compile(rb"<(?:[\w.-]+:)?c(?=\s)(?=[^>]*\ss\s*=\s*[\"']0*(?:" + styles + rb")[\"'])([^>]*)")
        self.parts = self._parts() if styles else {}

    def of(self, sheet: str) -> set[bytes]:
        """The places of the cells of a sheet that have such a style, such as B2."""
        if sheet not in self.parts:
            return set()
        written = self._read(self.parts[sheet])
        places = [_PLACE.search(attributes) for attributes in self.cell.findall(written)]
        named = {place.group(1).upper() for place in places if place}
        return named if all(places) else self._counted(written)

    def _counted(self, written: bytes) -> set[bytes]:
        """The same where cells do not say their place: each stands behind the last, each row below the last."""
        row = column = 0
        found = set()
        for tag in _ROWS_AND_CELLS.finditer(written):
            place = _PLACE.search(tag.group(2))
            if tag.group(1) == b"row":
                row, column = int(place.group(1)) if place else row + 1, 0
                continue
            at = place.group(1).upper() if place else b"%s%d" % (_letters(column), row)
            column = _column(at) + 1
            if self.cell.match(tag.group()):
                found.add(at)
        return found

    def _styles(self) -> list[int]:
        """The numbers of the cell styles whose format ends in a percent sign that is no mere text."""
        percent, formats, kind = set(_PERCENT_FORMATS), [], ""
        for name, attributes in self._elements("xl/styles.xml"):
            number = attributes.get("numFmtId", "")
            if name == "numFmt" and "%" in _bare(attributes.get("formatCode", "")):
                percent.add(number)
            elif name in ("cellXfs", "cellStyleXfs"):
                kind = name
            elif name == "xf" and kind == "cellXfs":
                formats.append(number)
        return [style for style, number in enumerate(formats) if number in percent]

    def _parts(self) -> dict[str, str]:
        """The file of each sheet in the archive, by the sheet's name."""
        links = self._elements("xl/_rels/workbook.xml.rels")
        targets = {link.get("Id"): link.get("Target", "") for name, link in links if name == "Relationship"}
        sheets = [sheet for name, sheet in self._elements("xl/workbook.xml") if name == "sheet"]
        return {sheet.get("name", ""): _path(targets.get(sheet.get("id"), "")) for sheet in sheets}

    def _elements(self, part: str) -> list[tuple[str, dict[str, str]]]:
        """The elements of a small part in their order, with their attributes; of all names without their prefixes."""
        found: list[tuple[str, dict[str, str]]] = []
        parser = ParserCreate()
        parser.StartElementHandler = lambda name, attributes: found.append(
            (_local(name), {_local(key): value for key, value in attributes.items()})
        )
        try:
            if written := self._read(part).decode("utf-8-sig", "replace"):
                parser.Parse(written, True)
        except ExpatError as error:  # without the styles nobody could tell 18% from 0.18
            raise Refusal("no_workbook", error=f"{part}: {error}") from error
        return found

    def _read(self, part: str) -> bytes:
        try:
            return self.archive.read(self.names[part.lower()])
        except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
            return b""  # the reader of the cells says what is wrong with the file, or does without this part


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _path(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _bare(code: str) -> str:
    """A number format without what it shows as text."""
    return re.sub(r'"[^"]*"|\\.|_.|\*.', "", code)


def _refuse_reach(rows: int, columns: int, asked: dict[str, Any]) -> None:
    if columns > asked["columns"]:
        raise Refusal("columns", reach=columns)
    if rows - asked["header_row"] > asked["rows"]:
        raise Refusal("rows", reach=rows)
    if rows * columns > asked["cells"]:
        raise Refusal("too_much")


# --- text


def _text(file: BinaryIO, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    encoding = _encoding(file)
    file.seek(0)
    with io.TextIOWrapper(file, encoding=encoding, newline="") as written:
        delimiter = _delimiter(written.read(_BLOCK))
        written.seek(0)
        csv.field_size_limit(asked["signs"])
        yield {"sheet": "", "height": None, "encoding": encoding, "delimiter": delimiter}
        yield from _chunks(_counted(_parted(written, delimiter), asked), asked)


def _parted(written: TextIO, delimiter: str) -> Iterator[Cells]:
    number = 1
    try:
        for cells in csv.reader(written, delimiter=delimiter, strict=True):
            yield cells
            number += 1
    except csv.Error as error:  # which says what it is by its text alone
        code = next((code for words, code in _CSV_ERRORS.items() if words in str(error)), "no_csv")
        raise Refusal(code, row=number, error=str(error)) from error


def _counted(rows: Iterable[Cells], asked: dict[str, Any]) -> Iterator[Cells]:
    held = 0
    for number, cells in enumerate(rows, start=1):
        if number - asked["header_row"] > asked["rows"]:
            raise Refusal("rows", reach=number)
        if len(cells) > asked["columns"]:
            raise Refusal("columns", reach=len(cells))
        held += len(cells)
        if held > asked["cells"]:
            raise Refusal("too_much")
        yield cells


def _encoding(file: BinaryIO) -> str:
    """The first encoding of the trade in which all of it makes sense."""
    start = file.read(2)
    if start in _UTF_16:
        _try(file, "utf-16")
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _try(file, encoding):
            return encoding
    raise Refusal("encoding")


def _try(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while block := file.read(_BLOCK):
            if "\0" in decoder.decode(block):
                raise Refusal("nul")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise Refusal("encoding") from error
        return False
    return True


def _delimiter(beginning: str) -> str:
    """What separates the cells: the sign that most of the first lines have, and have equally often, beside quotations.

    Whichever row holds the headers, so that a file is read as it was shown. A title above may hold another sign.
    """
    lines = re.sub(r'"[^"]*"', "", beginning).splitlines()[:_DECIDING_LINES]
    return max(",;\t", key=lambda sign: _regularity([line.count(sign) for line in lines]))


def _regularity(counts: list[int]) -> tuple[int, int, int]:
    """In how many lines a sign stands, in how many of them equally often, and how often that is."""
    times = Counter(filter(None, counts))
    return (times.total(), *max(((lines, count) for count, lines in times.items()), default=(0, 0)))


# --- both


def _chunks(rows: Iterable[Cells], asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Filled rows with their numbers, some at a time; refuses what would only fill the parent's memory."""
    some: list[tuple[int, Cells]] = []
    total = held = 0
    for number, cells in enumerate(rows, start=1):
        if asked["first"] and number > asked["first"]:
            break
        if not any(cells) and all(cell == "" for cell in cells):
            continue
        held += _length(number, cells, asked["signs"])
        some.append((number, cells))
        if len(some) == _ROWS_AT_ONCE or held > _BLOCK:
            yield _chunk(some)
            some, total, held = [], total + held, 0
            if total > asked["text"]:
                raise Refusal("too_much")
    yield _chunk(some)


def _length(number: int, cells: Cells, most: int) -> int:
    lengths = [len(cell) for cell in cells if type(cell) is str]
    if lengths and max(lengths) > most:
        raise Refusal("cell", row=number)
    return sum(lengths)


def _chunk(rows: list[tuple[int, Cells]]) -> dict[str, Any]:
    return {"rows": rows, "has_days": any(isinstance(cell, date) for row, cells in rows for cell in cells)}


if __name__ == "__main__":
    main()
