"""Why a person sees a record, or what is missing: always the same answer as the scope itself."""

from datetime import date
from random import Random

import pytest
import time_machine
from django.urls import reverse
from django.utils import translation

from crm.models import Role, User
from crm.permissions import ROLES, Permission
from crm.sight import sight_kinds
from tests.factories import (
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    DelegationFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import TODAY, graded_line, queries_of
from tests.scope.company import found

pytestmark = pytest.mark.django_db
ADDRESS = reverse("crm:explain-sight")
JANUARY, FEBRUARY, TODAY_ON, APRIL = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 2), date(2026, 4, 1)
# since and until when: in force, over, ending, ending today (the first day without), to come
MEMBERSHIPS = ((JANUARY, None), (JANUARY, FEBRUARY), (JANUARY, APRIL), (JANUARY, TODAY_ON), (APRIL, None))
DELEGATIONS = ((JANUARY, APRIL), (TODAY_ON, TODAY_ON), (JANUARY, FEBRUARY), (APRIL, APRIL))


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


@pytest.fixture
def administrator(db) -> User:
    return UserFactory(username="admin", name="管理员", role=Role.ADMINISTRATOR)


def ask(client, person, kind, record, **headers):
    return client.get(ADDRESS, {"person": person.pk, "kind": kind, "number": record.pk}, headers=headers)


def codes(person, kind, record) -> list[str]:
    return [reason.code for reason in sight_kinds()[kind].explain(person, record).reasons]


# --- the same answer as the scope


def test_it_says_sees_exactly_where_the_scope_contains_the_record(db, monkeypatch):
    """Every kind of record of two regions, deleted and moved ones among them, for people of every role."""
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **kwargs: None)
    company = found()
    people = [*company.people.values(), company.north.staff, company.south.seller, company.moved_person]
    asked = 0
    for kind in sight_kinds().values():
        for person in people:
            seen = set(kind.model._default_manager.all().visible_to(person).values_list("pk", flat=True))
            for record in kind.model._base_manager.all():
                assert kind.explain(person, record).sees == (record.pk in seen), (kind.name, person.role, record)
                asked += 1
    assert asked > 2000


@pytest.mark.parametrize("seed", range(5))
def test_it_holds_for_people_and_ties_drawn_at_random(db, seed):
    draw = Random(seed)
    branches = [BranchFactory() for _ in range(3)]
    people = [someone(draw, branches) for _ in range(14)]
    for person in people:
        person.guided_by = draw.choice([None, *people])
        person.save()
    lines = []
    for _ in range(8):
        branch = draw.choice(branches)
        deleted_at = draw.choice([None, None, None, f"{TODAY}"])
        customer = CustomerFactory(region=branch.region, branch=draw.choice([None, branch]), deleted_at=deleted_at)
        lines.append(CustomerLineFactory(customer=customer))
        ContactFactory(customer=customer, deleted_at=draw.choice([None, f"{TODAY}"]))
        SaleFactory(line=lines[-1], deleted_at=draw.choice([None, f"{TODAY}"]))
    for _ in range(20):
        from_on, until_on = draw.choice(MEMBERSHIPS)
        LineMemberFactory(
            line=draw.choice(lines),
            user=draw.choice(people),
            why=f"{draw.random()}",
            from_on=from_on,
            until_on=until_on,
        )
    some_delegate(draw, people)
    for name in ("customer", "line", "contact", "sale", "person", "member", "delegation", "region", "branch"):
        kind = sight_kinds()[name]
        for person in people:
            seen = set(kind.model._default_manager.all().visible_to(person).values_list("pk", flat=True))
            for record in kind.model._base_manager.all():
                assert kind.explain(person, record).sees == (record.pk in seen), (name, person.role)


def some_delegate(draw: Random, people) -> None:
    for _ in range(8):
        giver, receiver = draw.sample(people, 2)
        if Role.ADMINISTRATOR not in (giver.role, receiver.role):
            from_on, until_on = draw.choice(DELEGATIONS)
            DelegationFactory(giver=giver, receiver=receiver, from_on=from_on, until_on=until_on)


def someone(draw: Random, branches) -> User:
    branch = draw.choice(branches)
    return UserFactory(role=draw.choice(list(Role)), region=branch.region, branch=branch)


def test_every_answer_has_a_reason(db, head_office, north, north_region, south_region):
    for region in (north_region, south_region):
        customer = CustomerFactory(region=region)
        for person in (head_office, north):
            assert codes(person, "customer", customer)


# --- which reason


def test_a_membership_is_told_with_its_reason_and_its_day(north_region):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    place = {"line__customer__region": north_region, "from_on": JANUARY}
    member = LineMemberFactory(user=manager, why="serves", **place)
    [reason] = sight_kinds()["customer"].explain(manager, member.line.customer).reasons
    assert (reason.code, reason.message) == ("membership", "Member of the line Police since 2026-01-01: serves.")


@pytest.mark.parametrize(
    ("why", "said"),
    [("lead", "负责"), ("added the line", "添加"), ("led the merged line", "合并前"), ("serves", "serves")],
)
def test_the_products_own_reasons_are_in_the_readers_language(north_region, why, said):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    member = LineMemberFactory(user=manager, why=why, line__customer__region=north_region)
    with translation.override("zh-hans"):
        [reason] = sight_kinds()["customer"].explain(manager, member.line.customer).reasons
        assert said in reason.message


