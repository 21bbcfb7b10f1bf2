"""An older value put back from a record's history: asked first, saved by the record's own action."""

import pytest
from django.urls import reverse

from crm.actions.lines import save_line
from crm.actions.sales import save_sale
from crm.models import Change, LineMember, Role, User
from tests.changes import at, edit, edit_contact, made
from tests.factories import (
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def way_back(kind: str, change: Change, field: str) -> str:
    return reverse("crm:restore-value", args=[kind, change.object_id, change.sequence, field])


def confirm(client, address: str, version: int | None = None):
    asked = client.get(address)
    assert asked.status_code == 200, asked.content.decode()
    return client.post(address, {"version": asked.context["version"] if version is None else version})


def test_it_asks_and_puts_the_older_value_back(north, north_region, client_of):
    customer = made(region=north_region, short_name="杭公")
    with at("2026-01-31T10:15:00+08:00"):
        change = edit(customer, north, short_name="杭州公安")
    client = client_of(north)
    history = client.get(reverse("crm:view-history", args=["customer", customer.pk])).content.decode()
    address = way_back("customer", change, "short_name")
    assert address in history
    page = client.get(address).content.decode()
    assert "杭州公安" in page
    assert "until 2026-01-31 10:15" in page
    assert confirm(client, address).status_code == 302
    customer.refresh_from_db()
    assert (customer.short_name, customer.version) == ("杭公", 3)
    last = Change.objects.of(customer).last()
    assert (last.reason, last.by, last.before["short_name"]) == ("restored from 2026-01-31 10:15", north, "杭州公安")


def test_a_name_comes_back_with_its_pinyin(north, north_region, client_of):
    customer = made(region=north_region, name="杭州市公安局")
    change = edit(customer, north, name="宁波市公安局")
    confirm(client_of(north), way_back("customer", change, "name"))
    customer.refresh_from_db()
    assert "hangzhou" in customer.search_text
    assert "宁波" not in customer.search_text


def test_what_follows_by_itself_and_where_it_belongs_is_not_offered(head_office, north_region, south_region, client_of):
    customer = made(region=north_region)
    change = edit(customer, head_office, name="别名", region=south_region)
    client = client_of(head_office)
    for field in ("pinyin", "search_text", "version", "region", "nothing"):
        assert client.get(way_back("customer", change, field)).status_code == 404
        assert client.post(way_back("customer", change, field)).status_code == 404


def test_what_was_edited_meanwhile_is_shown_and_not_overwritten(north, north_region, client_of):
    customer = made(region=north_region, short_name="杭公")
    change = edit(customer, north, short_name="杭州公安")
    address = way_back("customer", change, "short_name")
    client = client_of(north)
    version = client.get(address).context["version"]
    edit(customer, north, short_name="市局")
    answer = client.post(address, {"version": version})
    assert answer.status_code == 409
    assert "市局" in answer.content.decode()
    customer.refresh_from_db()
    assert customer.short_name == "市局"
    assert confirm(client, address).status_code == 302


def test_the_same_value_twice_is_refused(north, north_region, client_of):
    customer = made(region=north_region, short_name="杭公")
    change = edit(customer, north, short_name="杭州公安")
    address = way_back("customer", change, "short_name")
    client = client_of(north)
    confirm(client, address)
    again = client.post(address, {"version": 3})
    assert again.status_code == 422
    assert "It has this value already." in again.content.decode()
    assert client.get(address).status_code == 422


def test_a_branch_that_is_not_in_use_any_more_is_refused(north, north_region, client_of):
    branch = BranchFactory(region=north_region, name="旧分公司")
    customer = made(region=north_region, branch=branch)
    change = edit(customer, north, branch=None)
    branch.is_active = False
    branch.save()
    answer = client_of(north).get(way_back("customer", change, "branch"))
    assert answer.status_code == 422
    assert "“旧分公司” is not in use any more." in answer.content.decode()


def test_a_branch_of_another_region_is_refused(head_office, north_region, south_region, client_of):
    branch = BranchFactory(region=north_region, name="北方分公司")
    customer = made(region=north_region, branch=branch)
    change = edit(customer, head_office, branch=None, region=south_region)
    answer = client_of(head_office).get(way_back("customer", change, "branch"))
    assert "belongs to another region" in answer.content.decode()


def test_a_link_out_of_scope_is_neither_named_nor_put_back(north, north_region, south_region, head_office, client_of):
    parent = CustomerFactory(region=south_region, name="上级单位甲")
    customer = made(region=north_region, parent=parent)
    change = edit(customer, head_office, parent=None)
    client = client_of(north)
    address = way_back("customer", change, "parent")
    answer = client.get(address)
    assert answer.status_code == 422
    assert "上级单位甲" not in answer.content.decode()
    assert address not in client.get(reverse("crm:view-history", args=["customer", customer.pk])).content.decode()


def test_a_value_that_the_rules_refuse_is_refused_with_their_words(north, north_region, client_of):
    customer = made(region=north_region, credit_code="91330100MA27XF1K0A")
    change = edit(customer, north, credit_code="")
    made(region=north_region, credit_code="91330100MA27XF1K0A")
    client = client_of(north)
    address = way_back("customer", change, "credit_code")
    answer = client.post(address, {"version": 2})
    assert answer.status_code == 422
    assert "Another customer of the region has this credit code." in answer.content.decode()
    customer.refresh_from_db()
    assert customer.credit_code == ""


def test_another_regions_record_is_not_there(south_user, north, north_region, client_of):
    customer = made(region=north_region, short_name="杭公")
    change = edit(customer, north, short_name="杭州公安")
    address = way_back("customer", change, "short_name")
    assert client_of(south_user).get(address).status_code == 404
    assert client_of(south_user).post(address, {"version": 2}).status_code == 404


def test_a_change_of_another_record_is_not_there(north, north_region, client_of):
    customer, other = made(region=north_region, short_name="甲"), made(region=north_region)
    change = edit(customer, north, short_name="乙")
    address = reverse("crm:restore-value", args=["customer", other.pk, change.sequence, "short_name"])
    assert client_of(north).get(address).status_code == 404


def test_who_may_read_only_is_told_so(north, north_region, client_of):
    customer = made(region=north_region, short_name="杭公")
    change = edit(customer, north, short_name="杭州公安")
    consultant = UserFactory(role=Role.CONSULTANT)
    LineMemberFactory(line__customer=customer, user=consultant)
    answer = client_of(consultant).post(way_back("customer", change, "short_name"), {"version": 2})
    assert answer.status_code == 403
    assert "not change it" in answer.content.decode()


def test_who_serves_another_line_may_not_put_back_its_lead(north_region, head_office, client_of):
    line = CustomerLineFactory(customer__region=north_region, lead=UserFactory(name="旧经理"))
    line.lead = None
    save_line(line=line, by=head_office)
    change = Change.objects.of(line).get()
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    other = CustomerLineFactory(customer=line.customer, product_line_id=line.product_line_id + 1)
    LineMemberFactory(line=other, user=manager)
    assert client_of(manager).get(way_back("customer-line", change, "lead")).status_code == 403


def test_a_lead_comes_back_with_his_membership(head_office, north_region, client_of):
    lead = UserFactory(name="旧经理", role=Role.ACCOUNT_MANAGER, region=north_region)
    line = CustomerLineFactory(customer__region=north_region)
    for person in (lead, None):
        line.lead = person
        save_line(line=line, by=head_office)
    change = Change.objects.of(line).last()
    assert confirm(client_of(head_office), way_back("customer-line", change, "lead")).status_code == 302
    line.refresh_from_db()
    assert line.lead == lead
    assert LineMember.objects.current().filter(line=line, user=lead).count() == 1


def test_a_lead_who_may_lead_no_more_does_not_come_back(head_office, north_region, client_of):
    lead = UserFactory(name="旧经理", role=Role.ACCOUNT_MANAGER, region=north_region)
    line = CustomerLineFactory(customer__region=north_region, lead=lead)
    line.lead = None
    save_line(line=line, by=head_office)
    User.objects.filter(pk=lead.pk).update(role=Role.CONSULTANT)
    answer = confirm(client_of(head_office), way_back("customer-line", Change.objects.of(line).last(), "lead"))
    assert "cannot lead customers" in answer.content.decode()
    line.refresh_from_db()
    assert line.lead is None


def test_a_line_without_a_version_is_not_overwritten_either(head_office, north_region, client_of):
    first, second, third = (UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region) for _ in range(3))
    line = CustomerLineFactory(customer__region=north_region, lead=first)
    line.lead = second
    save_line(line=line, by=head_office)
    change = Change.objects.of(line).last()
    client = client_of(head_office)
    address = way_back("customer-line", change, "lead")
    version = client.get(address).context["version"]
    line.lead = third
    save_line(line=line, by=head_office)
    assert client.post(address, {"version": version}).status_code == 409


