"""Delegating one's customers for some days: what the other sees and may do, and when it is over."""

from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from crm.actions.changes import record_change
from crm.actions.delegations import DelegationRefused, delegate, end_delegation
from crm.actions.exports import scope_in_words
from crm.models import Change, Contact, Customer, CustomerLine, Delegation, ProductLine, Region, Role, Sale, User, Way
from grading.models import Assessment, Grade
from tests.factories import (
    AssessmentFactory,
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    DelegationFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import TODAY, queries_of

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY, tick=False) as clock:
        yield clock


@pytest.fixture
def manager(north_region):
    return UserFactory(username="manager", role=Role.ACCOUNT_MANAGER, region=north_region)


@pytest.fixture
def colleague(north_region):
    return UserFactory(username="colleague", role=Role.SALES_MANAGER, region=north_region)


@pytest.fixture
def line(north_region, manager):
    line = CustomerLineFactory(customer__region=north_region, customer__name="北京市公安局", lead=manager)
    LineMemberFactory(line=line, user=manager)
    return line


def again(person):
    """The person as the next request knows him."""
    return User.objects.get(pk=person.pk)


def delegated(giver, receiver, *, by=None, days=7, from_on=DAY):
    return delegate(
        giver=giver, receiver=receiver, from_on=from_on, until_on=from_on + timedelta(days=days), by=by or giver
    )


def seen_by(person):
    return set(Customer.objects.visible_to(again(person)))


# --- scope


def test_the_delegate_sees_and_writes_what_is_delegated_to_him(manager, colleague, line):
    other = CustomerLineFactory(customer=line.customer, product_line=ProductLine.objects.get(code="mms"))
    assert seen_by(colleague) == set()
    delegated(manager, colleague)
    assert seen_by(colleague) == {line.customer}
    assert set(CustomerLine.objects.visible_to(again(colleague))) == {line, other}
    assert list(CustomerLine.objects.writable_by(again(colleague))) == [line]


def test_every_record_of_the_customer_follows(manager, colleague, line):
    contact, sale, assessment = (
        ContactFactory(customer=line.customer),
        SaleFactory(line=line),
        AssessmentFactory(line=line),
    )
    delegated(manager, colleague)
    for model, record in ((Contact, contact), (Sale, sale), (Assessment, assessment)):
        assert list(model.objects.visible_to(again(colleague))) == [record]
    assert list(Assessment.objects.writable_by(again(colleague))) == [assessment]
    assert not Grade.objects.visible_to(again(colleague)).exclude(line=line).exists()
    record_change(line.customer, before=None, by=manager, way=Way.FORM)
    assert Change.objects.visible_to(again(colleague)).filter(customer=line.customer).exists()


def test_it_ends_by_itself_on_the_day_after_the_last(manager, colleague, line, march):
    delegated(manager, colleague, days=1)
    march.move_to("2026-03-03T23:59:00+08:00")
    assert seen_by(colleague) == {line.customer}
    march.move_to("2026-03-04T00:01:00+08:00")
    assert seen_by(colleague) == set()


def test_it_begins_on_its_first_day(manager, colleague, line, march):
    delegated(manager, colleague, from_on=date(2026, 3, 5))
    assert seen_by(colleague) == set()
    march.move_to("2026-03-05T00:01:00+08:00")
    assert seen_by(colleague) == {line.customer}


def test_it_is_not_passed_on(manager, colleague, line, north_region):
    third = UserFactory(role=Role.SALES_MANAGER, region=north_region)
    delegated(manager, colleague)
    delegated(colleague, third)
    assert seen_by(third) == set()


def test_the_people_whom_the_giver_guides_count_too(manager, colleague, north_region):
    guided = UserFactory(role=Role.SALES_MANAGER, region=north_region, guided_by=manager)
    theirs = CustomerLineFactory(customer__region=north_region)
    LineMemberFactory(line=theirs, user=guided)
    delegated(manager, colleague)
    assert seen_by(colleague) == {theirs.customer}


def test_a_branch_manager_delegates_his_branch(colleague, north_region):
    branch = BranchFactory(region=north_region)
    gm = UserFactory(role=Role.BRANCH_GM, region=north_region, branch=branch)
    inside = CustomerLineFactory(customer__region=north_region, customer__branch=branch)
    CustomerLineFactory(customer__region=north_region)
    delegated(gm, colleague)
    assert seen_by(colleague) == {inside.customer}
    assert list(CustomerLine.objects.writable_by(again(colleague))) == [inside]


def test_regional_staff_delegates_its_region(north, south_user, head_office, line):
    south = CustomerFactory(region=south_user.region)
    delegated(north, south_user, by=head_office)
    assert seen_by(south_user) == {line.customer, south}
    assert set(Region.objects.visible_to(again(south_user))) == {north.region, south_user.region}
    assert list(CustomerLine.objects.writable_by(again(south_user))) == [line]


