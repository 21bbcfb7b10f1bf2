"""Lists as files: what the page shows, in the scope of whoever asks; at once where small, else by a job."""

import csv
import io
from datetime import timedelta
from urllib.parse import unquote

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from python_calamine import CalamineWorkbook

from crm.actions import exports as actions
from crm.actions.customers import save_customer
from crm.actions.data_imports import start_import, upload_import
from crm.actions.imports import import_kinds, import_table
from crm.actions.merge_customers import merge_customers
from crm.actions.transfer_customer import transfer_customer
from crm.actions.work_on_import import work_on_import
from crm.lib.spreadsheets import read_table
from crm.models import (
    AUDITORS,
    Change,
    Customer,
    CustomerKind,
    CustomerLine,
    Division,
    Export,
    ImportState,
    Job,
    JobState,
    ProductLine,
    Role,
    StoredFile,
)
from crm.permissions import ROLES, Permission
from crm.tasks import forget_old_exports, make_export
from tests.factories import (
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    LineMemberFactory,
    UserFactory,
)
from tests.pages import TODAY, graded_line

pytestmark = pytest.mark.django_db
CUSTOMERS = reverse("crm:export-list", args=["customers"])
MINE = reverse("crm:list-exports")


@pytest.fixture(autouse=True)
def march():
    with time_machine.travel(TODAY):
        yield


@pytest.fixture
def by_job(monkeypatch):
    """Every list counts as long, and no worker hears of it: `work` makes the files."""
    monkeypatch.setattr(actions, "AT_ONCE", -1)
    monkeypatch.setattr("celery.current_app.send_task", lambda name, kwargs: None)


def post(client, address: str = CUSTOMERS, query: str = "", format: str = "xlsx"):
    """Ask for a list; what comes as a stream is read to its end, as a browser does."""
    response = client.post(f"{address}?{query}", {"format": format})
    response.sent = b"".join(response.streaming_content) if response.streaming else response.content
    return response


def sheet(content: bytes) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def rows_of(response) -> list[list]:
    assert response.status_code == 200
    if response["Content-Type"].startswith("text/csv"):
        return list(csv.reader(io.StringIO(response.sent.decode("utf-8-sig"), newline="")))
    return sheet(response.sent)


def names_in(response) -> list[str]:
    return [row[0] for row in rows_of(response)[1:]]


def work() -> Export:
    export = Export.objects.select_related("by").latest("pk")
    make_export(job_id=export.job_id)
    return Export.objects.select_related("job", "by").get(pk=export.pk)


def fetch(client, export: Export):
    return client.get(reverse("crm:fetch-export", args=[export.pk]))


def waiting(client, page: str = MINE) -> int:
    """What the menu of a page says beside one's exports."""
    entries = [child for group in client.get(page).context["nav"] for child in group["children"]]
    return next(entry["count"] for entry in entries if entry["url"] == MINE)


