"""A job acts for a person: what he may do and see is asked again when it runs, and when its file is fetched."""

from collections.abc import Callable

import pytest
from django.http import QueryDict
from django.utils import timezone

from crm.actions import exports
from crm.actions.bulk_changes import choose_rows, set_up_bulk_change, start_bulk_change
from crm.actions.data_imports import start_import, upload_import
from crm.actions.import_steps import start_work
from crm.actions.undo_bulk_change import start_undo as start_undo_of_bulk
from crm.actions.undo_import import UndoRefused, start_undo, work_on_undo
from crm.actions.work_on_bulk_change import work_on_bulk_change
from crm.actions.work_on_import import work_on_import
from crm.models import (
    BulkChange,
    BulkState,
    Contact,
    Customer,
    DataImport,
    Export,
    ImportState,
    JobState,
    LineMember,
    Role,
    User,
)
from grading.actions.runs import start_run, work_on
from grading.models import CycleState, GradeRecord
from tests.factories import CycleFactory, LineMemberFactory, UserFactory
from tests.pages import graded_line
from tests.scope.asking import browser_of
from tests.scope.company import HEADERS, Company

pytestmark = pytest.mark.django_db


def switched_off(person: User) -> None:
    person.is_active = False


def of_another_role(person: User) -> None:
    person.role = Role.EXECUTIVE  # reads everything, writes nothing


def administrators(person: User) -> None:
    person.role = Role.ADMINISTRATOR


LOSSES = pytest.mark.parametrize("lose", [switched_off, of_another_role])


def after(person: User, lose: Callable[[User], None]) -> User:
    """The person once he has lost what he had; whoever worked with another object knows nothing of it."""
    changed = User.objects.get(pk=person.pk)
    lose(changed)
    changed.save()
    return changed


def uploaded(by: User, *rows: str, kind: str = "customers", headers: str = HEADERS) -> DataImport:
    return upload_import(kind=kind, name="a.csv", content="\n".join([headers, *rows]).encode(), by=by)


def worked(one: DataImport) -> DataImport:
    one.refresh_from_db()
    {"import": work_on_import, "undo-import": work_on_undo}[one.job.kind](job_id=one.job_id)
    one.refresh_from_db()
    return one


# --- imports


@LOSSES
def test_an_import_is_refused_where_its_person_has_lost_the_right_meanwhile(company: Company, lose):
    staff = company.north.staff
    one = start_import(data_import=uploaded(staff, "N-1,新客户,north,,,,"), by=staff)
    after(staff, lose)
    one = worked(one)
    assert (one.state, one.job.state) == (ImportState.FAILED, JobState.FAILED)
    assert not Customer.objects.filter(code="N-1").exists()


@LOSSES
def test_a_test_run_of_a_job_is_refused_too(company: Company, lose):
    staff = company.north.staff
    one = uploaded(staff, "N-1,新客户,north,,,,")
    start_work(one, ImportState.CHECKING)
    after(staff, lose)
    assert worked(one).state == ImportState.FAILED
    assert "rejected" not in one.report


def test_an_import_sees_what_its_person_sees_by_the_time_it_runs(company: Company):
    """Who has moved to the other region meanwhile writes nothing in the one that he has left."""
    staff = company.north.staff
    code = company.north.own.customer.code
    one = start_import(data_import=uploaded(staff, f"{code},{company.north.own.customer.name},,,,,新备注"), by=staff)

    def moved(person: User) -> None:
        person.region = company.south.region

    after(staff, moved)
    one = worked(one)
    assert one.report["counts"]["updated"] == 0
    assert Customer.objects.get(code=code).note != "新备注"


# --- undo


def an_import_of_a_contact(company: Company, by: User) -> DataImport:
    code = company.north.own.customer.code
    one = uploaded(by, f"{code},新联系人", kind="contacts", headers="客户,姓名")
    return worked(start_import(data_import=one, by=by))


@LOSSES
def test_an_undo_is_refused_where_its_person_has_lost_the_right_meanwhile(company: Company, lose):
    staff = company.north.staff
    one = start_undo(data_import=an_import_of_a_contact(company, staff), by=staff)
    after(staff, lose)
    one = worked(one)
    assert (one.state, one.job.state) == (ImportState.DONE, JobState.FAILED)
    assert Contact.objects.get(name="新联系人").deleted_at is None


def test_nobody_undoes_what_does_not_exist_for_him(company: Company):
    one = an_import_of_a_contact(company, company.north.staff)
    with pytest.raises(UndoRefused, match="You may not change such records"):
        start_undo(data_import=one, by=company.south.staff)
    with pytest.raises(UndoRefused):
        start_undo(data_import=one, by=company.people["sales_manager"])


def test_an_undo_touches_no_record_that_has_left_its_persons_sight(company: Company):
    seller = company.people["sales_manager"]
    one = an_import_of_a_contact(company, seller)
    LineMember.objects.filter(user=seller).update(until_on="2026-03-02")
    one = worked(start_undo(data_import=one, by=seller))
    assert one.state == ImportState.DONE
    assert [conflict["reason"] for conflict in one.report["undo"]["conflicts"]] == ["you do not see this record"]


# --- bulk changes


@pytest.fixture
def always_a_job(monkeypatch):
    for module in ("bulk_changes", "undo_bulk_change"):
        monkeypatch.setattr(f"crm.actions.{module}.AT_ONCE", 0)


def started(company: Company, by: User) -> BulkChange:
    """A bulk change of all that the person sees, confirmed; its job has not begun."""
    one = choose_rows(kind="customers", params=QueryDict(""), numbers=None, by=by)
    one = set_up_bulk_change(bulk_change=one, field="industry", value="新行业", by=by)
    return start_bulk_change(bulk_change=one, version=one.version, by=by)


