"""The list of customers: search, filters, sort and pages, all in the address."""

import pytest
import time_machine
from django.urls import reverse

from crm.models import Role
from tests.factories import CustomerFactory, CustomerLineFactory, LineMemberFactory, UserFactory
from tests.pages import TODAY, graded_line, queries_of

pytestmark = pytest.mark.django_db
ADDRESS = reverse("crm:list-customers")


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


def names_on(response) -> list[str]:
    return [customer.name for customer in response.context["list"].rows]


def test_it_shows_the_customers_of_the_region(north, north_region, south_region, client_of):
    CustomerFactory(name="北京市公安局", region=north_region)
    CustomerFactory(name="广州市公安局", region=south_region)
    assert names_on(client_of(north).get(ADDRESS)) == ["北京市公安局"]


@pytest.mark.parametrize("words", ["杭州公安", "hzga", "hangzhou", "HZ-1", "gongan hz"])
def test_it_finds_a_customer_by_name_pinyin_initials_and_code(north, north_region, client_of, words):
    CustomerFactory(name="杭州市公安局", code="HZ-1", region=north_region)
    CustomerFactory(name="宁波市城市管理局", code="NB-1", region=north_region)
    assert names_on(client_of(north).get(ADDRESS, {"search": words})) == ["杭州市公安局"]


def test_it_shows_the_grade_of_each_line(north, north_region, client_of):
    graded_line(north_region)
    page = client_of(north).get(ADDRESS).content.decode()
    assert "Police" in page
    assert "grade-b" in page


def test_filters_of_a_line_hold_in_one_and_the_same_line(north, north_region, client_of):
    graded_line(north_region, customer__name="甲")
    client = client_of(north)
    assert names_on(client.get(ADDRESS, {"line": "police", "grade": "B"})) == ["甲"]
    assert names_on(client.get(ADDRESS, {"line": "tourism", "grade": "B"})) == []


def test_a_list_of_one_line_is_sorted_by_its_score(north, north_region, client_of):
    graded_line(north_region, customer__name="低", facts={"potential_sales": 1_000_000_00})
    graded_line(north_region, customer__name="高", facts={"potential_sales": 9_000_000_00})
    CustomerLineFactory(customer__region=north_region, customer__name="无")
    client = client_of(north)
    assert names_on(client.get(ADDRESS, {"line": "police", "ordering": "-score"})) == ["高", "低", "无"]
    assert names_on(client.get(ADDRESS, {"line": "police", "ordering": "score"})) == ["低", "高", "无"]


@pytest.mark.parametrize(
    "wrong", ["grade=X", "region=nowhere", "state=maybe", "ordering=password", "page=0", "page_size=7", "colour=red"]
)
def test_what_makes_no_sense_is_said_and_shows_no_rows(head_office, north_region, client_of, wrong):
    CustomerFactory(name="北京市公安局", region=north_region)
    response = client_of(head_office).get(f"{ADDRESS}?{wrong}")
    assert response.status_code == 400
    assert "This list cannot be shown" in response.content.decode()
    assert "北京市公安局" not in response.content.decode()


def test_another_regions_code_is_no_choice(north, south_region, client_of):
    assert client_of(north).get(ADDRESS, {"region": "south"}).status_code == 400


def test_chips_name_the_filters_and_drop_them(north, client_of):
    chip = client_of(north).get(ADDRESS, {"grade": ["A", "B"], "line": "police"}).context["chips"][0]
    assert chip["label"] == "Grade: A, B"
    assert chip["remove_url"] == f"{ADDRESS}?line=police"


def test_it_turns_pages_and_remembers_their_size(north, north_region, client_of):
    CustomerFactory.create_batch(30, region=north_region)
    client = client_of(north)
    first = client.get(ADDRESS, {"page_size": 25})
    assert (len(names_on(first)), first.context["list"].page["total_label"]) == (25, "30")
    assert len(names_on(client.get(ADDRESS, {"page": 2}))) == 5


def test_an_empty_list_says_what_to_do_next(north, client_of):
    client = client_of(north)
    assert "There are no customers here yet" in client.get(ADDRESS).content.decode()
    assert "No customer fits these filters" in client.get(ADDRESS, {"search": "nobody"}).content.decode()


def test_an_account_manager_sees_the_customers_whose_lines_he_serves(north_region, client_of):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    mine = LineMemberFactory(user=manager, line__customer__region=north_region, line__customer__name="我的客户")
    CustomerFactory(region=north_region, name="别人的客户")
    assert names_on(client_of(manager).get(ADDRESS)) == [mine.line.customer.name]


def test_an_administrator_takes_no_look_at_customers(client_of):
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    assert client_of(administrator).get(ADDRESS).status_code == 403


def test_a_stranger_is_asked_to_sign_in(client):
    assert client.get(ADDRESS)["Location"].startswith(reverse("account_login"))


def test_its_queries_do_not_grow_with_its_rows(head_office, north_region, client_of):
    client = client_of(head_office)
    for _ in range(3):
        graded_line(north_region)
    few = queries_of(client, f"{ADDRESS}?line=police&ordering=-score")
    for _ in range(12):
        graded_line(north_region)
    assert queries_of(client, f"{ADDRESS}?line=police&ordering=-score") == few <= 15
    assert queries_of(client, ADDRESS) <= 15


def test_what_is_written_in_a_cell_is_no_markup(north, north_region, client_of):
    line = graded_line(north_region)
    written = "<b>&\"'"
    type(line.customer).objects.update(name=written, code=written, industry=written)
    page = client_of(north).get(ADDRESS, {"columns": "name,code,industry"}).content.decode()
    assert "<b>" not in page
    assert page.count("&lt;b&gt;&amp;&quot;&#x27;") == 4  # three cells, and the name of the box to tick


@pytest.mark.parametrize(("language", "word"), [("en", "Not assessed"), ("zh-hans", "未评估")])
def test_a_badge_speaks_the_language_of_each_reader(north, north_region, client_of, language, word):
    CustomerLineFactory(customer__region=north_region)
    page = client_of(north).get(ADDRESS, headers={"accept-language": language}).content.decode()
    assert f'grade-unassessed ">{word}</span>' in page
