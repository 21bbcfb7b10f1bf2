"""The history of what grading keeps: assessments put back, policies and cycles in the log."""

import json

import pytest
import time_machine
from django.urls import reverse

from crm.models import Change, PolicyState, Role, Way
from grading.actions.assessments import save_assessment
from grading.actions.cycles import ensure_cycle
from grading.actions.policies import draft_next_version, publish_policy, save_draft, save_draft_parts
from grading.actions.policy_drafts import draft_policy
from grading.models import Assessment, CycleState, GradingPolicy, RequiredMargin
from tests.factories import CustomerLineFactory, LineMemberFactory, UserFactory
from tests.pages import TODAY, graded_line

pytestmark = pytest.mark.django_db
CHANGES = reverse("crm:list-changes")


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


def saved_again(line, by, **fields) -> Change:
    assessment = Assessment.objects.get(line=line)
    for name, value in fields.items():
        setattr(assessment, name, value)
    save_assessment(assessment=assessment, version=assessment.version, by=by)
    return Change.objects.of(assessment).last()


def test_an_assessment_put_back_is_graded_again(north, north_region, client_of):
    line = graded_line(north_region)
    change = saved_again(line, north, potential_sales=9_000_000_00)
    before = line.score
    line.refresh_from_db()
    assert line.score > before
    client = client_of(north)
    history = reverse("crm:view-history", args=["assessment", change.object_id])
    address = reverse("crm:restore-value", args=["assessment", change.object_id, change.sequence, "potential_sales"])
    page = client.get(history).content.decode()
    assert "400 (10k CNY)" in page
    assert "900 (10k CNY)" in page
    assert address in page
    assert client.post(address, {"version": client.get(address).context["version"]}).status_code == 302
    line.refresh_from_db()
    assert line.score == before


def test_an_assessment_of_a_closed_year_is_not_put_back(north, north_region, client_of):
    line = graded_line(north_region)
    change = saved_again(line, north, note="x")
    line.grades.get()
    type(ensure_cycle(2026)).objects.update(state=CycleState.CLOSED)
    address = reverse("crm:restore-value", args=["assessment", change.object_id, change.sequence, "note"])
    answer = client_of(north).post(address, {"version": 2})
    assert answer.status_code == 422
    assert "its assessments are history" in answer.content.decode()


def test_who_serves_another_line_may_not_put_back_an_assessment(north, north_region, client_of):
    line = graded_line(north_region)
    change = saved_again(line, north, note="x")
    other = CustomerLineFactory(customer=line.customer, product_line_id=line.product_line_id + 1)
    manager = LineMemberFactory(line=other, user__role=Role.ACCOUNT_MANAGER, user__region=north_region).user
    address = reverse("crm:restore-value", args=["assessment", change.object_id, change.sequence, "note"])
    assert client_of(manager).get(address).status_code == 403


def test_another_regions_assessment_is_not_there(north, south_user, north_region, client_of):
    change = saved_again(graded_line(north_region), north, note="x")
    assert (
        client_of(south_user).get(reverse("crm:view-history", args=["assessment", change.object_id])).status_code == 404
    )


def test_editing_and_publishing_a_policy_is_found_among_settings(head_office, client_of):
    draft = draft_next_version(policy=GradingPolicy.objects.current(), by=head_office)
    draft.lead_days = 60
    save_draft(policy=draft, by=head_office)
    band = draft.bands.exclude(floor=None).first()
    band.floor += 100
    save_draft_parts(policy=draft, parts=[band], removed=[], by=head_office)
    publish_policy(policy=draft, by=head_office)
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    for reader in (head_office, administrator):
        client = client_of(reader)
        rows = (
            client.get(CHANGES, {"about": "settings", "kind": ["grading-policy", "policy-band"]}).context["list"].rows
        )
        assert [(told.what, told.deed) for told in rows] == [
            ("Grading policy", "Edited"),
            ("Band", "Edited"),
            ("Grading policy", "Edited"),
            ("Grading policy", "Added"),
        ]
        assert rows[0].record == f"v{draft.number}"
        assert "state: Draft → Published" in rows[0].sentences
        assert client.get(reverse("crm:view-history", args=["grading-policy", draft.pk])).status_code == 200


def test_a_policy_from_a_file_leaves_its_rows(head_office, tmp_path):
    policy = draft_policy(
        content={"note": "年度", "lines": {"mms": {"required_margins": {"2026": "25"}}}}, by=head_office
    )
    assert Change.objects.of(policy).get().by == head_office
    [margin] = RequiredMargin.objects.filter(policy=policy)
    assert Change.objects.of(margin).get().way == Way.COMMAND
    assert policy.state == PolicyState.DRAFT
    assert Change.objects.filter(table="grading_policyband").count() == policy.bands.count()


def test_a_cycle_that_is_drafted_leaves_its_row_once():
    cycle = ensure_cycle(2031)
    ensure_cycle(2031)
    assert json.loads(json.dumps(Change.objects.of(cycle).get().after))["fiscal_year"] == 2031
