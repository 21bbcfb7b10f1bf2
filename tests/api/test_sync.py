"""`changed_since`: what changed, what is gone, and a token that goes on where this call ended."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.actions.changes import record_change, snapshot
from crm.actions.customers import save_customer
from crm.actions.lines import save_member
from crm.actions.named import save_named
from crm.actions.people import save_person
from crm.actions.sales import delete_sale, save_sale
from crm.models import Change, Contact, Customer, LineMember, ProductLine, Sale, User, Way
from grading.actions.assessments import save_assessment
from grading.actions.cycles import open_cycle
from grading.actions.labels import move_labels
from grading.models import Assessment, Cycle, CycleState
from tests.api.conftest import LONG_AGO, changed, gone
from tests.factories import (
    AssessmentFactory,
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)

TODAY = "2025-06-01"


def rename(customer, name="改名"):
    return save_customer(customer=changed(customer, name=name), version=changed(customer).version, by=None)


def move(customer, region):
    return save_customer(customer=changed(customer, region=region), version=changed(customer).version, by=None)


def test_the_first_call_gives_everything_and_the_next_only_what_changed(follow, north, customer, north_region):
    other = CustomerFactory(region=north_region)
    call = follow(north, "customers/")
    assert call().keys() == {customer.pk, other.pk}
    assert call() == {}
    rename(other)
    assert {row["name"] for row in call().values()} == {"改名"}
    assert call() == {}


def test_a_changed_object_is_the_object_of_the_list(follow, api, north, customer):
    call = follow(north, "customers/")
    assert list(call().values()) == api(north).results("customers/")


def test_what_is_deleted_comes_as_a_tombstone(follow, north, customer):
    sale = SaleFactory(line__customer=customer)
    call = follow(north, "sales/")
    assert call().keys() == {sale.pk}
    delete_sale(sale=sale, version=1, by=None)
    assert call() == gone(sale.pk)
    assert call() == {}


def test_a_moment_serves_the_first_call_with_deletions_too(api, north, customer):
    with time_machine.travel(timezone.now() - timedelta(days=2)):
        kept, old = (
            save_sale(
                sale=Sale(
                    line=CustomerLineFactory(customer=customer, product_line=line), signed_on="2025-01-01", amount=1
                ),
                version=0,
                by=None,
            )
            for line in ProductLine.objects.all()[:2]
        )
    moment = (timezone.now() - timedelta(days=1)).isoformat()
    delete_sale(sale=old, version=1, by=None)
    assert api(north).results("sales/", changed_since=moment) == [{"id": old.pk, "deleted": True}]
    assert [row["id"] for row in api(north).results("sales/", changed_since=LONG_AGO)] == [kept.pk, old.pk]


def test_who_leaves_the_region_is_gone_there_and_new_in_the_other(
    follow, north, south_user, head_office, customer, south_region
):
    line = CustomerLineFactory(customer=customer)
    sale, contact = SaleFactory(line=line), ContactFactory(customer=customer)
    records = {"customers/": customer, "customer-lines/": line, "sales/": sale, "contacts/": contact}
    calls = [{path: follow(user, path) for path in records} for user in (north, south_user, head_office)]
    for person in calls:
        for call in person.values():
            call()
    move(customer, south_region)
    for path, record in records.items():
        assert calls[0][path]() == gone(record.pk), path
        assert calls[1][path]()[record.pk].keys() > {"id", "version"} or path == "customer-lines/", path
        assert "deleted" not in calls[2][path]()[record.pk], path
    rename(customer)
    for path in records:
        assert calls[0][path]() == {}, "it is no more its business"


def test_of_other_regions_nothing_is_told(follow, south_user, customer):
    sale = SaleFactory(line__customer=customer)
    calls = [follow(south_user, path) for path in ("customers/", "sales/", "contacts/", "customer-lines/")]
    assert [call() for call in calls] == [{}] * 4
    rename(customer)
    delete_sale(sale=sale, version=1, by=None)
    Customer.objects.filter(pk=customer.pk).update(deleted_at=timezone.now())
    assert [call() for call in calls] == [{}] * 4


def test_a_sale_that_goes_to_another_regions_line_is_gone(follow, north, customer, foreign_customer):
    sale = SaleFactory(line__customer=customer)
    call = follow(north, "sales/")
    call()
    save_sale(sale=changed(sale, line=CustomerLineFactory(customer=foreign_customer)), version=1, by=None)
    assert call() == gone(sale.pk)


def test_a_member_gains_the_customer_with_all_that_is_his_and_loses_it(follow, customer, north_region):
    manager = UserFactory(role="account_manager", region=north_region)
    sale = SaleFactory(line__customer=customer)
    other = CustomerFactory(region=north_region)
    customers, sales = follow(manager, "customers/"), follow(manager, "sales/")
    assert (customers(), sales()) == ({}, {})
    member = save_member(member=LineMember(line=sale.line, user=manager, why="x", from_on="2025-01-01"), by=None)
    assert (customers().keys(), sales().keys()) == ({customer.pk}, {sale.pk})
    rename(other)
    assert customers() == {}
    member.until_on = timezone.localdate()
    save_member(member=member, by=None)
    assert (customers(), sales()) == (gone(customer.pk), gone(sale.pk))
    rename(customer)
    assert customers() == {}


def test_a_branch_manager_loses_what_goes_to_another_branch(follow, north_region):
    mine, other = BranchFactory(region=north_region), BranchFactory(region=north_region)
    customer = CustomerFactory(region=north_region, branch=mine)
    call = follow(UserFactory(role="branch_gm", region=north_region, branch=mine), "customers/")
    assert call().keys() == {customer.pk}
    save_customer(customer=changed(customer, branch=other), version=1, by=None)
    assert call() == gone(customer.pk)


def test_whose_own_scope_changed_starts_again(follow, north, customer, south_region):
    call = follow(north, "customers/")
    call()
    User.objects.filter(pk=north.pk).update(region=south_region)
    refused = call.answer()
    assert (refused.status_code, refused.json()["code"]) == (410, "sync_expired")


def test_whose_scope_changes_between_two_pages_starts_again(api, north, north_region, south_region):
    CustomerFactory.create_batch(3, region=north_region)
    page = api(north).read("customers/", changed_since=LONG_AGO, page_size=2).json()
    User.objects.filter(pk=north.pk).update(region=south_region)
    refused = api(north).get(page["next"])
    assert (refused.status_code, refused.json()["code"]) == (410, "sync_expired")


def test_a_page_of_another_reader_is_refused(api, north, head_office, north_region):
    CustomerFactory.create_batch(3, region=north_region)
    page = api(north).read("customers/", changed_since=LONG_AGO, page_size=2).json()
    refused = api(head_office).get(page["next"])
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")


def test_who_follows_one_customer_that_leaves_is_told_to_forget_it(api, follow, north, customer, south_region):
    contacts = ContactFactory.create_batch(3, customer=customer)
    call = follow(north, "contacts/", customer=customer.pk)
    assert call().keys() == {one.pk for one in contacts}
    first_page = api(north).read("contacts/", changed_since=LONG_AGO, customer=customer.pk, page_size=2).json()
    move(customer, south_region)
    for refused in (call.answer(), api(north).get(first_page["next"])):
        assert (refused.status_code, refused.json()["code"]) == (410, "sync_expired")
    never = api(north).read("contacts/", changed_since=LONG_AGO, customer=customer.pk)
    assert (never.status_code, never.json()["errors"][0]["field"]) == (400, "customer")


def test_what_does_not_fit_the_filter_any_more_is_gone(follow, north, customer):
    call = follow(north, "customers/", kind="customer")
    call()
    save_customer(customer=changed(customer, kind="agent"), version=1, by=None)
    assert call() == gone(customer.pk)


def test_a_renamed_customer_is_sent_wherever_its_name_stands(follow, north, customer):
    line = CustomerLineFactory(customer=customer)
    SaleFactory(line=line), ContactFactory(customer=customer), AssessmentFactory(line=line)
    calls = [follow(north, path) for path in ("sales/", "contacts/", "customer-lines/", "assessments/")]
    for call in calls:
        assert len(call()) == 1
    rename(customer, "新名")
    for call in calls:
        [row] = call().values()
        assert row["customer"]["name"] == "新名"


@time_machine.travel(TODAY)
def test_a_grade_is_sent_when_it_is_recorded_again(follow, north, customer, cycle):
    line = CustomerLineFactory(customer=customer)
    assessment = AssessmentFactory(line=line, fiscal_year=2025)
    call = follow(north, "grades/")
    assert call() == {}
    save_assessment(assessment=assessment, version=1, by=north)
    [(pk, row)] = call().items()
    assert row["customer"]["id"] == customer.pk
    assert call() == {}
    save_assessment(assessment=changed(assessment, has_need=False), version=2, by=north)
    assert call()[pk]["state"] == "not_gradable"
    save_assessment(assessment=changed(assessment, note="no other grade"), version=3, by=north)
    assert call() == {}


@time_machine.travel(TODAY)
def test_grades_follow_names_codes_and_regions(follow, head_office, north, customer, graded, south_region):
    grade = graded(CustomerLineFactory(customer=customer))
    everyone, regional = follow(head_office, "grades/"), follow(north, "grades/")
    assert (everyone().keys(), regional().keys()) == ({grade.pk}, {grade.pk})
    rename(customer, "新名")
    assert everyone()[grade.pk]["customer"]["name"] == "新名"
    save_named(row=changed(south_region, name_en="Far south"), by=None)
    assert everyone() == {}
    move(customer, south_region)
    assert everyone()[grade.pk]["customer"]["region"] == "south"
    assert regional()[grade.pk]["deleted"]


@time_machine.travel(TODAY)
def test_a_published_cycle_brings_all_its_grades_and_an_open_one_none(follow, head_office, graded):
    grade, cycle = graded(), Cycle.objects.get()
    Cycle.objects.update(state=CycleState.OPEN)
    call = follow(head_office, "grades/", fiscal_year=2025)
    assert call() == {}
    cycle.refresh_from_db()
    before = snapshot(cycle)
    cycle.state = CycleState.PUBLISHED
    cycle.save()
    record_change(cycle, before=before, by=None, way=Way.JOB)
    assert call().keys() == {grade.pk}


def test_a_token_of_the_year_in_effect_ends_with_it(follow, head_office, graded):
    with time_machine.travel("2025-12-31"):
        graded()
        CycleFactory(fiscal_year=2026, state=CycleState.PUBLISHED, published_at=timezone.now())
        call = follow(head_office, "grades/")
        call()
    with time_machine.travel("2026-01-02"):
        assert call.answer().status_code == 410


@time_machine.travel(TODAY)
def test_moved_labels_change_the_line_and_the_customer(follow, north, customer, graded):
    line = CustomerLineFactory(customer=customer)
    graded(line)
    lines, customers = follow(north, "customer-lines/"), follow(north, "customers/")
    lines(), customers()
    move_labels(today=timezone.localdate())
    assert lines()[line.pk]["grade"] == "B"
    assert customers()[customer.pk]["lines"][0]["grade"] == "B"
    move_labels(today=timezone.localdate())
    assert (lines(), customers()) == ({}, {})


def test_opening_a_cycle_brings_its_assessments(follow, head_office, customer):
    CustomerLineFactory(customer=customer)
    call = follow(head_office, "assessments/")
    assert call() == {}
    open_cycle(cycle=CycleFactory(fiscal_year=2026, state=CycleState.DRAFT), by=None)
    assert call().keys() == {Assessment.objects.get().pk}


def test_a_lead_out_of_sight_changes_the_line(follow, north, customer, south_region, north_region):
    lead = UserFactory(role="account_manager", region=north_region)
    line = CustomerLineFactory(customer=customer, lead=lead)
    call = follow(north, "customer-lines/")
    assert call()[line.pk]["lead"]["id"] == lead.pk
    save_person(person=changed(lead, region=south_region), by=None)
    assert call()[line.pk]["lead"] is None


def test_people_who_leave_the_region_are_gone(follow, north, south_region, north_region):
    colleague = UserFactory(role="account_manager", region=north_region)
    call = follow(north, "people/")
    assert call().keys() == {north.pk, colleague.pk}
    save_person(person=changed(colleague, region=south_region), by=None)
    assert call() == gone(colleague.pk)
    save_person(person=changed(colleague, name="别人"), by=None)
    assert call() == {}


def test_regions_and_product_lines_can_be_followed(follow, north, north_region, south_region):
    regions, lines = follow(north, "regions/"), follow(north, "product-lines/")
    assert regions().keys() == {north_region.pk}
    assert len(lines()) == ProductLine.objects.count()
    for row in (north_region, south_region, ProductLine.objects.get(code="police")):
        save_named(row=changed(row, name="新"), by=None)
    assert (regions().keys(), len(lines())) == ({north_region.pk}, 1)


def test_pages_go_on_by_next_and_carry_one_token(api, north, north_region):
    made = [CustomerFactory(region=north_region).pk for _ in range(5)]
    client, url, seen, tokens = (
        api(north),
        "/api/v1/customers/?changed_since=1970-01-01T00:00:00Z&page_size=2",
        [],
        set(),
    )
    while url:
        body = client.get(url).json()
        seen += [row["id"] for row in body["results"]]
        tokens.add(body["sync"])
        url = body["next"]
        rename(Customer.objects.get(pk=made[0]), f"改名{len(seen)}")
    assert (seen, len(tokens)) == (made, 1)
    again = client.results("customers/", changed_since=tokens.pop())
    assert [row["id"] for row in again] == [made[0]]


def test_a_token_belongs_to_its_list_its_filters_and_its_reader(follow, api, north, head_office, customer):
    call = follow(north, "customers/")
    call()
    for client, path, more in (
        (api(north), "sales/", {}),
        (api(north), "customers/", {"kind": "agent"}),
        (api(head_office), "customers/", {}),
    ):
        refused = client.read(path, changed_since=call.sync, **more)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_sync"), refused.content
    assert call.answer(page_size=7).status_code == 200


@pytest.mark.parametrize(
    "word", ["", "yesterday", "2026-11-21", "2026-11-21T08:00:00", "2026-13-41T08:00:00Z", "a:b", "\x00", "9" * 5000]
)
def test_what_is_neither_a_moment_nor_a_token_is_refused(api, north, word):
    refused = api(north).read("customers/", changed_since=word)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "changed_since")


def test_a_plus_that_nobody_escaped_is_understood(api, north, customer):
    assert api(north).get("/api/v1/customers/?changed_since=2026-11-21T08:00:00+08:00").status_code == 200


def test_an_old_token_says_to_start_again(follow, north, customer):
    call = follow(north, "customers/")
    call()
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        refused = call.answer()
    assert (refused.status_code, refused.json()["code"]) == (410, "sync_expired")
    assert "90 days" in refused.json()["detail"]


@pytest.mark.parametrize(("name", "value"), [("ordering", "name"), ("format", "csv")])
def test_what_cannot_be_followed_is_refused(api, north, name, value):
    refused = api(north).read("customers/", changed_since=LONG_AGO, **{name: value})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")


@time_machine.travel(TODAY)
def test_a_call_costs_the_same_queries_however_much_changed(
    follow, north, north_region, graded, django_assert_max_num_queries
):
    LineMemberFactory(user=north)
    calls = [follow(north, path) for path in ("grades/", "customers/", "sales/", "people/")]
    for call in calls:
        call()
    for _ in range(3):
        line = CustomerLineFactory(customer__region=north_region)
        graded(line), SaleFactory(line=line), rename(line.customer)
    for call in calls:
        with django_assert_max_num_queries(12):
            call()


def test_what_is_deleted_while_its_customer_comes_over_is_told_to_the_new_region(
    follow, north, north_region, south_region, foreign_customer
):
    """The deletion was written while the customer was elsewhere, and is stored once it is here: north has had it."""
    contact = ContactFactory(customer=foreign_customer)
    move(foreign_customer, north_region)
    call = follow(north, "contacts/")
    assert call().keys() == {contact.pk}
    before = snapshot(contact)
    Contact.objects.filter(pk=contact.pk).update(deleted_at=timezone.now())
    record_change(Contact.objects.get(pk=contact.pk), before=before, by=None, way=Way.JOB)
    Change.objects.filter(table="crm_contact", object_id=contact.pk).update(region=south_region)
    assert call() == gone(contact.pk)
