"""A branch office that moves to another region from a day on, with its people and customers."""

from datetime import date

import pytest
import time_machine

from crm.actions import places
from crm.actions.named import StillInUse, save_named
from crm.actions.people import save_person
from crm.actions.places import MoveRefused, call_off_move, move_branch, move_due_branches
from crm.models import (
    Branch,
    BranchRegion,
    Change,
    Customer,
    CustomerLine,
    CustomerRegion,
    LineMember,
    PersonPlace,
    Role,
    User,
)
from crm.tasks import move_due_branches as task
from tests.factories import (
    BranchFactory,
    CustomerFactory,
    CustomerLineFactory,
    LineMemberFactory,
    RegionFactory,
    UserFactory,
)
from tests.pages import TODAY

pytestmark = pytest.mark.django_db
DAY, LATER = date(2026, 3, 2), date(2026, 3, 9)


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY, tick=False) as clock:
        yield clock


@pytest.fixture
def branch(north_region):
    return BranchFactory(code="beijing", region=north_region)


@pytest.fixture
def customer(branch):
    return CustomerFactory(name="北京市公安局", region=branch.region, branch=branch)


@pytest.fixture
def administrator(db):
    return UserFactory(role=Role.ADMINISTRATOR)


def test_today_it_moves_at_once_with_people_and_customers(branch, customer, north, south_user, administrator):
    staff = UserFactory(role=Role.SALES_MANAGER, region=branch.region, branch=branch)
    stays = CustomerFactory(region=branch.region)
    assert move_branch(branch=branch, region=south_user.region, from_on=DAY, by=administrator)
    for record in (branch, customer, staff):
        record.refresh_from_db()
        assert record.region == south_user.region
    assert set(Customer.objects.visible_to(north)) == {stays}
    assert set(Customer.objects.visible_to(south_user)) == {customer}
    assert customer.version == 2


def test_past_figures_stay_with_the_region_of_then(branch, customer, north_region, south_region, administrator):
    CustomerRegion.objects.create(customer=customer, region=north_region, from_on=date(2025, 1, 1))
    move_branch(branch=branch, region=south_region, from_on=DAY, by=administrator)
    assert list(customer.regions.order_by("from_on").values_list("region__code", "from_on")) == [
        ("north", date(2025, 1, 1)),
        ("south", DAY),
    ]


def test_the_old_region_is_told_that_the_customer_has_left(branch, customer, north_region, south_region, administrator):
    move_branch(branch=branch, region=south_region, from_on=DAY, by=administrator)
    change, tombstone = Change.objects.filter(table="crm_customer").order_by("is_tombstone")
    assert (change.region, change.after) == (south_region, {"region_id": south_region.pk, "version": 2})
    assert (tombstone.region, tombstone.is_tombstone, tombstone.after) == (north_region, True, None)
    batches = Change.objects.filter(table__in=("crm_customer", "crm_branch"), is_tombstone=False).values_list("batch")
    assert len(set(batches)) == 1


def test_later_it_moves_when_its_day_has_come_and_only_once(
    branch, customer, north, south_region, administrator, march
):
    assert not move_branch(branch=branch, region=south_region, from_on=LATER, by=administrator)
    assert move_due_branches(today=DAY) == 0
    march.move_to("2026-03-11T00:05:00+08:00")  # nothing ran for two days
    task()
    assert move_due_branches(today=date(2026, 3, 11)) == 0
    branch.refresh_from_db()
    assert branch.region == south_region
    assert customer.regions.get().from_on == LATER
    assert Change.objects.filter(table="crm_customer", is_tombstone=False).count() == 1


def test_a_move_is_called_off(branch, south_region, administrator, march):
    move_branch(branch=branch, region=south_region, from_on=LATER, by=administrator)
    planned = BranchRegion.objects.get()
    assert call_off_move(move=planned, by=administrator)
    assert not call_off_move(move=planned, by=administrator)
    march.move_to("2026-03-10T00:05:00+08:00")
    assert move_due_branches(today=date(2026, 3, 10)) == 0


@pytest.mark.parametrize(
    ("day", "sentence"), [(date(2026, 3, 1), "today or a later day"), (DAY, "belongs to this region already")]
)
def test_a_move_that_makes_no_sense_is_refused(branch, administrator, day, sentence):
    with pytest.raises(MoveRefused, match=sentence):
        move_branch(branch=branch, region=branch.region, from_on=day, by=administrator)


def test_one_move_at_a_time(branch, south_region, administrator):
    move_branch(branch=branch, region=south_region, from_on=LATER, by=administrator)
    with pytest.raises(MoveRefused, match="moves on another day already"):
        move_branch(branch=branch, region=south_region, from_on=DAY, by=administrator)


def test_equal_credit_codes_hold_it_up_and_no_customer_is_named(branch, customer, south_region, administrator, march):
    Customer.objects.filter(pk=customer.pk).update(credit_code="911100001")
    other = CustomerFactory(name="广州市公安局", region=south_region, credit_code="911100001")
    with pytest.raises(MoveRefused) as refusal:
        move_branch(branch=branch, region=south_region, from_on=DAY, by=administrator)
    assert other.name not in str(refusal.value)
    assert not BranchRegion.objects.exists()
    move_branch(branch=branch, region=south_region, from_on=LATER, by=administrator)
    march.move_to("2026-03-10T00:05:00+08:00")
    assert move_due_branches(today=date(2026, 3, 10)) == 0
    Customer.objects.filter(pk=other.pk).update(credit_code="")
    assert move_due_branches(today=date(2026, 3, 10)) == 1


def led(customer, person):
    line = CustomerLineFactory(customer=customer, lead=person)
    LineMemberFactory(line=line, user=person)
    return line


