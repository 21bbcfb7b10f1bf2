"""The wizard: a file is uploaded, its columns are named, a test run shows what would happen, then it is imported."""

import csv
from functools import cache
from io import BytesIO, StringIO

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.test import Client

from crm import tasks
from crm.actions.undo_import import work_on_undo
from crm.actions.work_on_import import work_on_import
from crm.lib.spreadsheets import inspect_file
from crm.models import Customer, CustomerLine, DataImport, ImportState, Job, Role, Sale
from tests.factories import (
    AssessmentFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import queries_of

HEADER = "客户编码,客户名称,大区"
SORRY = "Something went wrong here. It has been noted."
_inspect = cache(inspect_file)
WORK = {"import": work_on_import, "undo-import": work_on_undo}


@pytest.fixture(autouse=True)
def opened_once(monkeypatch):
    """A file is opened by a process of its own; once is enough for these tests."""
    for module in ("crm.views.set_up_import", "crm.actions.data_imports"):
        monkeypatch.setattr(f"{module}.inspect_file", _inspect)


@pytest.fixture
def web(client_of, head_office):
    return client_of(head_office)


def csv_file(*rows: str, name: str = "客户.csv", encoding: str = "utf-8") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join(rows).encode(encoding), content_type="image/png")


def xlsx_file(*sheets: list[list], name: str = "客户.xlsx") -> SimpleUploadedFile:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return SimpleUploadedFile(name, file.getvalue())


def upload(client, file, kind: str = "customers"):
    return client.post("/imports/new/", {"kind": kind, "file": file})


def uploaded(client, file, kind: str = "customers") -> DataImport:
    response = upload(client, file, kind)
    assert response.status_code == 302, response.context["form"].errors
    return DataImport.objects.latest("pk")


