"""An import is taken back as a whole, or refused with the list of what is in the way."""

from io import BytesIO

import pytest
from django.utils import timezone

from crm.actions import data_imports
from crm.actions.contacts import save_contact
from crm.actions.customers import save_customer
from crm.actions.merge_customers import merge_customers
from crm.actions.sales import save_sale
from crm.actions.undo_import import UndoRefused
from crm.actions.undo_merge import undo_merge
from crm.actions.work_on_import import work_on_import
from crm.models import Change, Contact, Customer, CustomerLine, ImportState, Role, Sale, User
from tests.factories import ContactFactory, CustomerFactory, CustomerLineFactory, LineMemberFactory, SaleFactory
from tests.undo import undo_import

pytestmark = pytest.mark.django_db

HEADER = "客户编码,客户名称,简称,大区,产品线"


@pytest.fixture
def imported(head_office):
    """An import that has been applied."""

    def made(*rows, kind="customers", by=None):
        content = "\n".join(rows).encode()
        one = data_imports.upload_import(kind=kind, name="a.csv", content=content, by=by or head_office)
        data_imports.start_import(data_import=one, by=one.by)
        work_on_import(job_id=one.job_id)
        one.refresh_from_db()
        assert one.state == ImportState.DONE, one.report
        return one

    return made


def refused(one, by):
    with pytest.raises(UndoRefused) as refusal:
        undo_import(data_import=one, by=by)
    one.refresh_from_db()
    assert one.state == ImportState.DONE
    return [(conflict["row"], conflict["name"], conflict["reason"]) for conflict in refusal.value.conflicts]


def test_created_customers_are_gone_with_their_lines_and_may_be_imported_again(imported, head_office, north_region):
    rows = (HEADER, "C1,杭州市公安局,,north,公安、应急")
    one = undo_import(data_import=imported(*rows), by=head_office)
    assert (one.state, one.undone_by, one.undo_batch is not None) == (ImportState.UNDONE, head_office, True)
    assert not Customer.objects.visible_to(head_office).exists()
    assert not CustomerLine.objects.filter(is_active=True).exists()
    assert imported(*rows).report["counts"]["created"] == 1
    assert Customer.objects.visible_to(head_office).get(code="C1").lines.filter(is_active=True).count() == 2


def test_updated_customers_are_what_they_were_in_a_new_version(imported, head_office, north_region, south_region):
    customer = CustomerFactory(code="C1", name="旧名", short_name="旧", region=north_region)
    undo_import(data_import=imported(HEADER, "C1,新名,(clear),south,"), by=head_office)
    customer.refresh_from_db()
    assert (customer.name, customer.short_name, customer.region, customer.version) == ("旧名", "旧", north_region, 3)
    assert customer.regions.latest("from_on").region == north_region


def test_an_undo_is_logged(imported, head_office, north_region):
    one = undo_import(data_import=imported(HEADER, "C1,甲,,north,公安"), by=head_office)
    changes = Change.objects.filter(batch=one.undo_batch)
    assert set(changes.values_list("table", flat=True)) == {"crm_customer", "crm_customerline"}
    assert set(changes.values_list("reason", "by", "way")) == {(f"undo of import {one.pk}", head_office.pk, "import")}


def test_nothing_is_undone_twice(imported, head_office, north_region):
    one = undo_import(data_import=imported(HEADER, "C1,甲,,north,"), by=head_office)
    with pytest.raises(UndoRefused, match="Only an import that has been done"):
        undo_import(data_import=one, by=head_office)


def test_one_edited_record_of_many_keeps_all_and_is_named_with_its_row(imported, head_office, north_region):
    one = imported(HEADER, *(f"C{n},甲{n},,north," for n in range(1000)))
    edited = Customer.objects.get(code="C700")
    edited.short_name = "改"
    save_customer(customer=edited, version=1, by=head_office)
    conflicts = refused(one, head_office)
    assert [(row, name) for row, name, _reason in conflicts] == [(702, "甲700")]
    assert conflicts[0][2].startswith("销售管理 changed it on ")
    assert Customer.objects.filter(deleted_at=None).count() == 1000


