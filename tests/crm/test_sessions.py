"""Who leaves, or becomes something or somewhere else, must sign in again: by whichever door it came."""

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.actions import data_imports
from crm.actions.imports import Outcome, import_kinds, import_table
from crm.actions.people import save_person
from crm.actions.places import move_branch
from crm.actions.sessions import end_access, end_sessions
from crm.actions.tokens import issue_token
from crm.actions.work_on_import import work_on_import
from crm.lib.spreadsheets import read_table
from crm.models import ApiToken, Change, Role, User
from tests.api.conftest import ApiClient
from tests.factories import BranchFactory, UserFactory
from tests.undo import undo_import

pytestmark = pytest.mark.django_db
HOME = reverse("crm:home")


@pytest.fixture
def signed_in(north, client_of):
    """A browser and a program of a person."""
    north.set_unusable_password()
    north.save()
    secret = issue_token(user=north)

    class Access:
        browser, program = client_of(north), ApiClient(secret)

        def works(self) -> tuple[bool, bool]:
            return self.browser.get(HOME).status_code == 200, self.program.read("customers/").status_code == 200

    access = Access()
    assert access.works() == (True, True)
    return access


def take(head_office, *rows):
    table = read_table("\n".join(rows).encode(), "a.csv")
    report = import_table(kind=import_kinds()["people"], table=table, by=head_office)
    assert report.count(Outcome.UPDATED) == 1, report.rejected


def again(person) -> User:
    return User.objects.get(pk=person.pk)


def test_a_session_that_was_ended_is_nobodys(north, signed_in, head_office, client_of):
    end_sessions(users=[north], by=head_office)
    assert signed_in.works() == (False, True)
    assert "login" in signed_in.browser.get(HOME)["Location"]
    assert client_of(again(north)).get(HOME).status_code == 200


def test_sessions_of_others_go_on(north, south_user, head_office, client_of):
    other = client_of(south_user)
    end_sessions(users=[north], by=head_office)
    assert other.get(HOME).status_code == 200


def test_the_end_of_sessions_is_in_the_log_and_bumps_the_version(north, head_office):
    end_sessions(users=[north], by=head_office, reason="lost laptop")
    change = Change.objects.of(north).get()
    assert (change.by, change.reason, change.after) == (
        head_office,
        "lost laptop",
        {"session_version": 1, "version": 2},
    )
    assert (north.session_version, north.version) == (1, 2)


def test_sessions_and_tokens_end_together(north, signed_in, head_office):
    end_access(users=[north], by=head_office)
    assert signed_in.works() == (False, False)
    removal = Change.objects.get(table="crm_apitoken", after__isnull=True)
    assert (removal.by, removal.before["scopes"]) == (head_office, "read")


@pytest.mark.parametrize("change", ["role", "region", "is_active"])
def test_another_role_or_region_or_leaving_ends_them(north, signed_in, head_office, south_region, change):
    person = again(north)
    value = {"role": Role.ACCOUNT_MANAGER, "region": south_region, "is_active": False}[change]
    setattr(person, change, value)
    save_person(person=person, by=head_office)
    assert signed_in.works() == (False, False)
    assert not ApiToken.objects.exists()


def test_another_name_ends_nothing(north, signed_in, head_office):
    person = again(north)
    person.name = "新名"
    save_person(person=person, by=head_office)
    assert signed_in.works() == (True, True)


def test_a_stale_save_lets_nobody_in_again(north, signed_in, head_office):
    stale = again(north)
    end_access(users=[north], by=head_office)
    stale.name = "新名"
    save_person(person=stale, by=head_office)
    assert again(north).session_version == 1
    assert signed_in.works() == (False, False)


@pytest.mark.parametrize("column", ["角色,大区\nnorth,客户经理,north", "大区\nnorth,south", "在职\nnorth,否"])
def test_an_import_of_people_ends_them(north, signed_in, head_office, south_region, column):
    head, row = column.split("\n")
    take(head_office, f"用户名,{head}", row)
    assert signed_in.works() == (False, False)


def test_an_import_that_changes_a_name_ends_nothing(north, signed_in, head_office):
    take(head_office, "用户名,姓名", "north,新名")
    assert signed_in.works() == (True, True)


def test_the_administration_ends_them(north, signed_in, client_of):
    client = client_of(UserFactory(role=Role.ADMINISTRATOR))
    address = reverse("admin:crm_user_change", args=[north.pk])
    form = client.get(address).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    del values["is_active"]
    assert client.post(address, values).status_code == 302
    assert signed_in.works() == (False, False)


def test_a_branch_office_that_moves_ends_those_of_its_people(north, signed_in, head_office, north_region, south_region):
    branch = BranchFactory(region=north_region)
    User.objects.filter(pk=north.pk).update(branch=branch)
    move_branch(branch=branch, region=south_region, from_on=timezone.localdate(), by=head_office)
    assert again(north).region == south_region
    assert signed_in.works() == (False, False)


def test_an_undo_that_gives_an_earlier_role_back_lets_nobody_in_again(north, signed_in, head_office, client_of):
    one = data_imports.upload_import(
        kind="people", name="a.csv", content="用户名,角色\nnorth,客户经理".encode(), by=head_office
    )
    data_imports.start_import(data_import=one, by=head_office)
    work_on_import(job_id=one.job_id)
    between = client_of(again(north))
    assert between.get(HOME).status_code == 200
    undo_import(data_import=one, by=head_office)
    assert (again(north).role, again(north).session_version) == (Role.REGIONAL_STAFF, 2)
    assert between.get(HOME).status_code == 302
    assert signed_in.works() == (False, False)
