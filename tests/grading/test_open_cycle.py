"""Opening a cycle: last year's figures come over, nobody has confirmed them, and nobody is graded by them."""

from datetime import date

import pytest
from django.utils import timezone

from crm.models import Change, CustomerKind
from grading.actions.assessments import save_assessment
from grading.actions.cycles import WrongCycleState, ensure_cycle, open_cycle, prepare_next_cycle
from grading.models import Assessment, Cycle, CycleState, Grade, GradingPolicy
from grading.reports import lines_of_cycle
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory
from tests.grading.company import assessed_line, record_of, run_through

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft():
    return CycleFactory(fiscal_year=2027, state=CycleState.DRAFT)


def test_every_active_line_gets_the_years_assessment_with_last_years_figures(draft, head_office):
    line = assessed_line(has_system=True, budget_amount=3_000_000_00, note="ask again in May")
    open_cycle(cycle=draft, by=head_office)
    new = Assessment.objects.get(line=line, fiscal_year=2027)
    assert (new.expected_margin, new.potential_sales, new.budget_amount, new.has_system) == (
        18_00, 4_000_000_00, 3_000_000_00, True,
    )  # fmt: skip
    assert (new.is_carried_over, new.version, new.note) == (True, 1, "")


def test_the_four_elements_and_the_close_date_have_to_be_confirmed_anew(draft, head_office):
    line = assessed_line()
    open_cycle(cycle=draft, by=head_office)
    new = Assessment.objects.get(line=line, fiscal_year=2027)
    assert not any((new.has_need, new.budget_fits_pricing, new.has_timetable, new.knows_decision_makers))
    assert (new.budget_state, new.expected_close_on, new.has_begun_selection) == ("none", None, False)


def test_last_years_assessment_stays_as_it_was(draft, head_office):
    line = assessed_line()
    before = Assessment.objects.values().get(line=line)
    open_cycle(cycle=draft, by=head_office)
    assert Assessment.objects.values().get(line=line, fiscal_year=2026) == before


def test_a_line_without_an_assessment_last_year_gets_an_empty_one(draft, head_office):
    line = CustomerLineFactory()
    AssessmentFactory(line=line, fiscal_year=2025)  # two years ago is not last year
    open_cycle(cycle=draft, by=head_office)
    new = Assessment.objects.get(line=line, fiscal_year=2027)
    assert (new.is_carried_over, new.expected_margin, new.potential_sales) == (True, None, None)


def test_an_assessment_that_somebody_has_made_already_is_kept(draft, head_office):
    line = assessed_line(fiscal_year=2027, expected_margin=25_00)
    open_cycle(cycle=draft, by=head_office)
    kept = Assessment.objects.get(line=line, fiscal_year=2027)
    assert (kept.is_carried_over, kept.expected_margin, kept.has_need) == (False, 25_00, True)


def test_who_is_not_graded_gets_no_assessment(draft, head_office):
    CustomerLineFactory(is_active=False)
    CustomerLineFactory(customer__kind=CustomerKind.AGENT)
    CustomerLineFactory(customer__deleted_at=timezone.now())
    open_cycle(cycle=draft, by=head_office)
    assert not Assessment.objects.exists()


def test_a_carried_over_assessment_counts_as_not_assessed_until_somebody_saves_it(draft, head_office):
    line = assessed_line()
    cycle = open_cycle(cycle=draft, by=head_office)
    assert run_through(cycle).report["not_assessed"] == 1
    carried = Assessment.objects.get(line=line, fiscal_year=2027)
    save_assessment(assessment=carried, version=1, by=head_office)
    carried.refresh_from_db()
    assert not carried.is_carried_over
    assert record_of(line, 2027).state == "not_gradable"


def test_who_opened_it_and_when_is_kept_and_in_the_change_log(draft, head_office):
    cycle = open_cycle(cycle=draft, by=head_office)
    assert (cycle.state, cycle.opened_by) == (CycleState.OPEN, head_office)
    assert cycle.opened_at is not None
    change = Change.objects.get(table="grading_cycle", object_id=cycle.pk)
    assert (change.before["state"], change.after["state"], change.by) == ("draft", "open", head_office)


@pytest.mark.parametrize("state", [CycleState.OPEN, CycleState.PUBLISHED, CycleState.CLOSED])
def test_only_a_draft_can_be_opened(state, head_office):
    cycle = CycleFactory(fiscal_year=2027, state=state, published_at=timezone.now())
    CustomerLineFactory()
    with pytest.raises(WrongCycleState):
        open_cycle(cycle=cycle, by=head_office)
    assert not Assessment.objects.exists()


def test_a_page_that_still_shows_a_draft_cannot_open_it_a_second_time(draft, head_office):
    stale = Cycle.objects.get(pk=draft.pk)
    open_cycle(cycle=draft, by=head_office)
    with pytest.raises(WrongCycleState):
        open_cycle(cycle=stale, by=head_office)


def test_a_cycle_begins_on_the_first_day_of_its_fiscal_year(db, settings):
    assert ensure_cycle(2026).starts_on == date(2026, 1, 1)
    settings.FISCAL_YEAR_START_MONTH = 4
    assert ensure_cycle(2027).starts_on == date(2027, 4, 1)


def test_a_cycle_exists_once(db):
    assert ensure_cycle(2026) == ensure_cycle(2026)


# --- the draft that waits for sales management


@pytest.mark.parametrize(
    ("today", "year"),
    [
        (date(2026, 11, 16), None),
        (date(2026, 11, 17), 2027),
        (date(2026, 12, 31), 2027),
        (date(2027, 1, 1), None),
    ],
)
def test_the_next_cycles_draft_waits_from_45_days_before_its_year(today, year):
    prepared = prepare_next_cycle(today=today)
    assert (prepared and prepared.fiscal_year) == year


def test_the_lead_time_is_the_policys(db):
    GradingPolicy.objects.update(lead_days=100)
    assert prepare_next_cycle(today=date(2026, 9, 22)) is None
    assert prepare_next_cycle(today=date(2026, 9, 23)).state == CycleState.DRAFT


def test_the_lead_time_counts_back_from_the_first_day_of_a_year_that_begins_in_april(settings):
    settings.FISCAL_YEAR_START_MONTH = 4
    assert prepare_next_cycle(today=date(2027, 2, 14)) is None
    assert prepare_next_cycle(today=date(2027, 2, 15)).starts_on == date(2027, 4, 1)


def test_preparing_again_changes_nothing(draft, head_office):
    open_cycle(cycle=draft, by=head_office)
    assert prepare_next_cycle(today=date(2026, 12, 1)) == draft
    draft.refresh_from_db()
    assert draft.state == CycleState.OPEN


def test_in_the_opened_cycle_every_gradable_line_is_not_assessed_and_nobody_else_is_there(draft, head_office):
    line = CustomerLineFactory()
    CustomerLineFactory(customer__kind=CustomerKind.AGENT)
    CustomerLineFactory(is_active=False)
    cycle = open_cycle(cycle=draft, by=head_office)
    assert [(row.pk, row.cycle_state) for row in lines_of_cycle(cycle, head_office)] == [(line.pk, "not_assessed")]
    assert not Grade.objects.recorded().filter(fiscal_year=cycle.fiscal_year).exists()
