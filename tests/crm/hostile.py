"""Files that would cost a server its memory or its time: small on disk, made anew for each test."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from string import ascii_uppercase

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_PARTS = {
    "[Content_Types].xml": (
        f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'{_HEAD}<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_OFFICE}/worksheet" '
        f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{_OFFICE}/sharedStrings" '
        'Target="sharedStrings.xml"/></Relationships>'
    ),
}
_HEADERS = ",".join(f"h{column}" for column in range(500)).encode() + b"\n"
_SHEET = "xl/worksheets/sheet1.xml"


def workbook(path: Path, rows: str | bytes, *, times: int = 1, strings: str = "", level: int = 9) -> Path:
    """A workbook with one sheet of these rows of XML, so many times."""
    rows = rows.encode() if isinstance(rows, str) else rows
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        archive.writestr("xl/sharedStrings.xml", f"{_HEAD}<sst {_MAIN}>{strings}</sst>")
        with archive.open(_SHEET, "w") as sheet:
            sheet.write(f"{_HEAD}<worksheet {_MAIN}><sheetData>".encode())
            for _ in range(times):
                sheet.write(rows)
            sheet.write(b"</sheetData></worksheet>")
    return path


def text_cell(place: str, written: str) -> str:
    """A cell that holds a text."""
    return f'<c r="{place}" t="inlineStr"><is><t>{written}</t></is></c>'


def ten_million_empty_rows(folder: Path) -> Path:
    """Rows without a cell."""
    return workbook(folder / "empty.xlsx", b"<row/>" * 10_000, times=1000, level=1)


def millions_of_rows_within_limits(folder: Path) -> Path:
    """As many rows without a cell as fit under the limits of size, numbered so that they do not pack too well."""
    return workbook(folder / "rows.xlsx", "".join(f'<row r="{n}"/>' for n in range(1, 2_600_000)), level=1)


def a_cell_in_the_last_corner(folder: Path) -> Path:
    """A header in the first corner and a cell in the last one: 17 billion cells between them."""
    rows = f'<row r="1">{text_cell("A1", "name")}</row><row r="1048576">{text_cell("XFD1048576", "x")}</row>'
    return workbook(folder / "corner.xlsx", rows)


def only_a_cell_in_the_last_corner(folder: Path) -> Path:
    """Nothing but the last cell."""
    return workbook(folder / "alone.xlsx", f'<row r="1048576">{text_cell("XFD1048576", "x")}</row>')


def a_cell_at_the_bottom(folder: Path) -> Path:
    """A stray cell in the last row, as it happens to people."""
    rows = f'<row r="1">{text_cell("A1", "name")}</row><row r="1048576">{text_cell("A1048576", "x")}</row>'
    return workbook(folder / "bottom.xlsx", rows)


def a_wide_block(folder: Path) -> Path:
    """Two cells that span 200,000 rows and 400 columns: 80 million cells between them."""
    rows = f'<row r="1">{text_cell("A1", "name")}</row><row r="200000">{text_cell("OJ200000", "x")}</row>'
    return workbook(folder / "block.xlsx", rows)


def a_note_of_ten_million_blanks(folder: Path) -> Path:
    """Far from the limit of size, and packed a thousand times smaller."""
    return workbook(folder / "blanks.xlsx", b" " * 10_000_000)


def a_cell_of_300_megabytes(folder: Path) -> Path:
    """One text of 300 million letters, with nothing before it and nothing after."""
    return workbook(folder / "cell.xlsx", b"x" * 1_000_000, times=300, level=1)


def a_cell_of_a_hundred_thousand_letters(folder: Path) -> Path:
    """A text that no spreadsheet program would let in."""
    row = f'<row r="1">{text_cell("A1", "name")}</row><row r="2">{text_cell("A2", "长a" * 50_000)}</row>'
    return workbook(folder / "long.xlsx", row, level=1)


def a_text_repeated_a_million_times(folder: Path) -> Path:
    """A long shared text in every cell: 30 GB once each cell has its own."""
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 200_000))
    return workbook(folder / "shared.xlsx", cells, strings=f"<si><t>{'长' * 30_000}</t></si>", level=1)


def a_truncated_archive(folder: Path) -> Path:
    """A download that broke off."""
    whole = workbook(folder / "whole.xlsx", f'<row r="1">{text_cell("A1", "name")}</row>').read_bytes()
    path = folder / "truncated.xlsx"
    path.write_bytes(whole[: len(whole) // 2])
    return path


def entities_within_entities(folder: Path) -> Path:
    """A billion laughs."""
    path = folder / "laughs.xlsx"
    entities = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    sheet = (
        f'<?xml version="1.0"?><!DOCTYPE worksheet [<!ENTITY l0 "lol">{entities}]><worksheet {_MAIN}><sheetData>'
        f'<row r="1">{text_cell("A1", "&l9;")}</row></sheetData></worksheet>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**_PARTS, _SHEET: sheet}.items():
            archive.writestr(name, content)
    return path


def an_archive_that_lies(folder: Path) -> Path:
    """A sheet of 100 MB that the archive's directory calls 1,000 bytes."""
    path = workbook(folder / "lie.xlsx", b"x" * 1_000_000, times=100, level=1)
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = content.rfind(
            signature, 0, content.rfind(_SHEET.encode()) if place == 24 else content.find(b"PK\x01\x02")
        )
        content[start + place : start + place + 4] = struct.pack("<I", 1000)
    path.write_bytes(bytes(content))
    return path


