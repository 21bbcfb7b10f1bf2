"""Tables that people open: numbers are numbers, codes are text, no text is a formula, and nothing gets lost."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime

import pytest
from python_calamine import CalamineWorkbook

from crm.lib import exports
from crm.lib.cells import without_guard
from crm.lib.exports import Column, TooManyRows, Type, csv_lines, text_width, write_xlsx

COLUMNS = (
    Column("客户"),
    Column("信用代码"),
    Column("金额", Type.MONEY),
    Column("毛利率", Type.PERCENT),
    Column("得分", Type.POINTS),
    Column("签订日期", Type.DAY),
    Column("记录时间", Type.MOMENT),
    Column("财年", Type.WHOLE),
)
ROW = (
    "杭州市公安局",
    "123300000000000018",
    -400_000_025,
    12_50,
    84_0000,
    date(2026, 3, 2),
    datetime(2026, 3, 2, 1, 30, tzinfo=UTC),
    2026,
)
FORMULAS = [
    "=1+1",
    "+1",
    "-foo",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "'=1",
    "''+2",
    "-2800",
]
NAUGHTY = ["<r>a & b</r>", "<r><t>rich</t></r>", "_x0041_", "a\x01b", 'say "x"', "a;b,c", "a\r\nb", "𠮷野家", "'quoted"]


def sheet_of(columns, rows) -> bytes:
    file = io.BytesIO()
    assert write_xlsx(columns, rows, file) == len(rows)
    return file.getvalue()


def read(content: bytes) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def part(content: bytes, name: str) -> str:
    return zipfile.ZipFile(io.BytesIO(content)).read(name).decode()


def read_csv(columns, rows) -> list[list[str]]:
    written = b"".join(csv_lines(columns, rows)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(written, newline="")))


def test_a_sheet_holds_numbers_days_and_text():
    head, row = read(sheet_of(COLUMNS, [ROW]))
    assert head == [column.header for column in COLUMNS]
    assert row == [
        "杭州市公安局",
        "123300000000000018",
        -4_000_000.25,
        12.5,
        84.0,
        date(2026, 3, 2),
        datetime(2026, 3, 2, 9, 30),  # noqa: DTZ001 - a cell has no zone
        2026.0,
    ]


def test_a_sheet_shows_them_as_people_write_them():
    styles = part(sheet_of(COLUMNS, [ROW]), "xl/styles.xml")
    assert all(shown in styles for shown in ('formatCode="0.00##"', 'formatCode="yyyy-mm-dd"'))
    assert 'formatCode="#,##0.00"' in styles


def test_a_sheet_has_a_frozen_head_with_filters():
    sheet = part(sheet_of(COLUMNS, [ROW, ROW]), "xl/worksheets/sheet1.xml")
    assert 'ySplit="1"' in sheet
    assert 'state="frozen"' in sheet
    assert '<autoFilter ref="A1:H3"/>' in sheet


def test_a_chinese_character_counts_two():
    assert (text_width("杭州A"), text_width("（）"), text_width("ab\n杭州市"), text_width("")) == (5, 4, 6, 0)
    wide = part(sheet_of([Column("名称")], [("杭州市公安局刑事侦查支队",)]), "xl/worksheets/sheet1.xml")
    narrow = part(sheet_of([Column("名称")], [("Hangzhou",)]), "xl/worksheets/sheet1.xml")
    assert 'width="26.7' in wide
    assert 'width="10.7' in narrow
    assert 'width="60.7' in part(sheet_of([Column("x")], [("长" * 500,)]), "xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("text", [*FORMULAS, *NAUGHTY])
def test_a_text_in_a_sheet_is_that_text(text):
    content = sheet_of([Column("a"), Column("b")], [(text, "x")])
    assert read(content)[1] == [text, "x"]
    assert "<f>" not in part(content, "xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_is_guarded_in_csv_and_comes_back_exactly(text):
    [_, [cell, _]] = read_csv([Column("a"), Column("b")], [(text, "x")])
    assert cell == f"'{text}"
    assert without_guard(cell) == text


@pytest.mark.parametrize("text", NAUGHTY)
def test_other_text_stands_in_csv_as_it_is(text):
    [_, [cell, _]] = read_csv([Column("a"), Column("b")], [(text, "x")])
    assert (cell, without_guard(cell)) == (text, text)


def test_csv_begins_with_a_bom_and_holds_plain_numbers():
    assert b"".join(csv_lines(COLUMNS, [ROW])).startswith(b"\xef\xbb\xbf")
    assert read_csv(COLUMNS, [ROW])[1] == [
        "杭州市公安局",
        "123300000000000018",
        "-4000000.25",
        "12.50",
        "84.00",
        "2026-03-02",
        "2026-03-02 09:30",
        "2026",
    ]


def test_nothing_is_an_empty_cell_and_nought_is_not():
    rows = [(None, "", 0, 0, 0, None, None, 0)]
    assert read(sheet_of(COLUMNS, rows))[1] == ["", "", 0.0, 0.0, 0.0, "", "", 0.0]
    assert read_csv(COLUMNS, rows)[1] == ["", "", "0.00", "0.00", "0.00", "", "", "0"]


def test_an_empty_list_has_its_head():
    assert read(sheet_of(COLUMNS, [])) == [[column.header for column in COLUMNS]]
    assert read_csv(COLUMNS, []) == [[column.header for column in COLUMNS]]


def test_a_day_before_excels_calendar_is_text():
    rows = [(date(1890, 1, 1),), (date(1900, 3, 1),)]
    assert read(sheet_of([Column("d", Type.DAY)], rows)) == [["d"], ["1890-01-01"], [date(1900, 3, 1)]]


def test_a_text_longer_than_a_cell_is_cut_and_says_so():
    [_, [cell]] = read(sheet_of([Column("a")], [("𠮷" * 20_000,)]))
    assert cell == "𠮷" * 16_383 + "…"


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch):
    monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 3)
    with pytest.raises(TooManyRows):
        write_xlsx([Column("a")], [("x",)] * 4, io.BytesIO())


def test_csv_comes_in_pieces_that_do_not_wait_for_the_end():
    taken = []
    pieces = csv_lines([Column("a")], (taken.append(n) or (str(n),) for n in range(2_000)))
    next(pieces)
    assert len(taken) < 1_000
