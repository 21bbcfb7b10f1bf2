"""The pages of a merge: find the other, both side by side, the report, the way back."""

import pytest
from django.urls import reverse

from crm.actions.contacts import save_contact
from crm.actions.merge_customers import merge_customers
from crm.models import Change, Contact, Customer, CustomerMerge, Role
from tests.factories import (
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def survivor(north_region):
    return CustomerFactory(name="杭州市公安局", code="C1", region=north_region, industry="公安")


@pytest.fixture
def loser(south_region):
    return CustomerFactory(name="杭州公安局", code="C2", region=south_region, industry="公安", website="https://a.cn")


def page(first, second) -> str:
    return reverse("crm:merge-customers", args=[first.pk, second.pk])


CHOSEN = {"survivor_version": 1, "loser_version": 1, "name": "loser", "code": "survivor", "website": "loser"}


@pytest.fixture
def merge(survivor, loser, head_office, client_of):
    ContactFactory(customer=loser)
    answer = client_of(head_office).post(page(survivor, loser), CHOSEN)
    made = CustomerMerge.objects.get()
    assert answer.url == reverse("crm:view-merge", args=[made.pk])
    return made


def test_those_called_nearly_so_are_proposed_and_others_found(survivor, loser, head_office, client_of):
    other = CustomerFactory(name="南京市城管局")
    client = client_of(head_office)
    address = reverse("crm:choose-duplicate", args=[survivor.pk])
    answer = client.get(address)
    assert answer.context["found"] == [loser]
    assert page(survivor, loser) in answer.content.decode()
    assert list(client.get(address, {"search": "南京"}).context["found"]) == [other]
    assert "No customer fits this search" in client.get(address, {"search": "qqq"}).content.decode()
    assert "Nobody is called nearly so" in client.get(reverse("crm:choose-duplicate", args=[other.pk])).content.decode()


def test_only_what_differs_is_to_be_chosen(survivor, loser, head_office, client_of):
    answer = client_of(head_office).get(page(survivor, loser))
    assert [field.name for field in answer.context["form"].choices()] == ["name", "code", "website"]
    assert answer.context["form"]["website"].initial == "loser"  # the other one has none
    labels = [row.label for row in answer.context["rows"]]
    assert labels[:4] == ["Region", "Product lines", "Contacts", "Number of sales"]
    assert "industry" in labels


def test_what_was_chosen_is_saved_and_reported(merge, survivor, head_office, client_of):
    survivor.refresh_from_db()
    assert (survivor.name, survivor.code, survivor.website) == ("杭州公安局", "C1", "https://a.cn")
    client = client_of(head_office)
    report = client.get(reverse("crm:view-merge", args=[merge.pk])).content.decode()
    assert "Contacts" in report
    shown = client.get(reverse("crm:view-customer", args=[survivor.pk])).content.decode()
    assert reverse("crm:view-merge", args=[merge.pk]) in shown
    assert client.get(reverse("crm:view-customer", args=[merge.loser_id])).url.endswith(f"/{survivor.pk}/")


def test_it_is_undone_from_its_page(merge, survivor, loser, head_office, client_of):
    client = client_of(head_office)
    address = reverse("crm:undo-merge", args=[merge.pk])
    assert client.get(address).status_code == 200
    assert client.post(address).url == reverse("crm:view-merge", args=[merge.pk])
    assert Contact.objects.get().customer == loser
    assert client.get(reverse("crm:view-customer", args=[loser.pk])).status_code == 200
    assert "Merge undone" in client.get(reverse("crm:view-merge", args=[merge.pk])).content.decode()
    assert client.post(address).status_code == 409
    assert client.get(address).status_code == 409


def test_what_is_in_the_way_of_an_undo_is_listed(merge, survivor, head_office, client_of):
    client = client_of(head_office)
    contact = Contact.objects.get()
    client.post(reverse("crm:edit-contact", args=[contact.pk]), {"version": 2, "name": "改名"})
    answer = client.post(reverse("crm:undo-merge", args=[merge.pk]))
    assert answer.status_code == 409
    assert "改名" in answer.content.decode()
    assert Customer.objects.get(pk=merge.loser_id).merged_into == survivor


def test_a_choice_left_out_or_made_of_old_versions_merges_nothing(survivor, loser, head_office, client_of):
    client = client_of(head_office)
    for sent in (
        {"name": "loser"},
        CHOSEN | {"name": "x"},
        CHOSEN | {"loser_version": 7},
        {**CHOSEN, "survivor_version": "x"},
    ):
        assert client.post(page(survivor, loser), sent).status_code == 422, sent
    assert client.post(page(survivor, survivor), {"survivor_version": 1, "loser_version": 1}).status_code == 422
    assert not CustomerMerge.objects.exists()


def test_sales_management_alone_merges(survivor, loser, merge, north, client_of):
    for client in (client_of(north), client_of(UserFactory(role=Role.EXECUTIVE))):
        for address in (
            page(survivor, loser),
            reverse("crm:choose-duplicate", args=[survivor.pk]),
            reverse("crm:view-merge", args=[merge.pk]),
            reverse("crm:undo-merge", args=[merge.pk]),
        ):
            assert client.get(address).status_code == 403
            assert client.post(address).status_code == 403
        shown = client.get(reverse("crm:view-customer", args=[survivor.pk])).content.decode()
        assert "Merge with" not in shown
        assert "Merged into it" not in shown


def test_a_removed_customer_is_not_there(survivor, merge, head_office, client_of):
    loser = Customer.objects.get(pk=merge.loser_id)
    assert client_of(head_office).get(page(survivor, loser)).status_code == 404
    assert client_of(head_office).get(reverse("crm:choose-duplicate", args=[loser.pk])).status_code == 404


def test_the_timeline_of_both_is_one(survivor, north_region, head_office, client_of):
    other = CustomerFactory(region=north_region, code="C3")
    client = client_of(head_office)
    client.post(reverse("crm:create-contact", args=[other.pk]), {"version": 0, "name": "旧人"})
    form = client.get(page(survivor, other)).context["form"]
    client.post(page(survivor, other), {field.html_name: field.initial for field in form})
    days = client.get(reverse("crm:view-customer", args=[survivor.pk])).context["timeline"].days
    assert "Contact added" in [event.title for _day, events in days for event in events]
    assert Change.objects.filter(customer=survivor).exists()


@pytest.mark.parametrize("role", [Role.BRANCH_GM, Role.ACCOUNT_MANAGER])
def test_who_sees_some_customers_of_a_region_sees_what_went_into_them(
    survivor, north_region, head_office, client_of, role
):
    branch = BranchFactory(region=north_region)
    reader = UserFactory(role=role, region=north_region, branch=branch)
    LineMemberFactory(user=reader, line__customer=survivor)
    Customer.objects.filter(pk=survivor.pk).update(branch=branch)
    other = CustomerFactory(region=north_region)
    contact = save_contact(contact=Contact(customer=other, name="旧人"), version=0, by=head_office)
    survivor.refresh_from_db()
    merge_customers(survivor=survivor, loser=other, versions=(1, 1), from_loser=(), by=head_office)
    assert Change.objects.visible_to(reader).filter(customer=other).exists()
    assert Change.objects.visible_to(reader).filter(table=contact._meta.db_table, object_id=contact.pk).exists()


def test_its_queries_do_not_grow(survivor, loser, head_office, client_of):
    client = client_of(head_office)
    few = queries_of(client, page(survivor, loser))
    for customer in (survivor, loser):
        SaleFactory(line=CustomerLineFactory(customer=customer))
        ContactFactory(customer=customer)
    assert queries_of(client, page(survivor, loser)) == few <= 15
    assert queries_of(client, reverse("crm:choose-duplicate", args=[survivor.pk])) <= 15
    assert queries_of(client, reverse("crm:view-customer", args=[survivor.pk])) <= 15


def test_the_pages_are_in_both_languages(survivor, loser, merge, head_office, client_of):
    client = client_of(head_office, "zh-hans")
    assert "撤销合并" in client.get(reverse("crm:view-merge", args=[merge.pk])).content.decode()
