"""An import's way: uploaded, set up, checked, started, applied once by its job, with what the person may do by then."""

from datetime import date
from io import BytesIO

import pytest
import xlsxwriter
from django.utils import translation

from crm.actions import data_imports
from crm.actions.data_imports import ImportRefused
from crm.actions.work_on_import import fail_import, work_on_import
from crm.lib.exports import Column as ExportColumn
from crm.lib.exports import write_xlsx
from crm.lib.mappings import MappingUnreadable
from crm.lib.spreadsheets import FileUnreadable, inspect_file, read_table
from crm.models import Change, Customer, DataImport, ImportState, Job, JobState, Role, Way
from tests.factories import CustomerFactory, UserFactory

HEADER = "客户编码,客户名称,大区,产品线"
MARKUP = "<r>甲 & 乙</r>"
GOOD = "C1,杭州市公安局,north,公安"
BAD = "C2,宁波市公安局,nowhere,公安"

pytestmark = pytest.mark.django_db


def csv_of(*rows: str) -> bytes:
    return "\n".join(rows).encode()


@pytest.fixture
def upload(north):
    """An import as it stands after its upload."""

    def made(*rows: str, by=None, name="客户.csv", kind="customers") -> DataImport:
        return data_imports.upload_import(kind=kind, name=name, content=csv_of(*rows), by=by or north)

    return made


def set_up(made: DataImport, **changes) -> DataImport:
    said = {
        "sheet": made.sheet,
        "header_row": made.header_row,
        "mode": made.mode,
        "is_strict": False,
        "mapping": made.mapping,
    }
    return data_imports.set_up_import(data_import=made, by=made.by, **(said | changes))


def checked(made: DataImport) -> DataImport:
    return data_imports.check_import(data_import=set_up(made), by=made.by)


def done(made: DataImport) -> DataImport:
    started = data_imports.start_import(data_import=made, by=made.by)
    work_on_import(job_id=started.job_id)
    made.refresh_from_db()
    return made


# --- upload and set-up


def test_an_upload_proposes_what_the_headers_say(upload):
    made = upload(HEADER, GOOD)
    assert (made.state, made.header_row, made.file.name) == (ImportState.UPLOADED, 1, "客户.csv")
    assert made.mapping["columns"] == {
        "code": {"header": "客户编码"},
        "name": {"header": "客户名称"},
        "region": {"header": "大区"},
        "lines": {"header": "产品线"},
    }


def test_our_code_is_proposed_before_the_name(upload):
    made = upload("客户名称,客户编码,产品线,签订日期,金额,合同金额", "甲,C1,公安,2026-03-05,1,2", kind="sales")
    found = {name: said["header"] for name, said in made.mapping["columns"].items()}
    assert (found["customer"], found["amount"]) == ("客户编码", "金额")


def test_the_row_of_headers_is_the_one_with_most_names_of_columns(upload):
    assert upload("2026年客户名单,,,", ",,,", HEADER, GOOD).header_row == 3


def test_a_mapping_is_remembered_by_kind_and_headers_for_colleagues(upload, head_office):
    first = upload("No,Title,Area", "C1,A,north")
    mapping = {"kind": "customers", "columns": {"code": "No", "name": "Title", "region": "Area"}}
    set_up(first, mapping=mapping)
    assert upload("Area,Title,No", "x,y,z", by=head_office).mapping == mapping
    assert upload("Area,Title,No,More", "x,y,z,1").mapping != mapping


def test_words_that_a_colleague_typed_stay_with_him(upload, north, north_region, south_user, head_office):
    first = upload("No,Title,Area", "C1,A,north", by=head_office)
    typed = {"header": "Area", "values": {"华南某地": "south"}, "factor": "100"}
    columns = {"code": "No", "name": {"header": "Title"}, "region": typed, "industry": {"constant": "公安"}}
    set_up(first, mapping={"kind": "customers", "columns": columns, "only": {"Area": ["x"]}})
    taken = {"code": "No", "name": {"header": "Title"}, "region": {"header": "Area", "factor": "100"}}
    assert upload("Area,Title,No", "x,y,z").mapping == {"kind": "customers", "columns": taken}


