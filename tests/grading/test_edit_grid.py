"""The grid of a cycle's assessments: each row is saved or refused on its own, and nothing is overwritten silently."""

import json

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.actions.changes import snapshot
from crm.models import Change, ProductLine, Role, Way
from grading.actions.assessments import save_assessment
from grading.forms import AssessmentForm
from grading.grid import LABELS
from grading.models import Assessment, CycleState
from tests.factories import (
    AssessmentFactory,
    CustomerLineFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import TODAY, grade_again, published_cycle, queries_of

pytestmark = pytest.mark.django_db
GRID = reverse("grading:edit-grid", args=[2026])
POLICE = f"{GRID}?line=police"


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


@pytest.fixture(autouse=True)
def cycle(db):
    return published_cycle()


@pytest.fixture
def assessment(north_region):
    return AssessmentFactory(line__customer__region=north_region)


def tourism() -> ProductLine:
    return ProductLine.objects.get(code="tourism")


def row(assessment, version=None, **values) -> dict:
    return {
        "line": assessment.line_id,
        "version": assessment.version if version is None else version,
        "values": values,
    }


def send(client, *rows, address=GRID):
    return client.post(address, json.dumps({"rows": rows}), content_type="application/json")


def saved(client, *rows) -> list[dict]:
    response = send(client, *rows)
    assert response.status_code == 200
    return response.json()["rows"]


def outcomes(answers) -> list[str]:
    return [answer["outcome"] for answer in answers]


def stored(assessment) -> Assessment:
    return Assessment.objects.get(pk=assessment.pk)


def grid_of(client, address=POLICE) -> dict:
    response = client.get(address)
    assert response.status_code == 200
    return response.context["grid"]


# --- the page


def test_its_columns_are_the_fields_of_the_form():
    assert tuple(LABELS) == AssessmentForm.Meta.fields


def test_a_row_shows_the_stored_values_and_last_years(north, assessment, client_of):
    AssessmentFactory(line=assessment.line, fiscal_year=2025, potential_sales=3_805_000_00, has_need=False)
    (shown,) = grid_of(client_of(north))["rows"]
    assert (shown["line"], shown["version"], shown["name"]) == (assessment.line_id, 1, assessment.line.customer.name)
    assert (shown["values"]["potential_sales"], shown["values"]["expected_margin"]) == ("400", "18")
    assert (shown["values"]["has_need"], shown["values"]["budget_state"]) == (True, "confirmed")
    assert (shown["values"]["expected_close_on"], shown["values"]["note"]) == ("2026-09-30", "")
    assert (shown["last"]["potential_sales"], shown["last"]["has_need"]) == ("380.5", False)


def test_a_line_that_nobody_has_assessed_is_an_empty_row(north, north_region, client_of):
    line = CustomerLineFactory(customer__region=north_region)
    (shown,) = grid_of(client_of(north))["rows"]
    assert (shown["line"], shown["version"], shown["last"]) == (line.pk, 0, None)
    assert (shown["values"]["potential_sales"], shown["values"]["has_need"]) == ("", False)
    assert shown["state"] == "not_assessed"


def test_without_a_product_line_it_goes_to_the_first_with_something_to_assess(north, north_region, client_of):
    CustomerLineFactory(customer__region=north_region, product_line=tourism())
    assert client_of(north).get(GRID)["Location"].endswith("?line=tourism")


def test_it_shows_only_what_the_person_may_assess(south_user, assessment, client_of):
    own = CustomerLineFactory(customer=assessment.line.customer, product_line=tourism())
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=assessment.line.customer.region)
    LineMemberFactory(line=own, user=manager)
    page = client_of(manager).get(POLICE)  # he sees this line, and writes his own
    assert page.context["grid"]["rows"] == []
    assert "Nothing to assess in this product line" in page.content.decode()
    assert client_of(south_user).get(POLICE).context["grid"]["rows"] == []