def test_regional_staff_gets_single_lines_of_another_region(manager, south_user, head_office, line):
    CustomerLineFactory(customer__region=manager.region)
    south = CustomerFactory(region=south_user.region)
    delegated(manager, south_user, by=head_office)
    assert seen_by(south_user) == {line.customer, south}
    assert list(Region.objects.visible_to(again(south_user))) == [south_user.region]


def test_head_office_does_not_delegate_that_it_sees_everything(head_office, colleague, line):
    served = LineMemberFactory(line=CustomerLineFactory(), user=head_office).line
    delegated(head_office, colleague)
    assert seen_by(colleague) == {served.customer}


def test_a_delegate_does_no_more_than_his_role_allows(manager, line, client_of):
    consultant = UserFactory(role=Role.CONSULTANT)
    delegated(manager, consultant)
    client = client_of(again(consultant))
    assert client.get(reverse("crm:view-customer", args=[line.customer_id])).status_code == 200
    assert client.get(reverse("grading:assess-line", args=[line.pk, 2026])).status_code == 403


def test_what_somebody_delegated_who_has_left_holds_no_more(manager, colleague, line):
    delegated(manager, colleague)
    User.objects.filter(pk=manager.pk).update(is_active=False)
    assert seen_by(colleague) == set()


def test_a_delegation_shows_in_what_an_export_was_made_of(manager, colleague, line):
    before = scope_in_words(again(colleague))
    delegated(manager, colleague)
    assert scope_in_words(again(colleague)) != before


def test_memberships_hold_from_their_first_day_to_the_day_before_their_end(manager, line, north_region, march):
    person = UserFactory(role=Role.CONSULTANT)
    LineMemberFactory(line=line, user=person, why="bid", from_on=date(2026, 3, 5), until_on=date(2026, 3, 8))
    days = {2: False, 5: True, 7: True, 8: False}
    for day, is_seen in days.items():
        march.move_to(f"2026-03-0{day}T12:00:00+08:00")
        assert bool(seen_by(person)) is is_seen
        assert CustomerLine.objects.writable_by(person).exists() is is_seen


def test_lists_need_as_many_queries_as_before_and_one_where_something_is_delegated(manager, colleague, line, client_of):
    address = reverse("crm:list-customers")
    before = queries_of(client_of(colleague), address)
    delegated(manager, colleague)
    assert queries_of(client_of(again(colleague)), address) <= before + 1 + 1  # the customers' lines are there by now


# --- the action


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"from_on": DAY - timedelta(days=1)}, "today or a later day"),
        ({"until_on": DAY - timedelta(days=1)}, "lies before the first"),
        ({"until_on": DAY + timedelta(days=400)}, "a year at most"),
    ],
)
def test_days_that_make_no_sense_are_refused(manager, colleague, changes, sentence):
    with pytest.raises(DelegationRefused, match=sentence):
        delegate(**{"giver": manager, "receiver": colleague, "from_on": DAY, "until_on": DAY, "by": manager} | changes)


def test_the_last_day_there_is_is_a_day(manager, colleague):
    delegation = delegate(giver=manager, receiver=colleague, from_on=date.max, until_on=date.max, by=manager)
    assert delegation.until_on == date.max


def test_overlapping_days_to_the_same_person_are_refused(manager, colleague):
    delegated(manager, colleague)
    with pytest.raises(DelegationRefused, match="overlap"):
        delegated(manager, colleague)
    assert Delegation.objects.count() == 1


def test_nobody_delegates_to_himself_administrators_or_people_who_left(manager, colleague, head_office):
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    gone = UserFactory(role=Role.SALES_MANAGER, region=manager.region, is_active=False)
    for receiver, sentence in ((manager, "himself"), (administrator, "Administrators"), (gone, "does not work")):
        with pytest.raises(DelegationRefused, match=sentence):
            delegated(manager, receiver)
    with pytest.raises(DelegationRefused, match="Administrators"):
        delegated(administrator, colleague, by=head_office)


def test_nobody_delegates_for_another(manager, colleague, north):
    with pytest.raises(DelegationRefused, match="own customers only"):
        delegated(manager, colleague, by=north)


def test_it_is_ended_early_at_once_and_once(manager, colleague, line):
    made = delegated(manager, colleague)
    assert end_delegation(delegation=made, by=manager)
    assert seen_by(colleague) == set()
    assert not end_delegation(delegation=made, by=manager)
    assert [change.before is None for change in Change.objects.of(made)] == [True, False]
    assert again(colleague).delegated_until is None


def test_the_receiver_does_not_end_it_and_another_delegation_goes_on(manager, colleague, line, north_region):
    other = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    made = delegated(manager, colleague)
    delegated(other, colleague, days=3)
    with pytest.raises(DelegationRefused):
        end_delegation(delegation=made, by=colleague)
    end_delegation(delegation=made, by=manager)
    assert again(colleague).delegated_until == DAY + timedelta(days=3)


def test_the_log_is_not_for_other_regions(manager, colleague, south_user):
    made = DelegationFactory(giver=manager, receiver=colleague)
    assert list(Delegation.objects.visible_to(colleague)) == [made]
    assert list(Delegation.objects.visible_to(south_user)) == []