def set_up(client, one: DataImport, **changes):
    """Send the set-up form as it is shown, with some fields changed."""
    form = client.get(f"/imports/{one.pk}/set-up/").context["form"]
    data = {"sheet": one.sheet, "header_row": one.header_row}
    data |= {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    return client.post(f"/imports/{one.pk}/set-up/", data | changes)


def worked(one: DataImport) -> DataImport:
    """The import after its job, if it has one, has been worked on."""
    one.refresh_from_db()
    if one.job and one.job.is_active:
        WORK[one.job.kind](job_id=one.job_id)
        one.refresh_from_db()
    return one


def checked(client, file, kind: str = "customers", **changes) -> DataImport:
    one = uploaded(client, file, kind)
    response = set_up(client, one, **changes)
    assert response.status_code == 302, response.context["form"].errors
    return worked(one)


def imported(client, file, kind: str = "customers", **changes) -> DataImport:
    one = checked(client, file, kind, **changes)
    client.post(f"/imports/{one.pk}/start/")
    return worked(one)


def counts_on(client, one: DataImport) -> dict[str, int]:
    return client.get(f"/imports/{one.pk}/").context["counts"]


def said(response) -> str:
    return response.content.decode()


# --- from the file to the report


def test_a_file_goes_all_the_way(web, north_region):
    one = checked(web, csv_file(HEADER, "C1,杭州市公安局,north", "C2,杭州市城市管理局,华北大区", "C3,三,nowhere"))
    assert one.state == ImportState.CHECKED
    assert counts_on(web, one) == {"created": 2, "updated": 0, "unchanged": 0, "rejected": 1}
    assert not Customer.objects.exists()
    page = said(web.get(f"/imports/{one.pk}/"))
    assert "Import 2 rows" in page
    assert "nowhere" in page
    web.post(f"/imports/{one.pk}/start/")
    one = worked(one)
    assert one.state == ImportState.DONE
    assert counts_on(web, one) == {"created": 2, "updated": 0, "unchanged": 0, "rejected": 1}
    assert set(Customer.objects.values_list("code", flat=True)) == {"C1", "C2"}


def test_uploading_and_testing_change_nothing(web, north_region):
    checked(web, csv_file(HEADER, "C1,杭州市公安局,north"))
    assert not Customer.objects.exists()


def test_the_same_file_again_has_nothing_to_import(web, north_region):
    imported(web, csv_file(HEADER, "C1,杭州市公安局,north"))
    again = checked(web, csv_file(HEADER, "C1,杭州市公安局,north"))
    assert counts_on(web, again)["unchanged"] == 1
    page = said(web.get(f"/imports/{again.pk}/"))
    assert "There is nothing to import" in page
    assert f"/imports/{again.pk}/start/" not in page


def test_headers_may_stand_on_another_sheet_and_further_down(web, north_region):
    one = uploaded(
        web,
        xlsx_file([["看这里"]], [["导出于 11-21"], [], ["客户编码", "客户名称", "大区"], ["C1", "甲", "north"]]),
    )
    chosen = {"sheet": "Sheet2", "header_row": "3"}
    page = web.get(f"/imports/{one.pk}/set-up/", chosen)
    form = page.context["form"]
    data = chosen | {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    assert data["column_0"] == "code"
    assert web.post(f"/imports/{one.pk}/set-up/", data).status_code == 302
    assert counts_on(web, worked(one))["created"] == 1


def test_headers_are_found_below_a_title_with_other_signs(web, north_region):
    one = checked(web, csv_file("名单,2026年", "", "客户编码;客户名称;大区", "C1;分号公司;north"))
    assert (one.header_row, counts_on(web, one)["created"]) == (3, 1)


def test_headers_may_stand_forty_rows_down(web, north_region):
    one = checked(web, csv_file(*["说明"] * 39, HEADER, *["C1,甲,north"] * 9))
    assert (one.header_row, counts_on(web, one)["created"]) == (40, 1)
    place = web.get(f"/imports/{one.pk}/set-up/").context["place"]
    assert (len(place.preview), place.shown[-1]["number"]) == (49, 43)
    assert len(web.get(f"/imports/{one.pk}/set-up/", {"header_row": 2}).context["place"].shown) == 20


def test_a_file_with_other_headers_is_mapped_by_hand_and_the_next_one_of_its_shape_remembers_it(web, north_region):
    other = "Nr,Bezeichnung,Gebiet"
    one = uploaded(web, csv_file(other, "C1,甲,north"))
    answer = set_up(web, one, column_0="code", column_1="name", column_2="region")
    assert answer.status_code == 302
    assert counts_on(web, worked(one))["created"] == 1
    again = uploaded(web, csv_file(other, "C2,乙,north", name="second.csv"))
    page = web.get(f"/imports/{again.pk}/set-up/")
    form = page.context["form"]
    assert [form[f"column_{place}"].value() for place in range(3)] == ["code", "name", "region"]
    assert "was imported before" in said(page)


def test_what_must_be_there_and_is_not_is_said_at_once(web):
    one = uploaded(web, csv_file("客户,金额", "甲,5"), kind="sales")
    page = web.get(f"/imports/{one.pk}/set-up/")
    assert page.context["absent"] == "Product line, Signed on"
    answer = set_up(web, one)
    assert answer.status_code == 422
    assert "Say where these come from: Product line, Signed on." in said(answer)


def test_one_value_may_stand_for_all_rows_and_a_header_says_its_unit(web, north_region):
    CustomerFactory(name="甲", region=north_region)
    one = checked(
        web,
        csv_file("客户,金额（万元）,签订日期", "甲,5,2026-01-05"),
        kind="sales",
        constant_product_line="公安",
    )
    web.post(f"/imports/{one.pk}/start/")
    assert worked(one).state == ImportState.DONE
    assert Sale.objects.get().amount == 50_000_00


def scalable(client, one) -> dict[str, bool]:
    """Beside which columns of the file it is asked how their figures are read, and whether at first sight."""
    columns = client.get(f"/imports/{one.pk}/set-up/").context["columns"]
    return {column["header"]: column["is_scalable"] for column in columns if column["factor"]}


def test_how_figures_are_read_is_asked_only_beside_amounts_and_percents(web):
    customers = uploaded(web, csv_file("客户名称,信用代码,行政区划,x", "甲,11330100,330100,5"))
    assert scalable(web, customers) == {}
    row = "甲,公安,7,2026-01-05,5,6"
    sales = uploaded(web, csv_file("客户,产品线,合同号,签订日期,金额,x", row), kind="sales")
    assert scalable(web, sales) == {"合同号": False, "签订日期": False, "金额": True, "x": True}
    worth = uploaded(web, csv_file("客户,产品线,财年,预期毛利率", "甲,公安,2026,0.18"), kind="assessments")
    assert scalable(web, worth) == {"财年": False, "预期毛利率": True}


def test_a_factor_said_of_a_column_of_text_is_not_kept(web):
    file = csv_file("客户,产品线,合同号,签订日期,金额", "甲,公安,7,2026-01-05,5")
    one = checked(web, file, kind="sales", factor_2="100", factor_4="1000")
    columns = one.mapping["columns"]
    assert (columns["contract_no"], columns["amount"]["factor"]) == ({"header": "合同号"}, "1000")


def test_two_columns_cannot_be_the_same(web, north_region):
    one = uploaded(web, csv_file(HEADER, "C1,甲,north"))
    answer = set_up(web, one, column_1="code")
    assert answer.status_code == 422
    assert "is this already" in said(answer)


def test_a_rejected_word_is_offered_to_mean_another(web, north_region):
    one = checked(web, csv_file(HEADER, "C1,甲,Nord", "C2,乙,Nord", "C3,丙,north"))
    assert counts_on(web, one)["rejected"] == 2
    form = web.get(f"/imports/{one.pk}/set-up/").context["form"]
    assert [field.label for _column, field in form.word_rows] == ["“Nord” means"]
    set_up(web, one, word_0="north")
    assert counts_on(web, worked(one)) == {"created": 3, "updated": 0, "unchanged": 0, "rejected": 0}
    kept = web.get(f"/imports/{one.pk}/set-up/").context["form"]
    assert kept["word_0"].value() == "north"


def test_a_strict_import_with_a_rejected_row_cannot_be_started(web, north_region):
    one = checked(web, csv_file(HEADER, "C1,甲,north", "C2,乙,Nord"), is_strict="on")
    page = said(web.get(f"/imports/{one.pk}/"))
    assert "you asked to import nothing then" in page
    assert f"/imports/{one.pk}/start/" not in page
    web.post(f"/imports/{one.pk}/start/")
    worked(one)
    assert not Customer.objects.exists()


def test_only_new_records_are_created_when_asked(web, north_region):
    CustomerFactory(code="C1", name="旧", region=north_region)
    one = checked(web, csv_file(HEADER, "C1,新,north", "C2,乙,north"), mode="create")
    assert counts_on(web, one) == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1}


def test_a_name_that_is_nearly_there_is_shown_with_its_customer(web, north_region):
    there = CustomerFactory(code="C1", name="杭州恒科科技有限公司", region=north_region)
    one = checked(web, csv_file(HEADER, "C9,杭州恒科科技股份有限公司,north"))
    page = said(web.get(f"/imports/{one.pk}/"))
    assert "Names that are nearly there already" in page
    assert f"/customers/{there.pk}/" in page


def test_the_rejected_rows_come_as_a_file_that_can_be_mended_and_imported(web, north_region):
    one = imported(web, csv_file(HEADER, "C1,甲,north", "C2,乙,Nord", "C3,丙,Süd"))
    answer = web.get(f"/imports/{one.pk}/rejected/")
    assert answer["Content-Disposition"].startswith("attachment")
    rejected = answer.content
    name = one.rejected_file.name
    rows = (
        list(csv.reader(StringIO(rejected.decode("utf-8-sig"))))
        if name.endswith(".csv")
        else pytest.fail("not the same kind of file")
    )
    assert [row[:3] for row in rows[1:]] == [["C2", "乙", "Nord"], ["C3", "丙", "Süd"]]
    mended = rejected.decode("utf-8-sig").replace("Nord", "north").replace("Süd", "north")
    again = imported(web, csv_file(*mended.splitlines(), name=name))
    assert counts_on(web, again)["created"] == 2
    assert Customer.objects.count() == 3


def test_an_import_is_undone_after_a_question_that_names_how_many(web, north_region):
    CustomerFactory(code="C1", name="旧", region=north_region)
    one = imported(web, csv_file(HEADER, "C1,新,north", "C2,乙,north"))
    asked = said(web.get(f"/imports/{one.pk}/undo/"))
    assert "Take back 2 rows" in asked
    assert Customer.objects.get(code="C1").name == "新"
    web.post(f"/imports/{one.pk}/undo/")
    assert worked(one).state == ImportState.UNDONE
    assert Customer.objects.get(code="C1").name == "旧"
    assert list(Customer.objects.filter(deleted_at=None).values_list("code", flat=True)) == ["C1"]


def test_an_undo_that_is_refused_lists_what_is_in_the_way(web, north_region, head_office):
    one = imported(web, csv_file(HEADER, "C1,甲,north", "C2,乙,north"))
    later = Customer.objects.get(code="C2")
    CustomerLineFactory(customer=later)
    assert web.post(f"/imports/{one.pk}/undo/").status_code == 302
    assert "Taking back 客户.csv" in said(web.get(f"/imports/{one.pk}/"))
    assert worked(one).state == ImportState.DONE
    shown = said(web.get(f"/imports/{one.pk}/"))
    assert "1 record is in the way" in shown
    assert f"/customers/{later.pk}/" in shown
    assert Customer.objects.filter(deleted_at=None).count() == 2


def test_what_is_in_the_way_is_not_named_to_who_does_not_see_it_any_more(client_of, north, north_region, south_region):
    web = client_of(north)
    one = imported(web, csv_file(HEADER, "C1,甲,north"))
    CustomerLineFactory(customer=Customer.objects.get())
    web.post(f"/imports/{one.pk}/undo/")
    worked(one)
    Customer.objects.update(region=south_region, name="改名以后")
    shown = said(web.get(f"/imports/{one.pk}/"))
    assert "1 record is in the way" in shown
    assert "改名以后" not in shown


def test_an_undo_under_way_is_neither_cancelled_nor_started_again(web, north_region):
    one = imported(web, csv_file(HEADER, "C1,甲,north"))
    web.post(f"/imports/{one.pk}/undo/")
    job = DataImport.objects.get(pk=one.pk).job
    assert "hx-get" in said(web.get(f"/imports/{one.pk}/progress/"))
    web.post(f"/imports/{one.pk}/cancel/")
    assert web.post(f"/imports/{one.pk}/undo/").status_code == 409
    one.refresh_from_db()
    assert (one.state, one.job) == (ImportState.UNDOING, job)
    assert worked(one).state == ImportState.UNDONE


def test_an_undo_that_breaks_leaves_the_import_done_and_says_so(web, north_region):
    one = imported(web, csv_file(HEADER, "C1,甲,north"))
    web.post(f"/imports/{one.pk}/undo/")
    one.refresh_from_db()
    tasks.undo_import.on_failure(RuntimeError("out of memory"), "id", (), {"job_id": one.job_id}, None)
    assert SORRY in said(web.get(f"/imports/{one.pk}/"))
    assert worked(one).state == ImportState.DONE
    assert Customer.objects.filter(deleted_at=None).count() == 1


def test_what_breaks_an_import_is_for_the_job_and_not_for_its_page(web):
    one = checked(web, csv_file(HEADER, "C1,甲,north"))
    web.post(f"/imports/{one.pk}/start/")
    one.refresh_from_db()
    error = IntegrityError("Key (code)=(C9) already exists")
    tasks.work_on_import.on_failure(error, "id", (), {"job_id": one.job_id}, None)
    page = said(web.get(f"/imports/{one.pk}/"))
    assert f"Nothing was changed. {SORRY}" in page
    assert "C9" not in page
    assert Job.objects.get(pk=one.job_id).error == "IntegrityError: Key (code)=(C9) already exists"


def test_an_import_that_was_not_done_cannot_be_undone(web, north_region):
    one = checked(web, csv_file(HEADER, "C1,甲,north"))
    assert web.post(f"/imports/{one.pk}/undo/").status_code == 409
    assert worked(one).state == ImportState.CHECKED


def test_starting_twice_imports_once(web, north_region):
    one = imported(web, csv_file(HEADER, "C1,甲,north"))
    assert web.post(f"/imports/{one.pk}/start/", follow=True).status_code == 200
    assert worked(one).state == ImportState.DONE
    assert Customer.objects.get().version == 1


def test_what_was_given_up_imports_nothing(web, north_region):
    one = checked(web, csv_file(HEADER, "C1,甲,north"))
    web.post(f"/imports/{one.pk}/cancel/")
    web.post(f"/imports/{one.pk}/start/")
    assert worked(one).state == ImportState.CANCELLED
    assert "Nothing was changed" in said(web.get(f"/imports/{one.pk}/"))
    assert not Customer.objects.exists()


def test_the_page_of_a_running_import_polls_its_progress(web, north_region):
    one = checked(web, csv_file(HEADER, "C1,甲,north"))
    web.post(f"/imports/{one.pk}/start/")
    page = said(web.get(f"/imports/{one.pk}/"))
    assert f'hx-get="/imports/{one.pk}/progress/"' in page
    assert "<progress" in said(web.get(f"/imports/{one.pk}/progress/", headers={"HX-Request": "true"}))
    worked(one)
    ended = web.get(f"/imports/{one.pk}/progress/", headers={"HX-Request": "true"})
    assert ended["HX-Refresh"] == "true"


# --- what is refused


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (SimpleUploadedFile("a.csv", b""), "The file is empty."),
        (SimpleUploadedFile("a.pdf", b"%PDF-1.7"), "xlsx"),
        (SimpleUploadedFile("a.xlsx", b"not a zip"), "is not an xlsx file"),
        (SimpleUploadedFile("a.csv", b"\x00\x01\x02"), "NUL"),
        (SimpleUploadedFile("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "xls"),
    ],
    ids=["empty", "pdf", "no zip", "nul", "old"],
)
def test_a_file_that_is_no_table_is_refused_in_one_sentence(web, file, sentence):
    answer = upload(web, file)
    assert answer.status_code == 422
    assert len(answer.context["form"].errors["file"]) == 1
    assert sentence in answer.context["form"].errors["file"][0]
    assert not DataImport.objects.exists()


def test_without_a_file_nothing_is_uploaded(web):
    assert web.post("/imports/new/", {"kind": "customers"}).status_code == 422


def test_a_request_that_is_too_large_is_refused_before_it_is_kept(web, monkeypatch):
    monkeypatch.setattr("crm.lib.uploads.LARGEST_REQUEST", 1000)
    answer = upload(web, SimpleUploadedFile("a.csv", b"a" * 2000))
    assert answer.status_code == 413
    assert "The file is too large" in said(answer)


@pytest.mark.parametrize("row", ["0", "x", "99999999999", "-1", "²"])
def test_a_header_row_that_makes_no_sense_gives_way_to_the_first(web, row):
    one = uploaded(web, csv_file(HEADER, "C1,甲,north"))
    page = web.get(f"/imports/{one.pk}/set-up/", {"header_row": row, "sheet": "nowhere"})
    assert (page.status_code, page.context["place"].header_row) == (200, 1)


def test_a_header_that_stands_there_twice_is_said(web):
    one = uploaded(web, csv_file("导出", "客户编码,客户编码", "C1,甲"))
    page = web.get(f"/imports/{one.pk}/set-up/", {"header_row": "2"})
    assert page.status_code == 422
    assert "stands there twice" in said(page)


def test_words_of_a_file_are_shown_and_not_run(web, north_region):
    bad = "<script>alert(1)</script>"
    one = checked(web, csv_file(HEADER, f"C1,甲,{bad}", name="<img src=x>.csv"))
    for address in (f"/imports/{one.pk}/", f"/imports/{one.pk}/set-up/", "/imports/"):
        page = said(web.get(address))
        assert "<img src=x>" not in page
        assert bad not in page


# --- who may


def test_one_sees_ones_own_imports_and_nobody_elses(client_of, north, south_user, north_region):
    own = client_of(north)
    one = imported(own, csv_file(HEADER, "C1,甲,north", "C2,乙,nowhere"))
    assert own.get("/imports/").context["list"].rows == [one]
    other = client_of(south_user)
    assert other.get("/imports/").context["list"].rows == []
    for path in ("", "set-up/", "progress/", "undo/", "rejected/", "file/"):
        assert other.get(f"/imports/{one.pk}/{path}").status_code == 404, path
    for path in ("start/", "cancel/", "undo/", "set-up/"):
        assert other.post(f"/imports/{one.pk}/{path}").status_code == 404, path


def test_a_region_imports_into_its_own_only(client_of, north, south_region, north_region):
    one = checked(client_of(north), csv_file(HEADER, "C1,甲,north", "C2,乙,south"))
    assert counts_on(client_of(north), one) == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1}


