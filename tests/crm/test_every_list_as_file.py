"""Every list is taken along as its page shows it: the same rows, the chosen columns, in the reader's language."""

import csv
import io
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from crm.actions.customers import save_customer
from crm.actions.data_imports import upload_import
from crm.actions.exports import Wish, listed_by_name, log_export, start_export
from crm.actions.tokens import issue_token
from crm.lib.exports import Type
from crm.models import ApiToken, BulkChange, BulkState, DataImport, Export, Role, User
from crm.permissions import ROLES
from crm.tasks import make_export
from grading.actions.policies import draft_next_version
from grading.models import CycleState, GradingPolicy
from tests.factories import (
    BranchFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    DelegationFactory,
    RegionFactory,
    UserFactory,
)
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

SETTINGS = {"regions"}  # lists of administrators alone
CARDS = {"board", "conflicts", "record-changes"}  # what is no table of columns on its page
CODE = "91330000MA27XX001A"


@pytest.fixture
def administrator(db):
    return UserFactory(username="admin", role=Role.ADMINISTRATOR)


@pytest.fixture
def company(head_office, administrator, north, north_region, south_region):
    """Something in each list, of which the text could be a formula."""
    first, second = (
        CustomerFactory(region=one, name=f"=杭州 {one.code}", credit_code=CODE) for one in (north_region, south_region)
    )
    CustomerLineFactory(customer=first)
    first.note = "改过"
    save_customer(customer=first, version=first.version, by=head_office)
    for region in (north_region, south_region):
        BranchFactory(region=region)
    for year, state in ((2025, CycleState.PUBLISHED), (2026, CycleState.OPEN)):
        CycleFactory(fiscal_year=year, state=state, published_at=timezone.now() if year == 2025 else None)
    draft_next_version(policy=GradingPolicy.objects.get(), by=None)
    DelegationFactory(giver=north, receiver=UserFactory(role=Role.REGIONAL_STAFF, region=north_region))
    upload_import(kind="customers", name="名单.csv", content="客户名称\n甲\n".encode(), by=head_office)
    BulkChange.objects.create(
        kind="customers",
        chosen=[[first.pk, 1]],
        size=1,
        state=BulkState.CHOSEN,
        by=head_office,
        created_at=timezone.now(),
    )
    log_export(wish=Wish(listed_by_name()["customers"], QueryDict(), "csv", "en", head_office), rows=2)
    issue_token(user=head_office)
    return first


@pytest.fixture
def page_and_file(company, head_office, administrator, client_of):
    """Asks for a list on its page and as a csv file, with the same address; gives the page and the file's rows."""

    def ask(name: str, query: str = "", person=None, language: str = "en"):
        client = client_of(person or (administrator if name in SETTINGS else head_office), language)
        params = QueryDict(query, mutable=True)
        in_path = {"cycle-grades": ("cycle", "2025"), "record-changes": ("record", f"customer/{company.pk}")}
        if name in in_path:
            params.appendlist(*in_path[name])
        page = client.get(listed_by_name()[name].address(params), follow=True)
        file = client.post(f"/exports/{name}/?{params.urlencode()}", {"format": "csv"})
        sent = b"".join(file.streaming_content) if file.streaming else file.content
        assert (page.status_code, file.status_code) == (200, 200), sent.decode()
        return page, list(csv.reader(io.StringIO(sent.decode("utf-8-sig"), newline="")))

    return ask


@pytest.mark.parametrize("name", [name for name in listed_by_name() if name not in CARDS])
def test_a_file_has_the_rows_and_the_columns_of_its_page(page_and_file, name):
    page, (head, *rows) = page_and_file(name)
    choice, listing = page.context["choice"], page.context["list"]
    assert head == [str(one.header or one.label) for one in choice.in_file]
    assert len(rows) == len(listing.rows) > 0
    first = choice.shown[0]
    if first.type == Type.TEXT and name != "customers":
        named = [str((first.file_value or first.value)(row)) for row in listing.rows]
        assert [row[0].removeprefix("'") for row in rows] == named


@pytest.mark.parametrize("name", [name for name in listed_by_name() if name not in CARDS])
def test_a_file_has_the_columns_that_were_chosen(page_and_file, name):
    page, _file = page_and_file(name)
    offered = [one for one in page.context["choice"].offered if one.is_in_file]
    first, last = offered[0], offered[-1]
    page, (head, *_rows) = page_and_file(name, f"columns={last.key}")
    assert [column.key for column in page.context["choice"].shown] == [first.key, last.key]
    assert head == [str(one.header or one.label) for one in (first, last)]


@pytest.mark.parametrize("name", listed_by_name())
def test_every_list_offers_its_file(page_and_file, name):
    page, _file = page_and_file(name)
    assert f"/exports/{name}/" in page.context["menu"].export_url


@pytest.mark.parametrize("name", listed_by_name())
def test_words_are_in_the_readers_language(page_and_file, name):
    english, chinese = (page_and_file(name, language=language)[1][0] for language in ("en", "zh-hans"))
    assert all(word.isascii() for word in english)
    assert not any(word.isascii() for word in chinese)


