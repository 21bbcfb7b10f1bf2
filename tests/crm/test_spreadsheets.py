"""Reading tables that people send."""

import re
import zipfile
from datetime import date

import pytest
import xlsxwriter

from crm.lib import spreadsheets
from crm.lib.cells import guarded, rate
from crm.lib.spreadsheets import FileUnreadable, inspect_file, read_table


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
        ("x.csv", b'a,b\n"open,1\n2,3\n', "x.csv: a quotation mark in row 2 is opened and never closed"),
        ("x.csv", b'a,b\n1,2\n"closed"3,4\n', "x.csv is no csv file from row 3 on; open it in Excel"),
        ("x.csv", b"a,b\n1," + b"2" * 32_768, "x.csv: a cell in row 2 holds more than 32,767 characters"),
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


def test_what_is_guarded_in_a_csv_file_is_read_as_it_was_written(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(f"客户,amount\n{guarded('=cmd()')},{guarded('-5')}\n", encoding="utf-8-sig")
    assert read_table(file).rows[0].cells == {"客户": "=cmd()", "amount": "-5"}


def test_a_percent_cell_is_read_as_people_see_it(tmp_path):
    file = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(file) as book:
        formats = [
            book.add_format({"num_format": code}) for code in ("0%", "0.00%", "0.0%;[Red]-0.0%", '0.00"%"', "0.00")
        ]
        sheet = book.add_worksheet("毛利 & 率")
        sheet.write_row(0, 0, ["whole", "two", "own", "text", "plain", "big"])
        for column, number in enumerate([0.18, 0.355, -0.125, 18.5, 0.18]):
            sheet.write_number(1, column, number, formats[column])
        sheet.write_number(1, 5, 1, formats[0])
        sheet.write_string(2, 0, "18%", formats[0])
    first, second = read_table(file).rows
    assert list(first.cells.values()) == ["18%", "35.5%", "-12.5%", 18.5, 0.18, "100%"]
    assert [rate(cell) for cell in first.cells.values()] == [18_00, 35_50, -12_50, 18_50, 18, 100_00]
    assert second.cells["whole"] == "18%"


def _prefixed(part: str) -> str:
    return re.sub(r"<(/?)(?=[a-z])", r"<\1x:", part, flags=re.I).replace("xmlns=", "xmlns:x=")


AS_OTHERS_WRITE_IT = {
    "with prefixes": _prefixed,
    "in single quotes": lambda part: part.replace('"', "'"),
    "with spaces and lines": lambda part: re.sub(r' (\w+)="', r'\n \1 = "', part),
    "without places": lambda part: re.sub(r'<(c|row) r="\w+"', r"<\1", part),
    "with places here and there": lambda part: re.sub(r' r="[BD]\d+"', "", part),
    "with other attributes before": lambda part: re.sub(r'<c r="(\w+)" s="(\d+)"', r'<c s="\2" cm="1" r="\1"', part),
}


@pytest.mark.parametrize("way", AS_OTHERS_WRITE_IT)
def test_a_percent_cell_is_known_however_its_file_is_written(tmp_path, way):
    plain, file = tmp_path / "plain.xlsx", tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(plain) as book:
        percent, own = (book.add_format({"num_format": code}) for code in ("0%", '0.0"m²" %'))
        sheet = book.add_worksheet('毛利 & "率"')
        sheet.write_row(0, 0, ["a", "b", "c", "d"])
        for row in (1, 4):
            for column, cell_format in enumerate([percent, None, own, percent]):
                sheet.write_number(row, column, 0.18, cell_format)
    with zipfile.ZipFile(plain) as read, zipfile.ZipFile(file, "w") as written:
        for name in read.namelist():
            declaration, end, part = read.read(name).decode().partition("?>")
            is_ours = name.startswith("xl/") and "theme" not in name
            written.writestr(name, declaration + end + (AS_OTHERS_WRITE_IT[way](part) if is_ours else part))
    cells = [list(row.cells.values()) for row in read_table(file).rows]
    assert cells == [["18%", 0.18, "18%", "18%"]] * 2


def test_a_workbook_whose_styles_cannot_be_read_is_refused(tmp_path):
    plain, file = tmp_path / "plain.xlsx", tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(plain) as book:
        book.add_worksheet().write_row(0, 0, ["a", 0.18], book.add_format({"num_format": "0%"}))
    with zipfile.ZipFile(plain) as read, zipfile.ZipFile(file, "w") as written:
        for name in read.namelist():
            part = read.read(name)
            written.writestr(name, part.replace(b"<cellXfs", b"< cellXfs") if "styles" in name else part)
    with pytest.raises(FileUnreadable, match="or is damaged"):
        read_table(file)


def test_a_sheet_and_a_row_of_headers_can_be_chosen(tmp_path):
    file = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("hidden").hide()
        book.add_worksheet("cover").write_row(0, 0, ["Customers of 2026"])
        sheet = book.add_worksheet("客户")
        sheet.write_row(2, 1, ["code", "", "name"])
        sheet.write_row(4, 1, ["C1", "x", "杭州"])
        book.worksheets_objs[1].activate()
    assert [(one.name, one.height, len(one.rows)) for one in inspect_file(file)] == [("cover", 1, 1), ("客户", 5, 2)]
    table = read_table(file, sheet="客户", header_row=3)
    assert table.headers == ("code", "name")
    assert [(row.number, row.cells) for row in table.rows] == [(5, {"code": "C1", "name": "杭州"})]
    assert read_table(file.read_bytes(), "x.xlsx", sheet="客户", header_row=3) == table
    with pytest.raises(FileUnreadable, match="has no sheet “Kunden”"):
        read_table(file, sheet="Kunden")
    with pytest.raises(FileUnreadable, match="row 4 holds no headers"):
        read_table(file, sheet="客户", header_row=4)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_excels_unicode_text_is_read(tmp_path, encoding):
    file = tmp_path / "x.txt"
    mark = "" if encoding == "utf-16" else "\ufeff"
    file.write_bytes(f'{mark}客户\t备注\r\n杭州\t"two\r\nlines"\r\n'.encode(encoding))
    assert read_table(file).rows[0].cells == {"客户": "杭州", "备注": "two\r\nlines"}


def test_a_csv_is_looked_at_without_being_read_to_its_end(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("title only\n" + "a;b\n" * 60)
    [sheet] = inspect_file(file)
    assert (sheet.name, sheet.height, len(sheet.rows), sheet.rows[1]) == ("", None, 50, (2, ["a", "b"]))


def test_a_title_with_other_signs_does_not_part_the_table_below_it(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("名单,2026年,草稿\n\n客户名称;地址\n甲;杭州, 西湖\n乙;宁波\n", encoding="utf-8")
    [sheet] = inspect_file(file)
    assert sheet.rows[1:] == [(3, ["客户名称", "地址"]), (4, ["甲", "杭州, 西湖"]), (5, ["乙", "宁波"])]
    assert [row.cells["地址"] for row in read_table(file, header_row=3).rows] == ["杭州, 西湖", "宁波"]


def test_a_comma_within_quotation_marks_parts_no_columns(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text('"name, full";"a,b,c"\nx;y\n')
    assert read_table(file).headers == ("name, full", "a,b,c")


def test_rows_that_end_early_do_not_hide_what_parts_them(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("code,lines,a,b\n1,x;y\n2,x;y,,1\n3,x;y,2\n")
    assert read_table(file).headers == ("code", "lines", "a", "b")


@pytest.mark.parametrize("content", [b"a,b\n1,\x002\n", "a,b\n".encode("utf-16-le")])
def test_nul_is_no_text(tmp_path, content):
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    with pytest.raises(FileUnreadable, match="holds NUL characters"):
        read_table(file)


def test_a_formula_is_read_as_it_was_last_reckoned_and_an_error_is_nothing(tmp_path):
    file = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["reckoned", "not reckoned", "error", "text"])
        sheet.write_formula(1, 0, "=1+1", None, 2)
        sheet.write_formula(1, 1, "=1+1")
        sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
        sheet.write_formula(1, 3, '="a"', None, "a")
    assert list(read_table(file).rows[0].cells.values()) == [2.0, 0.0, "", "a"]
