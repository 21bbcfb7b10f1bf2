"""Handing over all that a person carries: to whom, how much, at once, and with what in the log."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.actions.data_imports import upload_import
from crm.actions.delegations import delegate
from crm.actions.hand_over import Area, HandOverRefused, Successors, hand_over
from crm.actions.jobs import start_job
from crm.actions.tokens import issue_token
from crm.carried import carried_by, lines_led_by
from crm.models import ApiToken, Change, Customer, CustomerLine, Delegation, LineMember, ProductLine, Role, User
from tests.factories import (
    AssessmentFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    LineMemberFactory,
    UserFactory,
)
from tests.pages import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def leaver(north_region):
    return UserFactory(username="leaver", name="张伟", role=Role.ACCOUNT_MANAGER, region=north_region)


@pytest.fixture
def successor(north_region):
    return UserFactory(username="successor", name="李娜", role=Role.SENIOR_SALES_MANAGER, region=north_region)


def led_by(person, code="police", **customer):
    line = CustomerLineFactory(
        customer=CustomerFactory(**{"region": person.region} | customer),
        product_line=ProductLine.objects.get(code=code),
        lead=person,
    )
    LineMemberFactory(line=line, user=person)
    return line


def area(line):
    return Area(line.product_line_id, line.customer.region_id)


def done(person, by, everything=None, *, leaves=False, **others):
    successors = Successors(everything=everything, **others)
    return hand_over(person=person, successors=successors, leaves=leaves, by=by, reason="moves abroad")


def seen_by(person):
    return set(Customer.objects.visible_to(User.objects.get(pk=person.pk)))


def test_the_successor_leads_and_sees_what_the_leaver_led(leaver, successor, head_office):
    line = led_by(leaver)
    assert done(leaver, head_office, successor).lines == 1
    line.refresh_from_db()
    assert line.lead == successor
    assert (seen_by(leaver), seen_by(successor)) == (set(), {line.customer})
    former, new = LineMember.objects.order_by("pk")
    today = timezone.localdate()
    assert (former.until_on, new.from_on, new.until_on, new.why) == (today, today, None, "lead")


def test_everything_is_in_the_log_with_one_batch_and_the_reason(leaver, successor, head_office):
    led_by(leaver)
    UserFactory(guided_by=leaver)
    done(leaver, head_office, successor, leaves=True)
    changes = Change.objects.exclude(table="crm_apitoken")
    assert {change.table for change in changes} == {"crm_customerline", "crm_linemember", "crm_user"}
    assert {(change.reason, change.by) for change in changes} == {("moves abroad", head_office)}
    assert len({change.batch for change in changes}) == 1
    assert None not in {change.batch for change in changes}


def test_other_memberships_keep_their_reason(leaver, successor, head_office):
    line = CustomerLineFactory(customer__region=leaver.region)
    LineMemberFactory(line=line, user=leaver, why="bid")
    assert done(leaver, head_office, successor).members == 1
    assert LineMember.objects.current().get().user == successor
    assert LineMember.objects.current().get().why == "bid"


def test_who_is_a_member_already_is_no_second_one(leaver, successor, head_office):
    line = led_by(leaver)
    LineMemberFactory(line=line, user=successor)
    done(leaver, head_office, successor)
    assert LineMember.objects.current().count() == 1


def test_product_lines_memberships_and_people_may_go_to_different_successors(leaver, successor, head_office):
    police, emergency = led_by(leaver), led_by(leaver, "emergency")
    bid = LineMemberFactory(line=CustomerLineFactory(customer__region=leaver.region), user=leaver, why="bid").line
    guided = UserFactory(region=leaver.region, role=Role.SALES_MANAGER, guided_by=leaver)
    second, third = (UserFactory(region=leaver.region, role=Role.ACCOUNT_MANAGER) for _ in range(2))
    others = {"lines": {area(emergency): second}, "members": third, "guided": second}
    done(leaver, head_office, successor, **others)
    leads = dict(CustomerLine.objects.exclude(lead=None).values_list("pk", "lead"))
    assert leads == {police.pk: successor.pk, emergency.pk: second.pk}
    assert LineMember.objects.current().get(line=bid).user == third
    guided.refresh_from_db()
    assert guided.guided_by == second


def test_a_successor_who_was_guided_gets_the_leavers_guide(leaver, successor, head_office):
    above = UserFactory(role=Role.ACCOUNT_DIRECTOR)
    User.objects.filter(pk=leaver.pk).update(guided_by=above)
    User.objects.filter(pk=successor.pk).update(guided_by=leaver)
    done(leaver, head_office, successor)
    successor.refresh_from_db()
    assert successor.guided_by == above


def test_delegations_from_and_to_him_end(leaver, successor, head_office):
    today = timezone.localdate()
    delegate(giver=leaver, receiver=successor, from_on=today, until_on=today, by=leaver)
    delegate(giver=successor, receiver=leaver, from_on=today, until_on=today + timedelta(days=9), by=successor)
    assert done(leaver, head_office).delegations == 2
    assert not Delegation.objects.not_over(today).exists()


def test_who_leaves_cannot_sign_in_and_keeps_no_token_and_no_file_in_the_making(
    leaver, successor, head_office, client_of
):
    issue_token(user=leaver)
    job, _ = start_job(kind="export", key="x", by=leaver)
    browser = client_of(leaver)
    assert done(leaver, head_office, leaves=True).has_left
    assert not leaver.is_active
    assert browser.get("/").status_code == 302
    assert not ApiToken.objects.exists()
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_who_stays_keeps_his_access(leaver, successor, head_office, client_of):
    browser = client_of(leaver)
    done(leaver, head_office, successor)
    assert browser.get("/").status_code == 200


def test_a_second_time_there_is_nothing_to_do(leaver, successor, head_office):
    led_by(leaver)
    done(leaver, head_office, successor, leaves=True)
    changes = Change.objects.count()
    assert done(leaver, head_office, successor, leaves=True).is_nothing
    assert Change.objects.count() == changes


def test_what_came_after_the_preview_is_handed_over_too(leaver, successor, head_office):
    led_by(leaver)
    shown = {carried.key: carried.count for carried in carried_by(leaver)}
    new = led_by(leaver, "emergency")
    assert (shown["lines"], done(leaver, head_office, successor).lines) == (1, 2)
    new.refresh_from_db()
    assert new.lead == successor


def test_what_came_after_the_preview_and_has_no_successor_is_said(leaver, successor, head_office):
    police = led_by(leaver)
    led_by(leaver, "emergency")
    with pytest.raises(HandOverRefused, match="Choose a successor, or one for the product line “Emergency”"):
        done(leaver, head_office, lines={area(police): successor})
    police.refresh_from_db()
    assert police.lead == leaver


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"role": Role.CONSULTANT}, "cannot lead customers: Consultant"),
        ({"role": Role.ACCOUNT_MANAGER, "is_active": False}, "does not work here any more"),
    ],
)
def test_who_cannot_lead_is_refused(leaver, head_office, changes, sentence):
    led_by(leaver)
    with pytest.raises(HandOverRefused, match=sentence):
        done(leaver, head_office, UserFactory(region=leaver.region, **changes), leaves=True)
    leaver.refresh_from_db()
    assert leaver.is_active


def test_a_successor_of_another_region_is_refused(leaver, head_office, south_region):
    line = led_by(leaver)
    elsewhere = UserFactory(role=Role.ACCOUNT_MANAGER, region=south_region)
    with pytest.raises(HandOverRefused, match="another region") as refusal:
        done(leaver, head_office, elsewhere)
    assert refusal.value.field == "successor"
    with pytest.raises(HandOverRefused) as refusal:
        done(leaver, head_office, lines={area(line): elsewhere})
    assert refusal.value.field == area(line)
    LineMemberFactory(line=CustomerLineFactory(customer__region=leaver.region), user=leaver, why="bid")
    colleague = UserFactory(role=Role.ACCOUNT_MANAGER, region=leaver.region)
    with pytest.raises(HandOverRefused, match="another region"):
        done(leaver, head_office, lines={area(line): colleague}, members=elsewhere)


def test_who_leads_one_product_line_in_two_regions_names_a_successor_for_each(
    leaver, successor, head_office, south_region
):
    north, south = led_by(leaver), led_by(leaver, region=south_region)
    there = UserFactory(role=Role.ACCOUNT_MANAGER, region=south_region)
    with pytest.raises(HandOverRefused, match="another region"):
        done(leaver, head_office, successor)
    assert done(leaver, head_office, successor, lines={area(south): there}, leaves=True).has_left
    assert dict(CustomerLine.objects.values_list("pk", "lead")) == {north.pk: successor.pk, south.pk: there.pk}


def test_he_is_no_successor_of_himself(leaver, head_office):
    led_by(leaver)
    with pytest.raises(HandOverRefused, match="somebody else"):
        done(leaver, head_office, leaver)


def test_the_preview_names_all_that_he_carries(leaver, successor, head_office):
    line = led_by(leaver)
    AssessmentFactory(line=line, is_carried_over=True)
    CycleFactory()
    LineMemberFactory(line=CustomerLineFactory(customer__region=leaver.region), user=leaver, why="bid")
    UserFactory(guided_by=leaver)
    issue_token(user=leaver)
    start_job(kind="export", key="x", by=leaver)
    start_job(kind="start-run", key="x", by=leaver)
    upload_import(kind="customers", name="a.csv", content="客户名称,大区\n某局,north".encode(), by=leaver)
    today = date(2026, 3, 2)
    delegate(giver=leaver, receiver=successor, from_on=today, until_on=today, by=leaver)
    shown = {carried.key: carried.count for carried in carried_by(leaver)}
    keys = ("lines", "members", "guided", "given", "assessments", "exports", "jobs", "begun", "tokens", "sessions")
    assert shown == dict.fromkeys(keys, 1)
    assert [(led.area, led.label, led.count) for led in lines_led_by(leaver)] == [(area(line), "Police", 1)]


def test_five_thousand_lines_are_handed_over_in_sets(leaver, successor, head_office, django_assert_max_num_queries):
    police = ProductLine.objects.get(code="police")
    customers = Customer.objects.bulk_create(CustomerFactory.build(region=leaver.region) for _ in range(5000))
    lines = CustomerLine.objects.bulk_create(
        CustomerLine(customer=one, product_line=police, lead=leaver) for one in customers
    )
    LineMember.objects.bulk_create(
        LineMember(line=line, user=leaver, why="lead", from_on=date(2026, 1, 1)) for line in lines
    )
    with django_assert_max_num_queries(120):
        assert done(leaver, head_office, successor, leaves=True).lines == 5000
    assert LineMember.objects.current().filter(user=successor).count() == 5000