class TestAtOnce:
    @pytest.mark.parametrize("format", ["xlsx", "csv"])
    def test_it_holds_the_list_as_filtered_and_sorted(self, north, north_region, client_of, format):
        for name in ("杭州市公安局", "宁波市公安局", "宁波市文化局"):
            CustomerFactory(name=name, region=north_region)
        found = post(client_of(north), query="search=公安&ordering=-name", format=format)
        assert names_in(found) == ["宁波市公安局", "杭州市公安局"]

    @pytest.mark.parametrize("format", ["xlsx", "csv"])
    def test_it_never_holds_what_another_region_has(self, north, north_region, south_region, client_of, format):
        CustomerFactory(name="北京市公安局", region=north_region)
        CustomerFactory(name="广州市公安局", region=south_region)
        assert names_in(post(client_of(north), format=format)) == ["北京市公安局"]
        assert post(client_of(north), query="region=south", format=format).status_code == 400

    def test_an_account_managers_file_holds_the_customers_he_serves(self, north_region, client_of):
        manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
        mine = LineMemberFactory(user=manager, line__customer__region=north_region)
        CustomerFactory(region=north_region)
        assert names_in(post(client_of(manager))) == [mine.line.customer.name]

    def test_figures_are_numbers_in_yuan_and_points(self, north, north_region, client_of):
        line = graded_line(north_region, customer__name="甲", facts={"potential_sales": 4_000_000_25})
        head, row = rows_of(post(client_of(north), query="line=police"))
        assert head == ["Customer", "Code", "Region", "Grade", "Score", "Potential sales", "Expected close", "Lead"]
        assert row == ["甲", line.customer.code, "North", "B", 80.0, 4_000_000.25, line.expected_close_on, ""]

    def test_its_words_are_in_the_readers_language(self, north, north_region, client_of):
        CustomerLineFactory(customer__region=north_region)
        head, row = rows_of(post(client_of(north, "zh-hans"), format="csv"))
        assert head[:3] == ["客户", "编码", "大区"]
        assert row[-1] == "公安 未评估"

    def test_codes_are_text(self, north, north_region, client_of):
        CustomerFactory(region=north_region, code="000123", credit_code="123300000000000018")
        for format in ("xlsx", "csv"):
            [_, row] = rows_of(post(client_of(north), query="columns=name,code,credit_code", format=format))
            assert row[1:] == ["000123", "123300000000000018"]

    def test_a_name_that_looks_like_a_formula_stays_text(self, north, north_region, client_of):
        CustomerFactory(name="=cmd|' /C calc'!A0", region=north_region)
        assert names_in(post(client_of(north))) == ["=cmd|' /C calc'!A0"]
        assert names_in(post(client_of(north), format="csv")) == ["'=cmd|' /C calc'!A0"]

    def test_the_columns_are_those_of_the_address_in_its_order(self, north, north_region, client_of):
        CustomerFactory(name="甲", code="C1", industry="公安", region=north_region)
        assert rows_of(post(client_of(north), query="columns=industry,code")) == [
            ["Customer", "Industry", "Code"],
            ["甲", "公安", "C1"],
        ]

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ("columns=name,salary", "There is no column “salary”."),
            ("colour=red", "There is no filter “colour”."),
            ("grade=X", "Grade"),
        ],
    )
    def test_what_makes_no_sense_makes_no_file(self, north, client_of, wrong, said):
        response = post(client_of(north), query=wrong)
        assert response.status_code == 400
        assert said in response.content.decode()
        assert not Export.objects.exists()

    def test_there_are_two_formats(self, north, client_of):
        assert post(client_of(north), format="pdf").status_code == 400

    def test_an_empty_list_gives_its_head(self, north, client_of):
        assert len(rows_of(post(client_of(north)))) == len(rows_of(post(client_of(north), format="csv"))) == 1

    def test_its_name_says_what_and_when(self, north, client_of):
        header = post(client_of(north, "zh-hans"))["Content-Disposition"]
        assert header.startswith("attachment; filename*=utf-8''")
        assert unquote(header) == "attachment; filename*=utf-8''客户 2026-03-02 0900.xlsx"

    def test_who_may_not_see_the_list_may_not_take_it_along(self, client_of, client):
        administrator = UserFactory(role=Role.ADMINISTRATOR)
        assert post(client_of(administrator)).status_code == 403
        assert post(client)["Location"].startswith(reverse("account_login"))
        assert not Export.objects.exists()

    def test_no_link_can_make_anybody_take_a_list_along(self, north, client_of):
        assert client_of(north).get(CUSTOMERS).status_code == 405
        assert post(client_of(north), reverse("crm:export-list", args=["passwords"])).status_code == 404

    def test_it_is_logged(self, north, north_region, client_of):
        CustomerFactory.create_batch(2, region=north_region)
        for format in ("xlsx", "csv"):
            post(client_of(north), query="ordering=code&columns=code&page=3&page_size=25", format=format)
        logged = [
            (one.by, one.list_name, one.filters, one.columns, one.format, one.rows)
            for one in Export.objects.order_by("pk")
        ]
        assert logged == [(north, "customers", "ordering=code", "code", format, 2) for format in ("xlsx", "csv")]

    @pytest.mark.parametrize("format", ["xlsx", "csv"])
    def test_its_queries_do_not_grow_with_its_rows(self, head_office, north_region, client_of, format):
        client = client_of(head_office)
        counts = []
        for rows in (3, 15):
            for _ in range(rows):
                graded_line(north_region)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                post(client, query="line=police", format=format)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 15


