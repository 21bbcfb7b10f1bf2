"""The queue of credit codes that several regions use; nobody but sales management learns of them."""

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.actions.customers import save_customer
from crm.models import DifferentCustomers, Role
from tests.factories import CustomerFactory, UserFactory
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

LIST, APART = reverse("crm:list-conflicts"), reverse("crm:tell-apart")
CODE = "91330000MA27XX001A"


@pytest.fixture
def pair(north_region, south_region):
    return [
        CustomerFactory(region=region, credit_code=CODE, name=f"{region.code}局")
        for region in (north_region, south_region)
    ]


def codes(client) -> list[str]:
    return [conflict.credit_code for conflict in client.get(LIST).context["conflicts"]]


def test_a_code_of_two_regions_is_shown_with_what_to_do(pair, head_office, client_of):
    CustomerFactory(credit_code="22")
    CustomerFactory(credit_code=CODE, deleted_at=timezone.now())
    page = client_of(head_office).get(LIST).content.decode()
    assert page.count(f">{CODE}<") == 1
    assert reverse("crm:merge-customers", args=[pair[0].pk, pair[1].pk]) in page
    assert reverse("crm:transfer-customer", args=[pair[0].pk]) in page
    assert ">22<" not in page


def test_the_menu_counts_them(pair, head_office, client_of):
    entries = {entry["label"]: entry["count"] for entry in client_of(head_office).get(LIST).context["nav"]}
    assert entries["Conflicts"] == 1


def test_without_conflicts_it_says_so(head_office, client_of):
    assert "No conflicts" in client_of(head_office).get(LIST).content.decode()
    assert "没有冲突" in client_of(head_office, "zh-hans").get(LIST).content.decode()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.SALES_MANAGEMENT])
def test_nobody_else_learns_of_them(pair, role, north_region, client_of):
    branch = {"branch": north_region.branches.create(code="b", name="b")} if role == Role.BRANCH_GM else {}
    client = client_of(UserFactory(role=role, region=north_region, **branch))
    assert client.get(LIST).status_code == 403
    assert client.get(APART, {"credit_code": CODE}).status_code == 403
    answer = client.get(reverse("crm:home"))
    assert "Conflicts" not in answer.content.decode()
    assert "南" not in client.get(reverse("crm:list-customers")).content.decode() or role in {
        Role.EXECUTIVE,
        Role.TECH_SERVICE,
        Role.MARKETING,
        Role.SERVICE,
    }


def test_different_customers_leave_the_queue_until_a_code_changes(pair, head_office, client_of):
    client = client_of(head_office)
    address = f"{APART}?credit_code={CODE}"
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "一个是局，一个是所"}).url == LIST
    assert codes(client) == []
    assert DifferentCustomers.objects.get().by == head_office
    assert client.get(address).status_code == 404
    first = pair[0]
    for version, code in ((1, "1"), (2, CODE)):
        first.credit_code = code
        save_customer(customer=first, version=version, by=head_office)
    assert codes(client) == [CODE]


def test_another_change_does_not_bring_them_back(pair, head_office, client_of):
    client = client_of(head_office)
    client.post(f"{APART}?credit_code={CODE}", {"reason": "不同"})
    pair[0].note = "改"
    save_customer(customer=pair[0], version=1, by=head_office)
    assert codes(client) == []


def test_a_third_customer_brings_them_back(pair, head_office, client_of):
    client = client_of(head_office)
    client.post(f"{APART}?credit_code={CODE}", {"reason": "不同"})
    CustomerFactory(credit_code=CODE)
    assert codes(client) == [CODE]
    client.post(f"{APART}?credit_code={CODE}", {"reason": "都不同"})
    assert codes(client) == []


def test_a_code_without_conflict_is_not_there(head_office, client_of):
    CustomerFactory(credit_code=CODE)
    for code in (CODE, "", "没有"):
        assert client_of(head_office).get(APART, {"credit_code": code}).status_code == 404


def test_its_queries_do_not_grow_with_the_conflicts(pair, head_office, north_region, south_region, client_of):
    client = client_of(head_office)
    few = queries_of(client, LIST)
    for number in range(5):
        for region in (north_region, south_region):
            CustomerFactory(region=region, credit_code=f"{number}" * 18)
    assert queries_of(client, LIST) == few <= 15
