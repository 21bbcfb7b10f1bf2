"""The page of all changes: filters, search, scope, and the file made of it."""

from uuid import uuid4

import pytest
from django.urls import reverse

from crm.actions.changes import record_change, snapshot
from crm.actions.named import save_named
from crm.actions.people import save_person
from crm.models import Change, Region, Role, Way
from tests.changes import at, edit, edit_contact, made
from tests.factories import (
    ContactFactory,
    CustomerLineFactory,
    DelegationFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import queries_of

pytestmark = pytest.mark.django_db
ADDRESS = reverse("crm:list-changes")


def records_on(response) -> list[tuple[str, str]]:
    return [(told.what, told.record) for told in response.context["list"].rows]


def csv_of(client, **params) -> str:
    answer = client.post(reverse("crm:export-list", args=["changes"], query=params or None), {"format": "csv"})
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def test_it_shows_the_latest_change_first(north, north_region, client_of):
    customer = made(north, region=north_region, name="杭州市公安局")
    edit(customer, north, short_name="杭公")
    response = client_of(north).get(ADDRESS)
    assert records_on(response) == [("Customer", "杭州市公安局")] * 2
    page = response.content.decode()
    assert "short name: nothing → 杭公" in page
    assert reverse("crm:view-history", args=["customer", customer.pk]) in page
    assert reverse("crm:view-customer", args=[customer.pk]) in page
    assert "北方员工" in page


def test_a_region_finds_nothing_of_another(north, south_user, head_office, north_region, south_region, client_of):
    made(south_user, region=south_region, name="广州市公安局")
    save_person(person=UserFactory(role=Role.CONSULTANT, name="刘洋"), by=head_office)
    client = client_of(north)
    assert records_on(client.get(ADDRESS)) == []
    searched = client.get(ADDRESS, {"search": "gzsgaj"})
    assert records_on(searched) == []
    assert "广州" not in searched.content.decode()
    assert client.get(ADDRESS, {"region": "south"}).status_code == 400
    assert client.get(ADDRESS, {"by": south_user.pk}).status_code == 400
    assert client.get(ADDRESS, {"kind": "person"}).status_code == 400
    assert "南方员工" not in client.get(ADDRESS).content.decode()
    assert "广州" not in csv_of(client)


def test_another_regions_customer_is_no_filter_and_not_told_from_one_that_is_not_there(north, south_region, client_of):
    hidden = made(region=south_region, name="广州市公安局")
    client = client_of(north)
    there = client.get(ADDRESS, {"customer": hidden.pk})
    nowhere = client.get(ADDRESS, {"customer": 987654321})
    assert there.status_code == nowhere.status_code == 400
    assert "广州" not in there.content.decode()


def test_who_sees_a_few_customers_has_no_such_page(north_region, client_of):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    assert client_of(manager).get(ADDRESS).status_code == 403
    answer = client_of(manager).post(reverse("crm:export-list", args=["changes"]), {"format": "csv"})
    assert answer.status_code == 403
    mine = CustomerLineFactory(customer=made(region=north_region))
    LineMemberFactory(line=mine, user=manager)
    made(region=north_region)
    assert [change.customer for change in Change.objects.visible_to(manager)] == [mine.customer]


def test_a_customer_that_moved_away_is_seen_by_neither_regions_list_as_it_was(
    north, south_user, head_office, north_region, south_region, client_of
):
    customer = made(north, region=north_region, name="搬家客户")
    edit(customer, head_office, region=south_region)
    assert records_on(client_of(north).get(ADDRESS)) == []
    assert len(records_on(client_of(south_user).get(ADDRESS))) == 1
    assert len(records_on(client_of(head_office).get(ADDRESS))) == 2


def test_administrators_see_settings_and_people_only(north, north_region, head_office, client_of):
    made(north, region=north_region, name="杭州市公安局")
    region = Region.objects.get(code="north")
    region.name = "北方大区"
    save_named(row=region, by=head_office)
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    client = client_of(administrator)
    assert [what for what, _name in records_on(client.get(ADDRESS))] == ["Region"]
    assert client.get(ADDRESS, {"kind": "customer"}).status_code == 400


def test_head_office_filters_settings_and_people(north, north_region, head_office, client_of):
    made(north, region=north_region)
    UserFactory(role=Role.CONSULTANT, name="刘洋")
    person = UserFactory(role=Role.CONSULTANT, name="赵敏")
    person.role = Role.DIRECTOR
    save_person(person=person, by=head_office)
    client = client_of(head_office)
    assert records_on(client.get(ADDRESS, {"about": "settings"})) == [("Person", "赵敏")]
    assert [what for what, _name in records_on(client.get(ADDRESS, {"about": "customers"}))] == ["Customer"]
    assert len(records_on(client.get(ADDRESS, {"about": ["settings", "customers"]}))) == 2


def test_kind_and_field_narrow_it(north, north_region, client_of):
    customer = made(north, region=north_region)
    edit(customer, north, short_name="杭公")
    edit(customer, north, industry="公共安全")
    edit_contact(ContactFactory(customer=customer), north, phone="13800000000")
    client = client_of(north)
    assert len(records_on(client.get(ADDRESS, {"kind": "customer"}))) == 3
    assert records_on(client.get(ADDRESS, {"kind": "contact"})) == [("Contact", "王芳")]
    [told] = client.get(ADDRESS, {"kind": "customer", "field": "short_name"}).context["list"].rows
    assert told.sentences == ["short name: nothing → 杭公"]
    assert client.get(ADDRESS, {"field": "short_name"}).status_code == 400
    assert client.get(ADDRESS, {"kind": "customer", "field": "pinyin"}).status_code == 400


def test_person_way_and_batch_narrow_it(north, north_region, head_office, client_of):
    customer, batch = made(north, region=north_region), uuid4()
    edit(customer, head_office, way=Way.API, short_name="杭公")
    before = snapshot(customer)
    customer.short_name = "杭公安"
    record_change(customer, before=before, by=north, way=Way.IMPORT, batch=batch)
    client = client_of(north)
    assert len(records_on(client.get(ADDRESS, {"by": north.pk}))) == 2
    assert len(records_on(client.get(ADDRESS, {"way": "api"}))) == 1
    assert len(records_on(client.get(ADDRESS, {"way": ["api", "import"]}))) == 2
    assert len(records_on(client.get(ADDRESS, {"batch": str(batch)}))) == 1
    assert client.get(ADDRESS, {"batch": "nonsense"}).status_code == 400


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"made_from": "2026-01-01"}, ["midnight", "later"]),
        ({"made_until": "2025-12-31"}, ["last second"]),
        ({"made_from": "2025-12-31", "made_until": "2025-12-31"}, ["last second"]),
        ({"made_from": "2026-01-01", "made_until": "2026-01-01"}, ["midnight"]),
        ({"made_from": "0001-01-01", "made_until": "9999-12-31"}, ["last second", "midnight", "later"]),
    ],
)
def test_days_are_whole_days_of_the_companys_zone(north, north_region, client_of, params, names):
    moments = {
        "last second": "2025-12-31T23:59:59+08:00",
        "midnight": "2026-01-01T00:00:00+08:00",
        "later": "2026-01-02T00:00:00+08:00",
    }
    for name, moment in moments.items():
        with at(moment):
            made(north, region=north_region, name=name)
    found = client_of(north).get(ADDRESS, params)
    assert [name for _what, name in records_on(found)] == names[::-1]