def test_who_edited_it_is_not_named_to_whom_he_is_out_of_sight(imported, north, south_user, head_office, north_region):
    one = imported(HEADER, "C1,甲,,north,", by=north)
    edited = Customer.objects.get(code="C1")
    edited.short_name = "改"
    save_customer(customer=edited, version=1, by=head_office)
    Change.objects.filter(object_id=edited.pk, by=head_office).update(by=south_user)
    [(_row, _name, reason)] = refused(one, north)
    assert reason.startswith("— changed it on ")


def test_an_edit_put_back_by_hand_is_an_edit_all_the_same(imported, head_office, north_region):
    one = imported(HEADER, "C1,甲,,north,")
    customer = Customer.objects.get()
    for version, name in ((1, "乙"), (2, "甲")):
        customer.name = name
        save_customer(customer=customer, version=version, by=head_office)
    assert len(refused(one, head_office)) == 1


@pytest.mark.parametrize("child", [ContactFactory, CustomerLineFactory])
def test_what_was_added_to_a_created_customer_since_holds_the_undo_up(imported, head_office, north_region, child):
    one = imported(HEADER, "C1,甲,,north,")
    child(customer=Customer.objects.get())
    assert refused(one, head_office)[0][:2] == (2, "甲")


def test_a_sale_on_a_line_that_the_import_opened_holds_the_undo_up(imported, head_office, north_region):
    one = imported(HEADER, "C1,甲,,north,公安")
    SaleFactory(line=CustomerLine.objects.get())
    assert refused(one, head_office)[0][2] == "it has sales by now"


def test_a_child_customer_of_the_same_file_goes_with_its_parent(imported, head_office, north_region):
    one = imported("客户编码,客户名称,大区,上级客户", "C1,甲,north,", "C2,乙,north,C1")
    undo_import(data_import=one, by=head_office)
    assert not Customer.objects.filter(deleted_at=None).exists()


def test_a_later_import_of_the_same_records_is_undone_first(imported, head_office, north_region):
    customer = CustomerFactory(code="C1", name="甲", region=north_region)
    first = imported(HEADER, "C1,乙,,north,", "C2,新,,north,")
    second = imported(HEADER, "C1,丙,,north,", "C2,更新,,north,公安")
    assert len(refused(first, head_office)) == 2
    undo_import(data_import=second, by=head_office)
    undo_import(data_import=first, by=head_office)
    customer.refresh_from_db()
    assert (customer.name, customer.version) == ("甲", 5)
    assert list(Customer.objects.visible_to(head_office)) == [customer]
    assert list(Change.objects.of(customer).values_list("version", flat=True)) == [2, 3, 4, 5]


def test_an_edit_before_a_later_import_that_was_undone_holds_the_undo_up(imported, north, head_office, north_region):
    first = imported(HEADER, "C1,甲,,north,")
    customer = Customer.objects.get()
    customer.short_name = "改"
    save_customer(customer=customer, version=1, by=north)
    undo_import(data_import=imported(HEADER, "C1,乙,,,"), by=head_office)
    [(_row, _name, reason)] = refused(first, head_office)
    assert reason.startswith("北方员工 changed it on ")


def test_an_edit_after_a_later_import_that_was_undone_holds_the_undo_up(imported, north, head_office, north_region):
    first = imported(HEADER, "C1,甲,,north,")
    undo_import(data_import=imported(HEADER, "C1,乙,,,"), by=head_office)
    customer = Customer.objects.get()
    customer.short_name = "改"
    save_customer(customer=customer, version=3, by=north)
    [(_row, _name, reason)] = refused(first, head_office)
    assert reason.startswith("北方员工 changed it on ")


def test_what_the_undo_of_a_later_import_did_not_bring_back_holds_the_undo_up(imported, head_office, north_region):
    first = imported(HEADER, "C1,甲,,north,")
    second = undo_import(data_import=imported(HEADER, "C1,乙,,,"), by=head_office)
    back = Change.objects.get(batch=second.undo_batch)
    back.after["name"] = "丙"
    back.save()
    assert len(refused(first, head_office)) == 1


