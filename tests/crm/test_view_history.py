"""The history of one record: every field that changed, in words, for those who see the record."""

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.actions.contacts import save_contact
from crm.actions.lines import save_line, save_member
from crm.actions.people import save_person
from crm.actions.tokens import create_token, revoke_token
from crm.models import ApiToken, Change, LineMember, Role, Way
from tests.changes import edit, made
from tests.factories import (
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import queries_of

pytestmark = pytest.mark.django_db


def address_of(kind: str, pk: int, **params) -> str:
    return reverse("crm:view-history", args=[kind, pk], query=params or None)


def page_of(client, record, kind: str = "customer", **params) -> str:
    return client.get(address_of(kind, record.pk, **params)).content.decode()


def test_it_says_who_changed_what_from_what_to_what_and_by_which_way(north, north_region, client_of):
    customer = made(region=north_region)
    edit(customer, north, way=Way.API, short_name="杭公", kind="agent")
    page = page_of(client_of(north), customer)
    assert "北方员工" in page
    assert "API" in page
    assert "杭公" in page
    assert "Customer</span>" in page
    assert "Agent</span>" in page
    assert "pinyin" not in page.split("<table")[1]


def test_a_new_record_shows_what_was_filled_in(north, north_region, client_of):
    page = page_of(client_of(north), made(region=north_region, industry="公共安全"))
    assert "Added" in page
    assert "公共安全" in page
    assert "website" not in page.split("<table")[1]


def test_links_are_said_by_name(north, north_region, client_of):
    customer = made(region=north_region)
    edit(customer, north, branch=BranchFactory(region=north_region, name="石家庄分公司"))
    page = page_of(client_of(north), customer)
    assert "石家庄分公司" in page


def test_a_linked_person_out_of_scope_is_not_named(north, north_region, south_region, client_of, head_office):
    line = CustomerLineFactory(customer__region=north_region)
    line.lead = UserFactory(name="南方员工", role=Role.ACCOUNT_MANAGER, region=north_region)
    save_line(line=line, by=head_office)
    line.lead.region = south_region
    save_person(person=line.lead, by=head_office)
    assert "南方员工" not in page_of(client_of(north), line, "customer-line")
    assert "南方员工" in page_of(client_of(head_office), line, "customer-line")


def test_a_parent_out_of_scope_is_not_named(north, north_region, south_region, client_of, head_office):
    customer = made(region=north_region)
    edit(customer, head_office, parent=CustomerFactory(region=south_region, name="上级单位甲"))
    assert "上级单位甲" not in page_of(client_of(north), customer)
    assert "上级单位甲" in page_of(client_of(head_office), customer)


def test_who_made_a_change_is_not_named_to_those_who_do_not_see_him(north, north_region, south_user, client_of):
    customer = made(region=north_region)
    edit(customer, None, short_name="杭公")
    Change.objects.filter(customer=customer).update(by=south_user)
    page = page_of(client_of(north), customer)
    assert "杭公" in page
    assert "南方员工" not in page


def test_another_regions_record_is_not_there(south_user, north_region, client_of):
    client = client_of(south_user)
    line = CustomerLineFactory(customer__region=north_region)
    records = {
        "customer": line.customer,
        "customer-line": line,
        "contact": ContactFactory(customer=line.customer),
        "sale": SaleFactory(line=line),
        "line-member": LineMemberFactory(line=line),
    }
    assert {client.get(address_of(kind, record.pk)).status_code for kind, record in records.items()} == {404}


def test_neither_a_kind_nor_a_record_that_does_not_exist_is_there(north, client_of):
    client = client_of(north)
    for address in (address_of("customer", 10**17), address_of("customer", 10**30), "/history/nothing/1/"):
        assert client.get(address).status_code == 404
    assert client.get(address_of("division", 1)).status_code == 404


def test_a_removed_customer_is_not_there(north, north_region, client_of):
    customer = CustomerFactory(region=north_region, deleted_at=timezone.now())
    assert client_of(north).get(address_of("customer", customer.pk)).status_code == 404


def test_a_removed_contact_still_has_its_history(north, north_region, client_of):
    contact = ContactFactory(customer__region=north_region)
    contact.deleted_at = timezone.now()
    save_contact(contact=contact, version=1, by=north)
    page = page_of(client_of(north), contact, "contact")
    assert "Removed" in page
    assert "Put back" not in page


def test_a_consultant_reads_the_history_of_the_customer_he_serves(north_region, client_of):
    line = CustomerLineFactory(customer=made(region=north_region))
    consultant = UserFactory(role=Role.CONSULTANT)
    LineMemberFactory(line=line, user=consultant)
    page = page_of(client_of(consultant), line.customer)
    assert "Added" in page
    assert "Put back" not in page


def test_what_was_written_before_a_move_stays_with_the_region_of_then(
    north, south_user, head_office, north_region, south_region, client_of
):
    customer = made(region=north_region)
    edit(customer, north, note="北方的秘密")
    edit(customer, head_office, region=south_region)
    edit(customer, south_user, note="南方的话")
    page = page_of(client_of(south_user), customer)
    assert "南方的话" in page
    assert "added" not in page.lower()
    assert client_of(north).get(address_of("customer", customer.pk)).status_code == 404
    assert not Change.objects.visible_to(north).exists()
    told = Change.objects.visible_to(south_user).told().of(customer)
    assert [sorted(change.after) for change in told] == [["region_id", "version"], ["note", "version"]]
    assert Change.objects.visible_to(head_office).of(customer).count() == 4


def test_it_can_be_narrowed_to_one_field(north, north_region, client_of):
    customer = made(region=north_region)
    edit(customer, north, short_name="杭公")
    edit(customer, north, industry="公共安全")
    client = client_of(north)
    assert "公共安全" not in page_of(client, customer, field="short_name")
    assert "This field is as it was" in page_of(client, customer, field="website")
    assert client.get(address_of("customer", customer.pk, field="password")).status_code == 404


def test_long_histories_come_in_parts(north, north_region, client_of):
    customer = made(region=north_region)
    for number in range(55):
        edit(customer, north, short_name=f"名{number:02}")
    client = client_of(north)
    first = client.get(address_of("customer", customer.pk))
    assert len(first.context["rows"]) == 50
    assert len(client.get(first.context["older_url"]).context["rows"]) == 6
    assert client.get(address_of("customer", customer.pk, before="x")).status_code == 404


def test_a_record_without_changes_says_so(north, north_region, client_of):
    assert "Nothing of it has changed" in page_of(client_of(north), CustomerFactory(region=north_region))


def test_settings_and_people_are_read_by_those_who_audit(head_office, north, client_of):
    person = UserFactory(role=Role.CONSULTANT, name="刘洋")
    person.role = Role.DIRECTOR
    save_person(person=person, by=head_office, password="a-long-secret-9")
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    for reader in (head_office, administrator):
        page = page_of(client_of(reader), person, "person")
        assert "Consultant" in page
        assert "Director" in page
        assert "password" in page
        assert Change.objects.of(person).get().after["password"] not in page
    assert client_of(north).get(address_of("person", person.pk)).status_code == 403
    executive = UserFactory(role=Role.EXECUTIVE)
    assert client_of(executive).get(address_of("person", person.pk)).status_code == 403


def test_a_revoked_token_still_has_its_history(head_office, client_of):
    create_token(by=head_office, name="BI", scopes=["read"], expires_on=timezone.localdate())
    token = ApiToken.objects.get()
    number, digest = token.number, token.digest
    revoke_token(token=token, by=head_office)
    page = client_of(head_office).get(address_of("api-token", number)).content.decode()
    assert "BI" in page
    assert "Removed" in page
    assert digest not in page
    assert client_of(head_office).get(address_of("api-token", number + 1)).status_code == 404


def test_an_administrator_reads_nothing_of_customers(north_region, client_of):
    customer = made(region=north_region)
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    assert client_of(administrator).get(address_of("customer", customer.pk)).status_code == 403


def test_a_member_says_whom_it_is_about(north, north_region, client_of):
    line = CustomerLineFactory(customer__region=north_region)
    member = save_member(
        member=LineMember(
            line=line, user=UserFactory(name="刘洋", role=Role.DIRECTOR), why="lead", from_on="2026-01-01"
        ),
        by=north,
    )
    assert "刘洋" in page_of(client_of(north), member, "line-member")
    assert "leads" in page_of(client_of(north), member, "line-member")


def test_what_was_written_is_no_markup(north, north_region, client_of):
    customer = made(region=north_region)
    edit(customer, north, note="=<b>&\"'" + "长" * 600)
    page = page_of(client_of(north), customer)
    assert "<b>" not in page
    assert "=&lt;b&gt;&amp;" in page


def test_it_speaks_chinese(north, north_region, client_of):
    customer = made(region=north_region)
    edit(customer, north, short_name="杭公")
    page = client_of(north, "zh-hans").get(address_of("customer", customer.pk)).content.decode()
    assert "变更记录" in page
    assert "恢复" in page


def test_its_queries_do_not_grow_with_its_rows(north, north_region, client_of):
    client = client_of(north)
    customer = made(region=north_region)
    edit(customer, north, branch=BranchFactory(region=north_region))
    few = queries_of(client, address_of("customer", customer.pk))
    for number in range(30):
        edit(customer, north, short_name=f"{number}", branch=BranchFactory(region=north_region))
    assert queries_of(client, address_of("customer", customer.pk)) == few <= 15
