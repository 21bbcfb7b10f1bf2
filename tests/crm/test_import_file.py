"""`import_file` for customers and sales: what is created, updated, left alone and rejected, and why."""

import csv
import json
from datetime import date
from io import StringIO

import pytest
import xlsxwriter
from django.core.management import CommandError, call_command
from django.utils import translation

from crm.actions.imports import import_kinds, import_table
from crm.lib.spreadsheets import Table, TableRow, read_table
from crm.models import (
    Change,
    Customer,
    CustomerLine,
    CustomerRegion,
    DataImport,
    Division,
    ImportState,
    Role,
    Sale,
    Way,
)
from tests.factories import BranchFactory, CustomerFactory, CustomerLineFactory, LineMemberFactory, UserFactory
from tests.undo import undo_import

HEADER = "客户编码,客户名称,简称,大区,信用代码,上级客户,产品线"


@pytest.fixture
def write(tmp_path):
    def write_file(*rows: str, name: str = "file.csv", encoding: str = "utf-8"):
        file = tmp_path / name
        file.write_bytes("\n".join(rows).encode(encoding))
        return file

    return write_file


@pytest.fixture
def run():
    """The command's output and its exit status."""

    def run_command(kind, file, *options):
        out = StringIO()
        try:
            call_command("import_file", kind, str(file), *options, stdout=out)
        except SystemExit as ended:
            return out.getvalue(), ended.code
        return out.getvalue(), 0

    return run_command


def rejected_of(file):
    with file.with_name(f"{file.stem}.rejected.csv").open(encoding="utf-8-sig", newline="") as opened:
        return {int(row["row in the file"]): row["why it was rejected"] for row in csv.DictReader(opened)}


# --- customers


def test_customers_are_created_with_their_lines_and_a_second_time_nothing_changes(run, write, north_region):
    file = write(
        HEADER, "C1,杭州市公安局,杭州公安,华北大区,11330100MB1234567X,,公安、应急", "C2,杭州市城市管理局,,north,,,"
    )
    assert run("customers", file) == ("customers: created 2, updated 0, unchanged 0, rejected 0\n", 0)
    assert run("customers", file) == ("customers: created 0, updated 0, unchanged 2, rejected 0\n", 0)
    police = Customer.objects.get(code="C1")
    assert sorted(line.product_line.code for line in police.lines.all()) == ["emergency", "police"]
    assert "hzga" in police.search_text
    assert CustomerRegion.objects.filter(customer=police, region=north_region).count() == 1
    assert not Customer.objects.get(code="C2").lines.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_read_in_each_encoding(run, write, north_region, encoding):
    run("customers", write(HEADER, "C1,呼和浩特市公安局,,north,,,", encoding=encoding))
    assert Customer.objects.get().name == "呼和浩特市公安局"


def test_an_xlsx_with_a_number_for_a_code_is_read(run, tmp_path, north_region):
    file = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["客户编码", "客户名称", "大区"])
        sheet.write_row(1, 0, [330106, "=公安局", "north"])
        sheet.write_string(1, 1, "=公安局")
    run("customers", file)
    customer = Customer.objects.get()
    assert (customer.code, customer.name) == ("330106", "=公安局")


def test_an_update_writes_what_is_given_and_leaves_blank_cells_alone(run, write, north_region):
    customer = CustomerFactory(code="C1", name="旧名", short_name="杭州公安", region=north_region)
    output, status = run("customers", write(HEADER, "C1,杭州市公安局,,,,,"))
    customer.refresh_from_db()
    assert ("updated 1" in output, status) == (True, 0)
    assert (customer.name, customer.short_name, customer.version) == ("杭州市公安局", "杭州公安", 2)
    assert "hangzhoushigonganju" in customer.search_text


