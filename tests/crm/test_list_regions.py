"""The pages of regions and branch offices."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import Branch, BranchRegion, Region, Role
from tests.factories import BranchFactory, CustomerFactory, UserFactory
from tests.pages import queries_of

pytestmark = pytest.mark.django_db
LIST = reverse("crm:list-regions")


@pytest.fixture
def administrator(db):
    return UserFactory(username="admin", role=Role.ADMINISTRATOR)


@pytest.fixture
def client(administrator, client_of):
    return client_of(administrator)


def place(**changes):
    return {"code": "west", "name": "西部大区", "position": 1, "is_active": "on", "read_version": 0} | changes


def test_only_who_keeps_the_settings_opens_them(north, head_office, north_region, client_of):
    branch = BranchFactory(region=north_region)
    addresses = [LIST, reverse("crm:create-region"), reverse("crm:move-branch", args=[branch.pk])]
    for person in (north, head_office):
        assert {client_of(person).get(address).status_code for address in addresses} == {403}


def test_without_regions_it_says_what_to_do(client):
    assert "There are no regions yet" in client.get(LIST).content.decode()


def test_it_counts_who_works_there_and_no_customers_for_an_administrator(client, north, north_region):
    BranchFactory(region=north_region, name="北京分公司")
    CustomerFactory(region=north_region)
    page = client.get(LIST).content.decode()
    assert "北京分公司" in page
    assert "?region=north&amp;is_active=true" in page
    assert '<th scope="col" class="num">Customers</th>' not in page


def test_a_region_and_a_branch_office_are_made_and_changed(client):
    assert client.post(reverse("crm:create-region"), place()).status_code == 302
    west = Region.objects.get(code="west")
    assert client.post(reverse("crm:create-branch"), place(code="xian", region=west.pk)).status_code == 302
    branch = Branch.objects.get(code="xian")
    address = reverse("crm:edit-branch", args=[branch.pk])
    assert client.post(address, place(code="xian", name="西安分公司", read_version=1)).status_code == 302
    branch.refresh_from_db()
    assert (branch.name, branch.region, branch.version) == ("西安分公司", west, 2)


def test_what_someone_else_changed_meanwhile_is_not_overwritten(client, north_region):
    address = reverse("crm:edit-region", args=[north_region.pk])
    assert client.post(address, place(code="north", name="新", read_version=1)).status_code == 302
    assert client.post(address, place(code="north", name="旧", read_version=1)).status_code == 422
    north_region.refresh_from_db()
    assert north_region.name == "新"


@pytest.mark.parametrize(
    "changes", [{"code": ""}, {"code": "a b"}, {"name": " "}, {"name": "x" * 600}, {"position": -1}]
)
def test_what_makes_no_sense_is_refused(client, changes):
    assert client.post(reverse("crm:create-region"), place(**changes)).status_code == 422
    assert not Region.objects.exists()


def test_a_region_in_use_is_not_switched_off(client, north, north_region):
    values = {name: value for name, value in place(code="north", read_version=1).items() if name != "is_active"}
    answer = client.post(reverse("crm:edit-region", args=[north_region.pk]), values)
    assert "People work here" in str(answer.context["form"].errors["is_active"])


def test_a_branch_office_moves_today(client, north_region, south_region):
    branch = BranchFactory(region=north_region)
    today = timezone.localdate().isoformat()
    address = reverse("crm:move-branch", args=[branch.pk])
    assert "belongs to North" in client.get(address).content.decode()
    page = client.post(address, {"region": south_region.pk, "from_on": today}, follow=True).content.decode()
    assert "belongs to South now" in page


def test_a_move_to_come_is_shown_and_called_off(client, north_region, south_region):
    branch = BranchFactory(region=north_region, name="北京分公司")
    day = (timezone.localdate() + timedelta(days=9)).isoformat()
    client.post(reverse("crm:move-branch", args=[branch.pk]), {"region": south_region.pk, "from_on": day})
    assert f"belongs to South from {day} on" in client.get(LIST).content.decode()
    address = reverse("crm:call-off-move", args=[BranchRegion.objects.get().pk])
    assert client.get(address).status_code == 200
    assert "stays where it is" in client.post(address, follow=True).content.decode()
    assert client.post(address).status_code == 404


@pytest.mark.parametrize("changes", [{"from_on": "2001-01-01"}, {"from_on": "x"}, {"region": ""}])
def test_a_move_that_makes_no_sense_is_refused(client, north_region, south_region, changes):
    branch = BranchFactory(region=north_region)
    values = {"region": south_region.pk, "from_on": timezone.localdate().isoformat()} | changes
    assert client.post(reverse("crm:move-branch", args=[branch.pk]), values).status_code == 422


def test_it_needs_the_same_queries_however_many_there_are(client, north_region):
    BranchFactory(region=north_region)
    few = queries_of(client, LIST)
    for _ in range(5):
        BranchFactory()
    assert queries_of(client, LIST) == few <= 15


def test_it_speaks_chinese(administrator, north_region, client_of):
    page = client_of(administrator, "zh-hans").get(LIST).content.decode()
    assert "新建大区" in page