def test_it_is_searched_and_filtered_like_the_list(north, north_region, assessment, client_of):
    other = CustomerLineFactory(customer__region=north_region, customer__name="大连港集团")
    client = client_of(north)
    for query in ("search=大连", "search=dlg", "state=not_assessed&search=大连"):
        assert [shown["line"] for shown in grid_of(client, f"{POLICE}&{query}")["rows"]] == [other.pk]
    nothing = client.get(f"{POLICE}&search=qqqq").content.decode()
    assert "No customer line fits these filters" in nothing
    wrong = client.get(f"{POLICE}&colour=red")
    assert wrong.status_code == 400
    assert "There is no filter" in wrong.content.decode()


def test_a_page_has_100_rows_or_200(north, north_region, client_of):
    CustomerLineFactory.create_batch(101, customer__region=north_region)
    client = client_of(north)
    client.get(f"{reverse('grading:list-cycle-grades', args=[2026])}?page_size=25")
    assert len(grid_of(client)["rows"]) == 100
    assert len(grid_of(client, f"{POLICE}&page=2")["rows"]) == 1
    assert len(grid_of(client, f"{POLICE}&page_size=200")["rows"]) == 101
    assert client.get(f"{POLICE}&page_size=25").status_code == 400


def test_the_list_of_the_cycle_leads_to_it_and_it_back(north, assessment, client_of):
    client = client_of(north)
    listed = reverse("grading:list-cycle-grades", args=[2026])
    assert f'href="{GRID}?line=police&amp;search=x"' in client.get(f"{listed}?line=police&search=x").content.decode()
    assert f'href="{listed}?line=police"' in client.get(POLICE).content.decode()


def test_who_may_not_assess_is_not_offered_it_and_gets_none(assessment, client_of):
    client = client_of(UserFactory(role=Role.EXECUTIVE))
    assert GRID not in client.get(reverse("grading:list-cycle-grades", args=[2026])).content.decode()
    assert client.get(POLICE).status_code == 403
    assert send(client, row(assessment, note="x")).status_code == 403
    assert stored(assessment).note == ""


@pytest.mark.parametrize(
    ("state", "sentence"), [(CycleState.CLOSED, "its assessments are history"), (CycleState.DRAFT, "not open yet")]
)
def test_a_cycle_that_is_not_open_says_so_and_takes_nothing(north, cycle, assessment, client_of, state, sentence):
    cycle.state, cycle.published_at = state, timezone.now() if state == CycleState.CLOSED else None
    cycle.save()
    client = client_of(north)
    assert sentence in client.get(POLICE).content.decode()
    refused = send(client, row(assessment, note="x"))
    assert refused.status_code == 409
    assert sentence in refused.json()["error"]
    assert stored(assessment).note == ""


# --- saving


def test_it_saves_the_changed_cells_alone_and_grades_at_once(north, assessment, client_of):
    SaleFactory(line=assessment.line)
    grade_again(assessment.line)
    before = snapshot(stored(assessment))
    (answer,) = saved(client_of(north), row(assessment, potential_sales="900"))
    assert (answer["outcome"], answer["version"], answer["values"]["potential_sales"]) == ("saved", 2, "900")
    assert (answer["grade"], answer["score"]) == ("B", "89.25")
    after = snapshot(stored(assessment))
    assert {name for name in after if after[name] != before[name]} == {"potential_sales", "version", "updated_at"}
    change = Change.objects.of(assessment).latest("sequence")
    assert (change.by, change.way, change.after["potential_sales"]) == (north, Way.FORM, 9_000_000_00)


def test_many_rows_are_saved_at_once_new_ones_among_them(north, north_region, assessment, client_of):
    other = AssessmentFactory(line__customer__region=north_region)
    new = CustomerLineFactory(customer__region=north_region)
    answers = saved(
        client_of(north),
        row(assessment, note="一"),
        row(other, has_need=False, budget_state="planned", expected_close_on="", potential_sales=""),
        {"line": new.pk, "version": 0, "values": {"expected_margin": "18.5"}},
    )
    assert outcomes(answers) == ["saved"] * 3
    assert [answer["version"] for answer in answers] == [2, 2, 1]
    assert stored(assessment).note == "一"
    emptied = stored(other)
    assert (emptied.has_need, emptied.budget_state, emptied.expected_close_on) == (False, "planned", None)
    assert (emptied.potential_sales, emptied.budget_amount) == (None, 4_000_000_00)
    made = Assessment.objects.get(line=new, fiscal_year=2026)
    assert (made.expected_margin, made.version, made.is_carried_over) == (18_50, 1, False)
    assert {Change.objects.of(one).latest("sequence").by for one in (assessment, other, made)} == {north}
    assert "need" in answers[1]["missing"]


