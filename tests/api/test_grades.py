"""GET /api/v1/grades/: the promise of INTERFACE.md."""

import time_machine
from django.utils import timezone

from grading.models import Cycle, CycleState
from tests.api.conftest import NOT_GRADABLE
from tests.factories import CustomerFactory, CustomerLineFactory, CycleFactory, LineMemberFactory, UserFactory

TODAY = "2025-06-01"


def line_of(customer, code="police"):
    product_line = CustomerLineFactory._meta.model._meta.get_field("product_line").related_model
    return CustomerLineFactory(customer=customer, product_line=product_line.objects.get(code=code))


@time_machine.travel(TODAY)
def test_it_shows_a_grade_with_its_breakdown(api, north, customer, graded):
    grade = graded(line_of(customer))
    [shown] = api(north).results("grades/")
    assert shown["id"] == grade.pk
    assert shown["customer"] == {"id": customer.pk, "name": "杭州市公安局", "code": "N1", "region": "north"}
    assert (shown["line"], shown["fiscal_year"], shown["state"]) == ("police", 2025, "graded")
    assert (shown["grade"], shown["score"], shown["required_margin"]) == ("B", "84.00", "30.00")
    assert (shown["reasons"], shown["policy_version"], shown["overridden"]) == ([], 1, False)
    assert (shown["graded_at"], shown["effective_on"]) == ("2024-12-20T12:00:00+08:00", "2025-01-01")
    parts = {part["factor"]: part for part in shown["breakdown"]["parts"]}
    assert parts["expected_margin"] == {
        "factor": "expected_margin",
        "label": "Expected gross margin",
        "unit": "percent",
        "value": "18.00",
        "compared": "-12.00",
        "band_from": "-20.00",
        "band_below": "-10.00",
        "points": 70,
        "weight": 50,
        "subtotal": "35.00",
    }
    assert (parts["potential_sales"]["value"], parts["potential_sales"]["points"]) == ("4000000.00", 90)
    assert (parts["history_sales"]["points"], parts["history_sales"]["subtotal"]) == (105, "4.00")
    assert shown["breakdown"]["limits"][0] == {"grade": "A", "at_least": "90.00"}
    assert shown["breakdown"]["lifts"][0]["grade"] == "A"


@time_machine.travel(TODAY)
def test_one_grade_looks_like_its_row_in_the_list(api, north, customer, graded):
    grade = graded(line_of(customer))
    client = api(north)
    assert client.read(f"grades/{grade.pk}/").json() == client.results("grades/")[0]


@time_machine.travel(TODAY)
def test_outside_graded_there_are_reasons_and_neither_grade_nor_score(api, north, customer, graded):
    graded(line_of(customer), **NOT_GRADABLE)
    [shown] = api(north).results("grades/")
    assert (shown["state"], shown["grade"], shown["score"]) == ("not_gradable", None, None)
    assert shown["reasons"] == [
        {"code": "need", "element": "need", "message": "There is no confirmed need for the product."}
    ]
    assert (shown["breakdown"]["parts"], shown["required_margin"]) == ([], "30.00")


@time_machine.travel(TODAY)
def test_without_a_fiscal_year_it_answers_for_the_one_in_effect(api, north, customer, graded):
    CycleFactory(fiscal_year=2024, state=CycleState.CLOSED, published_at=timezone.now())
    CycleFactory(fiscal_year=2026, state=CycleState.PUBLISHED, published_at=timezone.now())
    line = line_of(customer)
    for year in (2024, 2025, 2026):
        graded(line, fiscal_year=year)
    client = api(north)
    assert [row["fiscal_year"] for row in client.results("grades/")] == [2025]
    assert [row["fiscal_year"] for row in client.results("grades/", fiscal_year=[2024, 2026])] == [2024, 2026]


@time_machine.travel(TODAY)
def test_grades_of_a_cycle_that_is_not_published_do_not_exist(api, head_office, graded):
    CycleFactory(fiscal_year=2026, state=CycleState.OPEN)
    grade = graded(fiscal_year=2026)
    assert api(head_office).results("grades/", fiscal_year=2026) == []
    assert api(head_office).read(f"grades/{grade.pk}/").status_code == 404


def test_where_no_year_is_in_effect_there_are_no_grades(api, head_office, graded):
    graded()
    Cycle.objects.update(state=CycleState.OPEN)
    assert api(head_office).results("grades/") == []


@time_machine.travel(TODAY)
def test_another_regions_grades_do_not_exist(api, south_user, customer, graded):
    grade = graded(line_of(customer))
    client = api(south_user)
    assert client.results("grades/") == []
    assert client.read(f"grades/{grade.pk}/").status_code == 404
    unknown = client.read("grades/", customer=999_999).json()
    known = client.read("grades/", customer=customer.pk).json()
    assert unknown["errors"][0]["code"] == known["errors"][0]["code"] == "invalid_choice"
    assert client.read("grades/", region="north").status_code == 400


@time_machine.travel(TODAY)
def test_a_line_member_sees_the_customer_he_serves_and_no_other(api, south_region, customer, graded):
    line = line_of(customer)
    graded(line)
    graded(line_of(CustomerFactory(region=customer.region)))
    manager = UserFactory(role="account_manager", region=south_region)
    LineMemberFactory(line=line, user=manager)
    assert [row["customer"]["id"] for row in api(manager).results("grades/")] == [customer.pk]


@time_machine.travel(TODAY)
def test_filters_are_or_inside_one_and_and_across(api, head_office, customer, foreign_customer, graded):
    b_police = graded(line_of(customer))
    a_police = graded(line_of(foreign_customer), letter="A", score=95_0000)
    b_mms = graded(line_of(customer, "mms"))
    ungraded = graded(line_of(foreign_customer, "mms"), **NOT_GRADABLE)
    client = api(head_office)

    def found(**parameters):
        return {row["id"] for row in client.results("grades/", **parameters)}

    assert found(line="police") == {b_police.pk, a_police.pk}
    assert found(grade=["A", "B"], region="north") == {b_police.pk, b_mms.pk}
    assert found(state="not_gradable") == {ungraded.pk}
    assert found(line=["police", "mms"], grade="A") == {a_police.pk}
    assert found(customer=foreign_customer.pk) == {a_police.pk, ungraded.pk}
    assert found(search="hangzhou police") == set()
    assert found(search="hzsgaj") == {b_police.pk, b_mms.pk}


@time_machine.travel(TODAY)
def test_by_score_those_without_one_come_last_both_ways(api, head_office, graded):
    low, high = graded(score=84_0000), graded(score=88_0000)
    none = graded(**NOT_GRADABLE)
    client = api(head_office)
    assert [row["id"] for row in client.results("grades/", ordering="score")] == [low.pk, high.pk, none.pk]
    assert [row["id"] for row in client.results("grades/", ordering="-score")] == [high.pk, low.pk, none.pk]


@time_machine.travel(TODAY)
def test_a_page_costs_the_same_queries_whatever_its_size(api, head_office, graded, django_assert_max_num_queries):
    for _ in range(3):
        graded()
    client = api(head_office)
    client.results("grades/")
    with django_assert_max_num_queries(6):
        assert len(client.results("grades/")) == 3
    with django_assert_max_num_queries(6):
        assert len(client.results("grades/", page_size=1)) == 1


@time_machine.travel(TODAY)
def test_a_token_that_may_read_grades_reads_grades_only(api, head_office, graded):
    graded()
    client = api(head_office, "grades:read")
    assert len(client.results("grades/")) == 1
    refused = client.read("customers/")
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