def test_every_change_of_one_import_carries_its_number(run, write, north_region):
    CustomerFactory(code="C1", name="旧名", region=north_region)
    run("customers", write(HEADER, "C1,新名,,,,,", "C2,杭州市公安局,,north,,,公安"))
    changes = Change.objects.filter(way=Way.IMPORT)
    assert changes.values("batch").distinct().count() == 1
    assert sorted(changes.values_list("table", flat=True)) == ["crm_customer", "crm_customer", "crm_customerline"]
    assert changes.get(before__isnull=False).before["name"] == "旧名"


def test_a_customer_is_found_by_credit_code_or_by_name_and_region(run, write, north_region):
    by_code = CustomerFactory(name="甲", credit_code="11330100MB1234567X", region=north_region)
    by_name = CustomerFactory(name="乙", region=north_region)
    output, _ = run("customers", write(HEADER, ",甲方,,north,11330100MB1234567X,,", ",乙,乙方,north,,,"))
    by_code.refresh_from_db()
    by_name.refresh_from_db()
    assert "created 0, updated 2" in output
    assert (by_code.name, by_name.short_name) == ("甲方", "乙方")


def test_a_customer_without_code_gets_its_number_as_one(run, write, north_region):
    run("customers", write(HEADER, ",杭州市公安局,,north,,,"))
    customer = Customer.objects.get()
    assert customer.code == f"K{customer.pk:06}"
    assert customer.code.lower() in customer.search_text


def test_a_parent_may_stand_further_down_in_the_same_file(run, write, north_region):
    file = write(HEADER, "C2,西湖分局,,north,,杭州市公安局,", "C1,杭州市公安局,,north,,,")
    assert run("customers", file)[1] == 0
    assert Customer.objects.get(code="C2").parent == Customer.objects.get(code="C1")
    assert "unchanged 2" in run("customers", file)[0]


def test_nobody_comes_to_stand_above_himself(run, write, north_region):
    top = CustomerFactory(code="C1", name="甲", region=north_region)
    CustomerFactory(code="C2", name="乙", region=north_region, parent=CustomerFactory(parent=top, region=north_region))
    file = write(HEADER, "C1,甲,,,,C2,", "C3,丙,,north,,丁,", "C4,丁,,north,,丙,", "C5,戊,,north,,C2,")
    assert "created 1" in run("customers", file)[0]
    said = "上级客户: This parent belongs to the customer already: it would stand above itself."
    assert rejected_of(file) == {2: said, 3: said, 4: said}
    top.refresh_from_db()
    assert top.parent is None


def test_a_child_of_a_rejected_parent_is_rejected_too(run, write, north_region):
    file = write(HEADER, "C2,西湖分局,,north,,C1,", "C1,杭州市公安局,,nowhere,,,")
    run("customers", file)
    assert rejected_of(file)[2] == "上级客户: its parent in row 3 is rejected"


@pytest.mark.django_db
def test_reasons_call_a_column_as_people_do(north_region):
    rows = [TableRow(2, {"code": "C1", "name": "一", "region": "华北"}), TableRow(3, {"code": "C2"})]
    with translation.override("zh-hans"):
        report = import_table(kind=import_kinds()["customers"], table=Table(("code", "name", "region"), rows), by=None)
    assert [row.reasons for row in report.rejected] == [
        ["没有大区“华北”"],
        ["新客户必须填写名称", "新客户必须填写大区"],
    ]


def test_rejected_rows_do_not_hold_up_the_others_and_say_why(run, write, north_region):
    file = write(
        HEADER,
        "C1,杭州市公安局,,north,,,公安",
        "C1,杭州市公安局,,north,,,",
        "C3,,,north,,,",
        "C4,四,,nowhere,,,",
        "C5,五,,north,,,铁路",
        "C6,六,,north,,无此单位,",
        f"C7,七,,north,{'9' * 19},,",
    )
    output, status = run("customers", file)
    assert ("created 1, updated 0, unchanged 0, rejected 6" in output, status) == (True, 1)
    assert rejected_of(file) == {
        3: "the same record as in row 2",
        4: "客户名称: a new customer needs its name",
        5: "大区: there is no region “nowhere”",
        6: "产品线: there is no product line “铁路”",
        7: "上级客户: there is no parent “无此单位”",
        8: "信用代码: Ensure this value has at most 18 characters (it has 19).",
    }