class TestOtherLists:
    def test_the_lines_of_a_cycle(self, north, north_region, south_region, client_of):
        line = graded_line(north_region, customer__name="甲", customer__code="C1")
        graded_line(south_region)
        address = reverse("crm:export-list", args=["cycle-grades"])
        head, row = rows_of(post(client_of(north), address, "cycle=2026&grade=B"))
        assert dict(zip(head, row, strict=True)) == {
            "Customer": "甲",
            "Code": "C1",
            "Region": "North",
            "Product line": "Police",
            "Fiscal year": 2026.0,
            "Grade": "B",
            "Score": 80.0,
            "Potential sales": 4_000_000.0,
            "Expected close": line.expected_close_on,
            "What is missing": "",
            "Lead": "",
        }
        assert names_in(post(client_of(north), address, "cycle=2026&grade=A")) == []
        assert post(client_of(north), address, "cycle=1999").status_code == 404
        assert post(client_of(north), address).status_code == 404
        assert post(client_of(north), address, "cycle=2025&cycle=2026").status_code == 400

    def test_what_is_missing_stands_in_words(self, north, north_region, client_of):
        graded_line(north_region, facts={"has_need": False, "has_timetable": False})
        address = reverse("crm:export-list", args=["cycle-grades"])
        head, row = rows_of(post(client_of(north), address, "cycle=2026", format="csv"))
        cells = dict(zip(head, row, strict=True))
        assert (cells["Grade"], cells["Score"], cells["What is missing"]) == ("Not gradable", "", "need, timetable")

    def test_the_lines_of_the_board_best_first(self, north, north_region, client_of):
        graded_line(north_region, customer__name="低", facts={"potential_sales": 1_000_000_00})
        graded_line(north_region, customer__name="高", facts={"potential_sales": 9_000_000_00})
        CustomerLineFactory(customer__region=north_region, customer__name="无")
        address = reverse("crm:export-list", args=["board"])
        assert names_in(post(client_of(north), address, "line=police")) == ["高", "低", "无"]

    def test_the_file_of_the_board_goes_column_by_column(self, north, north_region, client_of):
        """A line without scores is sorted by its expected close inside each column, as the cards are."""
        for name, labels in {
            "未评": {"state": "not_assessed"},
            "乙晚": {"state": "graded", "grade": "B", "expected_close_on": "2026-09-01"},
            "丙": {"state": "graded", "grade": "C", "expected_close_on": "2026-01-01"},
            "不可评": {"state": "not_gradable"},
            "乙早": {"state": "graded", "grade": "B", "expected_close_on": "2026-05-01"},
        }.items():
            line = CustomerLineFactory(customer__region=north_region, customer__name=name)
            CustomerLine.objects.filter(pk=line.pk).update(**labels)
        address = reverse("crm:export-list", args=["board"])
        assert names_in(post(client_of(north), address)) == ["乙早", "乙晚", "丙", "不可评", "未评"]
        by_name = names_in(post(client_of(north), address, "ordering=name"))
        assert by_name == ["丙", "不可评", "未评", "乙晚", "乙早"]

    def test_their_pages_offer_them(self, north, north_region, client_of):
        graded_line(north_region)
        client = client_of(north)
        pages = {
            f"{reverse('crm:list-customers')}?grade=B": f"{CUSTOMERS}?grade=B",
            f"{reverse('grading:list-cycle-grades', args=[2026])}?grade=B": "/exports/cycle-grades/?grade=B&cycle=2026",
            f"{reverse('grading:view-board')}?line=police": "/exports/board/?line=police",
        }
        for page, address in pages.items():
            assert f'action="{address.replace("&", "&amp;")}"' in client.get(page).content.decode()


