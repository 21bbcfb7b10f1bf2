"""The assessment form: it grades at once, previews, refuses what others changed, loses nothing."""

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm.models import ProductLine, Role
from grading.actions.assessments import save_assessment
from grading.models import Assessment, CycleState
from tests.factories import (
    AssessmentFactory,
    CustomerLineFactory,
    CycleFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.pages import TODAY, published_cycle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


@pytest.fixture
def line(north_region):
    published_cycle()
    return CustomerLineFactory(customer__region=north_region)


@pytest.fixture
def assessment(line):
    return AssessmentFactory(line=line)


def address_of(assessment) -> str:
    return reverse("grading:save-assessment", args=[assessment.pk])


def typed(version=1, **changes) -> dict:
    """What a person sends: the worked example; fields set to None are left out, as empty boxes are."""
    values = {
        "version": version,
        "expected_margin": "18.00",
        "potential_sales": "400",
        "has_need": "on",
        "budget_state": "confirmed",
        "budget_amount": "400",
        "budget_fits_pricing": "on",
        "has_timetable": "on",
        "knows_decision_makers": "on",
        "expected_close_on": "2026-09-30",
        "note": "",
    } | changes
    return {name: value for name, value in values.items() if value is not None}


def test_saving_grades_the_line_at_once(north, line, assessment, client_of):
    SaleFactory(line=line)
    response = client_of(north).post(address_of(assessment), typed(), follow=True)
    line.refresh_from_db()
    assert (line.grade, line.score) == ("B", 84_0000)
    assert "Assessment saved; grade now: B" in response.content.decode()


def test_amounts_are_entered_in_ten_thousands_to_the_fen(north, assessment, client_of):
    client_of(north).post(address_of(assessment), typed(potential_sales="1,799.999999", budget_amount="0.000001"))
    assessment.refresh_from_db()
    assert (assessment.potential_sales, assessment.budget_amount) == (17_999_999_99, 1)


def test_what_was_saved_is_shown_again_as_it_was_typed(north, line, client_of):
    assessment = AssessmentFactory(line=line, potential_sales=7_999_999_99)
    page = client_of(north).get(address_of(assessment)).content.decode()
    assert 'value="799.999999"' in page
    assert 'value="18.00"' in page


def test_the_first_assessment_of_a_year_is_made_by_line(north, line, client_of):
    client = client_of(north)
    address = reverse("grading:assess-line", args=[line.pk, 2026])
    assert client.get(address).status_code == 200
    client.post(address, typed(version=0))
    made = Assessment.objects.get(line=line, fiscal_year=2026)
    assert (made.potential_sales, made.version) == (4_000_000_00, 1)
    assert client.get(address)["Location"] == address_of(made)


def test_saving_confirms_what_was_carried_over(north, line, client_of):
    assessment = AssessmentFactory(line=line, is_carried_over=True)
    client = client_of(north)
    assert "carried over from last year" in client.get(address_of(assessment)).content.decode()
    client.post(address_of(assessment), typed())
    assessment.refresh_from_db()
    assert not assessment.is_carried_over


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"potential_sales": "a lot"}, "potential_sales"),
        ({"potential_sales": "-1"}, "__all__"),
        ({"potential_sales": "0.0000001"}, "potential_sales"),
        ({"expected_margin": "100.01"}, "__all__"),
        ({"expected_close_on": "2026-13-01"}, "expected_close_on"),
        ({"budget_state": "rumoured"}, "budget_state"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_saved(north, assessment, client_of, wrong, field):
    response = client_of(north).post(address_of(assessment), typed(note="kept", **wrong))
    assert field in response.context["form"].errors
    page = response.content.decode()
    assert "Nothing was saved yet" in page
    assert "kept" in page
    assessment.refresh_from_db()
    assert assessment.version == 1


def test_what_someone_else_changed_meanwhile_is_shown_and_not_overwritten(north, head_office, assessment, client_of):
    assessment.potential_sales, assessment.has_timetable = 9_000_000_00, False
    save_assessment(assessment=assessment, version=1, by=head_office)
    response = client_of(north).post(address_of(assessment), typed(version=1, potential_sales="500"))
    assert response.status_code == 409
    clashes = {clash.label: clash for clash in response.context["clashes"]}
    assert clashes["Potential sales in the year"].theirs == "900 (10k CNY)"
    assert not clashes["Potential sales in the year"].is_taken_over
    assert clashes["Clear timetable within the year"].is_taken_over
    form = response.context["form"]
    assert (form.data["potential_sales"], "has_timetable" in form.data, form.data["version"]) == ("500", False, "2")
    assessment.refresh_from_db()
    assert assessment.potential_sales == 9_000_000_00


def test_after_looking_at_it_the_person_saves_what_he_decided(north, head_office, assessment, client_of):
    assessment.potential_sales = 9_000_000_00
    save_assessment(assessment=assessment, version=1, by=head_office)
    client = client_of(north)
    merged = client.post(address_of(assessment), typed(version=1, note="mine")).context["form"].data
    client.post(address_of(assessment), merged.dict())
    assessment.refresh_from_db()
    assert (assessment.potential_sales, assessment.note, assessment.version) == (9_000_000_00, "mine", 3)


def test_an_assessment_made_meanwhile_is_shown_too(north, head_office, line, client_of):
    AssessmentFactory(line=line, potential_sales=9_000_000_00)
    address = reverse("grading:assess-line", args=[line.pk, 2026])
    response = client_of(north).post(address, typed(version=0, potential_sales="500"))
    assert response.status_code == 409
    assert Assessment.objects.get(line=line).potential_sales == 9_000_000_00


def test_one_that_an_undone_import_left_behind_is_not_taken_for_the_other(
    north, head_office, line, assessment, client_of
):
    AssessmentFactory(line=line, deleted_at=timezone.now(), potential_sales=1)
    assessment.potential_sales = 9_000_000_00
    save_assessment(assessment=assessment, version=1, by=head_office)
    response = client_of(north).post(address_of(assessment), typed(version=1, potential_sales="500"))
    assert [clash.theirs for clash in response.context["clashes"]] == ["900 (10k CNY)"]


def test_a_closed_cycle_is_history(north, assessment, client_of):
    CycleFactory(fiscal_year=2026)
    assessment.fiscal_year = 2025
    assessment.save()
    CycleFactory(fiscal_year=2025, state=CycleState.CLOSED, published_at=timezone.now(), closed_at=timezone.now())
    response = client_of(north).post(address_of(assessment), typed())
    assert "its assessments are history" in response.content.decode()
    assessment.refresh_from_db()
    assert assessment.version == 1


def test_it_is_not_there_in_another_region(south_user, line, assessment, client_of):
    client = client_of(south_user)
    assert client.get(address_of(assessment)).status_code == 404
    assert client.post(address_of(assessment), typed()).status_code == 404
    assert client.get(reverse("grading:assess-line", args=[line.pk, 2026])).status_code == 404
    assert client.post(reverse("grading:preview-assessment", args=[line.pk, 2026]), typed()).status_code == 404


def test_who_only_reads_may_not_save(line, assessment, client_of):
    reader = UserFactory(role=Role.CONSULTANT)
    LineMemberFactory(line=line, user=reader)
    assert client_of(reader).post(address_of(assessment), typed()).status_code == 403


def test_a_line_one_sees_but_does_not_serve_may_not_be_saved(north_region, line, assessment, client_of):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    tourism = ProductLine.objects.get(code="tourism")
    LineMemberFactory(user=manager, line=CustomerLineFactory(customer=line.customer, product_line=tourism))
    assert client_of(manager).get(address_of(assessment)).status_code == 403


def test_a_session_that_ended_asks_for_sign_in_and_comes_back(client, assessment):
    response = client.post(address_of(assessment), typed())
    assert response["Location"] == f"{reverse('account_login')}?next={address_of(assessment)}"


def test_the_preview_grades_without_saving(north, line, assessment, client_of):
    SaleFactory(line=line)
    address = reverse("grading:preview-assessment", args=[line.pk, 2026])
    page = client_of(north).post(address, typed(expected_margin="45")).content.decode()
    assert "99.75 points: A begins at 90." in page
    line.refresh_from_db()
    assert line.grade is None


def test_the_preview_says_what_is_missing(north, line, client_of):
    address = reverse("grading:preview-assessment", args=[line.pk, 2026])
    page = client_of(north).post(address, typed(has_need=None, expected_margin="")).content.decode()
    assert "There is no confirmed need for the product." in page
    assert "The expected gross margin is missing." in page


def test_the_preview_says_what_it_cannot_read(north, line, client_of):
    address = reverse("grading:preview-assessment", args=[line.pk, 2026])
    page = client_of(north).post(address, typed(potential_sales="much")).content.decode()
    assert "No preview until these are readable:" in page


def test_the_preview_is_a_post(north, line, client_of):
    assert client_of(north).get(reverse("grading:preview-assessment", args=[line.pk, 2026])).status_code == 405
