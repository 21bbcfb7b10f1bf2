"""The list of people: who exists for whom, filters, search, and the file made of it."""

import pytest
from django.urls import reverse
from django.utils import translation

from crm.actions.imports import Outcome, import_kinds, import_table
from crm.lib.spreadsheets import read_table
from crm.models import Department, Role, User
from tests.factories import BranchFactory, UserFactory
from tests.pages import queries_of

pytestmark = pytest.mark.django_db
ADDRESS = reverse("crm:list-people")


def names_on(response) -> list[str]:
    return [person.name for person in response.context["list"].rows]


def test_it_shows_head_office_and_the_own_region(north, south_user, head_office, client_of):
    assert set(names_on(client_of(north).get(ADDRESS))) == {north.name, head_office.name}
    assert set(names_on(client_of(head_office).get(ADDRESS))) == {north.name, head_office.name, south_user.name}


def test_every_role_opens_it(north_region, client_of):
    branch = BranchFactory(region=north_region)
    for role in Role:
        assert client_of(UserFactory(role=role, region=north_region, branch=branch)).get(ADDRESS).status_code == 200


def test_it_narrows_by_role_region_and_work(north, south_user, head_office, client_of):
    gone = UserFactory(name="走了", role=Role.REGIONAL_STAFF, region=north.region, is_active=False)
    client = client_of(head_office)
    assert names_on(client.get(ADDRESS, {"region": "south"})) == [south_user.name]
    assert names_on(client.get(ADDRESS, {"role": "sales_management"})) == [head_office.name]
    assert names_on(client.get(ADDRESS, {"is_active": "false"})) == [gone.name]
    assert "left" in client.get(ADDRESS, {"is_active": "false"}).content.decode()


@pytest.mark.parametrize("words", ["北方", "nort", "北方 nor"])
def test_it_finds_people_by_name_and_user_name(north, south_user, head_office, client_of, words):
    assert names_on(client_of(head_office).get(ADDRESS, {"search": words})) == [north.name]


def test_nobody_found_says_what_to_do(head_office, client_of):
    assert "Nobody fits these filters" in client_of(head_office).get(ADDRESS, {"search": "qqqq"}).content.decode()


def test_another_regions_guide_shows_as_absent(north, south_user, head_office, client_of):
    north.guided_by = south_user
    north.save()
    south_user.username = "sun"
    south_user.save()
    columns = {"columns": "name,guided_by"}
    assert south_user.name not in client_of(north).get(ADDRESS, columns).content.decode()
    assert south_user.name in client_of(head_office).get(ADDRESS, {"search": "north", **columns}).content.decode()
    file = client_of(north).post(
        f"{reverse('crm:export-list', args=['people'])}?columns=name,guided_by", {"format": "csv"}
    )
    written = b"".join(file.streaming_content).decode() if file.streaming else file.content.decode()
    assert north.name in written
    assert south_user.name not in written
    assert "sun" not in written


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_its_file_is_imported_without_a_change(head_office, north, client_of, language, format):
    branch, department = (
        BranchFactory(region=north.region),
        Department.objects.create(code="pre", name="售前部", name_en="Pre-sales"),
    )
    for number, role in enumerate(Role):
        UserFactory(role=role, region=north.region, branch=branch, department=department, guided_by=north, name="=甲")
        UserFactory(role=role, region=north.region, branch=branch, name="", is_active=bool(number % 2))
    columns = "name,username,role,region,branch,department,guided_by,email,is_active"
    address = f"{reverse('crm:export-list', args=['people'])}?columns={columns}"
    file = client_of(head_office, language).post(address, {"format": format})
    table = read_table(b"".join(file.streaming_content) if file.streaming else file.content, f"people.{format}")
    with translation.override(language):
        report = import_table(kind=import_kinds()["people"], table=table, by=head_office)
    assert [reason for row in report.rows for reason in row.reasons] == []
    assert {row.outcome for row in report.rows} == {Outcome.UNCHANGED}
    assert len(report.rows) == User.objects.count() == 2 * len(Role) + 2
    assert len(report.chosen.columns) == len(columns.split(","))


def test_it_needs_the_same_queries_however_many_people(head_office, north, client_of):
    client = client_of(head_office)
    few = queries_of(client, ADDRESS)
    for number in range(12):
        UserFactory(role=Role.SALES_MANAGER, region=north.region, guided_by=north, username=f"p{number}")
    assert queries_of(client, ADDRESS) <= max(few + 1, 15)
    assert queries_of(client, ADDRESS) <= 15


def test_it_speaks_chinese(head_office, client_of):
    page = client_of(head_office, "zh-hans").get(ADDRESS).content.decode()
    assert "新建人员" in page
    assert "Create person" not in page
