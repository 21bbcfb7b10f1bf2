"""Files that people do send, and that an import once broke on: every row is taken or rejected with a reason."""

from io import BytesIO

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.actions.data_imports import check_import, set_up_import, start_import, upload_import
from crm.actions.imports import import_kinds
from crm.actions.work_on_import import work_on_import
from crm.lib.spreadsheets import FileUnreadable, inspect_file, read_table
from crm.models import DataImport, ImportState
from tests.factories import CustomerFactory, CustomerLineFactory

pytestmark = pytest.mark.django_db


def workbook(*rows: list, sheet: str | None = None) -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.name = sheet or page.name  # as other programs write it: theirs may be longer than Excel's
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return file.getvalue()


@pytest.fixture
def take(head_office):
    """Bring a workbook all the way, as the pages do."""

    def taken(kind: str, content: bytes, name: str = "a.xlsx") -> DataImport:
        made = upload_import(kind=kind, name=name, content=content, by=head_office)
        said = {"mode": made.mode, "is_strict": False, "mapping": made.mapping}
        set_up_import(data_import=made, sheet=made.sheet, header_row=made.header_row, by=head_office, **said)
        check_import(data_import=made, by=head_office)
        work_on_import(job_id=start_import(data_import=made, by=head_office).job_id)
        made.refresh_from_db()
        return made

    return taken


def reasons(made: DataImport) -> list[tuple]:
    assert made.state == ImportState.DONE, made.report
    return [(error["row"], error["column"], error["reason"]) for error in made.report["errors"]]


def test_a_number_out_of_all_measure_rejects_its_row_alone(take, north_region):
    CustomerLineFactory(customer__code="C1", customer__region=north_region)
    head = ["客户", "产品线", "合同号", "签订日期", "金额"]
    sale = ["C1", "公安", "1", "2026-01-05"]
    made = take("sales", workbook(head, [*sale, 9.99e307], [*sale, 5]))
    assert reasons(made) == [(2, "金额", "“9.99e+307” is too large")]
    assert made.report["counts"]["created"] == 1


def test_lines_are_not_emptied_by_an_import(take, north_region):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    CustomerFactory(code="C2", region=north_region)
    made = take("customers", workbook(["客户编码", "产品线"], ["C1", "（清空）"], ["C2", "(clear)"]))
    assert reasons(made) == [(row, "产品线", "this cannot be emptied") for row in (2, 3)]
    line.refresh_from_db()
    assert line.is_active


GOOD = {
    "people": {"用户名": "wang", "姓名": "王", "角色": "大区员工", "大区": "north"},
    "customers": {"客户编码": "C2", "客户名称": "甲", "大区": "north"},
    "contacts": {"客户": "C1", "姓名": "王芳"},
    "sales": {"客户": "C1", "产品线": "公安", "合同号": "1", "签订日期": "2026-01-05", "金额": "5"},
    "assessments": {"客户": "C1", "产品线": "公安", "财年": "2026", "备注": "记"},
}


@pytest.mark.parametrize("kind", GOOD)
def test_nul_rejects_its_row_in_whatever_column_it_stands(take, kind, north_region):
    CustomerLineFactory(customer__code="C1", customer__region=north_region)
    chosen = import_kinds()[kind]
    columns = [column.headers[0] for column in chosen.columns]
    good = {header: GOOD[kind].get(header, "") for header in columns}
    faulty = [(good | {header: f"{good[header]}\0"}).values() for header in columns]
    made = take(kind, workbook(columns, *faulty, good.values()))
    found = {(row, column) for row, column, reason in reasons(made) if "(U+0000) is a control character" in reason}
    assert found == {(number, header) for number, header in enumerate(columns, start=2)}
    assert made.report["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "rejected": len(columns)}
    mended = read_table(bytes(made.rejected_file.content), "a.xlsx")
    assert len(mended.rows) == len(columns)


def test_nul_in_a_header_is_no_part_of_it(take, north_region):
    made = take("customers", workbook(["客户编码\0", "客户名称", "大区", "\0"], ["C1", "甲", "north", "x"]))
    assert made.mapping["columns"]["code"] == {"header": "客户编码"}
    assert made.report["counts"]["created"] == 1


@pytest.mark.parametrize(
    ("sheet", "given_back"),
    [
        ("客户名单" * 25, ("客户名单" * 8)[:31]),
        ("2026/11: [A*?\\]", "2026_11_ _A____"),
        ("'quoted'", "quoted"),
        ("''", "Sheet1"),
    ],
)
def test_a_sheet_may_be_called_what_excel_would_not_call_it(take, north_region, sheet, given_back):
    made = take("customers", workbook(["客户编码", "客户名称", "大区"], ["C1", "甲", "nowhere"], sheet=sheet))
    assert made.sheet == sheet
    assert [one.name for one in inspect_file(bytes(made.rejected_file.content), "a.xlsx")] == [given_back]


def test_a_sheet_with_a_name_that_cannot_be_kept_is_refused(take, north_region, client_of, head_office):
    content = workbook(["客户编码", "客户名称", "大区"], ["C1", "甲", "north"], sheet="客" * 101)
    with pytest.raises(FileUnreadable, match="is longer than 100 characters; shorten it"):
        take("customers", content)
    sent = {"kind": "customers", "file": SimpleUploadedFile("a.xlsx", content)}
    assert client_of(head_office).post("/imports/new/", sent).status_code == 422
    assert not DataImport.objects.exists()