class TestColumns:
    PAGE = reverse("crm:list-customers")

    def test_the_page_shows_the_columns_of_its_address(self, north, north_region, client_of):
        CustomerFactory(industry="公共安全", region=north_region)
        page = client_of(north).get(self.PAGE, {"columns": "industry,code"})
        assert [column["label"] for column in page.context["list"].columns] == ["Customer", "Industry", "Code"]
        assert "公共安全" in page.content.decode()

    def test_an_unknown_one_is_left_out_with_a_note(self, north, north_region, client_of):
        CustomerFactory(region=north_region)
        page = client_of(north).get(self.PAGE, {"columns": "salary,code"})
        assert page.status_code == 200
        assert "There is no column “salary”; it is left out." in page.content.decode()
        assert unquote(page.context["menu"].export_url) == f"{CUSTOMERS}?columns=name,code"

    def test_a_form_that_sends_them_one_by_one_leads_to_one_address(self, north, client_of):
        response = client_of(north).get(f"{self.PAGE}?grade=A&columns=name&columns=code")
        assert unquote(response["Location"]) == f"{self.PAGE}?grade=A&columns=name,code"

    def test_filters_keep_them(self, north, north_region, client_of):
        page = client_of(north).get(self.PAGE, {"columns": "code", "grade": "A"})
        assert page.context["chips"][0]["remove_url"] == f"{self.PAGE}?columns=code"
        assert ("columns", "code") in page.context["hidden"]

    def test_the_cycles_list_has_them_too(self, north, north_region, client_of):
        line = graded_line(north_region)
        page = client_of(north).get(reverse("grading:list-cycle-grades", args=[2026]), {"columns": "code"})
        assert [column["label"] for column in page.context["list"].columns] == ["Customer", "Code"]
        assert line.customer.code in page.content.decode()


