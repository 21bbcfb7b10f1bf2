"""Rows that are fine alone and not beside each other, or beside what is stored: one is rejected, nothing breaks."""

import pytest

from crm.actions.imports import Outcome, import_kinds, import_table
from crm.lib.spreadsheets import Table, TableRow
from crm.models import Customer, Sale, User
from tests.factories import BranchFactory, CustomerFactory, CustomerLineFactory, RegionFactory, SaleFactory

pytestmark = pytest.mark.django_db
SALES = "销售编号,客户,产品线,合同号,签订日期,金额"
CREDIT, OTHER = "11330100MB1234567X", "11330100MB1234567Y"


@pytest.fixture
def take(head_office):
    """Import rows of a kind; its report."""

    def imported(kind: str, *lines: str, by=head_office, **options):
        headers, *rows = (line.split(",") for line in lines)
        filled = [TableRow(number, dict(zip(headers, row, strict=True))) for number, row in enumerate(rows, start=2)]
        return import_table(kind=import_kinds()[kind], table=Table(tuple(headers), filled), by=by, **options)

    return imported


def reasons(report):
    return {row.number: report.reasons_of(row) for row in report.rejected}


def counts(report):
    return [report.count(outcome) for outcome in Outcome]


# --- contract numbers


@pytest.fixture
def line(north_region):
    return CustomerLineFactory(customer__code="C1", customer__region=north_region)


def test_a_number_that_one_row_gives_to_a_sale_is_taken_for_the_next(take, line):
    first, second = (SaleFactory(line=line, contract_no=number) for number in ("A", "B"))
    report = take(
        "sales",
        SALES,
        f"{first.pk},C1,公安,X,2026-01-05,1",
        ",C1,公安,X,2026-01-05,2",
        f"{second.pk},C1,公安,X,2026-01-05,3",
        ",C1,公安,Y,2026-01-05,4",
    )
    taken = "合同号: row 2 gives this contract number to another sale of the line"
    assert reasons(report) == {3: taken, 4: taken}
    assert sorted(Sale.objects.values_list("contract_no", "amount")) == [("B", second.amount), ("X", 1_00), ("Y", 4_00)]


def test_a_line_that_the_file_opens_has_each_number_once_too(take, line):
    rows = (",C1,旅游,X,2026-01-05,1", ",C1,公安,X,2026-01-05,1", ",C1,旅游,X,2026-01-05,2")
    assert reasons(take("sales", SALES, *rows)) == {4: "the same record as in row 2"}
    assert Sale.objects.count() == 2


def test_a_rejected_row_holds_no_number(take, line):
    sale = SaleFactory(line=line, contract_no="A")
    rows = (f"{sale.pk},C1,公安,X,2026-01-05,1", ",C1,公安,X,2026-01-05,2")
    report = take("sales", SALES, *rows, mode="create")
    assert reasons(report) == {2: "it is there already"}
    assert counts(report) == [1, 0, 0, 1]


# --- credit codes


def test_a_credit_code_moves_with_its_customer(take, north_region, south_region):
    CustomerFactory(code="N1", region=north_region, credit_code=CREDIT)
    CustomerFactory(code="S1", region=south_region, credit_code=CREDIT)
    CustomerFactory(code="S2", region=south_region, credit_code=OTHER)
    report = take("customers", "客户编码,大区", "S1,north", "S2,north")
    assert reasons(report) == {2: "Another customer of the region has this credit code."}
    assert dict(Customer.objects.values_list("code", "region__code")) == {"N1": "north", "S1": "south", "S2": "north"}


def test_two_customers_with_one_credit_code_do_not_move_to_one_region(take, north_region, south_region):
    CustomerFactory(code="S1", region=south_region, credit_code=CREDIT)
    CustomerFactory(code="W1", region=RegionFactory(code="west"), credit_code=CREDIT)
    assert list(reasons(take("customers", "客户编码,大区", "S1,north", "W1,north"))) == [3]


