"""The pages of a cycle: where it stands, what it did to whom, what moves it on."""

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm.models import Job, JobState, Role
from grading.actions.runs import start_run, work_on
from grading.models import Assessment, Cycle, CycleState, GradingRun, RunState
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory, UserFactory
from tests.pages import TODAY, grade_again, graded_line, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


@pytest.fixture
def next_year(db) -> Cycle:
    return CycleFactory(fiscal_year=2027, state=CycleState.OPEN, opened_at=timezone.now())


def page(name: str, year: int = 2027) -> str:
    return reverse(f"grading:{name}", args=[year])


def in_both_years(region, **facts):
    """A line graded B in 2026 and otherwise in the open cycle of 2027."""
    line = graded_line(region)
    AssessmentFactory(line=line, fiscal_year=2027, expected_close_on="2027-06-30", **facts)
    grade_again(line, 2027)
    return line


class TestList:
    def test_it_shows_each_cycle_and_offers_the_next(self, head_office, client_of):
        CycleFactory(fiscal_year=2026, state=CycleState.PUBLISHED, published_at=timezone.now())
        text = client_of(head_office).get(reverse("grading:list-cycles")).content.decode()
        assert page("view-cycle", 2026) in text
        assert page("open-cycle", 2027) in text

    def test_only_sales_management_is_offered_to_open(self, north, client_of):
        text = client_of(north).get(reverse("grading:list-cycles")).content.decode()
        assert "No grading cycle yet" in text
        assert page("open-cycle", 2027) not in text

    def test_an_administrator_may_not_look(self, client_of):
        administrator = UserFactory(role=Role.ADMINISTRATOR)
        assert client_of(administrator).get(reverse("grading:list-cycles")).status_code == 403


class TestOneCycle:
    def test_it_counts_what_the_cycle_made_of_my_region(self, north, next_year, north_region, south_region, client_of):
        in_both_years(north_region, potential_sales=9_000_000_00, expected_margin=45_00)
        in_both_years(south_region)
        context = client_of(north).get(page("view-cycle")).context
        [counts] = context["counts"]
        assert dict(counts.cells) == {"A": 1, "B": 0, "C": 0, "D": 0, "not_gradable": 0, "not_assessed": 0}
        assert context["moves"][0].moved == {("B", "A"): 1}

    def test_a_line_that_no_run_has_reached_is_not_assessed(self, north, next_year, north_region, client_of):
        CustomerLineFactory(customer__region=north_region)
        [counts] = client_of(north).get(page("view-cycle")).context["counts"]
        assert counts.counts == {"not_assessed": 1}

    def test_the_companys_report_is_not_for_a_region(self, north, head_office, north_region, south_region, client_of):
        graded_line(north_region)
        for _ in range(7):
            CustomerLineFactory(customer__region=south_region)
        work_on(start_run(cycle=Cycle.objects.get(), by=head_office, is_nudged=False))
        text = client_of(north).get(page("view-cycle", 2026)).content.decode()
        assert ">7<" not in text
        assert ">7<" in client_of(head_office).get(page("view-cycle", 2026)).content.decode()

    def test_a_year_without_a_cycle_is_not_there(self, head_office, client_of):
        assert client_of(head_office).get(page("view-cycle", 1999)).status_code == 404

    def test_steps_are_offered_to_those_who_may_take_them(self, north, head_office, next_year, client_of):
        assert client_of(head_office).get(page("view-cycle")).context["steps"] == ["publish", "run"]
        assert client_of(north).get(page("view-cycle")).context["steps"] == []

    def test_its_queries_do_not_grow_with_its_lines(self, head_office, next_year, north_region, client_of):
        client = client_of(head_office)
        for _ in range(3):
            in_both_years(north_region)
        few = queries_of(client, page("view-cycle"))
        for _ in range(10):
            in_both_years(north_region)
        assert queries_of(client, page("view-cycle")) == few <= 15


class TestItsLines:
    def rows(self, client, **filters):
        return client.get(page("list-cycle-grades"), filters).context["list"].rows

    def test_they_are_found_by_what_the_cycle_made_of_them(self, north, next_year, north_region, client_of):
        better = in_both_years(north_region, expected_margin=45_00)
        ungraded = in_both_years(north_region, has_need=False, has_timetable=False)
        waiting = CustomerLineFactory(customer__region=north_region, lead=north)
        client = client_of(north)
        assert self.rows(client, grade="A", before="B") == [better]
        assert self.rows(client, state="not_gradable") == [ungraded]
        assert self.rows(client, missing=["timetable", "budget"]) == [ungraded]
        assert self.rows(client, missing="budget") == []
        assert self.rows(client, state="not_assessed", lead=north.pk) == [waiting]

    def test_another_region_is_not_among_them(self, south_user, next_year, north_region, client_of):
        in_both_years(north_region)
        assert self.rows(client_of(south_user)) == []

    def test_what_makes_no_sense_is_said(self, head_office, next_year, client_of):
        response = client_of(head_office).get(page("list-cycle-grades"), {"missing": "luck"})
        assert (response.status_code, response.context["list"].rows) == (400, [])

    def test_the_form_is_one_click_away_for_who_may_write(self, north, next_year, north_region, client_of):
        line = in_both_years(north_region)
        text = client_of(north).get(page("list-cycle-grades")).content.decode()
        assert reverse("grading:assess-line", args=[line.pk, 2027]) in text

    def test_assessments_in_the_menu_lead_to_those_that_wait_for_me(self, north, next_year, north_region, client_of):
        client = client_of(north)
        address = reverse("grading:list-assessments")
        assert client.get(address)["Location"] == page("list-cycle-grades")
        line = CustomerLineFactory(customer__region=north_region, lead=north)
        AssessmentFactory(line=line, fiscal_year=2027, is_carried_over=True)
        mine = client.get(address)["Location"]
        assert mine == f"{page('list-cycle-grades')}?state=not_assessed&lead={north.pk}"
        entries = [child for group in client.get(mine).context["nav"] for child in group["children"]]
        assert next(entry["count"] for entry in entries if entry["url"] == address) == 1

    def test_its_queries_do_not_grow_with_its_rows(self, head_office, next_year, north_region, client_of):
        client = client_of(head_office)
        for _ in range(3):
            in_both_years(north_region)
        few = queries_of(client, page("list-cycle-grades"))
        for _ in range(10):
            in_both_years(north_region)
        assert queries_of(client, page("list-cycle-grades")) == few <= 15