def test_the_file_of_rejected_rows_keeps_all_columns_and_can_be_mended_and_imported(run, write, north_region):
    file = write(HEADER, "C1,=公安局,,nowhere,,,")
    run("customers", file)
    rejected = file.with_name("file.rejected.csv")
    assert read_table(rejected).headers == (*HEADER.split(","), "row in the file", "why it was rejected")
    rejected.write_text(rejected.read_text(encoding="utf-8-sig").replace("nowhere,", "north,", 1), encoding="utf-8")
    assert run("customers", rejected)[1] == 0
    assert Customer.objects.get().name == "=公安局"


def test_a_credit_code_is_taken_once_per_region(run, write, north_region):
    CustomerFactory(credit_code="11330100MB1234567X", region=north_region)
    file = write(HEADER, "C8,八,,north,11330100MB1234567X,,", "C9,九,,north,22,,", "C10,十,,north,22,,")
    run("customers", file)
    assert rejected_of(file) == {
        2: "信用代码: Another customer of the region has this credit code.",
        4: "信用代码: Another customer of the region has this credit code.",
    }


@pytest.mark.parametrize(
    ("mode", "reasons"),
    [("create", {2: "it is there already"}), ("update", {3: "there is no such record to update"}), ("both", None)],
)
def test_the_mode_says_which_rows_are_wanted(run, write, north_region, mode, reasons):
    CustomerFactory(code="C1", region=north_region)
    file = write(HEADER, "C1,甲,,,,,", "C2,乙,,north,,,")
    assert run("customers", file, "--mode", mode)[1] == (1 if reasons else 0)
    assert reasons is None or rejected_of(file) == reasons


def test_strict_applies_nothing_when_a_row_is_rejected(run, write, north_region):
    output, status = run("customers", write(HEADER, "C1,甲,,north,,,", "C2,乙,,nowhere,,,"), "--strict")
    assert (status, "Nothing was changed." in output, Customer.objects.count()) == (1, True, 0)


def test_a_dry_run_counts_and_changes_nothing(run, write, north_region):
    output, status = run("customers", write(HEADER, "C1,甲,,north,,,公安"), "--dry-run")
    assert (status, "created 1" in output, "Nothing was changed." in output) == (0, True, True)
    assert not Customer.objects.exists()
    assert not Change.objects.exists()


def test_a_file_without_a_needed_column_is_refused_at_once(run, write, north_region):
    with pytest.raises(CommandError, match="the file lacks a column: customer"):
        run("sales", write("合同号,金额", "1,2"))


def test_a_file_that_is_no_table_is_refused_at_once(run, tmp_path, db):
    with pytest.raises(CommandError, match=r"file\.txt cannot be opened"):
        run("customers", tmp_path / "file.txt")


# --- within a person's scope


def test_a_customer_of_another_region_does_not_exist_for_who_imports(run, write, north, south_region):
    CustomerFactory(code="S1", name="南", region=south_region)
    file = write(HEADER, "S1,改名,,,,,", "N1,北,,north,,,", "S2,南二,,south,,,")
    run("customers", file, "--as", "north")
    assert sorted(rejected_of(file)) == [2, 4]
    assert rejected_of(file)[2] == "大区: a new customer needs its region"
    assert Customer.objects.get(code="S1").name == "南"
    assert Customer.objects.get(code="N1").region.code == "north"
    assert Change.objects.filter(way=Way.IMPORT).first().by == north


def test_what_was_imported_for_somebody_stands_on_that_persons_page_and_can_be_undone(
    run, write, north, north_region, client_of
):
    file = write(HEADER, "C1,甲,,north,,,公安", ",,,,,,")
    output, _status = run("customers", file, "--as", "north")
    kept = DataImport.objects.get()
    assert f"Kept as import {kept.pk} of north: it can be undone on its page." in output
    assert (kept.state, kept.by, kept.file.name) == (ImportState.DONE, north, "file.csv")
    assert bytes(kept.file.content) == file.read_bytes()
    page = client_of(north).get(f"/imports/{kept.pk}/").content.decode()
    assert f"/imports/{kept.pk}/undo/" in page
    undo_import(data_import=kept, by=north)
    assert not Customer.objects.filter(deleted_at=None).exists()


