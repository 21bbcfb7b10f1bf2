"""The switches of the header: region and language, kept from page to page."""

import pytest
from django.urls import reverse

from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
SWITCH, LANGUAGE, CUSTOMERS = reverse("crm:switch-scope"), reverse("set_language"), reverse("crm:list-customers")


def test_the_region_is_kept_and_put_into_the_address(head_office, north_region, south_region, client_of):
    CustomerFactory(region=north_region, name="北")
    CustomerFactory(region=south_region, name="南")
    client = client_of(head_office)
    client.post(SWITCH, {"region": north_region.pk, "next": "/"})
    response = client.get(CUSTOMERS, {"ordering": "-name"}, follow=True)
    assert response.redirect_chain[-1][0] == f"{CUSTOMERS}?ordering=-name&region=north"
    assert [customer.name for customer in response.context["list"].rows] == ["北"]


def test_the_address_wins_over_the_switch(head_office, north_region, south_region, client_of):
    CustomerFactory(region=south_region, name="南")
    client = client_of(head_office)
    client.post(SWITCH, {"region": north_region.pk, "next": "/"})
    assert len(client.get(CUSTOMERS, {"region": ""}).context["list"].rows) == 1


def test_the_switch_returns_to_the_page_without_its_old_region(head_office, north_region, client_of):
    came_from = f"{CUSTOMERS}?search=gongan&region=south&page=3"
    response = client_of(head_office).post(SWITCH, {"region": north_region.pk, "next": came_from})
    assert response["Location"] == f"{CUSTOMERS}?search=gongan"


def test_it_never_leads_away_from_this_site(head_office, client_of):
    assert client_of(head_office).post(SWITCH, {"next": "https://example.com/"})["Location"] == "/"


def test_who_sees_one_region_has_no_switch(north, north_region, south_region, client_of):
    client = client_of(north)
    assert client.post(SWITCH, {"region": south_region.pk, "next": "/"}).status_code == 404
    assert "All regions" not in client.get(CUSTOMERS).content.decode()


def test_it_is_a_post_and_needs_sign_in(head_office, client, client_of):
    assert client_of(head_office).get(SWITCH).status_code == 405
    assert client.post(SWITCH)["Location"].startswith(reverse("account_login"))


def test_the_language_is_the_persons_own_choice(north, client_of):
    client = client_of(north)
    client.post(LANGUAGE, {"language": "zh-hans", "next": "/"})
    north.refresh_from_db()
    assert north.language == "zh-hans"
    assert 'lang="zh-hans"' in client.get(CUSTOMERS).content.decode()


def test_a_language_there_is_none_of_changes_nothing(north, client_of):
    client_of(north).post(LANGUAGE, {"language": "fr", "next": "/"})
    north.refresh_from_db()
    assert north.language == ""