def test_saving_a_row_confirms_what_was_carried_over(north, assessment, client_of):
    Assessment.objects.update(is_carried_over=True)
    saved(client_of(north), row(assessment, has_need=True))
    assert not stored(assessment).is_carried_over


def test_a_row_edited_meanwhile_is_refused_with_the_others_value_and_the_rest_is_saved(
    north, north_region, assessment, head_office, client_of
):
    other = AssessmentFactory(line__customer__region=north_region)
    theirs = stored(assessment)
    theirs.note = "区总补充"
    save_assessment(assessment=theirs, version=1, by=head_office)
    client = client_of(north)
    late, fine = saved(client, row(assessment, version=1, note="专员补充"), row(other, note="二"))
    assert (late["outcome"], late["by"], late["version"]) == ("clash", "销售管理", 2)
    assert late["values"]["note"] == "区总补充"
    assert (fine["outcome"], stored(other).note) == ("saved", "二")
    assert stored(assessment).note == "区总补充"
    (kept,) = saved(client, row(assessment, version=late["version"], note="专员补充"))
    assert (kept["outcome"], stored(assessment).note) == ("saved", "专员补充")


def test_who_edited_a_row_meanwhile_is_not_named_where_he_is_out_of_sight(
    north, assessment, head_office, south_user, client_of
):
    save_assessment(assessment=stored(assessment), version=1, by=head_office)
    Change.objects.update(by=south_user)
    (late,) = saved(client_of(north), row(assessment, version=1, note="专员补充"))
    assert (late["outcome"], late["by"]) == ("clash", "")


def test_an_assessment_made_meanwhile_is_a_clash_as_well(north, north_region, client_of):
    made = AssessmentFactory(line__customer__region=north_region)
    (late,) = saved(client_of(north), row(made, version=0, note="x"))
    assert (late["outcome"], late["version"]) == ("clash", 1)
    assert Assessment.objects.count() == 1


def test_the_same_rows_sent_twice_are_saved_once(north, assessment, client_of):
    client = client_of(north)
    for _time in range(2):
        (answer,) = saved(client, row(assessment, version=1, note="一", potential_sales="500.0"))
        assert (answer["outcome"], answer["version"]) == ("saved", 2)
    assert Change.objects.of(assessment).count() == 1


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ({"potential_sales": "a lot"}, {"potential_sales"}),
        ({"potential_sales": "-1"}, {"potential_sales"}),
        ({"potential_sales": "0.0000001"}, {"potential_sales"}),
        ({"expected_margin": "100.01"}, {"expected_margin"}),
        ({"expected_margin": "x", "expected_close_on": "2026-13-01"}, {"expected_margin", "expected_close_on"}),
        ({"budget_amount": "-1", "potential_sales": "-1"}, {"budget_amount", "potential_sales"}),
        ({"budget_state": "rumoured"}, {"budget_state"}),
        ({"note": "a\x00b"}, {"note"}),
        ({"note": "a\ud800b"}, {"note"}),
    ],
)
def test_a_bad_value_is_said_at_its_cell_and_the_rest_is_saved(
    north, north_region, assessment, client_of, values, cells
):
    other = AssessmentFactory(line__customer__region=north_region)
    refused, fine = saved(client_of(north), row(assessment, has_need=False, **values), row(other, note="二"))
    assert (refused["outcome"], refused["errors"].keys()) == ("invalid", cells)
    assert all(refused["errors"].values())
    assert stored(assessment).has_need
    assert (fine["outcome"], stored(other).note) == ("saved", "二")