@pytest.mark.parametrize("name", listed_by_name())
@pytest.mark.parametrize("role", [Role.REGIONAL_STAFF, Role.EXECUTIVE, Role.ADMINISTRATOR])
def test_who_may_not_see_a_list_gets_no_file_of_it(company, north_region, client_of, name, role):
    person = UserFactory(role=role, region=north_region if role == Role.REGIONAL_STAFF else None)
    listed = listed_by_name()[name]
    answer = client_of(person).post(f"/exports/{name}/?cycle=2025&record=customer/{company.pk}", {"format": "csv"})
    assert (answer.status_code == 403) == (listed.permission not in ROLES[role]) or name == "record-changes"


def test_drafts_of_policies_are_in_nobodys_file_but_who_edits_them(page_and_file, north):
    assert len(page_and_file("policies")[1]) == 3
    assert len(page_and_file("policies", person=north)[1]) == 2


def test_a_region_comes_with_its_branch_offices_and_says_which_is_which(page_and_file):
    _page, (head, *rows) = page_and_file("regions")
    kinds = [row[head.index("Kind")] for row in rows]
    assert kinds == ["Region", "Branch office"] * 2
    assert "Customers" not in head


def test_one_delegates_and_sees_ones_own_delegations_only(page_and_file, north, head_office):
    assert len(page_and_file("delegations", person=north)[1]) == 2
    stranger = UserFactory(role=Role.REGIONAL_STAFF, region=north.region)
    assert len(page_and_file("delegations", person=stranger)[1]) == 1


def test_a_conflict_is_a_row_for_each_of_its_customers(page_and_file):
    _page, (head, *rows) = page_and_file("conflicts")
    assert head[:3] == ["Credit code", "Customer", "Code"]
    assert [row[:2] for row in rows] == [[CODE, "'=杭州 north"], [CODE, "'=杭州 south"]]


def test_the_history_of_a_record_comes_as_it_is_narrowed(page_and_file):
    assert len(page_and_file("record-changes")[1]) == 2
    assert len(page_and_file("record-changes", "field=note")[1]) == 2
    assert len(page_and_file("record-changes", "field=website")[1]) == 1


@pytest.mark.parametrize(
    "record", ["customer/0", "customer/x", "customer/99999999999999999999", "nothing/1", "", "password/1"]
)
def test_a_record_that_is_not_there_has_no_history_to_take_along(company, head_office, client_of, record):
    assert (
        client_of(head_office).post(f"/exports/record-changes/?record={record}", {"format": "csv"}).status_code == 404
    )


@pytest.mark.parametrize(
    "record", ["", "%00/1", "../1", "customer", "customer/1&record=", "x&record=customer/1&record="]
)
@pytest.mark.parametrize("form", ["csv", "pdf"])
def test_no_odd_record_of_an_export_breaks_a_page(company, head_office, client_of, record, form):
    client = client_of(head_office)
    address = f"/exports/record-changes/?record={record}".replace("customer/1", f"customer/{company.pk}")
    assert client.post(address, {"format": form}).status_code in {200, 400, 404}
    assert client.get("/exports/").status_code == 200


def test_a_year_that_is_followed_by_nothing_is_that_year(company, head_office, client_of):
    client = client_of(head_office)
    assert client.post("/exports/cycle-grades/?cycle=2025&cycle=", {"format": "csv"}).status_code == 200
    assert "/grading/cycles/2025/grades/" in client.get("/exports/").content.decode()


@pytest.mark.parametrize("page", ["/conflicts/", "/history/customer/{pk}/"])
def test_what_a_page_passes_over_does_not_reach_its_export(company, head_office, client_of, page):
    client = client_of(head_office)
    shown = client.get(page.format(pk=company.pk), QueryDict("foo=1&ordering=x&search=a&record=abc"))
    assert client.post(shown.context["menu"].export_url, {"format": "csv"}).status_code == 200


def test_a_file_says_of_which_record_its_history_is(page_and_file):
    _page, (head, *rows) = page_and_file("record-changes")
    assert {(row[head.index("Kind of record")], row[head.index("Record")]) for row in rows} == {
        ("Customer", "'=杭州 north")
    }


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_as_many_rows_are_logged_as_the_file_has(page_and_file, administrator, client_of, form):
    page_and_file("regions")
    answer = client_of(administrator).post("/exports/regions/", {"format": form})
    assert b"".join(answer.streaming_content)
    assert Export.objects.latest("pk").rows == 4


def test_the_file_of_ones_files_is_not_in_itself(company, head_office, monkeypatch):
    monkeypatch.setattr("crm.actions.exports.AT_ONCE", -1)
    monkeypatch.setattr("celery.current_app.send_task", lambda name, kwargs: None)
    wish = Wish(listed_by_name()["exports"], QueryDict(), "csv", "en", head_office)
    export = start_export(wish=wish)
    make_export(job_id=export.job_id)
    export.refresh_from_db()
    assert "My exports" not in bytes(export.file.content).decode()
    assert "Customers" in bytes(export.file.content).decode()


