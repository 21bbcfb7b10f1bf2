"""Reading tables that people send."""

import zipfile
from datetime import date

import pytest
import xlsxwriter

from crm.lib import spreadsheets
from crm.lib.spreadsheets import FileUnreadable, read_table, write_csv


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_is_read_in_each_encoding_of_the_trade(tmp_path, encoding):
    file = tmp_path / "customers.csv"
    file.write_bytes("客户名称,大区\n杭州市公安局,华东\n".encode(encoding))
    table = read_table(file)
    assert table.headers == ("客户名称", "大区")
    assert table.rows[0].cells == {"客户名称": "杭州市公安局", "大区": "华东"}


def test_bytes_in_no_known_encoding_are_refused(tmp_path):
    file = tmp_path / "x.csv"
    file.write_bytes(b"a,b\n\xff\xff,1\n")
    with pytest.raises(FileUnreadable, match="neither UTF-8 nor GB18030"):
        read_table(file)


def test_rows_carry_the_number_that_excel_shows_and_empty_ones_are_skipped(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text('a;b\n"two\nlines";1\n;\n3;4\n')
    assert [(row.number, row.cells["a"]) for row in read_table(file).rows] == [(2, "two\nlines"), (4, "3")]


def test_an_xlsx_keeps_days_numbers_and_formula_like_text(tmp_path):
    file = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["code", "signed", "amount", "name"])
        sheet.write_number(1, 0, 123)
        sheet.write_datetime(1, 1, date(2026, 11, 21), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_number(1, 2, 4514.1)
        sheet.write_string(1, 3, "=1+1")
    assert read_table(file).rows[0].cells == {
        "code": 123.0,
        "signed": date(2026, 11, 21),
        "amount": 4514.1,
        "name": "=1+1",
    }


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.xls", b"", "only .xlsx and .csv"),
        ("x.xlsx", b"no archive", "not an xlsx file"),
        ("x.csv", b"", "holds no headers"),
        ("x.csv", b"a,a\n1,2\n", "stands there twice"),
        ("x.csv", b'a,b\n"open,1\n', "not a csv file"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_reason(tmp_path, name, content, reason):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FileUnreadable, match=reason):
        read_table(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileUnreadable, match="cannot be opened"):
        read_table(tmp_path / "absent.csv")


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 5_000_000)
    with pytest.raises(FileUnreadable, match="unpacks to more than"):
        read_table(file)


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 2)
    file = tmp_path / "x.csv"
    file.write_text("a\n1\n2\n3\n")
    with pytest.raises(FileUnreadable, match="more than 2 rows"):
        read_table(file)


def test_what_is_written_opens_in_excel_and_comes_back(tmp_path):
    file = tmp_path / "x.csv"
    write_csv(file, [["客户", "amount"], ["=cmd()", "-5"]])
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_table(file).rows[0].cells == {"客户": "=cmd()", "amount": "-5"}
