"""A row says all that is wrong with it at once, in the words of who imports; what hangs on a wrong cell is left out."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from crm.actions.imports import Outcome, import_kinds, import_table
from crm.lib.spreadsheets import Table, TableRow
from crm.models import Customer, ImportMode, Sale, User
from tests.factories import BranchFactory, CustomerFactory, CustomerLineFactory, RegionFactory

pytestmark = pytest.mark.django_db
CREDIT = "11330100MB1234567X"
HEADER = "客户编码,客户名称,类型,大区,行政区划,产品线"


@pytest.fixture
def take(head_office):
    """Import rows of a kind; its report."""

    def imported(kind: str, *lines: str, by=head_office, **options):
        headers, *rows = (line.split(",") for line in lines)
        filled = [TableRow(number, dict(zip(headers, row, strict=True))) for number, row in enumerate(rows, start=2)]
        return import_table(kind=import_kinds()[kind], table=Table(tuple(headers), filled), by=by, **options)

    return imported


def wrong(report) -> dict[int, list[str]]:
    """The columns that each rejected row is told of."""
    return {row.number: [fault.column for fault in row.faults] for row in report.rejected}


def reasons(report) -> dict[int, str]:
    return {row.number: report.reasons_of(row) for row in report.rejected}


# --- customers


def test_unknown_words_of_all_columns_are_told_at_once(take, north_region):
    report = take("customers", HEADER, "C1,甲,Custmer,Nowhere,火星,铁路", "C2,乙,客户,north,,")
    assert reasons(report) == {
        2: "类型: “Custmer” is none of: Customer, Agent, Government relation; 大区: there is no region “Nowhere”; "
        "行政区划: there is no division “火星”; 产品线: there is no product line “铁路”"
    }
    assert list(Customer.objects.values_list("code", flat=True)) == ["C2"]


def test_a_missing_name_is_told_beside_unknown_words(take, north_region):
    header = "客户编码,客户名称,类型,大区,分公司,上级客户"
    report = take("customers", header, "C1,,客户,north,某处,无此单位", "C2,,x,nowhere,,", ",,,nowhere,,")
    assert wrong(report) == {2: ["branch", "name", "parent"], 3: ["kind", "region", "name"], 4: ["region", "name"]}


def test_texts_that_are_too_long_are_told_beside_unknown_words(take, north_region):
    stored = CustomerFactory(code="C1", name="甲", region=north_region)
    long = "x" * 61
    report = take(
        "customers", "客户编码,客户名称,类型,行业,网址", f"C1,甲,x,{long},", f"C2,乙,客户,{long},", "C1,甲,客户,,a.cn"
    )
    assert wrong(report) == {2: ["kind", "industry"], 3: ["region", "industry"]}
    stored.refresh_from_db()
    assert (stored.industry, stored.website) == ("", "a.cn")


def test_whom_a_row_means_is_not_guessed_where_its_region_is_unknown(take, north_region):
    CustomerFactory(code="C1", name="甲", credit_code=CREDIT, region=north_region)
    header = "客户编码,客户名称,信用代码,大区"
    rows = ("C1,,,nowhere", f",,{CREDIT},nowhere", ",甲,,nowhere", "C9,,,nowhere")
    assert wrong(take("customers", header, *rows)) == {
        2: ["region"],
        3: ["region"],
        4: ["region"],
        5: ["region", "name"],
    }


def test_a_branch_office_elsewhere_and_a_taken_credit_code_are_told_beside_a_wrong_type(
    take, north_region, south_region
):
    CustomerFactory(credit_code=CREDIT, region=north_region)
    BranchFactory(code="hz", region=south_region)
    header = "客户编码,客户名称,类型,信用代码,大区,分公司"
    rows = (f"C1,甲,x,{CREDIT},north,hz", f"C2,乙,x,{CREDIT},nowhere,hz")
    report = take("customers", header, *rows)
    assert wrong(report) == {2: ["kind", "credit_code", "branch"], 3: ["kind", "region"]}


def test_a_rejected_row_takes_no_credit_code_from_a_good_one(take, north_region):
    report = take(
        "customers", "客户编码,客户名称,类型,信用代码,大区", f"C1,甲,x,{CREDIT},north", f"C2,乙,,{CREDIT},north"
    )
    assert wrong(report)[2] == ["kind", "credit_code"]
    assert Customer.objects.get().code == "C2"


def test_a_wrong_row_about_a_customer_changes_nothing_for_a_good_one_about_it(take, north_region):
    CustomerFactory(code="C1", name="甲", region=north_region)
    report = take("customers", "客户编码,客户名称,类型,备注", "C1,错,x,wrong", "C1,,,right")
    assert [report.count(outcome) for outcome in Outcome] == [0, 1, 0, 1]
    assert list(Customer.objects.values_list("name", "note")) == [("甲", "right")]


def test_wrong_rows_cost_no_query_each(take, north_region):
    def queries(count: int) -> int:
        rows = [f"C{at},,x,nowhere,火星,铁路" for at in range(count)]
        with CaptureQueriesContext(connection) as asked:
            take("customers", HEADER, *rows, is_dry_run=True)
        return len(asked)

    assert queries(2) == queries(60)


# --- other kinds


def test_a_sale_tells_of_its_customer_its_line_its_day_and_its_amount_at_once(take, north_region):
    CustomerLineFactory(customer__code="C1", customer__region=north_region)
    header = "客户,大区,产品线,签订日期,金额"
    rows = ("C9,nowhere,铁路,soon,lots", "C1,nowhere,公安,2026-01-05,lots", "C1,north,公安,2026-01-05,1")
    assert wrong(take("sales", header, *rows)) == {
        2: ["signed_on", "amount", "region", "customer", "product_line"],
        3: ["amount", "region"],
    }
    assert Sale.objects.count() == 1


def test_a_contact_tells_of_its_customer_and_its_address_at_once(take, north_region):
    CustomerFactory(code="C1", region=north_region)
    report = take("contacts", "客户,姓名,邮箱,关键人", "C9,张三,no address,perhaps", "C1,,no address,是")
    assert wrong(report) == {2: ["is_key_person", "customer", "email"], 3: ["name", "email"]}


def test_a_person_tells_of_role_places_guide_and_address_at_once(take, north_region):
    header = "用户名,姓名,角色,大区,部门,指导人,邮箱"
    rows = (
        "a,甲,Boss,nowhere,nothing,nobody,no address",
        ",乙,Boss,north,,,",
        "c,丙,,nowhere,,,",
        "d,丁,客户总监,,,a,",
    )
    assert wrong(take("people", header, *rows)) == {
        2: ["role", "region", "department", "guided_by", "email"],
        3: ["username", "role"],
        4: ["role", "region"],
        5: ["guided_by"],
    }
    assert not User.objects.filter(username__in="acd").exists()


def test_an_assessment_tells_of_its_line_and_its_figures_at_once(take, north_region):
    CustomerLineFactory(customer__code="C1", customer__region=north_region)
    header = "客户,产品线,财年,预期毛利率,预算状态,潜在销售额"
    report = take("assessments", header, "C1,铁路,26,118%,perhaps,-1")
    assert wrong(report) == {2: ["fiscal_year", "expected_margin", "potential_sales", "budget_state", "product_line"]}


@pytest.mark.parametrize("kind", ["regions", "product-lines"])
def test_a_reference_row_without_a_code_tells_of_a_name_that_is_too_long_too(take, kind):
    assert wrong(take(kind, "编码,名称", f",{'x' * 300}")) == {2: ["code", "name"]}


@pytest.mark.parametrize("mode", ImportMode.values)
def test_a_row_that_the_mode_refuses_is_checked_without_harm(take, north_region, mode):
    CustomerFactory(code="C1", name="甲", region=north_region)
    report = take(
        "customers",
        "客户编码,客户名称,类型,大区",
        "C1,甲,x,north",
        "C2,乙,x,north",
        "C3,丙,,north",
        "C1,丁,,",
        mode=mode,
    )
    assert {2, 3} <= wrong(report).keys()


# --- words


def test_only_labels_of_the_readers_language_are_told(take, north_region):
    row = "C1,甲,Custmer,north,,"
    with translation.override("zh-hans"):
        assert reasons(take("customers", HEADER, row)) == {2: "类型: “Custmer” 不在可选值之内：客户、代理、政府关系人"}
    assert reasons(take("customers", HEADER, row)) == {
        2: "类型: “Custmer” is none of: Customer, Agent, Government relation"
    }


@pytest.mark.parametrize(
    "word", ["customer", "客户", "最终用户", "Agent", "代理商", "government_relation", "Government relation"]
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_word_that_was_accepted_stays_accepted(take, north_region, word, language):
    with translation.override(language):
        assert not take("customers", HEADER, f"C1,甲,{word},north,,").rejected


def test_several_is_said_only_of_what_the_person_sees(take, north, north_region, south_region):
    BranchFactory(name="分部", region=south_region)
    BranchFactory(name="分部", region=south_region)
    BranchFactory(name="新部", region=north_region)
    BranchFactory(name="新部", region=north_region)
    RegionFactory(name="甲区")
    RegionFactory(name="甲区")
    for _ in range(2):
        CustomerFactory(name="远", region=south_region)
        CustomerFactory(name="近", region=north_region)
    header = "客户编码,客户名称,大区,分公司,上级客户"
    rows = ("C1,一,north,分部,远", "C2,二,north,新部,近", "C3,三,甲区,,")
    assert reasons(take("customers", header, *rows, by=north)) == {
        2: "分公司: there is no branch office “分部”; 上级客户: there is no parent “远”",
        3: "分公司: there is more than one branch office “新部”; 上级客户: there is more than one parent “近”",
        4: "大区: there is no region “甲区”",
    }