def test_leads_and_members_end_between_those_who_move_and_those_who_stay(
    branch, customer, south_region, administrator, head_office
):
    goes, stays = (
        UserFactory(role=Role.ACCOUNT_MANAGER, region=branch.region, branch=office) for office in (branch, None)
    )
    kept, left = led(customer, goes), led(CustomerFactory(region=branch.region), goes)
    lost = led(CustomerFactory(region=branch.region, branch=branch), stays)
    LineMemberFactory(line=left, user=head_office, why="tour")
    LineMemberFactory(line=kept, user=stays, why="bid", from_on=LATER)
    move_branch(branch=branch, region=south_region, from_on=DAY, by=administrator)
    assert dict(CustomerLine.objects.values_list("pk", "lead")) == {kept.pk: goes.pk, lost.pk: None, left.pk: None}
    standing = set(LineMember.objects.not_over().values_list("line", "user"))
    assert standing == {(kept.pk, goes.pk), (left.pk, head_office.pk)}
    ended = Change.objects.filter(table__in=("crm_customerline", "crm_linemember"))
    assert {change.reason for change in ended} == {"the branch office moved"}
    assert {change.batch for change in ended} == {Change.objects.of(branch).get().batch}


def test_a_person_who_moves_leads_and_sees_nothing_there_any_more(customer, south_region, administrator):
    person = UserFactory(role=Role.ACCOUNT_MANAGER, region=customer.region)
    line = led(customer, person)
    own = led(CustomerFactory(region=south_region), person)
    LineMemberFactory(line=line, user=person, why="bid", from_on=LATER)
    person.region = south_region
    save_person(person=person, by=administrator, reason="new work")
    assert dict(CustomerLine.objects.values_list("pk", "lead")) == {line.pk: None, own.pk: person.pk}
    assert LineMember.objects.not_over().get().line == own
    assert Change.objects.of(line).get().reason == "new work"


def test_equal_codes_hold_it_up_too_and_no_other_office(branch, customer, south_region, administrator, march):
    Customer.objects.filter(pk=customer.pk).update(code="C1")
    other = CustomerFactory(name="广州市公安局", region=south_region, code="C1")
    with pytest.raises(MoveRefused, match="the code of one that would come") as refusal:
        move_branch(branch=branch, region=south_region, from_on=DAY, by=administrator)
    assert other.name not in str(refusal.value)
    second = BranchFactory(region=branch.region)
    for office in (branch, second):
        move_branch(branch=office, region=south_region, from_on=LATER, by=administrator)
    march.move_to("2026-03-10T00:05:00+08:00")
    task()
    assert set(Branch.objects.filter(region=south_region)) == {second}


def test_a_clash_that_comes_in_between_holds_up_no_other_office(
    branch, south_region, administrator, march, monkeypatch
):
    second = BranchFactory(region=branch.region)
    for office in (branch, second):
        CustomerFactory(region=office.region, branch=office)
        move_branch(branch=office, region=south_region, from_on=LATER, by=administrator)
    CustomerFactory(region=south_region, code=Customer.objects.get(branch=branch).code)
    monkeypatch.setattr(places, "_refuse_clashes", lambda branch, region: None)
    assert move_due_branches(today=date(2026, 3, 10)) == 1


def test_another_region_by_the_administration_is_a_move_too(branch, customer, south_region, administrator):
    changed = Branch.objects.get(pk=branch.pk)
    changed.region, changed.name_en = south_region, "Capital"
    save_named(row=changed, by=administrator)
    customer.refresh_from_db()
    assert customer.region == south_region
    assert Branch.objects.get().name_en == "Capital"
    assert BranchRegion.objects.get().from_on == DAY
    assert move_due_branches(today=DAY) == 0


def test_thousands_of_customers_move_in_sets(branch, south_region, administrator, django_assert_max_num_queries):
    Customer.objects.bulk_create(CustomerFactory.build(region=branch.region, branch=branch) for _ in range(5000))
    with django_assert_max_num_queries(80):
        move_branch(branch=branch, region=south_region, from_on=DAY, by=administrator)
    assert Customer.objects.filter(region=south_region, version=2).count() == 5000
    assert Change.objects.filter(is_tombstone=True).count() == 5000
    assert CustomerRegion.objects.filter(region=south_region, from_on=DAY).count() == 5000


def test_what_others_belong_to_is_not_switched_off(branch, north, administrator):
    region = branch.region
    region.is_active = False
    with pytest.raises(StillInUse, match="Branch offices"):
        save_named(row=region, by=administrator)
    branch.is_active = False
    save_named(row=branch, by=administrator)
    with pytest.raises(StillInUse, match="People"):
        save_named(row=region, by=administrator)


def test_a_person_knows_since_when_he_is_where(north_region, south_region, administrator, march):
    person = User(username="wang", role=Role.SALES_MANAGER, region=north_region)
    save_person(person=person, by=administrator)
    march.move_to("2026-03-20T09:00:00+08:00")
    person.region = south_region
    save_person(person=person, by=administrator)
    assert list(PersonPlace.objects.order_by("from_on").values_list("region__code", "from_on")) == [
        ("north", DAY),
        ("south", date(2026, 3, 20)),
    ]
    south = UserFactory(role=Role.SALES_MANAGER, region=south_region)
    assert [place.region for place in PersonPlace.objects.visible_to(south)] == [south_region]


def test_moves_of_another_regions_branch_office_do_not_exist(branch, north, south_user, administrator):
    third = RegionFactory(code="west")
    move_branch(branch=branch, region=third, from_on=LATER, by=administrator)
    assert BranchRegion.objects.visible_to(north).exists()
    assert not BranchRegion.objects.visible_to(south_user).exists()
