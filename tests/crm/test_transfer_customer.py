"""A customer that goes to another region, with what becomes of those who led or saw it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.actions.customers import save_customer
from crm.actions.lines import save_line
from crm.actions.transfer_customer import TransferRefused, transfer_customer
from crm.models import Change, Customer, CustomerLine, CustomerRegion, LineMember, Role
from tests.factories import BranchFactory, CustomerFactory, CustomerLineFactory, LineMemberFactory, UserFactory
from tests.pages import queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(north_region):
    return CustomerFactory(region=north_region, code="C1", branch=BranchFactory(region=north_region))


@pytest.fixture
def address(customer):
    return reverse("crm:transfer-customer", args=[customer.pk])


@pytest.fixture
def manager(north_region):
    return UserFactory(name="张伟", role=Role.ACCOUNT_MANAGER, region=north_region)


@pytest.fixture
def successor(south_region):
    return UserFactory(username="successor", role=Role.ACCOUNT_MANAGER, region=south_region)


@pytest.fixture
def line(customer, manager, north, head_office):
    made = CustomerLineFactory(customer=customer)
    made.lead = manager
    save_line(line=made, by=head_office)
    LineMemberFactory(line=made, user=head_office, why="tour")
    LineMemberFactory(line=made, user=north, why="helps", from_on=timezone.localdate() + timedelta(days=7))
    return made


def test_it_goes_from_today_on_and_its_past_stays(
    customer, address, head_office, north, south_user, south_region, client_of
):
    CustomerRegion.objects.create(customer=customer, region=customer.region, from_on="2025-01-01")
    branch = BranchFactory(region=south_region)
    answer = client_of(head_office).post(
        address, {"version": 1, "region": south_region.pk, "branch": branch.pk, "reason": "新区划"}
    )
    page = reverse("crm:view-customer", args=[customer.pk])
    assert answer.url == page
    customer.refresh_from_db()
    assert (customer.region, customer.branch, customer.version) == (south_region, branch, 2)
    dated = list(CustomerRegion.objects.order_by("from_on").values_list("region__code", "from_on"))
    assert [code for code, _day in dated] == ["north", "south"]
    assert dated[1][1] == timezone.localdate()
    assert Change.objects.of(customer).get().reason == "新区划"
    assert Change.objects.get(is_tombstone=True).region.code == "north"
    assert client_of(north).get(page).status_code == 404
    assert client_of(south_user).get(page).status_code == 200


def test_the_preview_says_what_ends(line, address, head_office, south_region, client_of):
    page = client_of(head_office).get(address, {"region": south_region.pk}).content.decode()
    assert "张伟 leads Police no more" in page
    assert "北方员工 sees Police no more" in page
    assert "销售管理 sees" not in page


def test_leads_and_members_of_the_old_region_end_and_a_new_lead_takes_over(
    line, address, head_office, successor, south_region, client_of
):
    values = {"version": 1, "region": south_region.pk, "lead": successor.pk, "reason": "新区划"}
    client_of(head_office).post(address, values)
    line.refresh_from_db()
    assert line.lead == successor
    standing = LineMember.objects.not_over().filter(line=line).values_list("user__username", "why")
    assert set(standing) == {("successor", "lead"), ("head", "tour")}
    since = Change.objects.filter(sequence__gt=Change.objects.of(line.customer).get().sequence, is_tombstone=False)
    assert {change.table for change in since} == {"crm_customerline", "crm_linemember"}
    assert {change.reason for change in since} == {"新区划"}


def test_only_who_may_lead_there_is_offered_and_taken(
    line, address, head_office, manager, successor, south_user, south_region, client_of
):
    gone = UserFactory(role=Role.ACCOUNT_MANAGER, region=south_region, is_active=False)
    client = client_of(head_office)
    form = client.get(address, {"region": south_region.pk}).context["form"]
    assert list(form.fields["lead"].queryset) == [successor]
    for person in (manager, south_user, gone, head_office):
        with pytest.raises(TransferRefused):
            transfer_customer(
                customer=Customer.objects.get(pk=line.customer_id),
                version=1,
                region=south_region,
                branch=None,
                lead=person,
                by=head_office,
            )


def test_what_somebody_changed_of_a_line_meanwhile_stays(line, head_office, south_region, monkeypatch):
    def save(**values):
        CustomerLine.objects.filter(pk=line.pk).update(is_active=False)
        return save_customer(**values)

    monkeypatch.setattr("crm.actions.transfer_customer.save_customer", save)
    transfer_customer(customer=line.customer, version=1, region=south_region, branch=None, by=head_office)
    line.refresh_from_db()
    assert (line.lead, line.is_active) == (None, False)


def test_without_a_new_lead_there_is_none(line, address, head_office, south_region, client_of):
    client_of(head_office).post(address, {"version": 1, "region": south_region.pk})
    line.refresh_from_db()
    assert line.lead is None


def test_a_region_that_has_the_credit_code_is_offered_the_merge(
    customer, address, head_office, south_region, client_of
):
    customer.credit_code = "91330000MA27XX001A"
    customer.save()
    other = CustomerFactory(region=south_region, credit_code=customer.credit_code)
    answer = client_of(head_office).post(address, {"version": 1, "region": south_region.pk})
    assert answer.status_code == 422
    assert reverse("crm:merge-customers", args=[other.pk, customer.pk]) in answer.content.decode()
    customer.refresh_from_db()
    assert customer.region.code == "north"


def test_a_region_that_has_the_code_is_offered_the_merge_too(customer, address, head_office, south_region, client_of):
    other = CustomerFactory(region=south_region, code="C1")
    answer = client_of(head_office).post(address, {"version": 1, "region": south_region.pk})
    assert (answer.status_code, answer.context["other"]) == (422, other)


def test_what_makes_no_sense_is_refused(customer, address, head_office, north, south_region, north_region, client_of):
    client = client_of(head_office)
    branch = BranchFactory(region=north_region)
    for sent in (
        {"version": 1, "region": north_region.pk},
        {"version": 1, "region": "x"},
        {"version": 1, "region": south_region.pk, "branch": branch.pk},
        {"version": 1, "region": south_region.pk, "lead": north.pk},
        {"version": 9, "region": south_region.pk},
    ):
        assert client.post(address, sent).status_code == 422, sent
    customer.refresh_from_db()
    assert customer.region == north_region


def test_sales_management_alone_transfers(customer, address, north, client_of):
    page = reverse("crm:view-customer", args=[customer.pk])
    assert client_of(north).get(address).status_code == 403
    assert address not in client_of(north).get(page).content.decode()
    assert client_of(UserFactory(role=Role.EXECUTIVE)).post(address, {}).status_code == 403


def test_its_queries_do_not_grow_with_its_lines(line, address, head_office, south_region, client_of):
    assert queries_of(client_of(head_office), f"{address}?region={south_region.pk}") <= 15
