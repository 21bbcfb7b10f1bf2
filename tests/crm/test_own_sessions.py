"""The sessions of an account: listed with device and address, ended at once; and what else its page shows."""

import time
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from crm.actions.open_sessions import forget_run_out_sessions, sessions_of
from crm.actions.security_events import KEPT, record_event
from crm.lib.devices import device_in_words
from crm.models import AUDITORS, OpenSession, Role, SecurityEvent, SecurityMatter
from crm.permissions import ROLES, Permission
from crm.tasks import forget_old_sign_ins
from crm.visitor import Visitor
from tests.crm.test_accounts import PASSWORD, change, give_app, is_in, sign_in, visitor
from tests.factories import UserFactory
from tests.pages import queries_of

OWN = "/account/"


@pytest.fixture
def wang(north_region):
    person = UserFactory(username="wang", name="王芳", role=Role.REGIONAL_STAFF, region=north_region)
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.fixture
def administrator(db):
    return UserFactory(username="admin", name="管理员", role=Role.ADMINISTRATOR)


def signed_in(**more):
    client = visitor(**more)
    assert sign_in(client).status_code == 302
    return client


# --- one's own


def test_the_page_lists_each_session_and_marks_this_one(wang):
    signed_in(address="10.0.0.7")
    page = signed_in(address="10.0.0.8").get(OWN).content.decode()
    assert page.count("Chrome on Windows") >= 2
    assert page.count("this one") == 1
    assert "10.0.0.7" in page
    assert "10.0.0.8" in page


def test_the_page_speaks_chinese(wang):
    page = signed_in(language="zh-hans").get(OWN).content.decode()
    for words in ("登录与安全", "会话", "近期登录与变更", "Windows 上的 Chrome", "两步验证", "登录成功"):
        assert words in page


def test_an_ended_session_is_signed_out_at_once(wang):
    here, there = signed_in(), signed_in()
    session = OpenSession.objects.get(key=there.session.session_key)
    assert here.post(reverse("crm:end-session", args=[session.pk]))["Location"] == OWN
    assert not is_in(there)
    assert is_in(here)
    assert here.post(reverse("crm:end-session", args=[session.pk])).status_code == 404


def test_all_others_end_together_and_this_one_stays(wang):
    here, others = signed_in(), [signed_in(), signed_in()]
    assert here.post(reverse("crm:end-sessions", args=[wang.pk]))["Location"] == OWN
    assert [is_in(other) for other in others] == [False, False]
    assert "2 sessions have been ended." in here.get(OWN).content.decode()
    assert SecurityEvent.objects.get(what=SecurityMatter.SESSIONS_ENDED).by is None
    here.post(reverse("crm:end-sessions", args=[wang.pk]))
    assert "There was no other session." in here.get(OWN).content.decode()


def test_reading_ends_nothing(wang):
    here = signed_in()
    assert here.get(reverse("crm:end-sessions", args=[wang.pk])).status_code == 405


def test_signing_out_takes_the_session_off_the_list(wang):
    client = signed_in()
    client.post("/accounts/logout/")
    assert sessions_of(wang) == []
    assert not OpenSession.objects.exists()


def test_a_session_that_lets_nobody_in_any_more_is_not_listed(wang):
    signed_in()
    wang.set_password("set-elsewhere-by-somebody")
    wang.save()
    assert OpenSession.objects.count() == 1
    assert sessions_of(wang) == []


def test_a_changed_password_keeps_this_session_on_the_list(wang):
    client = signed_in()
    key = client.session.session_key
    change(client, "quite-another-secret")
    assert client.session.session_key != key
    wang.refresh_from_db()
    assert [session.key for session in sessions_of(wang)] == [client.session.session_key]


def test_use_is_noted_every_five_minutes_and_costs_nothing_in_between(wang):
    client = signed_in()
    first = OpenSession.objects.get().last_seen_at
    usual = queries_of(client, OWN)
    assert OpenSession.objects.get().last_seen_at == first
    with time_machine.travel(time.time() + 301):
        client.get(OWN, REMOTE_ADDR="10.0.0.99")
        assert OpenSession.objects.get().last_seen_at > first + timedelta(minutes=5)
        assert OpenSession.objects.get().address == "10.0.0.99"
        assert queries_of(client, OWN) == usual


def test_the_page_needs_the_same_queries_however_much_there_is_to_show(wang):
    client = signed_in()
    give_app(wang)
    few = queries_of(client, OWN)
    for _ in range(8):
        other = visitor()
        other.force_login(wang)
        now = timezone.now()
        key = other.session.session_key
        OpenSession.objects.create(user=wang, key=key, signed_in_at=now, last_seen_at=now)
        record_event(SecurityMatter.SIGNED_IN, user=wang, visitor=Visitor())
    assert queries_of(client, OWN) == few <= 15
    assert len(sessions_of(wang)) == 9


def test_without_signing_in_there_is_nothing(db):
    for address in (OWN, reverse("crm:list-sessions", args=[1])):
        assert visitor().get(address)["Location"].startswith("/accounts/login/")


# --- somebody else's


def test_who_keeps_accounts_sees_and_ends_the_sessions_of_others(wang, administrator, client_of):
    theirs, admin = signed_in(), client_of(administrator)
    address = reverse("crm:list-sessions", args=[wang.pk])
    page = admin.get(address).content.decode()
    assert "Sign-ins of 王芳" in page
    assert "this one" not in page
    assert admin.post(reverse("crm:end-sessions", args=[wang.pk]))["Location"] == address
    assert not is_in(theirs)
    [event] = SecurityEvent.objects.filter(what=SecurityMatter.SESSIONS_ENDED)
    assert (event.user, event.by) == (wang, administrator)
    assert "by 管理员" in admin.get(address).content.decode()