class TestByJob:
    def test_a_long_list_is_made_in_the_background(self, north, north_region, client_of, by_job):
        CustomerFactory(name="甲", region=north_region)
        client = client_of(north)
        assert post(client)["Location"] == MINE
        assert "It goes on when you close this page." in client.get(MINE).content.decode()
        export = work()
        assert (export.job.state, export.job.done, export.rows) == (JobState.DONE, 1, 1)
        file = fetch(client, export)
        assert sheet(file.content)[1][0] == "甲"
        assert unquote(file["Content-Disposition"]).endswith('Customers 2026-03-02 0900.xlsx"')
        assert reverse("crm:fetch-export", args=[export.pk]) in client.get(MINE).content.decode()

    def test_csv_is_made_too(self, north, north_region, client_of, by_job):
        CustomerFactory(name="=甲", region=north_region)
        post(client_of(north, "zh-hans"), format="csv")
        content = fetch(client_of(north), work()).content.decode()
        assert content.splitlines()[0].startswith("\ufeff客户,编码")
        assert content.splitlines()[1].startswith("'=甲,")

    def test_who_asks_twice_gets_one_file(self, north, client_of, by_job):
        client = client_of(north)
        for query in ("", "page=2", "columns=code"):
            post(client, query=query)
        assert Job.objects.count() == Export.objects.count() == 2

    def test_a_second_worker_makes_no_second_file(self, north, client_of, by_job):
        post(client_of(north))
        export = work()
        make_export(job_id=export.job_id)
        assert StoredFile.objects.count() == 1

    def test_it_is_scoped_again_when_the_job_runs(self, north, north_region, south_region, client_of, by_job):
        CustomerFactory(name="北", region=north_region)
        CustomerFactory(name="南", region=south_region)
        post(client_of(north))
        north.region = south_region
        north.save()
        assert [row[0] for row in sheet(fetch(client_of(north), work()).content)[1:]] == ["南"]

    def test_a_filter_that_leads_out_of_scope_by_then_makes_no_file(
        self, head_office, north_region, south_region, client_of, by_job
    ):
        post(client_of(head_office), query="region=north")
        head_office.role, head_office.region = Role.REGIONAL_STAFF, south_region
        head_office.save()
        export = work()
        assert (export.job.state, export.file_id) == (JobState.FAILED, None)
        assert "north" in export.refusal

    @pytest.mark.parametrize(
        "changes",
        [{"role": Role.ADMINISTRATOR}, {"role": Role.REGIONAL_GM}, {"region": "south"}],
        ids=["may not see customers", "another role", "another region"],
    )
    def test_the_file_is_gone_when_its_maker_sees_something_else(self, north, south_region, client_of, by_job, changes):
        post(client_of(north))
        export = work()
        assert fetch(client_of(north), export).status_code == 200
        for name, value in changes.items():
            setattr(north, name, south_region if name == "region" else value)
        north.save()
        assert fetch(client_of(north), export).status_code == 404
        page = client_of(north).get(MINE).content.decode()
        assert "make the file again" in page
        assert reverse("crm:fetch-export", args=[export.pk]) not in page

    def test_the_file_is_gone_when_a_line_is_taken_from_its_maker(self, north_region, client_of, by_job):
        manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
        membership = LineMemberFactory(user=manager, line__customer__region=north_region)
        post(client_of(manager))
        export = work()
        assert fetch(client_of(manager), export).status_code == 200
        membership.until_on = "2026-03-01"
        membership.save()
        assert fetch(client_of(manager), export).status_code == 404

    def test_the_file_is_gone_when_a_customer_has_left_its_makers_region(
        self, north, north_region, south_region, head_office, client_of, by_job
    ):
        leaving = CustomerFactory(region=north_region)
        post(client_of(north))
        export = work()
        save_customer(customer=CustomerFactory(region=south_region), version=1, by=head_office)
        save_customer(customer=CustomerFactory.build(region=north_region), version=0, by=north)
        assert fetch(client_of(north), export).status_code == 200
        transfer_customer(customer=leaving, version=1, region=south_region, branch=None, by=head_office)
        assert fetch(client_of(north), export).status_code == 404

    def test_a_merge_within_the_region_takes_no_file_away_and_one_across_does(
        self, north, north_region, south_region, head_office, client_of, by_job
    ):
        survivor, within = (CustomerFactory(region=north_region) for _ in range(2))
        ContactFactory(customer=within)
        post(client_of(north))
        export = work()
        merge_customers(survivor=survivor, loser=within, versions=(1, 1), from_loser=(), by=head_office)
        assert fetch(client_of(north), export).status_code == 200
        elsewhere = CustomerFactory(region=south_region)
        merge_customers(survivor=elsewhere, loser=survivor, versions=(1, 2), from_loser=(), by=head_office)
        assert fetch(client_of(north), export).status_code == 404

    def test_the_file_is_gone_when_a_customer_has_left_its_makers_branch_office(
        self, north_region, head_office, client_of, by_job
    ):
        branch = BranchFactory(region=north_region)
        manager = UserFactory(role=Role.BRANCH_GM, region=north_region, branch=branch)
        leaving = CustomerFactory(region=north_region, branch=branch)
        post(client_of(manager))
        export = work()
        assert fetch(client_of(manager), export).status_code == 200
        leaving.branch = None
        save_customer(customer=leaving, version=1, by=head_office)
        assert fetch(client_of(manager), export).status_code == 404

    def test_a_person_who_has_left_gets_nothing(self, north, client_of, by_job):
        post(client_of(north))
        north.is_active = False
        north.save()
        assert work().job.state == JobState.FAILED

    def test_nobody_else_comes_to_the_file(self, north, south_user, head_office, client_of, by_job):
        post(client_of(north))
        export = work()
        for stranger in (south_user, head_office):
            assert fetch(client_of(stranger), export).status_code == 404
            for name in ("view-export-progress", "cancel-export"):
                address = reverse(f"crm:{name}", args=[export.pk])
                assert client_of(stranger).post(address).status_code in (404, 405)
                assert client_of(stranger).get(address).status_code in (404, 405)
            assert client_of(stranger).get(MINE).context["list"].rows == []

    def test_it_can_be_cancelled_until_it_is_there(self, north, client_of, by_job):
        client = client_of(north)
        post(client)
        export = Export.objects.get()
        cancel = reverse("crm:cancel-export", args=[export.pk])
        assert client.post(cancel)["Location"] == MINE
        assert work().file_id is None
        assert "Cancelled." in client.get(MINE).content.decode()

    def test_cancelled_half_way_it_leaves_nothing(self, north, north_region, client_of, by_job, monkeypatch):
        monkeypatch.setattr(actions, "CHUNK", 2)
        CustomerFactory.create_batch(5, region=north_region)
        post(client_of(north))
        export = Export.objects.get()
        told = actions.show_progress

        def cancelled_meanwhile(job_id, **kwargs):
            actions.cancel_export(export=export, by=north)
            return told(job_id, **kwargs)

        monkeypatch.setattr(actions, "show_progress", cancelled_meanwhile)
        export = work()
        assert (export.job.state, export.file_id, StoredFile.objects.count()) == (JobState.CANCELLED, None, 0)

    def test_more_than_a_sheet_holds_is_refused_in_words(self, north, north_region, client_of, by_job, monkeypatch):
        monkeypatch.setattr(actions, "MOST_SHEET_ROWS", 1)
        CustomerFactory.create_batch(2, region=north_region)
        post(client_of(north))
        assert work().refusal == "A file holds 1 rows at most. Narrow the list."
        assert "Narrow the list." in client_of(north).get(MINE).content.decode()

    def test_its_progress_shows_itself_until_the_file_is_there(self, north, client_of, by_job):
        client = client_of(north)
        post(client)
        address = reverse("crm:view-export-progress", args=[Export.objects.get().pk])
        assert "<progress" in client.get(address, headers={"HX-Request": "true"}).content.decode()
        work()
        assert client.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"

    def test_the_menu_counts_what_waits_to_be_fetched(self, north, client_of, by_job):
        client = client_of(north)
        post(client)
        export = work()
        assert waiting(client) == 1
        fetch(client, export)
        assert waiting(client, reverse("crm:list-customers")) == 0

    def test_files_are_kept_for_seven_days_and_the_log_for_good(self, north, client_of, by_job):
        post(client_of(north))
        export = work()
        with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
            forget_old_exports()
            assert fetch(client_of(north), export).status_code == 200
        with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
            forget_old_exports()
            forget_old_exports()
            assert fetch(client_of(north), export).status_code == 404
            assert "seven days" in client_of(north).get(MINE).content.decode()
        assert (Export.objects.count(), StoredFile.objects.count()) == (1, 0)