class TestOpening:
    def test_it_names_what_happens_and_does_it(self, head_office, north_region, client_of):
        line = graded_line(north_region)
        client = client_of(head_office)
        assert "1 active customer line gets an assessment for 2027." in client.get(page("open-cycle")).content.decode()
        assert not Cycle.objects.filter(fiscal_year=2027).exists()
        assert client.post(page("open-cycle"))["Location"] == page("view-cycle")
        assert Cycle.objects.get(fiscal_year=2027).state == CycleState.OPEN
        assert Assessment.objects.get(line=line, fiscal_year=2027).is_carried_over

    def test_a_second_opening_is_refused(self, head_office, next_year, client_of):
        response = client_of(head_office).post(page("open-cycle"), follow=True)
        assert "this step is not open any more" in response.content.decode()

    def test_no_year_of_the_far_future_is_opened(self, head_office, client_of):
        assert client_of(head_office).post(page("open-cycle", 2031)).status_code == 404

    def test_it_is_sales_managements(self, north, client_of):
        assert client_of(north).post(page("open-cycle")).status_code == 403


class TestRuns:
    @pytest.fixture
    def run(self, head_office, next_year, north_region) -> GradingRun:
        CustomerLineFactory(customer__region=north_region)
        return start_run(cycle=next_year, by=head_office, is_nudged=False)

    def test_a_run_is_started_with_its_grading_date(self, head_office, next_year, client_of):
        client = client_of(head_office)
        assert 'value="2026-03-02"' in client.get(page("start-run")).content.decode()
        assert client.post(page("start-run"), {"as_of": "2026-02-28"})["Location"] == page("view-cycle")
        assert str(GradingRun.objects.get().as_of) == "2026-02-28"

    def test_a_date_that_makes_no_sense_starts_nothing(self, head_office, next_year, client_of):
        client_of(head_office).post(page("start-run"), {"as_of": "soon"})
        assert not GradingRun.objects.exists()

    def test_another_run_meanwhile_is_said(self, head_office, run, client_of):
        response = client_of(head_office).post(page("start-run"), {"as_of": "2026-01-31"}, follow=True)
        assert "Another run of this cycle is under way" in response.content.decode()

    def test_its_progress_asks_again_until_it_ends(self, head_office, run, client_of):
        address = reverse("grading:view-run-progress", args=[run.pk])
        client = client_of(head_office)
        assert f'hx-get="{address}"' in client.get(address, headers={"hx-request": "true"}).content.decode()
        work_on(run)
        assert client.get(address, headers={"hx-request": "true"})["HX-Refresh"] == "true"

    def test_a_region_is_told_the_share_and_not_the_companys_numbers(self, north, run, client_of):
        Job.objects.filter(pk=run.job_id).update(done=1234, total=4936, state=JobState.RUNNING)
        text = client_of(north).get(reverse("grading:view-run-progress", args=[run.pk])).content.decode()
        assert "25 of 100" in text
        assert "4,936" not in text

    def test_it_is_cancelled(self, head_office, run, client_of):
        client_of(head_office).post(reverse("grading:cancel-run", args=[run.pk]))
        run.refresh_from_db()
        assert run.state == RunState.CANCELLED

    def test_reading_alone_starts_and_cancels_nothing(self, north, run, client_of):
        client = client_of(north)
        assert client.post(page("start-run"), {"as_of": "2026-02-28"}).status_code == 403
        assert client.post(reverse("grading:cancel-run", args=[run.pk])).status_code == 403


class TestPublishing:
    def test_it_names_what_happens_and_starts_the_last_run(self, head_office, next_year, north_region, client_of):
        line = CustomerLineFactory(customer__region=north_region)
        AssessmentFactory(line=line, fiscal_year=2027, is_carried_over=True)
        client = client_of(head_office)
        assert "1 assessment is not confirmed" in client.get(page("publish-cycle")).content.decode()
        client.post(page("publish-cycle"))
        run = GradingRun.objects.get()
        assert run.publishes
        work_on(run)
        next_year.refresh_from_db()
        assert next_year.state == CycleState.PUBLISHED

    def test_what_is_published_is_not_published_again(self, head_office, client_of):
        CycleFactory(fiscal_year=2027, state=CycleState.PUBLISHED, published_at=timezone.now())
        client = client_of(head_office)
        assert "Only an open cycle can be published." in client.get(page("publish-cycle")).content.decode()
        assert "not open any more" in client.post(page("publish-cycle"), follow=True).content.decode()

    def test_it_is_sales_managements(self, north, next_year, client_of):
        assert client_of(north).post(page("publish-cycle")).status_code == 403