@pytest.mark.parametrize("role", [Role.EXECUTIVE, Role.CONSULTANT, Role.MARKETING])
def test_who_may_change_nothing_may_not_import(client_of, role, db):
    client = client_of(UserFactory(role=role))
    assert client.get("/imports/").status_code == 403
    assert upload(client, csv_file(HEADER, "C1,甲,north")).status_code == 403
    assert client.get("/imports/templates/customers/").status_code == 403


def test_only_kinds_that_one_may_change_are_offered(client_of, north, head_office):
    kinds = dict(client_of(north).get("/imports/new/").context["form"].fields["kind"].choices)
    assert "customers" in kinds
    assert "people" not in kinds
    assert client_of(north).get("/imports/templates/people/").status_code == 404
    assert upload(client_of(north), csv_file("用户名", "x"), kind="people").status_code == 422
    assert "people" in dict(client_of(head_office).get("/imports/new/").context["form"].fields["kind"].choices)


def test_a_form_without_its_token_is_refused(head_office):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(head_office)
    assert upload(strict, csv_file(HEADER, "C1,甲,north")).status_code == 403


# --- files and templates


def test_files_are_saved_and_never_shown_whatever_they_were_called_on_the_way_in(web, north_region):
    one = checked(web, csv_file(HEADER, "C1,甲,nowhere", name="坏 <b>.csv"))
    for path in ("file/", "rejected/"):
        answer = web.get(f"/imports/{one.pk}/{path}")
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Type"] == "text/csv"