def test_nothing_is_kept_of_what_changed_nothing_or_is_nobodys(run, write, north, north_region):
    file = write(HEADER, "C1,甲,,north,,,")
    run("customers", file, "--as", "north", "--dry-run")
    run("customers", file)
    run("customers", file, "--as", "north")
    assert not DataImport.objects.exists()


def test_a_code_that_another_region_uses_is_as_free_as_any_other(run, write, north, south_region):
    CustomerFactory(code="S1", name="南", region=south_region)
    file = write(HEADER, "S1,北一,,north,,,", "S2,北二,,north,,,")
    assert "created 2" in run("customers", file, "--as", "north")[0]
    assert "unchanged 2" in run("customers", file, "--as", "north")[0]
    assert sorted(Customer.objects.filter(code="S1").values_list("region__code", flat=True)) == ["north", "south"]


def test_a_code_that_two_regions_use_means_the_customer_of_the_rows_region(run, write, north_region, south_region):
    north, south = (CustomerFactory(code="S1", region=region) for region in (north_region, south_region))
    file = write(HEADER, "S1,北,,north,,,", "S1,南,,south,,,", "S1,哪个,,,,,")
    run("customers", file)
    north.refresh_from_db()
    south.refresh_from_db()
    assert (north.name, south.name) == ("北", "南")
    assert rejected_of(file) == {
        4: "客户编码: several customers are called “S1”; write the code and the region",
    }


def test_rows_of_two_regions_with_one_code_are_two_customers(run, write, north_region, south_region):
    stored = CustomerFactory(code="S1", name="南", region=south_region)
    assert (
        "created 1, updated 0, unchanged 1" in run("customers", write(HEADER, "S1,北,,north,,,", "S1,南,,south,,,"))[0]
    )
    assert Customer.objects.get(code="S1", region=north_region).name == "北"
    stored.refresh_from_db()
    assert stored.region == south_region
    file = write(HEADER, "S2,北,,north,,,", "S2,南,,south,,,")
    assert "created 2" in run("customers", file)[0]
    assert "unchanged 2" in run("customers", file)[0]


def test_who_may_not_change_customers_may_not_import_them(run, write, north_region):
    UserFactory(username="boss", role=Role.EXECUTIVE)
    with pytest.raises(CommandError, match=r"boss \(Executive\) may not change customers"):
        run("customers", write(HEADER, "C1,甲,,north,,,"), "--as", "boss")
    with pytest.raises(CommandError, match="no active person nobody"):
        run("customers", write(HEADER, "C1,甲,,north,,,"), "--as", "nobody")


def test_an_account_manager_imports_sales_of_his_own_lines_only(run, write, north_region):
    manager = UserFactory(username="manager", role=Role.ACCOUNT_MANAGER, region=north_region)
    own = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    LineMemberFactory(line=own, user=manager)
    CustomerLineFactory(customer__code="C2", customer__region=north_region)
    file = write(
        "客户,产品线,合同号,签订日期,金额", "C1,公安,1,2026-01-05,5", "C2,公安,2,2026-01-05,5", "C1,旅游,3,2026-01-05,5"
    )
    run("sales", file, "--as", "manager")
    assert rejected_of(file) == {
        3: "客户: there is no customer “C2”",
        4: "产品线: you may not write this customer's line “旅游”",
    }
    assert Sale.objects.get().line == own


# --- sales

SALES = "客户,产品线,合同号,签订日期,金额,备注"


@pytest.fixture
def police_line(north_region):
    return CustomerLineFactory(customer__code="C1", customer__name="杭州市公安局", customer__region=north_region)


