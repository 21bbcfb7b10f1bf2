"""`changed_since` on policies and cycles: drafts, their parts, and runs that go on without a row in the change log."""

import pytest
import time_machine
from django.utils import timezone

from crm.actions.jobs import fail_job
from crm.actions.named import save_named
from crm.models import ProductLine
from grading.actions.cycles import close_past_cycles, ensure_cycle, open_cycle
from grading.actions.policies import draft_next_version, publish_policy, save_draft, save_draft_parts
from grading.actions.runs import cancel_run, start_run, work_on
from grading.models import CycleState, GradingPolicy
from tests.api.conftest import changed, policy
from tests.factories import CustomerLineFactory, CycleFactory, UserFactory


def draft() -> GradingPolicy:
    return draft_next_version(policy=policy(), by=None)


def test_a_new_version_comes_as_a_draft_and_again_when_it_is_published(follow, head_office):
    call = follow(head_office, "policies/")
    assert [row["number"] for row in call().values()] == [1]
    made = draft()
    assert call()[made.pk]["state"] == "draft"
    save_draft(policy=changed(made, note="新的"), by=None)
    assert call()[made.pk]["note"] == "新的"
    assert call() == {}
    publish_policy(policy=made, by=head_office)
    assert call()[made.pk]["state"] == "published"


def test_bands_that_are_saved_or_taken_out_change_their_draft(follow, head_office):
    made = draft()
    call = follow(head_office, "policies/")
    call()
    best = made.bands.filter(kind="margin", floor__isnull=False).order_by("-points").first()
    best.points -= 1
    save_draft_parts(policy=made, parts=[best], removed=[], by=None)
    assert best.points in [band["points"] for band in call()[made.pk]["margin_bands"]]
    save_draft_parts(policy=made, parts=[], removed=[best], by=None)
    assert best.points not in [band["points"] for band in call()[made.pk]["margin_bands"]]
    assert call() == {}


@pytest.mark.parametrize("role", ["regional_staff", "executive"])
def test_a_draft_is_told_to_nobody_but_those_who_edit_policies(follow, north_region, role):
    region = north_region if role == "regional_staff" else None
    call = follow(UserFactory(role=role, region=region), "policies/")
    assert [row["number"] for row in call().values()] == [1]
    made = draft()
    assert call() == {}
    publish_policy(policy=made, by=None)
    assert call()[made.pk]["number"] == 2


def test_a_line_with_a_new_code_changes_the_versions_that_name_it(follow, head_office):
    police = ProductLine.objects.get(code="police")
    rule = policy().line_rules.create(product_line=police, smallest_budget=1_000_000_00)
    call = follow(head_office, "policies/")
    call()
    save_named(row=changed(police, code="renamed"), by=None)
    assert [row["line"] for row in call()[rule.policy_id]["line_rules"]] == ["renamed"]


def test_a_cycle_comes_when_it_begins_opens_and_is_closed(follow, north):
    call = follow(north, "cycles/")
    assert call() == {}
    cycle = ensure_cycle(2026)
    assert call()[cycle.pk]["state"] == "draft"
    open_cycle(cycle=cycle, by=None)
    assert call()[cycle.pk]["state"] == "open"
    assert call() == {}


def test_a_cycle_that_fits_the_filter_no_more_is_gone(follow, north):
    cycle = ensure_cycle(2026)
    call = follow(north, "cycles/", state="draft")
    assert call().keys() == {cycle.pk}
    open_cycle(cycle=cycle, by=None)
    assert call() == {cycle.pk: {"id": cycle.pk, "deleted": True}}


def test_a_run_that_begins_goes_on_and_ends_brings_its_cycle(follow, head_office):
    CustomerLineFactory()
    cycle = CycleFactory(fiscal_year=2026, state=CycleState.OPEN)
    call = follow(head_office, "cycles/")
    assert call()[cycle.pk]["run"] is None
    run = start_run(cycle=cycle, by=None, is_nudged=False)
    assert call()[cycle.pk]["run"]["state"] == "running"
    work_on(run)
    assert call()[cycle.pk]["run"]["state"] == "done"


def test_a_run_is_nothing_to_tell_a_region(follow, north):
    cycle = CycleFactory(fiscal_year=2026, state=CycleState.OPEN)
    call = follow(north, "cycles/")
    call()
    start_run(cycle=cycle, by=None, is_nudged=False)
    assert call() == {}


@time_machine.travel("2027-02-01")
def test_a_cycle_with_a_run_under_way_is_closed_once_it_has_ended(follow, head_office):
    CustomerLineFactory()
    past, present = (
        CycleFactory(fiscal_year=year, state=CycleState.PUBLISHED, published_at=timezone.now()) for year in (2026, 2027)
    )
    call = follow(head_office, "cycles/")
    call()
    run = start_run(cycle=past, by=None, is_nudged=False)
    assert close_past_cycles(today=timezone.localdate()) == 0
    cancel_run(run=run, by=head_office)
    assert close_past_cycles(today=timezone.localdate()) == 1
    told = call()[past.pk]
    assert (told["state"], told["run"]["state"]) == ("closed", "cancelled")
    assert call().keys() <= {present.pk}


@time_machine.travel("2027-02-01")
def test_a_run_whose_job_failed_ends_with_its_cycle_and_nobody_goes_on_with_it(follow, head_office):
    CustomerLineFactory()
    past, _present = (
        CycleFactory(fiscal_year=year, state=CycleState.PUBLISHED, published_at=timezone.now()) for year in (2026, 2027)
    )
    call = follow(head_office, "cycles/")
    run = start_run(cycle=past, by=None, is_nudged=False)
    fail_job(run.job_id, error="the worker was lost")
    assert call()[past.pk]["run"]["state"] == "running"
    assert close_past_cycles(today=timezone.localdate()) == 1
    told = call()[past.pk]
    assert (told["state"], told["run"]["state"]) == ("closed", "cancelled")
    work_on(run)
    assert not cancel_run(run=run, by=head_office)
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_cycles_of_other_years_are_not_told_to_who_follows_one(follow, head_office):
    followed, other = (CycleFactory(fiscal_year=year, state=CycleState.OPEN) for year in (2026, 2027))
    call = follow(head_office, "cycles/", fiscal_year=2026)
    assert call().keys() == {followed.pk}
    assert other.pk not in call()