def test_htmx_gets_the_fragment_alone(wang, administrator, client_of):
    signed_in()
    fragment = client_of(administrator).get(
        reverse("crm:list-sessions", args=[wang.pk]), headers={"HX-Request": "true"}
    )
    html = fragment.content.decode()
    assert "<html" not in html
    assert "Chrome on Windows" in html


@pytest.mark.parametrize("who", ["north", "south_user"])
def test_for_others_they_do_not_exist(wang, who, client_of, request):
    signed_in()
    session = OpenSession.objects.get()
    client = client_of(request.getfixturevalue(who))
    for answer in (
        client.get(reverse("crm:list-sessions", args=[wang.pk])),
        client.post(reverse("crm:end-sessions", args=[wang.pk])),
        client.post(reverse("crm:end-session", args=[session.pk])),
        client.get(reverse("crm:list-sessions", args=[999_999])),
    ):
        assert answer.status_code == 404
        assert "王芳" not in answer.content.decode()
    assert client.get(reverse("crm:remove-second-factor", args=[wang.pk])).status_code == 403
    assert OpenSession.objects.filter(pk=session.pk).exists()


def test_one_sees_ones_own_events_alone_and_auditors_everybodys(wang, north, administrator, head_office):
    record_event(SecurityMatter.SIGNED_IN, user=wang, visitor=Visitor())
    seen = {who.username: SecurityEvent.objects.visible_to(who).count() for who in (wang, north, administrator)}
    assert seen == {"wang": 1, "north": 0, "admin": 1}
    assert SecurityEvent.objects.visible_to(head_office).exists()


def test_a_lost_phone_is_taken_off_the_account_by_an_administrator(wang, administrator, client_of):
    theirs = signed_in()
    give_app(wang)
    admin = client_of(administrator)
    address = reverse("crm:remove-second-factor", args=[wang.pk])
    assert "Remove two-step sign-in" in admin.get(reverse("crm:list-sessions", args=[wang.pk])).content.decode()
    assert "王芳" in admin.get(address).content.decode()
    assert Authenticator.objects.count() == 2
    admin.post(address)
    assert not Authenticator.objects.exists()
    assert not is_in(theirs)
    event = SecurityEvent.objects.get(what=SecurityMatter.SECOND_FACTOR_OFF)
    assert (event.user, event.by) == (wang, administrator)
    assert admin.post(address).status_code == 302
    assert is_in(signed_in())


def test_a_command_does_it_for_the_administrator_who_lost_his_own(administrator, capsys):
    give_app(administrator)
    call_command("remove_second_factor", "admin")
    call_command("remove_second_factor", "admin")
    assert capsys.readouterr().out == "Removed.\nadmin has no second factor.\n"
    assert not Authenticator.objects.exists()
    with pytest.raises(CommandError, match="no person with the user name 'nobody'"):
        call_command("remove_second_factor", "nobody")


def test_nobody_removes_his_own_second_factor_there(administrator, client_of):
    give_app(administrator)
    address = reverse("crm:remove-second-factor", args=[administrator.pk])
    assert client_of(administrator).post(address).status_code == 403
    assert Authenticator.objects.exists()


def test_those_who_see_everybodys_sessions_are_those_who_keep_accounts_and_read_the_log():
    for permission in (Permission.EDIT_USERS, Permission.VIEW_AUDIT):
        assert {role for role, allowed in ROLES.items() if permission in allowed} == AUDITORS


# --- forgotten


def test_the_log_is_kept_for_half_a_year(wang):
    for age in (KEPT - timedelta(days=1), KEPT + timedelta(days=1)):
        event = record_event(SecurityMatter.SIGNED_IN, user=wang, visitor=Visitor())
        SecurityEvent.objects.filter(pk=event.pk).update(at=timezone.now() - age)
    for _ in range(2):
        forget_old_sign_ins()
        assert SecurityEvent.objects.count() == 1


def test_sessions_whose_time_is_up_are_forgotten(wang):
    signed_in()
    assert forget_run_out_sessions(now=timezone.now()) == 0
    assert OpenSession.objects.count() == 1
    later = timezone.now() + timedelta(days=40)
    with time_machine.travel(later):
        assert sessions_of(wang) == []
    assert forget_run_out_sessions(now=later) == 1
    assert not OpenSession.objects.exists()


# --- in the administration


def test_the_log_stands_in_the_administration_to_read(wang, administrator, client_of):
    signed_in()
    admin = client_of(administrator)
    page = admin.get(reverse("admin:crm_securityevent_changelist")).content.decode()
    assert "Signed in" in page
    assert "Chrome on Windows" in page
    assert admin.get(reverse("admin:crm_securityevent_add")).status_code == 403


# --- devices


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) CriOS/120.0 Safari/604.1", "Chrome on iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/116.0 Mobile wxwork/4.1.30 MicroMessenger/7.0", "WeCom on Android"),
        ("Mozilla/5.0 (Linux; Android 12; HarmonyOS) Chrome/114.0 Mobile DingTalk/7.0", "DingTalk on HarmonyOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox on Linux"),
        ("curl/8.0", "unknown device"),
        ("", "unknown device"),
    ],
)
def test_a_device_is_named_as_people_call_it(said, words):
    assert device_in_words(said) == words
