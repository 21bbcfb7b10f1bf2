"""A customer that changes its region by the API, the administration or a file: the rule is the transfer's."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.actions import data_imports
from crm.actions.customers import BranchElsewhere, MayNotTransfer, OutOfReach, save_customer
from crm.actions.delegations import delegate
from crm.actions.people import save_person
from crm.actions.undo_batch import UndoRefused
from crm.actions.work_on_import import work_on_import
from crm.models import Branch, Change, Customer, CustomerLine, CustomerRegion, Delegation, LineMember, Role, User, Way
from tests.factories import (
    BranchFactory,
    CustomerFactory,
    CustomerLineFactory,
    DelegationFactory,
    LineMemberFactory,
    UserFactory,
)
from tests.undo import undo_import

pytestmark = pytest.mark.django_db
HEADER = "客户编码,客户名称,大区,分公司"


@pytest.fixture
def branch(north_region):
    return BranchFactory(code="tj", region=north_region)


@pytest.fixture
def manager(north_region):
    return UserFactory(name="张伟", role=Role.ACCOUNT_MANAGER, region=north_region)


@pytest.fixture
def branch_gm(branch):
    return UserFactory(role=Role.BRANCH_GM, region=branch.region, branch=branch)


@pytest.fixture
def customer(branch):
    return CustomerFactory(region=branch.region, branch=branch, code="C1", name="天津市公安局")


@pytest.fixture
def line(customer, manager, head_office):
    """Led by the manager, seen by a colleague from next week on, and by head office."""
    made = CustomerLineFactory(customer=customer, lead=manager)
    colleague = UserFactory(role=Role.CONSULTANT, region=customer.region)
    LineMemberFactory(line=made, user=manager)
    LineMemberFactory(line=made, user=colleague, why="bid", from_on=timezone.localdate() + timedelta(days=7))
    LineMemberFactory(line=made, user=head_office, why="tour")
    return made


@pytest.fixture
def delegated(north_region, south_region):
    """The manager of South, who looks after North for a colleague."""
    giver = UserFactory(role=Role.REGIONAL_GM, region=north_region)
    receiver = UserFactory(role=Role.REGIONAL_GM, region=south_region)
    DelegationFactory(giver=giver, receiver=receiver)
    return User.objects.get(pk=receiver.pk)


def by_the_api(customer, by, client_of, **values):
    address = f"/api/v1/customers/{customer.pk}/"
    body = json.dumps({"version": customer.version, "region": "south"} | values)
    return client_of(by).patch(address, body, content_type="application/json")


def by_the_administration(customer, by, client_of, region, **values):
    address, client = reverse("admin:crm_customer_change", args=[customer.pk]), client_of(by)
    form = client.get(address).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields} | {"region": region.pk} | values
    return client.post(address, {name: value for name, value in shown.items() if value not in (None, False)})


def by_a_file(by, *rows, kind="customers"):
    one = data_imports.upload_import(kind=kind, name="a.csv", content="\n".join(rows).encode(), by=by)
    data_imports.start_import(data_import=one, by=by)
    work_on_import(job_id=one.job_id)
    one.refresh_from_db()
    return one


@pytest.mark.parametrize("door", ["api", "administration", "file"])
def test_by_every_door_a_move_ends_what_a_transfer_ends(
    door, customer, line, manager, branch_gm, head_office, south_region, client_of
):
    if door == "api":
        assert by_the_api(customer, head_office, client_of).status_code == 200
    elif door == "administration":
        assert by_the_administration(customer, head_office, client_of, south_region).status_code == 302
    else:
        assert by_a_file(head_office, HEADER, "C1,,south,").report["counts"]["updated"] == 1
    customer.refresh_from_db()
    line.refresh_from_db()
    assert (customer.region, customer.branch, customer.version, line.lead) == (south_region, None, 2, None)
    assert CustomerRegion.objects.get(customer=customer, region=south_region).from_on == timezone.localdate()
    assert LineMember.objects.not_over().get().user == head_office
    for person in (manager, branch_gm):
        assert not Customer.objects.visible_to(User.objects.get(pk=person.pk)).exists()
    ended = Change.objects.filter(table__in=("crm_customerline", "crm_linemember"))
    assert {(change.reason, change.by) for change in ended} == {("moved to another region", head_office)}
    assert {change.way for change in ended} == {{"api": Way.API, "administration": Way.ADMIN, "file": Way.IMPORT}[door]}


def test_who_may_not_transfer_moves_nothing_though_he_sees_both_regions(customer, delegated, client_of):
    answer = by_the_api(customer, delegated, client_of)
    assert (answer.status_code, answer.json()["code"]) == (403, "may_not_transfer")
    assert "Only who may transfer customers" in answer.json()["detail"]
    report = by_a_file(delegated, HEADER, "C1,,south,").report
    assert report["counts"]["rejected"] == 1
    assert "belongs to another region" in report["errors"][0]["reason"]
    customer.refresh_from_db()
    assert (customer.region.code, customer.version) == ("north", 1)


def test_the_administration_says_so_at_the_form(customer, north_region, south_region, client_of):
    giver = UserFactory(role=Role.REGIONAL_GM, region=south_region)
    staff = UserFactory(role=Role.REGIONAL_STAFF, region=north_region)
    DelegationFactory(giver=giver, receiver=staff)
    answer = by_the_administration(customer, User.objects.get(pk=staff.pk), client_of, south_region)
    assert "Only who may transfer customers" in answer.content.decode()
    assert Customer.objects.get(pk=customer.pk).region == north_region


def test_a_branch_office_is_of_the_customers_region_at_every_door(
    customer, head_office, north_region, south_region, client_of
):
    elsewhere = BranchFactory(code="gz", region=south_region)
    answer = by_the_api(customer, head_office, client_of, region="north", branch="gz")
    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("branch", "other_region")]
    page = by_the_administration(customer, head_office, client_of, north_region, branch=elsewhere.pk)
    assert "belongs to another region" in page.content.decode()
    customer.branch = elsewhere
    with pytest.raises(BranchElsewhere):
        save_customer(customer=customer, version=1, by=None)
    new = Customer(name="新", region=north_region, branch=elsewhere)
    with pytest.raises(BranchElsewhere):
        save_customer(customer=new, version=0, by=None)


def test_a_move_to_a_branch_office_there_keeps_that(customer, head_office, south_region, client_of):
    there = BranchFactory(code="gz", region=south_region)
    assert by_the_api(customer, head_office, client_of, branch="gz").status_code == 200
    customer.refresh_from_db()
    assert customer.branch == there
    by_a_file(head_office, HEADER, "C1,,north,tj")
    customer.refresh_from_db()
    assert customer.branch.code == "tj"


def test_other_facts_of_a_customer_whose_branch_office_was_wrong_already_can_be_saved(customer, south_region):
    Customer.objects.filter(pk=customer.pk).update(branch=BranchFactory(region=south_region))
    known = Customer.objects.get(pk=customer.pk)
    known.note = "x"
    assert save_customer(customer=known, version=1, by=None).branch.region == south_region


def test_an_undone_import_brings_leads_and_members_back(line, manager, head_office, south_region):
    one = by_a_file(head_office, HEADER, "C1,,south,")
    newcomer = UserFactory(role=Role.CONSULTANT, region=south_region)
    LineMemberFactory(line=line, user=newcomer, why="bid")
    undo_import(data_import=one, by=head_office)
    line.refresh_from_db()
    assert (line.lead, line.customer.branch.code) == (manager, "tj")
    standing = LineMember.objects.not_over()
    assert set(standing.values_list("why", flat=True)) == {"lead", "bid", "tour"}
    assert not standing.filter(user=newcomer).exists()


def test_what_an_undo_brings_back_is_filed_where_the_customer_is_again(line, customer, head_office, south_region):
    one = by_a_file(head_office, HEADER, "C1,,south,")
    undo_import(data_import=one, by=head_office)
    back = Change.objects.filter(table="crm_customerline", is_tombstone=False).latest("sequence")
    assert (back.after["lead_id"], back.region_id) == (line.lead_id, customer.region_id)


def test_a_lead_who_has_moved_meanwhile_does_not_come_back(line, manager, head_office, south_region):
    one = by_a_file(head_office, HEADER, "C1,,south,")
    moving = User.objects.get(pk=manager.pk)
    moving.region = south_region
    save_person(person=moving, by=head_office)
    undo_import(data_import=one, by=head_office)
    line.refresh_from_db()
    assert (line.customer.region.code, line.lead) == ("north", None)
    assert not Customer.objects.visible_to(User.objects.get(pk=manager.pk)).exists()


def test_a_former_branch_office_that_has_moved_holds_the_undo_up(customer, branch, head_office, south_region):
    BranchFactory(code="bj", region=customer.region)
    one = by_a_file(head_office, HEADER, "C1,,north,bj")
    Branch.objects.filter(pk=branch.pk).update(region=south_region)
    with pytest.raises(UndoRefused) as refusal:
        undo_import(data_import=one, by=head_office)
    assert [found["reason"] for found in refusal.value.conflicts] == [
        "its former branch office belongs to another region by now"
    ]


def test_who_keeps_people_takes_back_a_file_that_moved_one_with_customers(line, manager, south_region):
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    User.objects.filter(pk=manager.pk).update(username="zhang")
    one = by_a_file(administrator, "用户名,大区", "zhang,south", kind="people")
    line.refresh_from_db()
    assert line.lead is None
    undo_import(data_import=one, by=administrator)
    line.refresh_from_db()
    assert (line.lead, line.lead.region.code) == (manager, "north")


@pytest.mark.parametrize("who", ["giver", "receiver"])
def test_what_was_delegated_ends_where_one_of_the_two_moves(who, north_region, south_region, head_office):
    giver, receiver = (UserFactory(role=Role.REGIONAL_GM, region=north_region) for _ in range(2))
    today = timezone.localdate()
    delegate(giver=giver, receiver=receiver, from_on=today, until_on=today, by=head_office)
    stays = CustomerFactory(region=north_region)
    moving = User.objects.get(pk={"giver": giver, "receiver": receiver}[who].pk)
    moving.region = south_region
    save_person(person=moving, by=head_office)
    assert not Delegation.objects.not_over(today).exists()
    seen = Customer.objects.visible_to(User.objects.get(pk=receiver.pk))
    assert list(seen) == ([stays] if who == "giver" else [])


def test_a_region_that_has_the_credit_code_takes_no_second_one_from_a_file(customer, head_office, south_region):
    Customer.objects.filter(pk=customer.pk).update(credit_code="91330000MA27XX001A")
    CustomerFactory(region=south_region, credit_code="91330000MA27XX001A")
    [error] = by_a_file(head_office, HEADER, "C1,,south,").report["errors"]
    assert error["reason"] == "Another customer of the region has this credit code."


def test_a_file_of_moves_asks_in_sets(head_office, north_region, south_region, django_assert_max_num_queries):
    for number in range(30):
        manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
        made = CustomerLineFactory(customer__region=north_region, customer__code=f"N{number}", lead=manager)
        LineMemberFactory(line=made, user=manager)
    rows = [f"N{number},,south," for number in range(30)]
    with django_assert_max_num_queries(120):
        by_a_file(head_office, HEADER, *rows)
    assert not CustomerLine.objects.exclude(lead=None).exists()


def test_a_branch_manager_does_not_put_a_customer_out_of_his_branch(customer, branch_gm, client_of):
    other = BranchFactory(code="sjz", region=customer.region)
    answer = by_the_api(customer, branch_gm, client_of, region="north", branch="sjz")
    assert (answer.status_code, answer.json()["code"]) == (403, "out_of_reach")
    customer.refresh_from_db()
    customer.branch = other
    with pytest.raises(OutOfReach):
        save_customer(customer=customer, version=1, by=branch_gm)


def test_neither_does_he_by_a_file(customer, branch_gm):
    other = BranchFactory(code="sjz", region=customer.region)
    worked_on = LineMemberFactory(line__customer__region=customer.region, line__customer__code="C2", user=branch_gm)
    one = by_a_file(branch_gm, HEADER, "C1,,,sjz", "C2,,,sjz")
    assert [error["row"] for error in one.report["errors"]] == [2]
    assert "would not see this customer" in one.report["errors"][0]["reason"]
    assert list(Customer.objects.filter(branch=other)) == [worked_on.line.customer]


def test_the_rule_is_the_actions(customer, south_region, north):
    customer.region = south_region
    with pytest.raises(MayNotTransfer):
        save_customer(customer=customer, version=1, by=north)