def test_who_moves_and_gives_up_his_credit_code_may(take, north_region, south_region):
    CustomerFactory(code="N1", region=north_region, credit_code=CREDIT)
    CustomerFactory(code="S1", region=south_region, credit_code=CREDIT)
    assert counts(take("customers", "客户编码,大区,信用代码", "S1,north,（清空）")) == [0, 1, 0, 0]


def test_a_rejected_row_holds_no_credit_code(take, north_region):
    CustomerFactory(code="N1", region=north_region)
    rows = (f"N1,甲,north,{CREDIT}", f"N2,乙,north,{CREDIT}")
    report = take("customers", "客户编码,客户名称,大区,信用代码", *rows, mode="create")
    assert reasons(report) == {2: "it is there already"}
    assert Customer.objects.get(credit_code=CREDIT).code == "N2"


# --- branch offices


def test_a_branch_office_belongs_to_the_region(take, north_region, south_region):
    BranchFactory(code="hz", region=south_region)
    CustomerFactory(code="N1", region=north_region)
    rows = ("N1,甲,,hz", "N2,乙,north,hz", "N3,丙,south,hz", "N1,丁,south,hz")
    report = take("customers", "客户编码,客户名称,大区,分公司", *rows[:3])
    assert reasons(report) == dict.fromkeys((2, 3), "分公司: This branch office belongs to another region.")
    assert Customer.objects.get(code="N3").branch.code == "hz"
    assert counts(take("customers", "客户编码,客户名称,大区,分公司", rows[3])) == [0, 1, 0, 0]


def test_a_customer_leaves_the_branch_office_of_its_old_region_behind(take, north_region, south_region):
    CustomerFactory(code="N1", region=north_region, branch=BranchFactory(region=north_region))
    assert counts(take("customers", "客户编码,大区", "N1,south")) == [0, 1, 0, 0]
    assert Customer.objects.get().branch is None


def test_a_branch_office_that_stood_elsewhere_before_is_no_reason_to_refuse_other_changes(
    take, north_region, south_region
):
    CustomerFactory(code="N1", region=north_region, branch=BranchFactory(code="hz", region=south_region))
    assert counts(take("customers", "客户编码,大区,分公司,备注", "N1,north,hz,记")) == [0, 1, 0, 0]


# --- whoever depends on a rejected row


def test_a_child_of_a_parent_that_is_rejected_late_is_rejected_too(take, north_region):
    CustomerFactory(code="N1", region=north_region, credit_code=CREDIT)
    head = "客户编码,客户名称,大区,上级客户,信用代码"
    report = take(
        "customers", head, f"P,上,north,,{CREDIT}", "C,下,north,P,", "Q,长,north,,1234567890123456789", "D,下,north,Q,"
    )
    assert list(reasons(report)) == [2, 3, 4, 5]
    assert reasons(report)[3] == "上级客户: its parent in row 2 is rejected"
    assert reasons(report)[5] == "上级客户: its parent in row 4 is rejected"


def test_a_parent_that_two_rows_are_called_is_none(take, north_region, south_region):
    rows = ("N1,上,north,", "S1,上,south,", "C,下,north,上")
    assert reasons(take("customers", "客户编码,客户名称,大区,上级客户", *rows)) == {
        4: "上级客户: there is more than one parent “上”"
    }


def test_a_person_is_not_imported_without_the_guide_of_the_same_file(take, north_region):
    report = take(
        "people", "用户名,角色,大区,指导人,邮箱", "a,客户经理,north,b,", "b,客户总监,,,no address", "c,顾问,,b,"
    )
    assert [reasons(report)[number] for number in (2, 4)] == ["指导人: the person of row 3 is rejected"] * 2
    assert not User.objects.filter(username__in="abc").exists()


def test_a_guide_named_twice_guides_by_the_row_that_is_taken(take, north_region):
    report = take("people", "用户名,角色,大区,指导人", "a,客户经理,north,b", "b,客户总监,,", "b,客户总监,,")
    assert reasons(report) == {4: "the same record as in row 3"}
    assert User.objects.get(username="a").guided_by.username == "b"
