"""The demo company on paper: the same for the same seed, on real places, and believable."""

from collections import Counter
from datetime import date
from hashlib import sha256
from random import Random

import pytest

from crm.data.divisions import read_divisions
from crm.models import Role
from grading.demo.company import Years, branches, customers, universe
from grading.demo.offices import OFFICES
from grading.demo.people import people
from grading.demo.places import REGION_OF_PROVINCE, Level, places_of

YEARS = Years(fiscal_year=2026, first_month=1, today=date(2026, 11, 21))


@pytest.fixture(scope="module")
def places():
    return places_of(read_divisions())


@pytest.fixture(scope="module")
def company(places):
    return list(customers(places, number=2000, seed=1, years=YEARS))


def fingerprint(rows):
    return sha256(repr(rows).encode()).hexdigest()


def test_the_same_seed_gives_the_same_company_and_another_seed_another(places, company):
    again = list(customers(places, number=2000, seed=1, years=YEARS))
    other = list(customers(places, number=2000, seed=2, years=YEARS))
    assert fingerprint(again) == fingerprint(company) != fingerprint(other)


def test_another_day_of_the_year_changes_only_the_sales_that_were_not_signed_yet(places, company):
    earlier = Years(fiscal_year=2026, first_month=1, today=date(2026, 2, 1))
    for then, now in zip(customers(places, number=2000, seed=1, years=earlier), company, strict=True):
        assert (then.code, then.contacts) == (now.code, now.contacts)
        for before, after in zip(then.lines, now.lines, strict=True):
            assert before.assessments == after.assessments
            assert before.sales == tuple(sale for sale in after.sales if sale.signed_on <= earlier.today)


def test_customers_are_as_many_as_wanted_with_codes_and_names_of_their_own(company):
    assert len(company) == len({plan.code for plan in company}) == len({plan.name for plan in company}) == 2000


def test_the_universe_holds_more_than_a_hundred_thousand_customers(places):
    assert len(universe(places)) > 100_000


def test_a_bureau_comes_after_the_one_above_it_and_lies_in_its_region(company):
    seen = {}
    for plan in company:
        seen[plan.code] = plan
        if plan.parent:
            assert seen[plan.parent].region == plan.region
    assert sum(bool(plan.parent) for plan in company) > 200


@pytest.mark.parametrize(
    ("code", "slug", "name", "short_name"),
    [
        ("330000", "GA", "浙江省公安厅", "浙江公安"),
        ("330100", "GA", "杭州市公安局", "杭州公安"),
        ("330106", "GA", "杭州市公安局西湖分局", "杭州西湖公安"),
        ("330122", "CG", "桐庐县城市管理局", "桐庐城管"),
        ("110108", "WL", "北京市海淀区文化和旅游局", "北京海淀文旅"),
        ("222400", "YJ", "延边朝鲜族自治州应急管理局", "延边应急"),
        ("650000", "JT", "新疆维吾尔自治区交通运输厅", "新疆交通"),
        ("429004", "SJ", "仙桃市数据局", "仙桃数据局"),
    ],
)
def test_names_are_those_that_people_know(places, code, slug, name, short_name):
    place = next(place for place in places if place.code == code)
    office = next(office for office in OFFICES if office.slug == slug)
    assert (office.name_at(place), office.short_name_at(place)) == (name, short_name)


def test_places_are_the_mainlands_and_headings_and_zones_are_none(places):
    codes = {place.code for place in places}
    assert len({place.province for place in places}) == 31 == len(REGION_OF_PROVINCE)
    assert not {"110100", "429000", "320571", "710000"} & codes
    assert Counter(place.level for place in places)[Level.COUNTY] > 2800


def test_there_are_sixty_people_in_all_roles_with_names_of_their_own():
    everyone = list(people(Random(1)))
    known = set()
    for person in everyone:
        assert person.guided_by in known | {""}
        known.add(person.username)
    assert len(everyone) == len(known) == len({person.name for person in everyone}) == 60
    assert {person.role for person in everyone} == set(Role.values)


def test_each_province_has_a_branch_office_in_its_capital():
    assert len(list(branches())) == 31
    assert ("33", "330100", "Hangzhou", "east") in list(branches())


def test_gaps_are_believable(company):
    lines = [line for plan in company if plan.kind == "customer" for line in plan.lines]
    this_year = [one for line in lines for one in line.assessments if one.fiscal_year == 2026]
    assert 0.02 < 1 - len(this_year) / len(lines) < 0.15
    for is_missing in (
        lambda one: not one.has_need,
        lambda one: one.budget_state == "none",
        lambda one: one.budget_state != "none" and not one.budget_fits_pricing,
        lambda one: not one.has_timetable,
        lambda one: not one.knows_decision_makers,
        lambda one: one.expected_close_on is None,
        lambda one: one.expected_close_on and one.expected_close_on.year > 2026,
        lambda one: one.expected_margin is None,
        lambda one: one.potential_sales is None,
    ):
        assert 0 < sum(map(bool, map(is_missing, this_year))) < 0.1 * len(this_year)


def test_sales_lie_in_the_two_years_before_and_this_year_so_far(company):
    sales = [sale for plan in company for line in plan.lines for sale in line.sales]
    assert min(sale.signed_on for sale in sales) >= date(2024, 1, 1)
    assert max(sale.signed_on for sale in sales) <= YEARS.today
    assert any(sale.amount < 0 for sale in sales)
    for line in (line for plan in company for line in plan.lines):
        numbers = [sale.contract_no for sale in line.sales if sale.contract_no]
        assert len(numbers) == len(set(numbers))


def test_go_betweens_are_never_assessed_and_buy_nothing(company):
    between = [line for plan in company if plan.kind != "customer" for line in plan.lines]
    assert between
    assert not any(line.assessments or line.sales for line in between)


def test_credit_codes_carry_their_check_character(company):
    digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for code in (plan.credit_code for plan in company if plan.credit_code):
        assert len(code) == 18
        assert (
            sum(digits.index(char) * 3**place for place, char in enumerate(code[:17])) % 31
            == -digits.index(code[17]) % 31
        )