def test_sales_are_created_updated_and_left_alone(run, write, police_line, django_capture_on_commit_callbacks):
    assert (
        "created 2"
        in run("sales", write(SALES, "C1,公安,HT-1,2026年3月5日,150万,", "杭州市公安局,police,HT-2,46100,-5000,"))[0]
    )
    assert {sale.contract_no: (sale.signed_on, sale.amount) for sale in Sale.objects.all()} == {
        "HT-1": (date(2026, 3, 5), 1_500_000_00),
        "HT-2": (date(2026, 3, 19), -5_000_00),
    }
    output, _ = run("sales", write(SALES, "C1,公安,HT-1,2026-03-05,160万,", "C1,公安,HT-2,2026-03-19,-5000,"))
    assert "created 0, updated 1, unchanged 1, rejected 0" in output


def test_imported_sales_ask_for_their_lines_to_be_graded_again(run, write, police_line):
    run("sales", write(SALES, "C1,公安,HT-1,2026-03-05,150万,"))
    police_line.refresh_from_db()
    assert police_line.facts_changed_at is not None


def test_a_sale_without_contract_number_is_found_again_by_what_it_says(run, write, police_line):
    file = write(
        SALES, "C1,公安,,2026-03-05,150万,首付", "C1,公安,,2026-03-05,150万,尾款", "C1,公安,,2026-03-05,150万,首付"
    )
    run("sales", file)
    assert rejected_of(file) == {4: "the same record as in row 2"}
    assert "unchanged 2, rejected 1" in run("sales", file)[0]


def test_our_code_says_whose_a_sale_is_whatever_the_name_beside_it(run, write, police_line):
    header = "客户,客户名称,统一社会信用代码,客户编码,产品线,合同号,签订日期,金额"
    file = write(header, "旧名,旧称,无,C1,公安,HT-1,2026-03-05,1")
    assert "created 1" in run("sales", file)[0]
    assert Sale.objects.get().line == police_line


def test_a_row_without_our_code_says_whose_it_is_by_credit_code_or_name(run, write, police_line):
    coded = CustomerLineFactory(customer__credit_code="X1", customer__region=police_line.customer.region)
    file = write(
        "客户编码,客户名称,信用代码,产品线,合同号,签订日期,金额",
        ",杭州市公安局,,公安,HT-1,2026-03-05,1",
        ",旧名,X1,公安,HT-2,2026-03-05,2",
        ",,,公安,HT-3,2026-03-05,3",
    )
    run("sales", file)
    assert rejected_of(file) == {4: "客户编码: there must be something here"}
    assert list(Sale.objects.order_by("pk").values_list("line", flat=True)) == [police_line.pk, coded.pk]


@pytest.mark.parametrize("header", ["客户,编码", "Customer,Code", "customer name,customer code"])
def test_two_customers_of_one_name_are_told_apart_by_the_code_in_the_file(run, write, north_region, header):
    lines = [CustomerLineFactory(customer__name="重名局", customer__region=north_region) for _ in range(2)]
    rows = (f"重名局,{line.customer.code},公安,HT-1,2026-03-05,1" for line in lines)
    assert "created 2" in run("sales", write(f"{header},产品线,合同号,签订日期,金额", *rows))[0]


def test_of_several_names_of_a_column_the_first_counts(run, write, north_region):
    division = Division.objects.order_by("pk").first()
    file = write(
        "客户编码,客户,名称,客户名称,行政区划,区划代码,大区", f"C1,客,名,杭州市公安局,无此地,{division.code},north"
    )
    assert "created 1" in run("customers", file)[0]
    customer = Customer.objects.get()
    assert (customer.name, customer.division) == ("杭州市公安局", division)


def test_a_sale_opens_the_line_that_its_customer_did_not_have(run, write, police_line):
    file = write(SALES, "C1,旅游,HT-1,2026-03-05,1,", "C1,旅游,HT-2,2026-03-05,2,")
    assert run("sales", file)[1] == 0
    assert CustomerLine.objects.get(product_line__code="tourism").sales.count() == 2
    assert "unchanged 2" in run("sales", file)[0]


