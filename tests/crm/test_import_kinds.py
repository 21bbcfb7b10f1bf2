"""What is particular to each kind of import, and that what one sees comes back as it went out."""

from io import BytesIO

import pytest

from crm.actions.imports import Outcome, import_kinds, import_table
from crm.import_templates import csv_of_records, write_template
from crm.lib.mappings import mapping_of
from crm.lib.spreadsheets import read_table
from crm.models import Change, Contact, Customer, LineMember, Role, User, Way
from tests.factories import (
    AssessmentFactory,
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    LineMemberFactory,
    RegionFactory,
    SaleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

ODD = (
    "（中国）甲有限公司",
    " 前后空格 ",
    "=1+1",
    "-5",
    "'quoted",
    "两\n行",
    '引"号,逗号;分号\t制表',
    "Ω≈ç√ﬁ",
    "true",
    "007",
    "<r>富文本</r>",
)


@pytest.fixture
def take(head_office):
    """Import rows of a kind; its report."""

    def imported(kind, *rows, by=None, **options):
        table = read_table("\n".join(rows).encode(), "a.csv")
        return import_table(kind=import_kinds()[kind], table=table, by=by or head_office, **options)

    return imported


def counts(report):
    return [report.count(outcome) for outcome in Outcome]


def reasons(report):
    return {row.number: report.reasons_of(row) for row in report.rejected}


LOST = "“{cell}” has lost its last digits in the spreadsheet: format the column as text and write it again"


@pytest.mark.parametrize(
    ("kind", "head", "row"),
    [
        ("customers", "客户编码,客户名称,大区", "{},甲,north"),
        ("customers", "统一社会信用代码,客户编码,客户名称,大区", "{},C1,甲,north"),
        ("customers", "上级客户,客户编码,客户名称,大区", "{},C1,甲,north"),
        ("contacts", "客户,姓名", "{},王芳"),
        ("contacts", "电话,客户,姓名", "{},C1,王芳"),
        ("sales", "合同号,客户,产品线,签订日期,金额", "{},C1,公安,2026-01-05,5"),
    ],
)
def test_what_a_spreadsheet_has_shortened_is_no_code(take, north_region, kind, head, row):
    CustomerLineFactory(customer__code="C1", customer__region=north_region)
    report = take(kind, head, row.format("9.1130E+17"))
    assert reasons(report) == {2: f"{head.partition(',')[0]}: {LOST.format(cell='9.1130E+17')}"}


def test_a_name_or_a_note_may_look_shortened(take, north_region):
    take("customers", "客户编码,客户名称,大区,备注", "1E2,1E+10,north,9.1130E+17")
    made = Customer.objects.get()
    assert (made.code, made.name, made.note) == ("1E2", "1E+10", "9.1130E+17")


# --- contacts

CONTACT = "客户,姓名,部门,电话,关键人"


def test_contacts_are_found_by_customer_and_name(take, north_region):
    customer = CustomerFactory(code="C1", region=north_region)
    known = ContactFactory(customer=customer, name="王芳", phone="1")
    report = take("contacts", CONTACT, "C1,王芳,,138,是", "C1,李雷,信息处,139,")
    known.refresh_from_db()
    assert counts(report) == [1, 1, 0, 0]
    assert (known.phone, known.is_key_person, known.version) == ("138", True, 2)
    assert set(Change.objects.filter(table="crm_contact").values_list("customer", "way")) == {(customer.pk, Way.IMPORT)}


def test_of_two_contacts_of_one_name_the_number_tells(take, north_region):
    customer = CustomerFactory(code="C1", region=north_region)
    first, _second = (ContactFactory(customer=customer, name="王芳") for _ in range(2))
    report = take("contacts", "联系人编号,客户,姓名,电话", f"{first.pk},C1,王芳,138", ",C1,王芳,139", "99999,C1,王芳,1")
    first.refresh_from_db()
    assert first.phone == "138"
    assert reasons(report) == {
        3: "姓名: the customer has several contacts “王芳”; write the number",
        4: "联系人编号: this customer has no contact 99999",
    }


def test_a_name_in_other_spaces_or_widths_is_the_contact_of_that_name(take, north_region):
    customer = CustomerFactory(code="C1", region=north_region)
    known = ContactFactory(customer=customer, name="张三丰(武当)", phone="1")
    odd = ContactFactory(customer=customer, name="李雷 ", phone="1")
    report = take("contacts", CONTACT, "C1,\u00a0张三丰（武当） ,,138,", "C1,李雷,,139,")
    for contact in (known, odd):
        contact.refresh_from_db()
    assert counts(report) == [0, 2, 0, 0]
    assert [(one.name, one.phone) for one in (known, odd)] == [("张三丰(武当)", "138"), ("李雷 ", "139")]


def test_of_two_contacts_in_other_spaces_each_is_found_by_its_very_name(take, north_region):
    customer = CustomerFactory(code="C1", region=north_region)
    for name in ("张三丰", "张三丰 "):
        ContactFactory(customer=customer, name=name, phone="1")
    report = take("contacts", CONTACT, "C1,张三丰,,138,", "C1,张三丰 ,,139,", "C1,\u00a0张三丰,,140,")
    assert reasons(report) == {4: "姓名: the customer has several contacts “\u00a0张三丰”; write the number"}
    assert dict(customer.contacts.values_list("name", "phone")) == {"张三丰": "138", "张三丰 ": "139"}


def test_a_contact_of_another_region_does_not_exist_for_who_imports(take, north, south_region):
    theirs = ContactFactory(customer__code="S1", customer__region=south_region)
    report = take("contacts", "联系人编号,客户,姓名", f"{theirs.pk},S1,甲", by=north)
    assert reasons(report) == {2: "客户: there is no customer “S1”"}
    assert Contact.objects.get().name == "王芳"


def test_an_address_that_is_none_is_refused(take, north_region):
    CustomerFactory(code="C1", region=north_region)
    assert reasons(take("contacts", "客户,姓名,邮箱", "C1,王芳,not an address"))[2].startswith("邮箱: ")


# --- people

PEOPLE = "用户名,姓名,角色,大区,分公司,指导人"


def test_a_new_person_has_no_password_that_works(take, north_region):
    report = take("people", PEOPLE + ",password", "wang,王伟,大区员工,north,,,secret-secret")
    person = User.objects.get(username="wang")
    assert counts(report) == [1, 0, 0, 0]
    assert (person.role, person.region, person.has_usable_password()) == (Role.REGIONAL_STAFF, north_region, False)
    assert not person.is_superuser
    assert not person.is_staff


def test_the_password_of_a_known_person_stays(take, north_region):
    known = UserFactory(username="Wang", role=Role.CONSULTANT)
    known.set_password("a long password")
    known.save()
    take("people", PEOPLE, "wang,王伟,,,,")
    known.refresh_from_db()
    assert (known.name, known.username, known.check_password("a long password")) == ("王伟", "Wang", True)


def test_role_and_place_belong_together(take, north_region, south_region):
    BranchFactory(code="hz", region=south_region)
    report = take(
        "people",
        PEOPLE,
        "a,甲,大区员工,,,",
        "b,乙,分公司总经理,north,,",
        "c,丙,分公司总经理,north,hz,",
        "d,丁,,,,",
        "e,戊,客户经理,north,,nobody",
    )
    assert reasons(report) == {
        2: "大区: This role belongs to a region: choose it.",
        3: "分公司: This role belongs to a branch office: choose it.",
        4: "分公司: This branch office belongs to another region.",
        5: "角色: a new person needs a role",
        6: "指导人: there is no person “nobody”",
    }


def test_who_gets_another_region_leads_no_customer_of_the_old_one(take, north_region, south_region):
    person = UserFactory(username="li", role=Role.ACCOUNT_MANAGER, region=north_region)
    line = CustomerLineFactory(customer__region=north_region, lead=person)
    LineMemberFactory(line=line, user=person)
    take("people", "用户名,大区", "li,south")
    line.refresh_from_db()
    assert (line.lead, LineMember.objects.not_over().exists()) == (None, False)


def test_who_guides_a_person_may_stand_further_down(take, north_region):
    assert counts(take("people", PEOPLE, "a,甲,客户经理,north,,b", "b,乙,客户总监,,,")) == [2, 0, 0, 0]
    assert User.objects.get(username="a").guided_by.username == "b"


def test_a_user_name_is_what_the_forms_take_for_one(take):
    report = take(
        "people", "用户名,角色", "a b<script>,顾问", "wang.wei+1@x_y-z,顾问", "王伟,顾问", f"{'x' * 151},顾问"
    )
    assert [text.startswith("用户名: ") for text in reasons(report).values()] == [True, True]
    assert list(reasons(report)) == [2, 5]
    assert counts(report) == [2, 0, 0, 2]


def test_nobody_takes_his_own_access_away(take, head_office):
    report = take("people", "用户名,角色,在职", "head,顾问,", "HEAD,,否")
    assert [text.startswith("You cannot take your own access") for text in reasons(report).values()] == [True, True]


# --- emptying, near-duplicates


def test_a_word_empties_and_a_blank_does_not(take, north_region):
    customer = CustomerFactory(code="C1", short_name="简", note="记", industry="业", region=north_region)
    take("customers", "客户编码,简称,备注,行业", "C1,（清空）,(clear),")
    customer.refresh_from_db()
    assert (customer.short_name, customer.note, customer.industry) == ("", "", "业")


@pytest.mark.parametrize("word", ["(clear)", "（清空）", " (Clear) "])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_text_that_is_itself_a_word_that_empties_comes_back(word, form, head_office, north_region):
    customer = CustomerFactory(region=north_region, note=word, short_name=word)
    line = CustomerLineFactory(customer=customer)
    ContactFactory(customer=customer, title=word)
    SaleFactory(line=line, note=word)
    AssessmentFactory(line=line, note=word, fiscal_year=2020)
    CycleFactory(fiscal_year=2020, state="closed", published_at="2019-12-20T00:00:00Z")
    for kind in ("customers", "contacts", "sales", "assessments"):
        report = there_and_back(import_kinds()[kind], form, head_office)
        assert reasons(report) == {}
        assert counts(report) == [0, 0, 1, 0]


def test_another_word_that_empties_empties_it(take, north_region):
    customer = CustomerFactory(code="C1", region=north_region, note="(clear)")
    take("customers", "客户编码,备注", "C1,（清空）")
    customer.refresh_from_db()
    assert customer.note == ""


def test_a_word_empties_figures_with_a_factor_too(take, north_region):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    assessment = AssessmentFactory(line=line, fiscal_year=2026, budget_amount=5)
    sources = {"customer": "客户", "product_line": "产品线", "fiscal_year": "财年"}
    sources |= {"budget_amount": {"header": "预算", "factor": "10000"}}
    chosen = mapping_of({"columns": sources}, name="m")
    take("assessments", "客户,产品线,财年,预算", "C1,公安,2026,（清空）", column_map=chosen)
    assessment.refresh_from_db()
    assert assessment.budget_amount is None


def test_what_a_record_is_found_by_or_cannot_be_without_is_not_emptied(take, north_region):
    CustomerFactory(code="C1", region=north_region)
    report = take("customers", "客户编码,客户名称,大区,客户类型", "C1,(clear),(clear),(clear)")
    assert reasons(report)[2] == "; ".join(
        f"{name}: this cannot be emptied" for name in ("客户名称", "客户类型", "大区")
    )


def test_two_rows_that_name_one_new_customer_are_one_too_many(take, north_region):
    report = take("customers", "客户编码,客户名称,大区", "C1,甲,north", ",甲,north", ",甲,华北大区")
    assert reasons(report) == {3: "the same record as in row 2", 4: "the same record as in row 2"}


@pytest.mark.parametrize("name", ["空白公司 ", "\u00a0空白公司", "空白公司\u3000"])
def test_a_new_customer_in_other_spaces_is_one_too_many(take, north_region, name):
    report = take("customers", "客户编码,客户名称,大区", ",空白公司,north", f",{name},north", f"C1,{name},north")
    assert set(reasons(report).values()) == {"the same record as in row 2"}
    assert len(reasons(report)) == 2


def test_new_records_in_other_widths_are_one_too_many(take, north_region):
    CustomerLineFactory(customer__code="C1", customer__region=north_region)
    same = {3: "the same record as in row 2"}
    named = ("客户名称,大区", "空白（公司）,north", "空白(公司),north")
    assert reasons(take("customers", *named)) == same
    assert Customer.objects.filter(name="空白（公司）").count() == 1
    assert reasons(take("customers", "客户编码,客户名称,大区", "Ｂ１,甲,north", "B1,乙,north")) == same
    assert reasons(take("contacts", CONTACT, "C1,张三丰,,1,", "C1,张三丰 ,,2,")) == same
    sales = ("客户,产品线,合同号,签订日期,金额", "C1,公安,HT（1）,2026-03-05,1", "C1,公安,HT(1) ,2026-03-06,2")
    assert reasons(take("sales", *sales)) == same


def test_a_contract_number_in_other_spaces_is_the_sale_of_that_number(take, north_region):
    sale = SaleFactory(line__customer__code="C1", line__customer__region=north_region, contract_no="HT-1", amount=1)
    report = take("sales", "客户,产品线,合同号,签订日期,金额", "C1,公安, ＨＴ-1 ,2026-03-05,2")
    sale.refresh_from_db()
    assert counts(report) == [0, 1, 0, 0]
    assert (sale.contract_no, sale.amount) == ("HT-1", 2_00)


@pytest.mark.parametrize("stored", [(), ("HT-1",)])
def test_rows_of_one_number_in_other_spaces_are_added_up(take, north_region, stored):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    for number in stored:
        SaleFactory(line=line, contract_no=number, amount=1)
    columns = {
        "customer": "客户",
        "product_line": "产品线",
        "contract_no": "合同号",
        "signed_on": "日",
        "amount": "金额",
    }
    chosen = mapping_of({"columns": columns, "sum": ["amount"]}, name="mapping")
    rows = ("客户,产品线,合同号,日,金额", "C1,公安,HT-1,2026-03-05,1", "C1,公安,HT-1 ,2026-03-05,2")
    assert reasons(take("sales", *rows, column_map=chosen)) == {}
    assert list(line.sales.values_list("contract_no", "amount")) == [("HT-1", 3_00)]


# --- there and back


def there_and_back(kind, form, user):
    """What becomes of what a person sees of a kind, taken along and imported as it is."""
    rows = kind.rows(user)
    content = b"".join(csv_of_records(kind, rows)) if form == "csv" else write_template(kind, user, rows)
    return import_table(kind=kind, table=read_table(content, f"a.{form}"), by=user)


def company(region, size: int) -> None:
    parent = CustomerFactory(region=region, name=ODD[0])
    branch = BranchFactory(region=region)
    for number in range(size):
        odd = ODD[number % len(ODD)]
        customer = CustomerFactory(
            region=region, branch=branch, name=f"{odd}{number}", short_name=odd, note=odd, address=odd, parent=parent
        )
        ContactFactory(customer=customer, name=odd, title=odd, is_key_person=bool(number % 2))
        line = CustomerLineFactory(customer=customer)
        SaleFactory(line=line, contract_no="" if number % 2 else f"{odd}{number}", note=odd, amount=-1_05 - number)
        SaleFactory(line=line, contract_no="", amount=5)
        SaleFactory(line=line, contract_no="", amount=5)
        AssessmentFactory(line=line, note=odd, expected_margin=-10_05, budget_amount=None if number % 3 else 7)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", ["customers", "contacts", "people", "sales", "assessments"])
def test_what_goes_out_comes_back_without_a_change(kind, form, head_office, north_region):
    company(north_region, 12)
    CycleFactory()
    chosen = import_kinds()[kind]
    report = there_and_back(chosen, form, head_office)
    assert reasons(report) == {}
    assert counts(report) == [0, 0, len(list(chosen.rows(head_office))), 0]
    assert not Change.objects.exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_ten_thousand_customers_come_back_without_a_change(form, head_office, north_region):
    Customer.objects.bulk_create(
        CustomerFactory.build(region=north_region, name=f"{ODD[number % len(ODD)]}{number}") for number in range(10_000)
    )
    report = there_and_back(import_kinds()["customers"], form, head_office)
    assert counts(report) == [0, 0, 10_000, 0]


def test_an_assessment_of_a_closed_year_comes_back_but_does_not_change(take, north_region):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    AssessmentFactory(line=line, fiscal_year=2020, note="记")
    CycleFactory(fiscal_year=2020, state="closed", published_at="2019-12-20T00:00:00Z")
    rows = ("客户,产品线,财年,备注", "C1,公安,2020,记")
    assert counts(take("assessments", *rows)) == [0, 0, 1, 0]
    assert reasons(take("assessments", rows[0], "C1,公安,2020,改")) == {2: "财年: the grading cycle of 2020 is closed"}


def test_one_sees_ones_own_region_go_out_and_no_parent_of_another(north, north_region, south_region):
    abroad = CustomerFactory(region=south_region, code="S1")
    CustomerFactory(region=north_region, code="N1", parent=abroad)
    rows = list(import_kinds()["customers"].rows(north))
    assert [(row[0], row[9]) for row in rows] == [("N1", None)]


def test_rows_go_out_in_a_constant_number_of_queries(head_office, django_assert_max_num_queries):
    company(RegionFactory(), 8)
    for kind in import_kinds().values():
        with django_assert_max_num_queries(4):
            list(kind.rows(head_office))


def test_a_workbook_is_read_from_bytes(head_office, north_region):
    content = write_template(import_kinds()["customers"], head_office)
    assert read_table(BytesIO(content).getvalue(), "a.xlsx").rows == []