def test_contacts_and_sales_go_back_too(north, north_region, client_of):
    line = CustomerLineFactory(customer__region=north_region)
    contact = ContactFactory(customer=line.customer, phone="13800000000")
    sale = SaleFactory(line=line, amount=5_000_00)
    moved = edit_contact(contact, north, phone="")
    sale.amount = 7_000_00
    save_sale(sale=sale, version=1, by=north)
    client = client_of(north)
    confirm(client, way_back("contact", moved, "phone"))
    confirm(client, way_back("sale", Change.objects.of(sale).get(), "amount"))
    contact.refresh_from_db()
    sale.refresh_from_db()
    assert (contact.phone, sale.amount) == ("13800000000", 5_000_00)
    assert Change.objects.of(sale).last().reason.startswith("restored from")


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
def test_a_version_that_is_no_number_is_refused(north, north_region, client_of, version):
    customer = made(region=north_region, short_name="杭公")
    change = edit(customer, north, short_name="杭州公安")
    answer = client_of(north).post(way_back("customer", change, "short_name"), {"version": version})
    assert answer.status_code == 404


def test_it_speaks_chinese(north, north_region, client_of):
    customer = made(region=north_region, short_name="杭公")
    change = edit(customer, north, short_name="杭州公安")
    page = client_of(north, "zh-hans").get(way_back("customer", change, "short_name")).content.decode()
    assert "恢复" in page
    client_of(north, "zh-hans").post(way_back("customer", change, "short_name"), {"version": 2})
    assert Change.objects.of(customer).last().reason.startswith("恢复到")