def test_search_finds_the_customer_of_a_part(north, north_region, client_of):
    customer = made(north, region=north_region, name="杭州市公安局")
    edit_contact(ContactFactory(customer=customer), north, phone="13800000000")
    made(north, region=north_region, name="宁波市城市管理局")
    found = client_of(north).get(ADDRESS, {"search": "hzsgaj"})
    assert records_on(found) == [("Contact", "王芳"), ("Customer", "杭州市公安局")]


def test_a_customers_changes_have_a_chip_with_its_name(north, north_region, client_of):
    customer = made(north, region=north_region, name="杭州市公安局")
    made(north, region=north_region)
    response = client_of(north).get(ADDRESS, {"customer": customer.pk})
    assert len(records_on(response)) == 1
    assert [chip["label"] for chip in response.context["chips"]] == ["Customer: 杭州市公安局"]


@pytest.mark.parametrize("wrong", ["way=magic", "made_from=yesterday", "kind=secret", "ordering=by", "colour=red"])
def test_what_makes_no_sense_is_said_and_shows_no_rows(north, north_region, client_of, wrong):
    made(north, region=north_region, name="杭州市公安局")
    response = client_of(north).get(f"{ADDRESS}?{wrong}")
    assert response.status_code == 400
    assert "杭州市公安局" not in response.content.decode()