def test_a_row_of_another_region_is_answered_as_one_that_is_not_there(south_user, north, assessment, client_of):
    inactive = CustomerLineFactory(customer__region=north.region, is_active=False)
    client = client_of(south_user)
    gone = {"line": 999_999, "version": 1, "values": {"note": "x"}}
    foreign, absent = saved(client, row(assessment, note="x"), gone)
    assert (foreign.pop("line"), absent.pop("line")) == (assessment.line_id, 999_999)
    assert foreign == absent
    assert foreign["outcome"] == "absent"
    assert saved(client, gone | {"values": {"potential_sales": "x"}})[0]["reason"] == absent["reason"]
    off = {"line": inactive.pk, "version": 0, "values": {"note": "x"}}
    assert outcomes(saved(client_of(north), off)) == ["absent"]
    assert (stored(assessment).note, Assessment.objects.count()) == ("", 1)


def test_a_line_that_one_sees_but_may_not_write_is_as_one_that_is_not_there(assessment, client_of):
    own = CustomerLineFactory(customer=assessment.line.customer, product_line=tourism())
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=assessment.line.customer.region)
    LineMemberFactory(line=own, user=manager)
    assert outcomes(saved(client_of(manager), row(assessment, note="x"))) == ["absent"]
    assert stored(assessment).note == ""


def test_more_than_500_rows_are_refused_in_a_sentence(north, assessment, client_of):
    rows = [{"line": number, "version": 0, "values": {}} for number in range(1, 502)]
    refused = send(client_of(north), *rows)
    assert (refused.status_code, refused.json()["error"]) == (413, "At most 500 rows can be saved at once.")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"rows": []}',
        '{"rows": [1]}',
        '{"rows": [{"line": 1, "version": 1}]}',
        '{"rows": [{"line": "1", "version": 1, "values": {}}]}',
        '{"rows": [{"line": true, "version": 1, "values": {}}]}',
        '{"rows": [{"line": 1, "version": -1, "values": {}}]}',
        '{"rows": [{"line": 99999999999999999999, "version": 1, "values": {}}]}',
        '{"rows": [{"line": 1, "version": 1, "values": {"version": "2"}}]}',
        '{"rows": [{"line": 1, "version": 1, "values": {"is_carried_over": true}}]}',
        '{"rows": [{"line": 1, "version": 1, "values": {"note": true}}]}',
        '{"rows": [{"line": 1, "version": 1, "values": {"has_need": "on"}}]}',
        '{"rows": [{"line": 1, "version": 1, "values": {}}, {"line": 1, "version": 1, "values": {}}]}',
        "[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_grid_is_refused(north, client_of, body):
    refused = client_of(north).post(GRID, body, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]) == (400, "The request cannot be read.")


def test_a_year_without_a_cycle_is_not_there(north, assessment, client_of):
    address = reverse("grading:edit-grid", args=[2031])
    assert client_of(north).get(address).status_code == 404
    assert send(client_of(north), row(assessment, note="x"), address=address).status_code == 404


def test_it_is_not_opened_without_sign_in(client, assessment):
    assert send(client, row(assessment, note="x"))["Location"].startswith("/accounts/login/")


# --- how many queries


def test_the_page_needs_as_many_queries_for_many_rows_as_for_few(north, north_region, client_of):
    client = client_of(north)
    AssessmentFactory.create_batch(2, line__customer__region=north_region)
    queries_of(client, POLICE)
    few = queries_of(client, POLICE)
    AssessmentFactory.create_batch(10, line__customer__region=north_region)
    assert queries_of(client, POLICE) == few


def test_saving_needs_as_many_queries_for_many_rows_as_for_few(north, north_region, client_of):
    client = client_of(north)
    some = AssessmentFactory.create_batch(22, line__customer__region=north_region)
    for assessment in some:
        grade_again(assessment.line)
    assert queries_of_saving(client, some[2:]) == queries_of_saving(client, some[:2])


def queries_of_saving(client, assessments) -> int:
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        answers = saved(client, *(row(one, note="x") for one in assessments))
    assert set(outcomes(answers)) == {"saved"}
    return len([query for query in queries if "INSERT" not in query["sql"] and "UPDATE" not in query["sql"]])