@pytest.mark.parametrize(
    ("from_on", "until_on", "code"),
    [(APRIL, APRIL, "delegation_to_come"), (JANUARY, FEBRUARY, "delegation_ended"), (JANUARY, APRIL, "delegated")],
)
def test_a_delegation_of_other_days_is_what_is_missing(north, north_region, south_region, from_on, until_on, code):
    colleague = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    DelegationFactory(giver=north, receiver=colleague, from_on=from_on, until_on=until_on)
    assert code in codes(colleague, "customer", CustomerFactory(region=north_region))
    assert "delegation_to_come" not in codes(colleague, "customer", CustomerFactory(region=south_region))


def test_a_guided_person_is_named(north_region):
    guide = UserFactory(role=Role.SENIOR_SALES_MANAGER, region=north_region)
    seller = UserFactory(name="小王", role=Role.SALES_MANAGER, region=north_region, guided_by=guide)
    member = LineMemberFactory(user=seller, line__customer__region=north_region)
    [reason] = sight_kinds()["customer"].explain(guide, member.line.customer).reasons
    assert reason.code == "guides_member"
    assert "小王" in reason.message


def test_what_is_missing_is_told(north, north_region, south_region):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    ended = LineMemberFactory(user=manager, line__customer__region=north_region, until_on=date(2026, 2, 1))
    assert codes(manager, "customer", ended.line.customer) == ["membership_ended", "no_membership"]
    assert codes(north, "customer", CustomerFactory(region=south_region)) == ["other_region"]
    gone = CustomerFactory(region=north_region, deleted_at=TODAY)
    assert codes(north, "customer", gone) == ["deleted", "whole_region"]


# --- the page


def test_sales_management_is_told_with_the_name(head_office, north, south_region, client_of):
    page = ask(client_of(head_office), north, "customer", CustomerFactory(region=south_region, name="广州市公安局"))
    content = page.content.decode()
    assert page.status_code == 200
    assert "does not see customer" in content
    assert "this one belongs to" in content
    assert "广州市公安局" in content


def test_administrators_are_told_the_number_and_the_reasons_alone(administrator, north, north_region, client_of):
    line = graded_line(north_region, customer__name="杭州市公安局", customer__code="HZ-1")
    contact = ContactFactory(customer=line.customer, name="王芳", phone="138")
    sale = SaleFactory(line=line, contract_no="HT-1")
    kinds = {"customer": line.customer, "line": line, "contact": contact, "sale": sale, "grade": line.grades.get()}
    for kind, record in kinds.items():
        content = ask(client_of(administrator), north, kind, record).content.decode()
        assert f"sees {kind}" in content or "sees customer line" in content
        assert not any(word in content for word in ("杭州", "HZ-1", "王芳", "138", "HT-1"))


def test_who_may_not_read_such_records_does_not_see_them(administrator, north_region, client_of, head_office):
    made = CustomerFactory(region=north_region)
    content = ask(client_of(head_office), administrator, "customer", made).content.decode()
    assert "does not see" in content
    assert "does not read such records at all" in content


def test_who_is_switched_off_sees_nothing(head_office, north, north_region, client_of):
    north.is_active = False
    north.save()
    content = ask(client_of(head_office), north, "customer", CustomerFactory(region=north_region)).content.decode()
    assert "does not see" in content
    assert "switched off" in content


@pytest.mark.parametrize(
    "asked", [{"number": "9999"}, {"number": "x"}, {"number": "0"}, {"kind": "tree"}, {"person": "9999"}]
)
def test_what_is_not_there_is_said_at_its_field(head_office, north, client_of, asked):
    said = {"person": north.pk, "kind": "customer", "number": "1"} | asked
    page = client_of(head_office).get(ADDRESS, said)
    assert page.status_code == 422
    assert page.context["form"].errors


def test_a_link_fills_the_form_in(head_office, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    client = client_of(head_office)
    page = client.get(reverse("crm:view-customer", args=[customer.pk]))
    assert f"{ADDRESS}?kind=customer&amp;number={customer.pk}" in page.content.decode()
    form = client.get(ADDRESS, {"kind": "customer", "number": customer.pk}).context["form"]
    assert (form["number"].value(), form.is_bound) == (str(customer.pk), False)


def test_only_administrators_and_sales_management_may_ask(client_of, north, north_region):
    may = {role for role in Role if Permission.EXPLAIN_SIGHT in ROLES[role]}
    assert may == {Role.ADMINISTRATOR, Role.SALES_MANAGEMENT}
    client, customer = client_of(north), CustomerFactory(region=north_region)
    assert client.get(ADDRESS).status_code == 403
    assert ADDRESS not in client.get(reverse("crm:view-customer", args=[customer.pk])).content.decode()


@pytest.mark.parametrize(("language", "word"), [("en", "does not see"), ("zh-hans", "看不到")])
def test_it_speaks_the_language_of_the_reader(head_office, north, south_region, client_of, language, word):
    customer = CustomerFactory(region=south_region)
    page = ask(client_of(head_office), north, "customer", customer, **{"accept-language": language})
    assert word in page.content.decode()


def test_it_takes_few_queries_however_many_ties_there_are(head_office, north_region, client_of):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    line = CustomerLineFactory(customer__region=north_region)
    for number in range(30):
        LineMemberFactory(line=line, user=manager, why=f"reason {number}")
    address = f"{ADDRESS}?person={manager.pk}&kind=line&number={line.pk}"
    assert queries_of(client_of(head_office), address) <= 15