@pytest.mark.parametrize(
    ("address", "action"), [("/account/tokens/", "/account/tokens/new/"), ("/regions/", "/regions/new/")]
)
@pytest.mark.parametrize("query", ["page=9", "ordering=x", ""])
def test_what_can_be_made_can_be_made_from_every_state_of_its_list(
    company, administrator, client_of, address, action, query
):
    page = client_of(administrator).get(f"{address}?{query}").content.decode()
    assert f'href="{action}"' in page


def test_a_page_behind_the_last_still_offers_columns_and_file(company, head_office, client_of):
    assert client_of(head_office).get("/customers/?page=2").context["menu"] is not None


def test_the_history_of_another_regions_record_does_not_exist(company, south_region, client_of):
    stranger = UserFactory(role=Role.REGIONAL_STAFF, region=south_region)
    asked = f"/exports/record-changes/?record=customer/{company.pk}"
    assert client_of(stranger).post(asked, {"format": "csv"}).status_code == 404


def test_a_page_behind_the_last_says_so_and_leads_back(head_office, client_of, company):
    page = client_of(head_office).get(reverse("grading:list-cycles"), {"page": "9", "ordering": "fiscal_year"})
    assert "There is nothing on this page" in page.content.decode()
    assert 'href="/grading/cycles/?ordering=fiscal_year"' in page.content.decode()


def test_filters_that_nothing_fits_can_be_cleared(head_office, client_of, company):
    page = client_of(head_office).get(reverse("grading:list-cycles"), {"state": "closed"}).content.decode()
    assert "Nothing fits these filters" in page
    assert 'href="/grading/cycles/"' in page


def test_cycles_are_sorted_by_their_year(head_office, client_of, company):
    years = {
        order: [
            cycle.fiscal_year
            for cycle in client_of(head_office)
            .get(reverse("grading:list-cycles"), {"ordering": order})
            .context["list"]
            .rows
        ]
        for order in ("fiscal_year", "-fiscal_year")
    }
    assert years == {"fiscal_year": [2025, 2026], "-fiscal_year": [2026, 2025]}


def add_cycle(_by: User, number: int) -> None:
    CycleFactory(fiscal_year=2030 + number, state=CycleState.OPEN)


def add_policy(_by: User, _number: int) -> None:
    draft_next_version(policy=GradingPolicy.objects.get(number=1), by=None)


def add_delegation(by: User, number: int) -> None:
    region = by.region or RegionFactory(code=f"r{number}")
    giver, receiver = (UserFactory(role=Role.REGIONAL_STAFF, region=region) for _ in range(2))
    DelegationFactory(giver=giver, receiver=receiver)


def add_import(by: User, number: int) -> None:
    upload_import(kind="customers", name=f"{number}.csv", content=b"name\nx\n", by=by)


def add_export(by: User, _number: int) -> None:
    log_export(wish=Wish(listed_by_name()["customers"], QueryDict(), "csv", "en", by), rows=2)


def add_token(by: User, _number: int) -> None:
    issue_token(user=by)


@pytest.mark.parametrize(
    ("name", "add"),
    [
        ("cycles", add_cycle),
        ("policies", add_policy),
        ("delegations", add_delegation),
        ("imports", add_import),
        ("exports", add_export),
        ("tokens", add_token),
    ],
)
def test_a_long_list_takes_no_more_queries_than_a_short_one(company, head_office, client_of, name, add):
    client, address = client_of(head_office), listed_by_name()[name].address(QueryDict())
    add(head_office, 0), add(head_office, 1)
    few = queries_of(client, address)
    for number in range(2, 12):
        add(head_office, number)
    assert queries_of(client, address) == few <= 15


def test_the_menu_says_which_columns_a_file_has_besides(page_and_file):
    page, (head, *_rows) = page_and_file("regions")
    assert "Besides: Kind, Region, Active." in page.content.decode()
    assert {"Kind", "Region", "Active"} <= set(head)
    assert "Besides:" not in page_and_file("regions", "columns=code")[0].content.decode()


def test_days_and_moments_of_tokens_are_real_ones_in_a_workbook(company, head_office, client_of):
    ApiToken.objects.update(expiry=timezone.now() + timedelta(days=3), last_used_at=timezone.now())
    answer = client_of(head_office).post("/exports/tokens/", {"format": "xlsx"})
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(answer.streaming_content)))
    _head, row = book.get_sheet_by_index(0).to_python()
    assert [type(cell) for cell in row[2:]] == [datetime, date, datetime]


def test_administrators_are_offered_no_search_for_customers(administrator, client_of):
    page = client_of(administrator).get("/").content.decode()
    assert 'id="global-search"' not in page
    assert 'data-customers-url=""' in page


def test_the_chip_of_an_import_says_its_file(company, head_office, client_of):
    batch = uuid4()
    DataImport.objects.update(batch=batch)
    client = client_of(head_office)
    assert "Import: 名单.csv" in client.get(f"/history/?batch={batch}").content.decode()
    unknown = client.get(f"/history/?batch={uuid4()}").content.decode()
    assert "Import or bulk change" in unknown
