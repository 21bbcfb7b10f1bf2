"""/api/v1/assessments/: written through the same action as the form, graded at once."""

import pytest
import time_machine
from django.utils import timezone

from grading.actions import assessments as assessment_actions
from grading.models import Assessment, CycleState, Grade
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory, LineMemberFactory, UserFactory

ELEMENTS = {
    "need": True,
    "budget": "confirmed",
    "timetable": True,
    "decision_makers": True,
    "expected_close_on": "2026-09-30",
}


@pytest.fixture
def line(customer):
    return CustomerLineFactory(customer=customer)


@pytest.fixture
def client(api, north):
    return api(north, "read", "assessments:write")


def body(line, **changes):
    figures = {"expected_margin": "18.00", "potential_sales": "4000000.00"}
    return {"customer_line": line.pk, "fiscal_year": 2026, **figures, **ELEMENTS} | changes


def errors(answer):
    assert answer.status_code == 400, answer.content
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


def test_it_shows_an_assessment(client, line, customer):
    assessment = AssessmentFactory(line=line)
    [shown] = client.results("assessments/")
    assert shown == client.read(f"assessments/{assessment.pk}/").json()
    assert (shown["customer"]["id"], shown["customer_line"], shown["line"]) == (customer.pk, line.pk, "police")
    assert (shown["expected_margin"], shown["potential_sales"]) == ("18.00", "4000000.00")
    assert shown["budget"] == {"state": "confirmed", "amount": "4000000.00", "fits_pricing": True}
    assert (shown["need"], shown["timetable"], shown["decision_makers"], shown["selection_begun"]) == (True,) * 4


@time_machine.travel("2026-01-10")
def test_saving_grades_at_once(api, head_office, client, line):
    CycleFactory(fiscal_year=2026, state=CycleState.PUBLISHED, published_at=timezone.now())
    made = client.send("post", "assessments/", body(line))
    assert made.status_code == 201, made.content
    [grade] = api(head_office).results("grades/", customer=line.customer_id)
    assert (grade["grade"], grade["score"]) == ("B", "80.00")
    sent = {"need": False, "version": made.json()["version"]}
    assert client.send("patch", f"assessments/{made.json()['id']}/", sent).status_code == 200
    [grade] = api(head_office).results("grades/", customer=line.customer_id)
    assert (grade["state"], [reason["code"] for reason in grade["reasons"]]) == ("not_gradable", ["need"])


def test_saving_confirms_what_was_carried_over(client, line):
    assessment = AssessmentFactory(line=line, is_carried_over=True)
    client.send("patch", f"assessments/{assessment.pk}/", {"version": 1})
    assessment.refresh_from_db()
    assert (assessment.is_carried_over, assessment.version) == (False, 2)


def test_it_refuses_what_someone_else_changed_meanwhile(client, line):
    assessment = AssessmentFactory(line=line, version=3)
    answer = client.send("patch", f"assessments/{assessment.pk}/", {"need": False, "version": 2})
    assert (answer.status_code, answer.json()["code"]) == (412, "edited_meanwhile")


def test_another_regions_assessments_do_not_exist(api, south_user, line):
    assessment = AssessmentFactory(line=line)
    client = api(south_user)
    assert client.results("assessments/") == []
    assert client.read(f"assessments/{assessment.pk}/").status_code == 404
    assert client.send("patch", f"assessments/{assessment.pk}/", {"version": 1}).status_code == 404
    assert errors(client.send("post", "assessments/", body(line))) == {("customer_line", "does_not_exist")}


def test_a_member_writes_only_his_own_line(api, line, customer):
    own = CustomerLineFactory(customer=customer, product_line_id=line.product_line_id + 1)
    manager = UserFactory(role="account_manager", region=customer.region)
    LineMemberFactory(line=own, user=manager)
    foreign, client = AssessmentFactory(line=line), api(manager)
    refused = client.send("patch", f"assessments/{foreign.pk}/", {"need": False, "version": 1})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")
    assert errors(client.send("post", "assessments/", body(line, fiscal_year=2027))) == {("customer_line", "not_yours")}


def test_a_closed_year_is_history(client, line):
    CycleFactory(fiscal_year=2026, state=CycleState.CLOSED, published_at=timezone.now())
    answer = client.send("post", "assessments/", body(line))
    assert (answer.status_code, answer.json()["code"]) == (409, "cycle_closed")
    assert not Assessment.objects.exists()
    assert not Grade.objects.exists()


def test_one_assessment_a_line_and_year(client, line):
    AssessmentFactory(line=line)
    assert client.send("post", "assessments/", body(line)).status_code == 400


def test_who_adds_it_in_the_same_moment_gets_the_answer_of_who_comes_later(client, line, monkeypatch):
    save = assessment_actions.save_assessment

    def save_after_another(**sent):
        AssessmentFactory(line=line)
        return save(**sent)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(assessment_actions, "save_assessment", save_after_another)
        at_once = client.send("post", "assessments/", body(line))
    later = client.send("post", "assessments/", body(line))
    assert (at_once.status_code, at_once.json()) == (400, later.json())
    assert Assessment.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"expected_margin": "18.001"}, "expected_margin", "too_precise"),
        ({"expected_margin": "eighteen"}, "expected_margin", "invalid"),
        ({"potential_sales": "1.999"}, "potential_sales", "too_precise"),
        ({"budget": "perhaps"}, "budget", "invalid"),
        ({"budget": {"state": "planned", "amount": "-1"}}, "budget", "min_value"),
        ({"need": "perhaps"}, "need", "invalid"),
        ({"has_need": True}, "has_need", "unknown_field"),
        ({"grade": "A"}, "grade", "unknown_field"),
        ({"fiscal_year": 40_000}, "fiscal_year", "max_value"),
        ({"is_carried_over": True}, "is_carried_over", "read_only"),
    ],
)
def test_it_names_the_field_that_is_wrong(client, line, changes, field, code):
    assert errors(client.send("post", "assessments/", body(line) | changes)) == {(field, code)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expected_margin": "100.01"}, "A gross margin lies between -1000 and 100 percent."),
        ({"potential_sales": "-0.01"}, "Potential sales cannot be negative."),
    ],
)
def test_it_says_what_figures_may_be(client, line, changes, message):
    answer = client.send("post", "assessments/", body(line) | changes)
    assert answer.status_code == 400
    assert [error["message"] for error in answer.json()["errors"]] == [message]


def test_filters(client, line):
    this, last = AssessmentFactory(line=line), AssessmentFactory(line=line, fiscal_year=2025, is_carried_over=True)
    assert [row["id"] for row in client.results("assessments/", fiscal_year=2026)] == [this.pk]
    assert [row["id"] for row in client.results("assessments/", is_carried_over="true")] == [last.pk]
    assert errors(client.read("assessments/", is_carried_over="1")) == {("is_carried_over", "invalid_choice")}
    assert errors(client.read("assessments/", fiscal_year="26")) == {("fiscal_year", "invalid_choice")}


def test_a_page_costs_the_same_queries_whatever_its_size(client, line, django_assert_max_num_queries):
    for year in range(2020, 2026):
        AssessmentFactory(line=line, fiscal_year=year)
    client.results("assessments/")
    for size in (1, 6):
        with django_assert_max_num_queries(6):
            client.results("assessments/", page_size=size)