def test_without_rejected_rows_there_is_no_file_of_them(web, north_region):
    one = checked(web, csv_file(HEADER, "C1,甲,north"))
    assert web.get(f"/imports/{one.pk}/rejected/").status_code == 404


def test_a_template_with_all_records_changes_nothing_when_it_comes_back(web, north_region):
    line = CustomerLineFactory(customer__region=north_region, customer__name="=1+1", product_line__name="公安")
    CustomerFactory(region=north_region, note="+86 571\n第二行")
    template = web.get("/imports/templates/customers/?records=all")
    assert template["Content-Disposition"].startswith("attachment;")
    one = checked(web, SimpleUploadedFile("back.xlsx", template.content))
    assert counts_on(web, one) == {"created": 0, "updated": 0, "unchanged": 2, "rejected": 0}
    assert CustomerLine.objects.get() == line


@pytest.mark.parametrize("kind", ["customers", "contacts", "sales", "assessments"])
def test_more_records_than_a_workbook_carries_come_as_csv(web, north_region, monkeypatch, kind):
    monkeypatch.setattr("crm.views.imports.MOST_IN_WORKBOOK", 2)
    for number in range(3):
        line = CustomerLineFactory(customer__region=north_region, customer__note=f"=1+{number}")
        ContactFactory(customer=line.customer)
        SaleFactory(line=line, amount=1_05)
        AssessmentFactory(line=line, expected_margin=-10_05)
    answer = web.get(f"/imports/templates/{kind}/?records=all")
    assert answer["Content-Disposition"].endswith('.csv"')
    one = checked(web, SimpleUploadedFile("back.csv", b"".join(answer.streaming_content)), kind)
    assert counts_on(web, one) == {"created": 0, "updated": 0, "unchanged": 3, "rejected": 0}


