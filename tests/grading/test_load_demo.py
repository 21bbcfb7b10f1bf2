"""`load_demo`: a company in the database, graded for two years, and one to come."""

from hashlib import sha256
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from crm.models import Branch, Customer, CustomerKind, CustomerLine, LineMember, Region, Role, Sale, User
from grading.demo.load import PASSWORD
from grading.models import Assessment, Cycle, CycleState, Grade, GradeRecord, GradingPolicy, Scheme

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(time_machine):
    time_machine.move_to("2026-11-21T12:00:00+08:00")

    def load_demo(*options):
        out = StringIO()
        call_command("load_demo", *options, stdout=out)
        return out.getvalue()

    return load_demo


def test_a_company_is_loaded_graded_and_printed(load):
    printed = load("--customers", "300")
    assert Customer.objects.count() == 300
    assert (Region.objects.count(), Branch.objects.count(), User.objects.count()) == (5, 31, 60)
    assert [cycle.state for cycle in Cycle.objects.order_by("fiscal_year")] == [
        CycleState.PUBLISHED,
        CycleState.PUBLISHED,
        CycleState.DRAFT,
    ]
    gradable = CustomerLine.objects.gradable().count()
    assert Grade.objects.filter(fiscal_year=2026).count() == Grade.objects.filter(fiscal_year=2025).count() == gradable
    row = next(line for line in printed.splitlines() if line.startswith("total"))
    assert sum(map(int, row.split()[1:])) == gradable
    assert f"password {PASSWORD}" in printed


def test_grades_spread_as_in_a_real_company(load):
    load("--customers", "450")
    value = CustomerLine.objects.gradable().exclude(product_line__code="tourism").filter(state="graded")
    share = {letter: value.filter(grade=letter).count() / value.count() for letter in "ABCD"}
    assert 0.04 < share["A"] < 0.20
    assert 0.15 < share["B"] < 0.35
    assert 0.25 < share["C"] < 0.50
    assert 0.15 < share["D"] < 0.45


def test_tourism_is_graded_by_close_horizon_under_a_policy_of_its_own(load):
    load("--customers", "200")
    policy = GradingPolicy.objects.current()
    assert (policy.number, policy.as_rules().rule("tourism").scheme) == (2, Scheme.CLOSE_HORIZON)
    records = GradeRecord.objects.filter(grade__line__product_line__code="tourism", state="graded")
    assert records.exists()
    assert not records.exclude(scheme=Scheme.CLOSE_HORIZON).exists()


def test_some_grades_have_a_history(load):
    load("--customers", "200")
    assert GradeRecord.objects.filter(cause="assessment").exists()
    first = GradeRecord.objects.filter(cause="run").order_by("recorded_at").first()
    assert (first.recorded_at.date().isoformat(), first.effective_on.isoformat()) == ("2024-12-20", "2025-01-01")


def test_the_same_seed_loads_the_same_company(load):
    assert loaded_and_taken_back(load, 1) == loaded_and_taken_back(load, 1) != loaded_and_taken_back(load, 2)


def loaded_and_taken_back(load, seed):
    with transaction.atomic():
        load("--customers", "60", "--no-grade", "--seed", str(seed))
        found = fingerprint()
        transaction.set_rollback(True)
    return found


def fingerprint():
    rows = [
        list(
            Customer.objects.order_by("code").values_list("code", "name", "credit_code", "parent__code", "branch__code")
        ),
        list(
            LineMember.objects.order_by("line__customer__code", "line__product_line", "why").values_list(
                "line__customer__code", "user__username", "why"
            )
        ),
        list(User.objects.order_by("username").values_list("username", "name", "role", "guided_by__username")),
        list(
            Sale.objects.order_by("line__customer__code", "line__product_line", "signed_on", "amount").values_list(
                "line__customer__code", "signed_on", "amount", "contract_no"
            )
        ),
        list(
            Assessment.objects.order_by("line__customer__code", "line__product_line", "fiscal_year").values_list(
                "line__customer__code", "potential_sales", "expected_margin", "expected_close_on"
            )
        ),
    ]
    return sha256(repr(rows).encode()).hexdigest()


def test_what_is_there_is_kept_with_if_empty_and_refused_without(load):
    load("--customers", "20", "--no-grade")
    assert load("--customers", "20", "--if-empty") == "Kept what is there: 20 customers.\n"
    with pytest.raises(CommandError, match="needs an empty database"):
        load("--customers", "20")
    assert Customer.objects.count() == 20


def test_only_the_company_is_loaded_when_no_grades_are_wanted(load):
    load("--customers", "20", "--no-grade")
    assert not Grade.objects.exists()
    assert not Cycle.objects.exists()


@pytest.mark.parametrize("number", ["0", "-5", "999999"])
def test_a_number_that_makes_no_sense_is_refused(load, number):
    with pytest.raises(CommandError, match=r"write a number from 1 to 1\d\d,\d\d\d"):
        load("--customers", number)
    assert not Region.objects.exists()


def test_one_customer_is_enough(load):
    assert "total" in load("--customers", "1")


def test_the_people_can_sign_in_and_see_what_is_theirs(load, client):
    load("--customers", "200", "--no-grade")
    assert client.login(username="head", password=PASSWORD)
    seen = {
        name: Customer.objects.visible_to(User.objects.get(username=name)).count()
        for name in ("head", "north", "admin")
    }
    assert seen["head"] == 200 > seen["north"] > 0 == seen["admin"]
    manager = User.objects.get(username="north-account")
    assert 0 < Customer.objects.visible_to(manager).count() < seen["north"]
    for role in Role.values:
        if role != Role.ADMINISTRATOR:
            assert any(Customer.objects.visible_to(user).exists() for user in User.objects.filter(role=role)), role


def test_go_betweens_are_there_and_have_no_grade(load):
    load("--customers", "300")
    between = CustomerLine.objects.exclude(customer__kind=CustomerKind.CUSTOMER)
    assert between.exists()
    assert not Grade.objects.filter(line__in=between).exists()
