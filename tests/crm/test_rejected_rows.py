"""The rejected rows of a file come back as that file, and are imported again once they are mended."""

import re
import zipfile
from io import BytesIO

import pytest
import xlsxwriter

from crm.actions.imports import Outcome, import_kinds, import_table
from crm.actions.rejected_rows import name_of_rejected, write_rejected
from crm.lib.spreadsheets import read_table
from crm.models import Customer

HEADERS = ["客户编码", "客户名称", "大区"]
ADDED = ["row in the file", "why it was rejected"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def take(head_office, north_region):
    """Import a file of customers; how many rows were taken, and the file of the others."""

    def taken(content: bytes, name: str, header_row: int = 1) -> tuple[int, bytes]:
        table = read_table(content, name, header_row=header_row)
        report = import_table(kind=import_kinds()["customers"], table=table, by=head_office)
        rejected = write_rejected(report=report, table=table, name=name, header_row=header_row)
        return report.count(Outcome.CREATED), rejected

    return taken


def workbook(*rows: list) -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                write = sheet.write_string if isinstance(cell, str) else sheet.write_number
                write(number, place, cell)
    return file.getvalue()


@pytest.mark.parametrize(
    ("encoding", "delimiter", "name"),
    [
        ("utf-8-sig", ",", "名单.csv"),
        ("gb18030", ",", "名单.csv"),
        ("gb18030", ";", "名单.csv"),
        ("utf-16", "\t", "名单.txt"),
    ],
)
def test_a_csv_comes_back_encoded_and_parted_as_it_was(take, encoding, delimiter, name):
    lines = [HEADERS, ["C1", "甲,乙;丙", "north"], ["C2", "丁\t戊,己;庚", "nowhere"]]
    quoted = [delimiter.join(f'"{cell}"' for cell in line) for line in lines]
    created, rejected = take("\r\n".join(quoted).encode(encoding), name)
    assert created == 1
    head, _row, end = rejected.decode(encoding).split("\r\n")
    assert (head.split(delimiter), end) == ([*HEADERS, *ADDED], "")
    mended = rejected.decode(encoding).replace(f"{delimiter}nowhere{delimiter}", f"{delimiter}north{delimiter}")
    assert take(mended.encode(encoding), name_of_rejected(name))[0] == 1
    assert Customer.objects.get(code="C2").name == "丁\t戊,己;庚"


def test_a_text_comes_back_as_one():
    assert [name_of_rejected(name) for name in ("a.csv", "a.TXT", "a.b.xlsm")] == [
        "a.rejected.csv",
        "a.rejected.txt",
        "a.b.rejected.xlsx",
    ]


ABOVE_AND_BESIDE = [
    ["2026年名单", "", "", "", "草稿"],
    [""],
    ["客户编码", "", "客户名称＊", "大区"],
    ["C1", "left", "甲", "north"],
    ["C2", "alone", "乙", "nowhere", "beside"],
    ["C3", "", "丙", "nowhere"],
]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_rows_above_the_headers_and_columns_without_one_come_back(head_office, north_region, form):
    as_csv = "\n".join(",".join(row) for row in ABOVE_AND_BESIDE).encode()
    content = workbook(*ABOVE_AND_BESIDE) if form == "xlsx" else as_csv
    for _time in range(2):  # the file of rejected rows, imported as it is, comes back as it is
        table = read_table(content, f"a.{form}", header_row=3)
        report = import_table(kind=import_kinds()["customers"], table=table, by=None)
        content = write_rejected(report=report, table=table, name=f"a.{form}", header_row=3)
        back = read_table(content, f"a.{form}", header_row=3)
        assert [list(filter(None, cells)) for _number, cells in back.above] == [["2026年名单", "草稿"]]
        assert list(back.head) == ["客户编码", "", "客户名称＊", "大区", "", *ADDED]
        assert [row.nameless for row in back.rows] == [((1, "alone"), (4, "beside")), ()]
        assert [row.cells["客户编码"] for row in back.rows] == ["C2", "C3"]


def test_a_text_that_looks_like_a_number_stays_one_when_it_is_typed_anew(take):
    looks = ["330106199001011234", "9.1130E+17", "010-88", "2026/11/21", "007", "甲1", "C-1", 7]
    headers = [*HEADERS, *(f"h{place}" for place in range(len(looks)))]
    _created, rejected = take(workbook(headers, ["0001", "甲", "nowhere", *looks]), "a.xlsx")
    with zipfile.ZipFile(BytesIO(rejected)) as book:
        sheet, styles = (book.read(f"xl/{part}.xml").decode() for part in ("worksheets/sheet1", "styles"))
    formats = re.findall(r'<xf numFmtId="(\d+)"', styles[styles.index("<cellXfs") :])
    cells = re.findall(r'<c r="[A-Z]+2"([^>]*)>', sheet)
    as_text = [formats[int(found[1])] == "49" if (found := re.search(r's="(\d+)"', cell)) else False for cell in cells]
    assert as_text == [True, False, False, True, True, True, True, True, False, False, False, False, False]