def test_a_later_merge_that_was_undone_is_not_in_the_way(imported, head_office, north_region):
    first = imported(HEADER, "C1,甲,,north,公安", "C2,乙,,north,公安")
    survivor, loser = Customer.objects.order_by("code")
    made = merge_customers(survivor=survivor, loser=loser, versions=(1, 1), from_loser=("name",), by=head_office)
    assert len(refused(first, head_office)) > 1
    undo_merge(merge=made, by=head_office)
    undo_import(data_import=first, by=head_office)
    assert not Customer.objects.visible_to(head_office).exists()


TAKEN = "what it had before is taken by now: "


def test_a_credit_code_that_another_customer_has_by_now_holds_the_undo_up(imported, head_office, north_region):
    customer = CustomerFactory(code="C1", name="甲", region=north_region, credit_code="X")
    one = imported("客户编码,信用代码,大区", "C1,Y,north")
    CustomerFactory(region=north_region, credit_code="X")
    reason = f"{TAKEN}Another customer of the region has this credit code."
    assert refused(one, head_office) == [(2, "甲", reason)]
    customer.refresh_from_db()
    assert customer.credit_code == "Y"


def test_a_code_that_another_customer_of_the_former_region_has_by_now_holds_the_undo_up(
    imported, head_office, north_region, south_region
):
    customer = CustomerFactory(code="C1", name="甲", region=north_region)
    one = imported(HEADER, "C1,,,south,")
    CustomerFactory(code="C1", region=north_region)
    assert refused(one, head_office) == [(2, "甲", f"{TAKEN}Another customer of the region has this code.")]
    customer.refresh_from_db()
    assert customer.region == south_region


def test_a_contract_number_that_another_sale_of_the_line_has_by_now_holds_the_undo_up(
    imported, head_office, north_region
):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    sale = SaleFactory(line=line, contract_no="HT-1")
    rows = ("销售编号,客户,产品线,合同号,签订日期,金额", f"{sale.pk},C1,公安,HT-2,2025-06-01,2")
    one = imported(*rows, kind="sales")
    SaleFactory(line=line, contract_no="HT-1")
    reason = f"{TAKEN}The customer line already has a sale with this contract number."
    assert refused(one, head_office) == [(2, "HT-2", reason)]


def test_what_nobody_else_has_by_now_goes_back(imported, head_office, north_region, south_region):
    """A removed customer, one of another region and one without a credit code are in nobody's way."""
    coded, bare = (CustomerFactory(code=f"C{n}", region=north_region, credit_code="X" * n) for n in (1, 0))
    one = imported("客户编码,信用代码,大区", "C1,Y,north", "C0,Z,north")
    CustomerFactory(region=north_region, credit_code="X", deleted_at=timezone.now())
    CustomerFactory(region=south_region, credit_code="X")
    CustomerFactory(region=north_region, credit_code="")
    undo_import(data_import=one, by=head_office)
    for customer in (coded, bare):
        customer.refresh_from_db()
    assert (coded.credit_code, bare.credit_code) == ("X", "")


def test_who_does_not_see_a_record_any_more_undoes_nothing_and_learns_nothing(
    imported, north, north_region, south_region
):
    one = imported(HEADER, "C1,甲,,north,", by=north)
    User.objects.filter(pk=north.pk).update(region=south_region)
    assert refused(one, User.objects.get(pk=north.pk)) == [(2, "", "you do not see this record")]


def test_who_lost_the_right_undoes_nothing(imported, north, north_region):
    one = imported(HEADER, "C1,甲,,north,", by=north)
    User.objects.filter(pk=north.pk).update(role=Role.CONSULTANT)
    assert refused(one, User.objects.get(pk=north.pk)) == []