# --- cost


def test_the_list_costs_as_many_queries_for_many_imports_as_for_few(web, north_region):
    checked(web, csv_file(HEADER, "C1,甲,north"))
    few = queries_of(web, "/imports/")
    for _again in range(5):
        checked(web, csv_file(HEADER, "C1,甲,nowhere"))
    assert queries_of(web, "/imports/") == few <= 15


def test_sales_management_sees_a_regions_import_but_only_its_owner_can_start_it(web, client_of, north, north_region):
    one = checked(client_of(north), csv_file(HEADER, "C1,甲,north"))
    page = said(web.get(f"/imports/{one.pk}/"))
    assert f"/imports/{one.pk}/start/" not in page
    assert "Only who uploaded the file" in said(web.post(f"/imports/{one.pk}/start/", follow=True))
    assert not Customer.objects.exists()


def test_no_page_of_an_import_costs_more_than_fifteen_queries(web, north_region):
    bad = (f"B{number},客户{number},nowhere" for number in range(60))
    good = (f"C{number},客户{number},north" for number in range(60))
    one = checked(web, csv_file(HEADER, *bad, *good))
    for path in ("", "set-up/"):
        assert queries_of(web, f"/imports/{one.pk}/{path}") <= 15, path
    web.post(f"/imports/{one.pk}/start/")
    worked(one)
    for path in ("", "undo/"):
        assert queries_of(web, f"/imports/{one.pk}/{path}") <= 15, path
    assert queries_of(web, "/imports/new/") <= 15


def test_customers_that_are_called_nearly_so_are_named_while_they_are_in_sight(
    north, north_region, south_region, client_of
):
    near = CustomerFactory(name="杭州恒科科技有限公司", region=north_region)
    web = client_of(north)
    made = uploaded(web, csv_file(HEADER, "C1,杭州恒科科技股份有限公司,north"))
    set_up(web, made)
    worked(made)
    address = f"/imports/{made.pk}/"
    assert near.name in web.get(address).content.decode()
    Customer.objects.filter(pk=near.pk).update(region=south_region)
    page = web.get(address).content.decode()
    assert (near.name in page, f"/customers/{near.pk}/" in page) == (False, False)