def test_an_empty_page_says_what_to_do_next(north, client_of):
    client = client_of(north)
    assert "Nothing has been changed yet" in client.get(ADDRESS).content.decode()
    assert "No change fits these filters" in client.get(ADDRESS, {"way": "api"}).content.decode()
    assert "还没有任何变更" in client_of(north, "zh-hans").get(ADDRESS).content.decode()


def test_the_switch_of_the_region_narrows_it_but_not_the_settings(head_office, north_region, client_of):
    client = client_of(head_office)
    client.post(reverse("crm:switch-scope"), {"region": north_region.pk})
    assert client.get(ADDRESS)["Location"] == f"{ADDRESS}?region=north"
    assert client.get(ADDRESS, {"about": "settings"}).status_code == 200


def test_a_file_has_what_the_page_shows_in_words(north, north_region, client_of):
    customer = made(north, region=north_region, name="=1+1")
    edit(customer, north, short_name="杭公", industry="公共安全")
    rows = csv_of(client_of(north), kind="customer").splitlines()
    assert rows[0] == "When,Who,By way of,Kind of record,Record,Customer,Region,What changed,Why"
    assert "short name: nothing → 杭公; industry: nothing → 公共安全" in rows[1]
    assert "'=1+1" in rows[1]
    assert "North" in rows[1]


def test_long_values_are_cut_on_the_page_and_whole_in_the_file(north, north_region, client_of):
    customer = made(north, region=north_region)
    edit(customer, north, note="长" * 600)
    assert "长" * 200 not in client_of(north).get(ADDRESS).content.decode()
    assert "长" * 600 in csv_of(client_of(north))


def test_its_queries_do_not_grow_with_its_rows(head_office, north, north_region, client_of):
    client = client_of(head_office)

    def happen() -> None:
        customer = made(north, region=north_region)
        line = CustomerLineFactory(customer=customer, lead=north)
        for record in (line, SaleFactory(line=line), LineMemberFactory(line=line, user=north), ContactFactory()):
            record_change(record, before=None, by=head_office, way=Way.FORM)
        person = UserFactory(role=Role.CONSULTANT)
        person.guided_by = north
        save_person(person=person, by=head_office)

    for _ in range(5):
        happen()
    few = queries_of(client, f"{ADDRESS}?page_size=25")
    for _ in range(12):
        happen()
    assert queries_of(client, f"{ADDRESS}?page_size=50") == few <= 15
    assert queries_of(client, f"{ADDRESS}?search=gaj&kind=customer&field=name&page_size=200") <= 15


def test_delegations_are_found_among_settings_by_their_two_people(head_office, client_of):
    giver, receiver = (UserFactory(role=Role.CONSULTANT, name=name) for name in ("刘洋", "赵敏"))
    record_change(DelegationFactory(giver=giver, receiver=receiver), before=None, by=head_office, way=Way.FORM)
    found = client_of(head_office).get(ADDRESS, {"about": "settings", "kind": "delegation"})
    assert records_on(found) == [("Delegation", "刘洋 → 赵敏")]