def test_sales_go_and_their_lines_are_graded_again_and_may_be_imported_again(imported, head_office, north_region):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    kept = SaleFactory(line=line, contract_no="HT-1", amount=1_00)
    rows = ("客户,产品线,合同号,签订日期,金额", "C1,公安,HT-1,2025-06-01,2", "C1,旅游,HT-2,2026-03-05,1")
    undo_import(data_import=imported(*rows, kind="sales"), by=head_office)
    kept.refresh_from_db()
    line.refresh_from_db()
    assert (kept.amount, kept.version, list(Sale.objects.filter(deleted_at=None))) == (1_00, 3, [kept])
    assert line.facts_changed_at is not None
    assert not CustomerLine.objects.get(product_line__code="tourism").is_active
    assert imported(*rows, kind="sales").report["counts"] == {
        "created": 1,
        "updated": 1,
        "unchanged": 0,
        "rejected": 0,
    }
    assert CustomerLine.objects.get(product_line__code="tourism").is_active


def test_a_line_that_a_person_closed_is_not_opened_by_a_file(imported, north_region):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region, is_active=False)
    imported("客户,产品线,合同号,签订日期,金额", "C1,公安,HT-1,2025-06-01,2", kind="sales")
    line.refresh_from_db()
    assert not line.is_active


def test_an_edited_sale_holds_the_undo_up(imported, head_office, north_region):
    CustomerLineFactory(customer__code="C1", customer__region=north_region)
    one = imported("客户,产品线,合同号,签订日期,金额", "C1,公安,HT-1,2025-06-01,2", kind="sales")
    sale = Sale.objects.get()
    sale.amount = 5_00
    save_sale(sale=sale, version=1, by=head_office)
    assert refused(one, head_office)[0][:2] == (2, "HT-1")


def test_contacts_go(imported, head_office, north_region):
    customer = CustomerFactory(code="C1", region=north_region)
    known = ContactFactory(customer=customer, name="王芳", phone="1")
    rows = ("客户,姓名,电话", "C1,王芳,2", "C1,李雷,3")
    undo_import(data_import=imported(*rows, kind="contacts"), by=head_office)
    known.refresh_from_db()
    assert (known.phone, list(Contact.objects.visible_to(head_office))) == ("1", [known])
    one = imported(*rows, kind="contacts")
    assert one.report["counts"]["created"] == 1
    edited = Contact.objects.get(name="李雷", deleted_at=None)
    edited.phone = "4"
    save_contact(contact=edited, version=1, by=head_office)
    assert refused(one, head_office)[0][:2] == (3, "李雷")


PEOPLE = ("用户名,姓名,角色,大区", "wang,王伟,大区员工,north", "li,李雷,顾问,")


def test_created_people_cannot_sign_in_any_more_and_may_be_imported_again(imported, head_office, north_region):
    undo_import(data_import=imported(*PEOPLE, kind="people"), by=head_office)
    assert not User.objects.filter(username__in=("wang", "li"), is_active=True).exists()
    assert imported(*PEOPLE, kind="people").report["counts"]["updated"] == 2
    assert User.objects.filter(username__in=("wang", "li"), is_active=True).count() == 2


def test_people_go_back_import_by_import(imported, head_office, north_region, south_region):
    first = imported(*PEOPLE, kind="people")
    second = imported(PEOPLE[0], "wang,王伟,大区员工,south", kind="people")
    assert len(refused(first, head_office)) == 1
    undo_import(data_import=second, by=head_office)
    assert User.objects.get(username="wang").region == north_region
    undo_import(data_import=first, by=head_office)
    assert not User.objects.filter(username__in=("wang", "li"), is_active=True).exists()


def test_people_who_have_work_by_now_hold_the_undo_up(imported, head_office, north_region):
    one = imported(*PEOPLE, kind="people")
    LineMemberFactory(user=User.objects.get(username="wang"))
    assert refused(one, head_office) == [(2, "王伟", "has customers by now")]


def test_any_number_of_rows_is_undone_in_a_constant_number_of_queries(
    imported, head_office, north_region, django_assert_max_num_queries
):
    one = imported(HEADER, *(f"C{n},甲{n},,north," for n in range(200)))
    with django_assert_max_num_queries(40):
        undo_import(data_import=one, by=head_office)


def test_the_file_stays(imported, head_office, north_region):
    one = undo_import(data_import=imported(HEADER, "C1,甲,,north,"), by=head_office)
    assert BytesIO(one.file.content).read().decode().startswith("客户编码")