class TestLog:
    def test_auditors_read_it_in_the_administration(self, north, client_of):
        post(client_of(north))
        administrator = UserFactory(role=Role.ADMINISTRATOR)
        page = client_of(administrator).get(reverse("admin:crm_export_changelist"))
        assert "北方员工" in page.content.decode()
        assert client_of(north).get(reverse("admin:crm_export_changelist")).status_code == 403

    def test_auditors_are_those_whose_role_says_so(self):
        assert {role for role, may in ROLES.items() if Permission.VIEW_AUDIT in may} == AUDITORS

    def test_my_exports_are_mine(self, north, head_office, client_of):
        post(client_of(north))
        assert len(client_of(north).get(MINE).context["list"].rows) == 1
        assert client_of(head_office).get(MINE).context["list"].rows == []
        assert "You have exported nothing yet" in client_of(head_office).get(MINE).content.decode()


ODD = ("=1+1", "-5", "+8613800000000", "@x", "'=x", "007", "1,5", "a;b", '"q"', "<r>x</r>", "（甲）", " 空格 ")


class TestRoundTrip:
    COLUMNS = "code,region,branch,short_name,kind,credit_code,industry,division,address,website"

    @pytest.mark.parametrize("format", ["xlsx", "csv"])
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_what_was_taken_along_comes_back_without_a_change(
        self, north, north_region, client_of, tmp_path, format, language
    ):
        branch = BranchFactory(region=north_region, code="bj", name="北京分公司")
        odd = ["=1+1", "-foo", "+8613800000000", "@x", "'=x", "007", "1,5", "a;b", '"q"', "<r>x</r>", "多行\n地址"]
        for number, text in enumerate(odd):
            CustomerFactory(
                code=f"00{number}",
                name=f"{text} 局".replace("\n", " "),
                short_name=text[:20].replace("\n", " "),
                address=text,
                website="https://example.cn/",
                credit_code=f"1233000000000000{number:02}",
                kind=CustomerKind.AGENT if number % 2 else CustomerKind.CUSTOMER,
                division=Division.objects.order_by("pk")[number],
                branch=branch,
                region=north_region,
            )
        response = post(client_of(north, language), query=f"columns={self.COLUMNS}", format=format)
        path = tmp_path / f"customers.{format}"
        path.write_bytes(response.sent)
        with translation.override(language):
            report = import_table(kind=import_kinds()["customers"], table=read_table(path), by=north)
        assert [str(reason) for row in report.rows for reason in row.reasons] == []
        assert {row.outcome for row in report.rows} == {"unchanged"}
        assert len(report.rows) == len(odd)

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("format", ["xlsx", "csv"])
    def test_ten_thousand_made_by_a_job_and_imported_by_one_change_nothing(
        self, north, north_region, client_of, by_job, format
    ):
        branches = [BranchFactory(region=north_region) for _number in range(3)]
        divisions = list(Division.objects.order_by("pk")[:100])
        made = Customer.objects.bulk_create(
            CustomerFactory.build(
                code=f"{number:06}",
                name=f"{ODD[number % len(ODD)]} 局 {number}",
                short_name=ODD[number % len(ODD)],
                industry=ODD[number % len(ODD)],
                address=ODD[number % len(ODD)],
                credit_code=f"{number:018}" if number % 3 else "",
                kind=CustomerKind.values[number % 3],
                division=divisions[number % 100],
                branch=branches[number % 3],
                region=north_region,
            )
            for number in range(10_000)
        )
        line = ProductLine.objects.get(code="police")
        CustomerLine.objects.bulk_create(CustomerLine(customer=one, product_line=line) for one in made[::2])
        client = client_of(north, "zh-hans")
        assert post(client, query=f"columns={self.COLUMNS},lines", format=format)["Location"] == MINE
        content = fetch(client, work()).content
        with translation.override("zh-hans"):
            back = upload_import(kind="customers", name=f"客户.{format}", content=content, by=north)
            start_import(data_import=back, by=north)
        work_on_import(job_id=back.job_id)
        back.refresh_from_db()
        assert len(back.mapping["columns"]) == len(self.COLUMNS.split(",")) + 1
        assert (back.state, back.report["errors"]) == (ImportState.DONE, [])
        assert back.report["counts"] == {"created": 0, "updated": 0, "unchanged": 10_000, "rejected": 0}
        assert not Change.objects.exists()
