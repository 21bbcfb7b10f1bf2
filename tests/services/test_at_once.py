"""Runs, edits and regrading at once on PostgreSQL: nobody fails, nothing is written twice, the last facts win."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from random import Random
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.actions.facts import facts_changed
from crm.actions.tokens import issue_token
from crm.models import CustomerLine, ProductLine
from grading import policy as rules
from grading.actions.assessments import save_assessment
from grading.actions.cycles import open_cycle
from grading.actions.regrade import regrade_changed_facts
from grading.actions.runs import start_run, work_on
from grading.models import Assessment, ChunkState, CycleState, Grade, GradeRecord, GradingPolicy, GradingRun, RunState
from tests.factories import AssessmentFactory, CustomerFactory, CustomerLineFactory, CycleFactory, UserFactory
from tests.grading.company import AS_OF

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

LINES = 60


@pytest.fixture(autouse=True)
def on_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time: there is no `at once` on SQLite")


@pytest.fixture
def lines(monkeypatch) -> list[CustomerLine]:
    """Assessed lines in two product lines, graded in chunks of five."""
    monkeypatch.setattr("grading.actions.runs.SMALLEST_CHUNK", 5)
    both = [ProductLine.objects.get(code=code) for code in ("police", "tourism")]
    customer = CustomerFactory()
    made = [
        CustomerLineFactory(customer=CustomerFactory(region=customer.region), product_line=both[number % 2])
        for number in range(LINES)
    ]
    for line in made:
        AssessmentFactory(line=line)
    return made


@pytest.fixture
def cycle(lines):
    return CycleFactory()


def at_once(*acts: Callable) -> list:
    """Do things in threads of their own that begin together; their results, or the first error."""
    barrier = Barrier(len(acts))

    def do(act):
        try:
            barrier.wait(30)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(60) for future in [pool.submit(do, act) for act in acts]]


def assert_graded_by_the_last_facts():
    """Every line has one head, and its latest record says what the policy says of its assessment."""
    policy = GradingPolicy.objects.for_list().get(number=1).as_rules()
    calendar = rules.Calendar.of(fiscal_year=2026, as_of=AS_OF, policy=policy)
    heads = {head.line_id: head for head in Grade.objects.select_related("record")}
    assessments = Assessment.objects.filter(is_carried_over=False).select_related("line__product_line")
    assert len(heads) == LINES
    for assessment in assessments:
        assert heads[assessment.line_id].record.grading() == rules.grade(assessment.facts(0), policy, calendar)


def test_two_who_start_the_same_run_get_one(cycle):
    runs = at_once(*[lambda: start_run(cycle=cycle, by=None, as_of=AS_OF)] * 4)
    assert len(set(runs)) == 1
    assert GradingRun.objects.count() == 1


def test_four_workers_grade_every_line_once(cycle):
    run = start_run(cycle=cycle, by=None, as_of=AS_OF)
    at_once(*[lambda: work_on(GradingRun.objects.get(pk=run.pk))] * 4)
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert not run.chunks.exclude(state=ChunkState.DONE).exists()
    assert (GradeRecord.objects.count(), run.report["written"], run.job.done) == (LINES, LINES, LINES)
    assert_graded_by_the_last_facts()


@pytest.mark.parametrize("is_opened", [True, False])
def test_a_run_of_all_and_runs_of_each_product_line_write_every_record_once(cycle, is_opened):
    if is_opened:
        cycle.state = CycleState.DRAFT
        cycle.save()
        cycle = open_cycle(cycle=cycle, by=None)
    parts = [ProductLine.objects.get(code=code) for code in ("police", "tourism")]
    runs = [start_run(cycle=cycle, by=None, as_of=AS_OF, product_line=part) for part in (None, *parts)]
    at_once(*[lambda run=run: work_on(run) for run in runs])
    assert set(GradingRun.objects.values_list("state", flat=True)) == {RunState.DONE}
    assert GradeRecord.objects.count() == LINES
    assert_graded_by_the_last_facts()


@pytest.mark.parametrize("state", [CycleState.OPEN, CycleState.PUBLISHED])
def test_assessments_saved_while_a_run_goes_on_are_graded_by_what_was_saved(cycle, lines, state):
    cycle.state, cycle.published_at = state, timezone.now()
    cycle.save()
    run = start_run(cycle=cycle, by=None, as_of=AS_OF)

    def edit(seed):
        random, person = Random(seed), UserFactory()
        for line in random.sample(lines[seed::3], 15):
            assessment = Assessment.objects.select_related("line__customer").get(line=line)
            assessment.expected_margin = random.randrange(0, 60_00)
            save_assessment(assessment=assessment, version=assessment.version, by=person)

    at_once(*[lambda seed=seed: edit(seed) for seed in range(3)], lambda: work_on(run), lambda: work_on(run))
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert_graded_by_the_last_facts()


def test_two_who_save_the_same_assessment_are_not_both_right(cycle, lines, head_office):
    def save(margin):
        assessment = Assessment.objects.select_related("line__customer").get(line=lines[0])
        barrier.wait(30)
        assessment.expected_margin = margin
        try:
            save_assessment(assessment=assessment, version=1, by=head_office)
        except Exception as refused:  # noqa: BLE001 - its name is what is tested
            return type(refused).__name__
        return "saved"

    barrier = Barrier(2)
    assert sorted(at_once(lambda: save(10_00), lambda: save(60_00))) == ["EditedMeanwhile", "saved"]
    assert Assessment.objects.get(line=lines[0]).version == 2


def test_regrading_a_run_and_edits_never_wait_for_each_other_in_a_ring(cycle, lines, head_office):
    cycle.state, cycle.published_at = CycleState.PUBLISHED, timezone.now()
    cycle.save()

    def mark_and_regrade():
        for _ in range(6):
            facts_changed(CustomerLine.objects.filter(pk__in=[line.pk for line in lines]))
            regrade_changed_facts()

    def edit():
        for line in reversed(lines):
            assessment = Assessment.objects.select_related("line__customer").get(line=line)
            assessment.potential_sales += 1_000_000_00
            save_assessment(assessment=assessment, version=assessment.version, by=head_office)

    def run():
        for day in (1, 2, 3):
            work_on(start_run(cycle=cycle, by=None, as_of=date(2026, 1, day)))

    at_once(mark_and_regrade, edit, run)
    regrade_changed_facts()
    assert_graded_by_the_last_facts()


def test_of_four_who_add_an_assessment_one_does_and_the_others_are_told_that_it_is_there():
    line, token = CustomerLineFactory(), issue_token(user=UserFactory(), scopes=["assessments:write"])
    body = {"customer_line": line.pk, "fiscal_year": 2026, "need": True}

    def add():
        client = Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)
        return client.post("/api/v1/assessments/", body, content_type="application/json").status_code

    assert sorted(at_once(*[add] * 4)) == [201, 400, 400, 400]
    assert Assessment.objects.get().line == line
