"""Who follows lists while customers are merged and merges taken back: his copy is what he sees."""

import pytest

from crm.actions.lines import save_member
from crm.actions.merge_customers import merge_customers
from crm.actions.undo_merge import undo_merge
from crm.models import LineMember, ProductLine
from tests.api.conftest import gone
from tests.factories import (
    AssessmentFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)

PATHS = ("customers/", "contacts/", "customer-lines/", "sales/", "assessments/")


def merge(survivor, loser, by):
    for one in (survivor, loser):
        one.refresh_from_db()
    return merge_customers(
        survivor=survivor, loser=loser, versions=(survivor.version, loser.version), from_loser=(), by=by
    )


@pytest.mark.parametrize("path", PATHS)
def test_a_merge_takes_all_from_the_old_region_to_the_new_and_an_undo_back(
    follow, north, south_user, head_office, north_region, south_region, path
):
    survivor, loser = (CustomerFactory(region=region) for region in (north_region, south_region))
    line = CustomerLineFactory(customer=loser)
    records = {
        "customers/": loser,
        "contacts/": ContactFactory(customer=loser),
        "customer-lines/": line,
        "sales/": SaleFactory(line=line),
        "assessments/": AssessmentFactory(line=line),
    }
    there, here, everywhere = follow(south_user, path), follow(north, path), follow(head_office, path)
    pk = records[path].pk
    assert (pk in there(), pk in here(), pk in everywhere()) == (True, False, True)
    made = merge(survivor, loser, head_office)
    assert there()[pk] == gone(pk)[pk]
    if path == "customers/":
        assert everywhere()[pk] == gone(pk)[pk]
        assert pk not in here()
    else:
        assert "deleted" not in here()[pk]
        assert "deleted" not in everywhere()[pk]
    undo_merge(merge=made, by=head_office)
    assert "deleted" not in there()[pk]
    if path != "customers/":
        assert here()[pk] == gone(pk)[pk]


def test_who_follows_the_lines_of_the_customer_that_stays_is_told_of_those_that_came(follow, head_office, north_region):
    survivor, loser = (CustomerFactory(region=north_region) for _ in range(2))
    line = CustomerLineFactory(customer=loser)
    told = follow(head_office, "customer-lines/", customer=survivor.pk)
    assert line.pk not in told()
    merge(survivor, loser, head_office)
    assert told()[line.pk]["customer"]["id"] == survivor.pk


@pytest.fixture
def in_step(follow):
    """Follows all lists of a person; each call catches up and holds the copies against what there is."""

    def start(user):
        calls = {path: follow(user, path) for path in PATHS}
        copies = {path: {} for path in PATHS}

        def catch_up():
            told = {path: call() for path, call in calls.items()}
            for path in PATHS:
                copies[path] = {pk: row for pk, row in (copies[path] | told[path]).items() if "deleted" not in row}
                assert copies[path] == {row["id"]: row for row in calls[path].client.results(path)}, path
            return told

        return catch_up

    return start


def furnished(region, *lines):
    """A customer with a contact, and with sales and an assessment on each product line."""
    customer = CustomerFactory(region=region)
    ContactFactory(customer=customer)
    for code in lines:
        line = CustomerLineFactory(customer=customer, product_line=ProductLine.objects.get(code=code))
        SaleFactory(line=line)
        AssessmentFactory(line=line)
    return customer


@pytest.fixture
def member_of(north_region):
    """Makes a person who sees a customer by a membership of its line, or by guiding whoever has one."""

    def made(customer, role, *, is_guide=False):
        member = UserFactory(role="account_manager" if is_guide else role, region=north_region)
        LineMemberFactory(line=customer.lines.get(product_line__code="police"), user=member)
        if not is_guide:
            return member
        member.guided_by = UserFactory(role=role, region=north_region)
        member.save()
        return member.guided_by

    return made


@pytest.mark.parametrize("lines", [("police",), ("police", "transport"), ("transport",)])
@pytest.mark.parametrize(
    ("role", "is_guide"), [("account_manager", False), ("sales_manager", False), ("sales_manager", True)]
)
def test_a_member_of_a_line_goes_over_with_it_and_back(
    in_step, member_of, north_region, head_office, lines, role, is_guide
):
    """The survivor has the line too, or only that one, or another one, so that the line moves whole."""
    loser, survivor = furnished(north_region, "police"), furnished(north_region, *lines)
    catch_up = in_step(member_of(loser, role, is_guide=is_guide))
    assert catch_up()["customers/"].keys() == {loser.pk}
    made = merge(survivor, loser, head_office)
    told = catch_up()
    assert (told["customers/"].keys(), told["customers/"][loser.pk]) == (
        {loser.pk, survivor.pk},
        gone(loser.pk)[loser.pk],
    )
    undo_merge(merge=made, by=head_office)
    assert catch_up()["customers/"][survivor.pk] == gone(survivor.pk)[survivor.pk]


def test_a_customer_that_goes_on_into_a_third_before_one_calls_is_gone(in_step, member_of, north_region, head_office):
    first, second = furnished(north_region, "police"), furnished(north_region, "transport")
    third = furnished(north_region, "police")
    catch_up = in_step(member_of(first, "account_manager"))
    catch_up()
    merge(second, first, head_office)
    merge(third, second, head_office)
    assert catch_up()["customers/"][first.pk] == gone(first.pk)[first.pk]


def test_who_became_a_member_after_a_merge_is_not_told_of_the_customer_before(
    in_step, member_of, north_region, head_office
):
    loser, survivor = furnished(north_region, "police"), furnished(north_region, "transport")
    late = UserFactory(role="account_manager", region=north_region)
    catch_up = in_step(late)
    assert catch_up()["customers/"] == {}
    merge(survivor, loser, head_office)
    line = survivor.lines.get(product_line__code="police")
    save_member(member=LineMember(line=line, user=late, why="x", from_on="2025-01-01"), by=None)
    assert catch_up()["customers/"].keys() == {survivor.pk}