def changed_in_bulk(one: BulkChange) -> BulkChange:
    work_on_bulk_change(job_id=one.job_id)
    return BulkChange.objects.select_related("job").get(pk=one.pk)


@LOSSES
def test_a_bulk_change_is_refused_where_its_person_has_lost_the_right_meanwhile(company: Company, always_a_job, lose):
    one = started(company, company.north.staff)
    after(company.north.staff, lose)
    one = changed_in_bulk(one)
    assert (one.state, one.job.state) == (BulkState.FAILED, JobState.FAILED)
    assert not Customer.objects.filter(industry="新行业").exists()


def test_a_bulk_change_touches_only_what_its_person_sees_by_the_time_it_runs(company: Company, always_a_job):
    """Who has moved to the other region meanwhile changes nothing in the one that he has left."""
    one = started(company, company.north.staff)

    def moved(person: User) -> None:
        person.region = company.south.region

    after(company.north.staff, moved)
    one = changed_in_bulk(one)
    assert one.report["counts"] == {"changed": 0, "unchanged": 0, "meanwhile": 0, "gone": one.size}
    assert not Customer.objects.filter(industry="新行业").exists()


@LOSSES
def test_the_undo_of_a_bulk_change_is_refused_too(company: Company, always_a_job, lose):
    one = changed_in_bulk(started(company, company.north.staff))
    one = start_undo_of_bulk(bulk_change=one, by=company.north.staff)
    after(company.north.staff, lose)
    one = changed_in_bulk(one)
    assert (one.state, one.job.state) == (BulkState.DONE, JobState.FAILED)
    assert Customer.objects.filter(industry="新行业").count() == one.size


# --- exports


def ordered(by: User, query: str = "") -> Export:
    wish = exports.Wish(exports.listed_by_name()["customers"], QueryDict(query), "csv", "en", by)
    return exports.start_export(wish=wish)


def made(export: Export) -> Export:
    exports.work_on_export(Export.objects.select_related("by").get(pk=export.pk))
    return Export.objects.select_related("by", "job").get(pk=export.pk)


@pytest.mark.parametrize("lose", [switched_off, administrators])
def test_an_export_is_refused_where_its_person_has_lost_the_right_meanwhile(company: Company, lose):
    staff = company.north.staff
    export = ordered(staff)
    after(staff, lose)
    export = made(export)
    assert (export.job.state, export.file) == (JobState.FAILED, None)


def test_an_export_holds_what_its_person_sees_by_the_time_it_is_made(company: Company):
    staff = company.north.staff
    export = ordered(staff)

    def moved(person: User) -> None:
        person.region = company.south.region

    after(staff, moved)
    content = bytes(made(export).file.content).decode()
    assert company.south.own.customer.name in content
    assert company.north.own.customer.name not in content


@pytest.mark.parametrize("lose", [switched_off, administrators, of_another_role])
def test_a_file_is_nobodys_once_its_person_sees_something_else(company: Company, lose):
    staff = company.north.staff
    export, browser = made(ordered(staff)), browser_of(staff)
    assert browser.get(f"/exports/{export.pk}/file/").status_code == 200
    after(staff, lose)
    assert browser.get(f"/exports/{export.pk}/file/").status_code in (302, 404)


def test_a_file_goes_with_a_membership_and_stays_where_others_change(company: Company):
    seller = company.people["sales_manager"]
    export, browser = made(ordered(seller)), browser_of(seller)
    LineMemberFactory(line=company.north.unserved.line, user=company.people["account_manager"])
    assert browser.get(f"/exports/{export.pk}/file/").status_code == 200
    LineMember.objects.filter(user=seller, until_on=None).update(until_on="2026-03-02")
    assert browser.get(f"/exports/{export.pk}/file/").status_code == 404


def test_the_file_of_an_export_is_its_makers_own(company: Company):
    """Even where a row should point to another person's file."""
    export = made(ordered(company.north.staff))
    Export.objects.filter(pk=company.south.left.export.pk).update(file=None)
    other = Export.objects.get(pk=export.pk)
    other.file = company.south.left.export.file
    other.save()
    found = exports.fetch_export(export=Export.objects.select_related("by").get(pk=export.pk), now=timezone.now())
    assert found is None


# --- grading runs


@LOSSES
@pytest.mark.parametrize("publishes", [False, True])
def test_a_run_is_refused_where_its_starter_has_lost_the_right_meanwhile(company: Company, lose, publishes):
    cycle = CycleFactory(fiscal_year=2027)
    run = start_run(cycle=cycle, by=company.head, publishes=publishes, is_nudged=False)
    before = GradeRecord.objects.count()
    after(company.head, lose)
    work_on(run)
    run.refresh_from_db()
    cycle.refresh_from_db()
    assert (run.job.state, cycle.state) == (JobState.FAILED, CycleState.OPEN)
    assert GradeRecord.objects.count() == before
    assert "may not do so any more" in run.job.error


def test_a_run_that_nobody_started_goes_on(north_region):
    graded_line(north_region)
    run = start_run(cycle=CycleFactory(fiscal_year=2026), by=None, is_nudged=False)
    work_on(run)
    run.refresh_from_db()
    assert run.job.state == JobState.DONE


def test_a_run_of_somebody_who_still_may_goes_on(north_region):
    graded_line(north_region)
    run = start_run(cycle=CycleFactory(fiscal_year=2026), by=UserFactory(), is_nudged=False)
    work_on(run)
    run.refresh_from_db()
    assert run.job.state == JobState.DONE