def an_archive_of_a_hundred_thousand_parts(folder: Path) -> Path:
    """A directory that costs more than what it lists."""
    path = folder / "parts.xlsx"
    entry = struct.pack("<4s4B4HL2LHHHHHLL", b"PK\x01\x02", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0)
    number = 100_000
    directory = b"".join(entry + b"%05x" % (n % 0xFFFFF) for n in range(number))
    end = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, number, number, len(directory), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    short = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(directory + end + locator + short)
    return path


def a_workbook_with_a_password(folder: Path) -> Path:
    """The container that Excel puts an encrypted workbook into."""
    path = folder / "secret.xlsx"
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + "EncryptedPackage".encode("utf-16-le") + bytes(500)
    )
    return path


def an_old_workbook(folder: Path) -> Path:
    """Excel 97, under the new name."""
    path = folder / "old.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000))
    return path


def noise_in_the_place_of_a_sheet(folder: Path) -> Path:
    """An archive that is in order around bytes that are not."""
    return workbook(folder / "noise.xlsx", zlib.compress(b"noise" * 1000) * 50)


def a_line_of_twenty_million_commas(folder: Path) -> Path:
    """A csv file of one row."""
    path = folder / "commas.csv"
    path.write_bytes(b"name\n" + b"," * 20_000_000)
    return path


def a_csv_of_twenty_million_lines(folder: Path) -> Path:
    """A csv file of rows that hold next to nothing."""
    path = folder / "lines.csv"
    path.write_bytes(b"name\n" + b"a\n" * 20_000_000)
    return path


def a_csv_of_twenty_million_cells(folder: Path) -> Path:
    """As many rows and columns as are let in, each within its limit, of next to nothing."""
    path = folder / "cells.csv"
    path.write_bytes(_HEADERS + (b"1," * 499 + b"1\n") * 40_000)
    return path


def a_csv_that_is_too_much_with_its_last_row(folder: Path) -> Path:
    """Four million cells that cost a hundred bytes each in memory, and one row more."""
    path = folder / "last.csv"
    cells = ",".join(["长城长城长"] * 500)
    path.write_bytes(_HEADERS + f"{cells}\n".encode("gb18030") * 8000)
    return path


def a_workbook_that_is_too_much_with_its_last_row(folder: Path) -> Path:
    """More than two million cells of shared texts, which only together are too long."""
    heads = "".join(text_cell(f"{letter}1", letter) for letter in ascii_uppercase)
    cells = '<c t="s"><v>0</v></c>' * 26
    rows = f'<row r="1">{heads}</row>' + f"<row>{cells}</row>" * 87_000
    return workbook(folder / "last.xlsx", rows, strings=f"<si><t>{'长' * 18}</t></si>", level=1)


FILES: dict[Callable[[Path], Path], str] = {
    ten_million_empty_rows: "unpacks to more than 50 MB",
    millions_of_rows_within_limits: "row 1 holds no headers",
    a_cell_in_the_last_corner: "spans or holds more than can be read",
    only_a_cell_in_the_last_corner: "reaches to column 16,384",
    a_cell_at_the_bottom: "reaches to row 1,048,576",
    a_wide_block: "spans or holds more than can be read",
    a_note_of_ten_million_blanks: "unpacks to more than 200 times its size",
    a_cell_of_300_megabytes: "unpacks to more than 50 MB",
    a_cell_of_a_hundred_thousand_letters: "a cell in row 2 holds more than 32,767 characters",
    a_text_repeated_a_million_times: "spans or holds more than can be read",
    a_truncated_archive: "is not an xlsx file",
    entities_within_entities: "is not an xlsx file",
    an_archive_that_lies: "is not an xlsx file",
    an_archive_of_a_hundred_thousand_parts: "is not an xlsx file",
    a_workbook_with_a_password: "protected by a password",
    an_old_workbook: "an old Excel file",
    noise_in_the_place_of_a_sheet: "is not an xlsx file",
    a_line_of_twenty_million_commas: "reaches to column",
    a_csv_of_twenty_million_lines: "reaches to row 200,002",
    a_csv_of_twenty_million_cells: "spans or holds more than can be read",
    a_csv_that_is_too_much_with_its_last_row: "spans or holds more than can be read",
    a_workbook_that_is_too_much_with_its_last_row: "spans or holds more than can be read",
}