def test_what_another_region_said_of_such_files_is_unknown(upload, south_user, north):
    first = upload("No,Title,Area", "C1,A,south", by=south_user)
    set_up(first, mapping={"kind": "customers", "columns": {"code": "No", "name": "Title", "region": "Area"}})
    assert upload("Area,Title,No", "x,y,z", by=north).mapping["columns"] == {}


def test_who_may_not_change_such_records_uploads_nothing(upload):
    with pytest.raises(ImportRefused):
        upload(HEADER, GOOD, by=UserFactory(role=Role.EXECUTIVE))
    with pytest.raises(ImportRefused):
        upload("用户名,角色", "wang,顾问", kind="people")
    with pytest.raises(ImportRefused):
        upload(HEADER, GOOD, kind="nonsense")
    assert not DataImport.objects.exists()


def test_what_is_no_table_is_not_kept(upload):
    with pytest.raises(FileUnreadable):
        upload("abc", name="x.exe")
    assert not DataImport.objects.exists()


def test_a_mapping_that_makes_no_sense_is_refused(upload):
    with pytest.raises(MappingUnreadable):
        set_up(upload(HEADER, GOOD), mapping={"columns": {"code": {"nonsense": 1}}})


# --- the test run


def test_a_check_says_what_importing_would_do_and_changes_nothing(upload, north_region):
    made = checked(upload(HEADER, GOOD, BAD))
    assert made.state == ImportState.CHECKED
    assert made.report["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1}
    assert made.report["errors"] == [
        {"row": 3, "column": "大区", "cell": "nowhere", "reason": "there is no region “nowhere”"}
    ]
    assert (Customer.objects.count(), Change.objects.count()) == (0, 0)


def test_a_large_file_is_checked_by_a_job(upload, north_region, monkeypatch):
    monkeypatch.setattr("crm.actions.work_on_import.SMALL", 10)
    made = checked(upload(HEADER, GOOD))
    assert made.state == ImportState.CHECKING
    work_on_import(job_id=made.job_id)
    made.refresh_from_db()
    assert (made.state, made.job.state, Customer.objects.count()) == (ImportState.CHECKED, JobState.DONE, 0)


def test_near_duplicates_of_ones_own_scope_are_shown_and_not_refused(upload, north_region, south_region):
    near = CustomerFactory(name="杭州恒科科技有限公司", region=north_region)
    CustomerFactory(name="宁波恒科科技有限公司", region=south_region)
    made = checked(upload(HEADER, "C1,杭州恒科科技股份有限公司,north,", "C2,宁波恒科科技集团,north,"))
    assert made.report["near_duplicates"] == [
        {"row": 2, "name": "杭州恒科科技股份有限公司", "customer": near.pk, "its_name": near.name, "score": 100}
    ]
    assert made.report["counts"]["created"] == 2


# --- the job


def test_a_started_import_is_applied_once_however_often_its_job_runs(upload, north, north_region):
    made = checked(upload(HEADER, GOOD, BAD))
    first = data_imports.start_import(data_import=made, by=north).job_id
    assert data_imports.start_import(data_import=made, by=north).job_id == first
    work_on_import(job_id=first)
    work_on_import(job_id=first)
    made.refresh_from_db()
    assert (made.state, made.job.state, Customer.objects.count()) == (ImportState.DONE, JobState.DONE, 1)
    assert set(Change.objects.values_list("batch", "by", "way")) == {(made.batch, north.pk, Way.IMPORT)}
    with pytest.raises(ImportRefused):
        data_imports.start_import(data_import=made, by=north)


def test_a_change_says_the_row_that_it_comes_from(upload, north_region):
    done(checked(upload(HEADER, GOOD)))
    assert Change.objects.get(table="crm_customer").reason == "row 2"


@pytest.mark.parametrize("loss", [{"is_active": False}, {"role": Role.CONSULTANT}])
def test_who_lost_the_right_meanwhile_imports_nothing(upload, north, north_region, loss):
    made = checked(upload(HEADER, GOOD))
    data_imports.start_import(data_import=made, by=north)
    type(north).objects.filter(pk=north.pk).update(**loss)
    work_on_import(job_id=made.job_id)
    made.refresh_from_db()
    assert (made.state, made.job.state, Customer.objects.count()) == (ImportState.FAILED, JobState.FAILED, 0)
    assert "may not" in made.report["error"]


def test_who_moved_to_another_region_meanwhile_imports_nothing_into_the_former(
    upload, north, north_region, south_region
):
    made = checked(upload(HEADER, GOOD))
    data_imports.start_import(data_import=made, by=north)
    type(north).objects.filter(pk=north.pk).update(region=south_region)
    work_on_import(job_id=made.job_id)
    made.refresh_from_db()
    assert (made.report["counts"]["rejected"], Customer.objects.count()) == (1, 0)


def test_strict_imports_nothing_and_says_so(upload, north_region):
    made = set_up(upload(HEADER, GOOD, BAD), is_strict=True)
    done(made)
    assert (made.state, Customer.objects.count()) == (ImportState.FAILED, 0)
    assert made.report["error"] == "Nothing was imported: some rows were rejected."


def test_a_killed_job_has_changed_nothing_and_is_taken_up_again(upload, north, north_region, monkeypatch):
    made = checked(upload(HEADER, GOOD))
    data_imports.start_import(data_import=made, by=north)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("crm.actions.work_on_import.finish_job", _killed)
        work_on_import(job_id=made.job_id)
    assert not Customer.objects.exists()
    work_on_import(job_id=made.job_id)
    assert Customer.objects.count() == 1


def _killed(*args, **kwargs):
    raise KeyboardInterrupt


def test_a_job_that_broke_ends_its_import_which_may_be_tried_again(upload, north, north_region):
    made = checked(upload(HEADER, GOOD))
    data_imports.start_import(data_import=made, by=north)
    fail_import(job_id=made.job_id, error="the disk is full")
    made.refresh_from_db()
    assert (made.state, made.report, made.job.error) == (ImportState.FAILED, {"error": ""}, "the disk is full")
    assert done(made).state == ImportState.DONE


def test_a_cancelled_import_applies_nothing(upload, north, north_region):
    made = checked(upload(HEADER, GOOD))
    data_imports.start_import(data_import=made, by=north)
    data_imports.cancel_import(data_import=made, by=north)
    work_on_import(job_id=made.job_id)
    assert (made.state, Customer.objects.count()) == (ImportState.CANCELLED, 0)
    assert Job.objects.get(pk=made.job_id).state == JobState.CANCELLED


def test_an_import_whose_job_was_ended_under_way_applies_nothing(upload, north, north_region, monkeypatch):
    made = checked(upload(HEADER, GOOD))
    data_imports.start_import(data_import=made, by=north)
    monkeypatch.setattr("crm.actions.work_on_import.finish_job", lambda job_id, done: False)
    work_on_import(job_id=made.job_id)
    made.refresh_from_db()
    assert (made.state, Customer.objects.count()) == (ImportState.CANCELLED, 0)


def test_a_job_is_ended_before_its_import_is_waited_for(upload, north, north_region, monkeypatch):
    made = checked(upload(HEADER, GOOD))
    data_imports.start_import(data_import=made, by=north)
    waited = []
    locking = DataImport.objects.select_for_update
    monkeypatch.setattr(
        "crm.models.DataImport.objects.select_for_update",
        lambda: waited.append(Job.objects.get(pk=made.job_id).state) or locking(),
    )
    data_imports.cancel_import(data_import=made, by=north)
    assert waited == [JobState.CANCELLED]


def test_one_sees_ones_own_imports_and_sales_management_all(upload, north, south_user, head_office):
    made = upload(HEADER, GOOD)
    seen = {user.username: list(DataImport.objects.visible_to(user)) for user in (north, south_user, head_office)}
    assert seen == {"north": [made], "south": [], "head": [made]}
    with pytest.raises(ImportRefused):
        data_imports.start_import(data_import=made, by=head_office)


# --- rejected rows


def test_rejected_rows_come_back_in_the_readers_language(upload, north_region):
    with translation.override("zh-hans"):
        made = checked(upload(HEADER, BAD))
    assert made.language == "zh-hans"
    assert "nowhere" in bytes(made.rejected_file.content).decode("utf-8-sig")


def test_a_mended_file_of_rejected_rows_is_imported_as_it_is(upload, north, north_region):
    made = done(checked(upload(HEADER, GOOD, BAD)))
    mended = bytes(made.rejected_file.content).decode("utf-8-sig").replace("nowhere,", "north,", 1)
    again = data_imports.upload_import(
        kind="customers", name=made.rejected_file.name, content=mended.encode(), by=north
    )
    assert again.mapping == made.mapping
    assert done(checked(again)).report["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 0}


def test_rejected_texts_with_a_sign_stay_texts_in_csv(upload):
    made = checked(upload("客户编码,客户名称,大区,简称", 'C9,+8613800000000,nowhere,"+1,000"'))
    content = bytes(made.rejected_file.content)
    assert "C9,'+8613800000000,nowhere,\"'+1,000\"" in content.decode("utf-8-sig")
    cells = read_table(content, "a.csv").rows[0].cells
    assert (cells["客户名称"], cells["简称"]) == ("+8613800000000", "+1,000")


def test_a_rejected_text_that_looks_like_markup_stays_in_its_workbook(north, north_region):
    file = BytesIO()
    write_xlsx([ExportColumn(header) for header in ("客户名称", "大区", "<r>x</r>")], [(MARKUP, "nowhere", "y")], file)
    made = data_imports.upload_import(kind="customers", name="a.xlsx", content=file.getvalue(), by=north)
    table = read_table(bytes(checked(made).rejected_file.content), "a.xlsx")
    assert (table.headers[2], table.rows[0].cells["客户名称"]) == ("<r>x</r>", MARKUP)


def test_a_workbook_comes_back_as_one_with_its_sheet_its_columns_and_texts_as_texts(north, north_region):
    made = data_imports.upload_import(kind="customers", name="名单.xlsx", content=workbook(), by=north)
    assert (made.sheet, made.header_row) == ("客户", 2)
    rejected = checked(made).rejected_file
    assert rejected.name == "名单.rejected.xlsx"
    content = bytes(rejected.content)
    assert [sheet.name for sheet in inspect_file(content, rejected.name)] == ["客户"]
    table = read_table(content, rejected.name, sheet="客户", header_row=2)
    assert table.headers == ("客户编码", "客户名称", "大区", "成立", "row in the file", "why it was rejected")
    row = table.rows[0].cells
    assert (row["客户编码"], row["客户名称"], row["row in the file"]) == (7, "=1+1", 4)
    assert str(row["成立"]).startswith("2026-11-21")
    assert row["why it was rejected"] == "大区: there is no region “nowhere”"


def workbook() -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd"}) as book:
        book.add_worksheet("说明").write_string(0, 0, "请填第二张表")
        sheet = book.add_worksheet("客户")
        sheet.write_string(0, 0, "名单")
        sheet.write_row(1, 0, ["客户编码", "客户名称", "大区", "成立"])
        sheet.write_row(2, 0, ["C1", "甲", "north"])
        sheet.write_number(3, 0, 7)
        sheet.write_string(3, 1, "=1+1")
        sheet.write_string(3, 2, "nowhere")
        sheet.write_datetime(3, 3, date(2026, 11, 21))
    return file.getvalue()