def test_a_sale_says_what_is_wrong_with_it(run, write, police_line, south_region):
    CustomerFactory(name="重名局", region=south_region)
    CustomerFactory(name="重名局", region=police_line.customer.region)
    file = write(
        SALES,
        "C9,公安,1,2026-03-05,1,",
        "C1,铁路,1,2026-03-05,1,",
        "C1,公安,1,soon,lots,",
        ",公安,1,2026-03-05,1,",
        "重名局,公安,1,2026-03-05,1,",
    )
    run("sales", file)
    assert rejected_of(file) == {
        2: "客户: there is no customer “C9”",
        3: "产品线: there is no product line “铁路”",
        4: "签订日期: “soon” is not a day; 金额: “lots” is not an amount",
        5: "客户: there must be something here",
        6: "客户: several customers are called “重名局”; write the code and the region",
    }


def test_a_mapping_translates_filters_looks_up_and_states_what_it_assumes(run, write, police_line, tmp_path):
    write("sku,line\nGTX Pro,police", name="products.csv")
    mapping = tmp_path / "mapping.json"
    mapping.write_text(
        json.dumps(
            {
                "kind": "sales",
                "assumptions": ["Amounts are thousands of yuan."],
                "only": {"stage": ["Won"]},
                "columns": {
                    "customer": "account",
                    "product_line": {
                        "header": "product",
                        "values": {"GTXPro": "GTX Pro"},
                        "lookup": {"file": "products.csv", "key": "sku", "value": "line"},
                    },
                    "contract_no": "id",
                    "signed_on": {"constant": "2017-12-31"},
                    "amount": {"header": "value", "factor": "1000"},
                },
            }
        )
    )
    file = write("id,account,product,stage,value", "1,C1,GTXPro,Won,5.5", "2,C1,GTX,Won,1", "3,C1,GTXPro,Lost,1")
    output, status = run("sales", file, "--mapping", str(mapping))
    assert output.startswith("Assumed: Amounts are thousands of yuan.\n")
    assert "Left out by the mapping: 1 rows" in output
    assert (status, rejected_of(file)) == (1, {3: "product: products.csv does not know “GTX”"})
    assert (Sale.objects.get().amount, Sale.objects.get().signed_on) == (5_500_00, date(2017, 12, 31))


def test_a_mapping_for_another_kind_or_with_an_unknown_column_is_refused(run, write, tmp_path, db):
    mapping = tmp_path / "mapping.json"
    mapping.write_text('{"kind": "sales", "columns": {}}')
    with pytest.raises(CommandError, match="the mapping is for sales"):
        run("customers", write(HEADER, ""), "--mapping", str(mapping))
    mapping.write_text('{"columns": {"colour": "a"}}')
    with pytest.raises(CommandError, match="customers have no column colour"):
        run("customers", write(HEADER, ""), "--mapping", str(mapping))


def test_regions_and_product_lines_come_from_files_too(run, write, db):
    assert run("regions", write("code,name,position", "central,中部大区,3"))[1] == 0
    assert "unchanged 1" in run("regions", write("code,name,position", "central,中部大区,3"))[0]
    assert "created 1" in run("product-lines", write("code,name,english name", "gtx,GTX,GTX"))[0]


def test_an_import_takes_the_same_number_of_queries_for_one_row_and_for_many(
    run, write, police_line, django_assert_max_num_queries
):
    BranchFactory(region=police_line.customer.region)
    few, many = ([f"C{n},甲{n},,north,,,公安" for n in range(10, 10 + size)] for size in (1, 60))
    with django_assert_max_num_queries(40):
        run("customers", write(HEADER, *few))
    with django_assert_max_num_queries(40):
        run("customers", write(HEADER, *many))
    with django_assert_max_num_queries(40):
        run("sales", write(SALES, *(f"C{n},旅游,HT{n},2026-01-01,5," for n in range(10, 70))))
