"""Signing in: noted, limited, in two steps where it must be; refused to whoever has left, by every way."""

import re
import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from crm.actions.tokens import issue_token
from crm.models import Change, FormerPassword, OpenSession, Role, SecurityEvent, SecurityMatter, SignInWay
from tests.factories import UserFactory

PASSWORD = "a-very-long-secret"
LOGIN, CODE = "/accounts/login/", "/accounts/2fa/authenticate/"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def wang(north_region):
    person = UserFactory(
        username="wang", name="王芳", role=Role.REGIONAL_STAFF, region=north_region, email="wang@corp.cn"
    )
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.fixture
def guest(db):
    return visitor()


def visitor(language: str = "en", address: str = "10.1.2.3") -> Client:
    return Client(headers={"accept-language": language, "user-agent": CHROME}, REMOTE_ADDR=address)


def sign_in(client: Client, password: str = PASSWORD, name: str = "wang", **more):
    return client.post(LOGIN, {"login": name, "password": password, **more})


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def code_now(secret: str = SECRET, step: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


def give_app(person) -> list[str]:
    """Set up an app; the recovery codes."""
    TOTP.activate(person, SECRET)
    return RecoveryCodes.activate(person).get_unused_codes()


def events(*what) -> list:
    return list(SecurityEvent.objects.filter(what__in=what).order_by("pk"))


# --- noted


def test_a_sign_in_is_noted_with_way_address_and_device(wang, guest):
    assert sign_in(guest)["Location"] == "/"
    [event] = SecurityEvent.objects.all()
    assert (event.what, event.user, event.way) == (SecurityMatter.SIGNED_IN, wang, SignInWay.PASSWORD)
    assert (event.address, event.device) == ("10.1.2.3", CHROME)


def test_a_wrong_password_is_noted_with_whose_account_it_was(wang, guest):
    sign_in(guest, "wrong", name="WANG")
    [event] = events(SecurityMatter.WRONG_PASSWORD)
    assert (event.user, event.name) == (wang, "")


def test_a_name_of_nobody_is_kept_by_its_beginning_alone_since_it_may_be_a_password(wang, guest):
    sign_in(guest, "wang", name=PASSWORD)
    [event] = events(SecurityMatter.WRONG_PASSWORD)
    assert (event.user, event.name) == (None, "a-v…")


@pytest.mark.parametrize("name", ["'; DROP TABLE crm_user;--", "=1+1", "名" * 150, "x" * 600, "\x00"])
def test_any_name_may_be_tried(wang, guest, name):
    assert sign_in(guest, name=name).status_code == 200
    assert not is_in(guest)


# --- limited


def try_often(client: Client, times: int = 5, name: str = "wang"):
    for _ in range(times):
        answer = sign_in(client, "wrong", name=name)
    return answer


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Wait 5 minutes, then try again"), ("zh-hans", "请等待 5 分钟后再试")]
)
def test_after_five_wrong_passwords_one_is_told_how_long_to_wait(wang, language, words):
    client = visitor(language)
    with time_machine.travel("2026-03-02T09:00:00+08:00", tick=False):
        assert words not in try_often(client).content.decode()
        assert words in sign_in(client, "wrong").content.decode()


def test_meanwhile_the_right_password_opens_nothing_from_anywhere(wang):
    try_often(visitor())
    elsewhere = visitor(address="10.9.9.9")
    assert sign_in(elsewhere, name="Wang ").status_code == 200
    assert not is_in(elsewhere)
    assert [event.user for event in events(SecurityMatter.LOCKED)] == [wang]
    assert events(SecurityMatter.SIGNED_IN) == []


def test_the_lock_opens_when_its_time_is_up(wang, guest):
    with time_machine.travel("2026-03-02T09:00:00+08:00") as clock:
        try_often(guest, 6)
        clock.shift(301)
        assert sign_in(guest)["Location"] == "/"


def test_an_account_of_nobody_is_locked_alike(guest):
    try_often(guest, name="nobody")
    assert "Too many wrong tries" in sign_in(guest, name="nobody").content.decode()


def test_a_good_password_does_not_use_up_tries(wang):
    for _ in range(7):
        client = visitor()
        sign_in(client)
        assert is_in(client)


def test_one_address_that_tries_many_names_is_told_to_wait(wang, guest):
    for number in range(10):
        sign_in(guest, "wrong", name=f"name{number}")
    page = sign_in(guest).content.decode()
    assert "Too many wrong tries" in page
    assert not is_in(guest)
    assert sign_in(visitor(address="10.9.9.9"))["Location"] == "/"


def test_too_many_requests_of_any_kind_get_a_page_that_says_when_to_come_again(wang, guest):
    for number in range(31):
        answer = sign_in(guest, "wrong", name=f"name{number}")
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert "Too many tries" in answer.content.decode()


# --- in two steps


def test_with_an_app_the_password_alone_opens_nothing(wang, guest):
    give_app(wang)
    assert sign_in(guest)["Location"] == CODE
    assert not is_in(guest)
    assert guest.post(CODE, {"code": code_now()})["Location"] == "/"
    assert events(SecurityMatter.SIGNED_IN)[0].way == SignInWay.APP_CODE


def test_a_recovery_code_opens_once(wang):
    code = give_app(wang)[0]
    for opens in (True, False):
        client = visitor()
        sign_in(client)
        client.post(CODE, {"code": code})
        assert is_in(client) is opens
    assert events(SecurityMatter.SIGNED_IN)[0].way == SignInWay.RECOVERY_CODE
    assert len(events(SecurityMatter.WRONG_CODE)) == 1


def test_a_code_of_the_half_minute_before_counts_but_no_code_counts_twice(wang):
    give_app(wang)
    with time_machine.travel("2026-03-02T09:00:05+08:00") as clock:
        code = code_now(step=-1)
        first, second, late = visitor(), visitor(), visitor()
        for client in (first, second, late):
            sign_in(client)
        first.post(CODE, {"code": code})
        assert is_in(first)
        clock.shift(20)  # allauth has not forgotten it yet
        second.post(CODE, {"code": f" {code[:3]} {code[3:]}"})
        assert not is_in(second)
        later = code_now()
        first.post("/accounts/logout/")
        sign_in(first)
        first.post(CODE, {"code": later})
        clock.shift(35)  # allauth has forgotten it and would take it again
        late.post(CODE, {"code": later})
        assert not is_in(late)


def test_wrong_codes_lock_too(wang, guest):
    give_app(wang)
    sign_in(guest)
    for _ in range(5):
        guest.post(CODE, {"code": "000000"})
    page = guest.post(CODE, {"code": code_now()}).content.decode()
    assert "Too many wrong tries. Wait 5 minutes" in page
    assert not is_in(guest)
    assert len(events(SecurityMatter.WRONG_CODE)) == 5
    assert len(events(SecurityMatter.LOCKED)) == 1


@pytest.mark.django_db(transaction=True)
def test_an_app_is_set_up_with_a_picture_and_codes_that_are_shown_once(wang, guest):
    sign_in(guest)
    page = guest.get("/accounts/2fa/totp/activate/")
    html = page.content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", html)[1]
    assert "<svg" in html
    assert "style=" not in html
    assert "data:" not in html
    done = guest.post("/accounts/2fa/totp/activate/", {"code": code_now(secret)})
    codes_page = guest.get(done["Location"])
    shown = re.findall(r"<code>(\d{8})</code>", codes_page.content.decode())
    assert len(shown) == 10
    assert "no-store" in codes_page["Cache-Control"]
    again = guest.get(done["Location"]).content.decode()
    assert "10 of 10 codes are left" in again
    assert not any(code in again for code in shown)
    assert guest.get("/accounts/2fa/recovery-codes/download/").status_code == 403
    guest.post("/accounts/2fa/recovery-codes/generate/")
    fresh = re.findall(r"<code>(\d{8})</code>", guest.get(done["Location"]).content.decode())
    assert len(fresh) == 10
    assert not set(fresh) & set(shown)
    assert len(events(SecurityMatter.SECOND_FACTOR_ON, SecurityMatter.RECOVERY_CODES)) == 2


def test_a_wrong_code_does_not_switch_it_on(wang, guest):
    sign_in(guest)
    guest.get("/accounts/2fa/totp/activate/")
    assert "This code is not right." in guest.post("/accounts/2fa/totp/activate/", {"code": "123"}).content.decode()
    assert not Authenticator.objects.exists()


# --- a second factor that must be


def test_who_must_have_a_second_factor_sets_it_up_before_anything_else(wang, guest, settings, api_of):
    settings.MFA_REQUIRED_ROLES = [Role.REGIONAL_STAFF]
    sign_in(guest)
    setup = "/accounts/2fa/totp/activate/"
    for address in ("/", "/customers/", "/admin/", "/account/tokens/new/", "/accounts/password/change/"):
        assert guest.get(address)["Location"] == setup
    refused = guest.get("/api/v1/customers/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    assert guest.get("/customers/", headers={"HX-Request": "true"})["HX-Redirect"] == setup
    page = guest.get(setup)
    assert "Your role needs two-step sign-in" in page.content.decode()
    assert api_of(wang).get("/api/v1/customers/").status_code == 200
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.content.decode())[1]
    guest.post(setup, {"code": code_now(secret)})
    assert guest.get("/").status_code == 200


@pytest.fixture
def api_of():
    return lambda person: Client(headers={"authorization": f"Bearer {issue_token(user=person)}"})


@pytest.mark.parametrize("roles", [[], ["administrator"]])
def test_others_are_left_alone(wang, guest, settings, roles):
    settings.MFA_REQUIRED_ROLES = roles
    sign_in(guest)
    assert guest.get("/").status_code == 200


def test_whoever_must_have_it_cannot_switch_it_off(wang, guest, settings):
    settings.MFA_REQUIRED_ROLES = ["all"]
    give_app(wang)
    sign_in(guest)
    guest.post(CODE, {"code": code_now()})
    page = guest.post("/accounts/2fa/totp/deactivate/").content.decode()
    assert "Your role needs two-step sign-in: it cannot be switched off." in page
    assert Authenticator.objects.count() == 2
    settings.MFA_REQUIRED_ROLES = []
    guest.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()


# --- asked once more


def test_after_a_while_a_token_asks_once_more_who_it_is(wang, guest):
    with time_machine.travel("2026-03-02T09:00:00+08:00") as clock:
        sign_in(guest)
        assert guest.get("/account/tokens/new/").status_code == 200
        clock.shift(901)
        asked = guest.get("/account/tokens/new/")
        assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
        confirmed = guest.post(asked["Location"], {"password": PASSWORD})
        assert confirmed["Location"] == "/account/tokens/new/"
        assert guest.get("/account/tokens/new/").status_code == 200


def test_a_password_of_somebody_else_asks_once_more_and_does_not_wait_in_the_session(client_of, head_office, wang):
    client = client_of(head_office)
    form = {
        "username": "wang",
        "name": "王芳",
        "role": Role.EXECUTIVE,
        "is_active": "on",
        "new_password": "another-long-secret",
        "read_version": wang.version,
    }
    address = reverse("admin:crm_user_change", args=[wang.pk])
    with time_machine.travel(time.time() + 1000):
        assert client.post(address, form)["Location"].startswith("/accounts/reauthenticate/?next=%2Fadmin%2F")
        assert "another-long-secret" not in str(dict(client.session))
    wang.refresh_from_db()
    assert wang.check_password(PASSWORD)
    assert client.post(address, form).status_code == 302
    wang.refresh_from_db()
    assert wang.check_password("another-long-secret")


def test_the_confirming_password_is_limited_as_well(wang, guest):
    sign_in(guest)
    for _ in range(5):
        guest.post("/accounts/reauthenticate/", {"password": "wrong"})
    assert "Too many wrong tries" in guest.post("/accounts/reauthenticate/", {"password": PASSWORD}).content.decode()


# --- shut out


def close(person) -> None:
    type(person).objects.filter(pk=person.pk).update(is_active=False)


def test_a_closed_account_does_not_open_with_the_right_password(wang, guest):
    close(wang)
    assert sign_in(guest)["Location"] == "/accounts/inactive/"
    assert not is_in(guest)
    assert [event.user for event in events(SecurityMatter.CLOSED)] == [wang]


def test_closed_between_password_and_code_it_does_not_open_either(wang, guest):
    give_app(wang)
    sign_in(guest)
    close(wang)
    assert guest.post(CODE, {"code": code_now()})["Location"] == "/accounts/inactive/"
    assert (OpenSession.objects.count(), events(SecurityMatter.SIGNED_IN)) == (0, [])


def test_a_new_password_between_password_and_code_begins_again(wang, guest):
    give_app(wang)
    sign_in(guest)
    wang.set_password("quite-another-secret")
    wang.save()
    assert guest.post(CODE, {"code": code_now()})["Location"] == LOGIN
    assert not is_in(guest)


def test_closed_while_signed_in_every_page_and_every_confirmation_is_shut(wang, guest):
    sign_in(guest)
    close(wang)
    for address in ("/", "/account/", "/accounts/reauthenticate/", "/accounts/2fa/totp/activate/"):
        answer = guest.get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith(LOGIN)
    assert guest.get("/api/v1/customers/").status_code == 401


def test_a_session_whose_hash_is_stale_is_signed_out(wang, guest, monkeypatch):
    sign_in(guest)
    monkeypatch.setattr(type(wang), "get_session_auth_hash", lambda self: "moved on")
    monkeypatch.setattr(type(wang), "get_session_auth_fallback_hash", lambda self: iter(()))
    assert not is_in(guest)


def test_signing_up_is_closed_by_every_door(guest):
    page = guest.get("/accounts/signup/")
    assert "Accounts are made by an administrator" in page.content.decode()
    guest.post("/accounts/signup/", {"username": "new", "password1": PASSWORD})
    for address in ("email/", "confirm-email/", "login/code/", "social/signup/", "3rdparty/", "oidc/x/login/"):
        assert guest.get(f"/accounts/{address}").status_code == 404
    assert not SecurityEvent.objects.exists()
    assert not type(UserFactory.build()).objects.filter(username="new").exists()


# --- forgotten passwords


def asked_for_link(client: Client, email: str = "wang@corp.cn") -> str:
    client.post("/accounts/password/reset/", {"email": email})
    return re.search(r"http://testserver(/\S+)", mail.outbox[-1].body)[1] if mail.outbox else ""


@pytest.mark.parametrize(
    ("page_language", "own", "subject", "words"),
    [
        ("en", "", "Hengke: choose a new password", "Your user name is wang."),
        ("zh-hans", "", "衡客：设置新密码", "您的用户名是wang。"),
        ("en", "zh-hans", "衡客：设置新密码", "您的用户名是wang。"),
    ],
)
def test_the_mail_speaks_the_language_of_its_reader(wang, page_language, own, subject, words):
    wang.language = own
    wang.save()
    asked_for_link(visitor(page_language))
    assert (mail.outbox[0].subject, mail.outbox[0].to) == (subject, ["wang@corp.cn"])
    assert words in mail.outbox[0].body


def test_the_link_sets_a_new_password_once_ends_all_sessions_and_opens_the_lock(wang, guest):
    signed_in = visitor()
    sign_in(signed_in)
    try_often(guest, 6)
    link = guest.get(asked_for_link(guest))["Location"]
    new = {"password1": "quite-another-secret", "password2": "quite-another-secret"}
    assert guest.post(link, new)["Location"] == "/accounts/password/reset/key/done/"
    assert not is_in(signed_in)
    assert [event.user for event in events(SecurityMatter.PASSWORD_RESET)] == [wang]
    assert sign_in(guest, "quite-another-secret")["Location"] == "/"
    assert "no longer works" in visitor().get(re.search(r"(/accounts/\S+)", mail.outbox[0].body)[1]).content.decode()


def test_nobody_else_gets_mail_and_the_page_does_not_tell(wang, guest):
    close(UserFactory(username="left", email="left@corp.cn"))
    for email in ("stranger@corp.cn", "left@corp.cn", "wang@corp.cn"):
        answer = guest.post("/accounts/password/reset/", {"email": email})
        assert answer["Location"] == "/accounts/password/reset/done/"
    assert [message.to for message in mail.outbox] == [["wang@corp.cn"]]


def test_a_link_from_before_the_account_was_closed_no_longer_works(wang, guest):
    link = asked_for_link(guest)
    form = guest.get(link)["Location"]
    close(wang)
    for page in (guest.get(form), visitor().get(link)):
        assert "This link no longer works" in page.content.decode()
    guest.post(form, {"password1": "quite-another-secret", "password2": "quite-another-secret"})
    wang.refresh_from_db()
    assert wang.check_password(PASSWORD)


# --- passwords


def change(client: Client, new: str, old: str = PASSWORD):
    return client.post("/accounts/password/change/", {"oldpassword": old, "password1": new, "password2": new})


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short1", "too short"),
        ("password123", "too common"),
        ("12345678901", "entirely numeric"),
        ("wang@corp.cn", "too similar to the email"),
        (PASSWORD, "Your last 5 passwords cannot be used again."),
    ],
)
def test_a_password_that_is_easy_to_guess_or_was_used_is_refused(wang, guest, password, says):
    sign_in(guest)
    assert says in change(guest, password).content.decode()


def test_a_changed_password_ends_the_other_sessions_and_stays_in_the_log(wang, guest):
    other = visitor()
    sign_in(other)
    sign_in(guest)
    assert change(guest, "quite-another-secret")["Location"] == "/account/"
    assert is_in(guest)
    assert not is_in(other)
    assert [row.key for row in OpenSession.objects.all()] == [guest.session.session_key]
    row = Change.objects.get(table="crm_user")
    assert (row.by, set(row.after)) == (wang, {"password"})
    assert [event.user for event in events(SecurityMatter.PASSWORD_CHANGED)] == [wang]


def test_none_of_the_last_five_passwords_comes_back(wang, guest):
    sign_in(guest)
    old = PASSWORD
    for number in range(5):
        cache.clear()
        new = f"number-{number}-of-my-secrets"
        assert change(guest, new, old)["Location"] == "/account/"
        old = new
    cache.clear()
    assert "cannot be used again" in change(guest, "number-0-of-my-secrets", old).content.decode()
    assert FormerPassword.objects.filter(user=wang).count() == 5
    assert change(guest, PASSWORD, old)["Location"] == "/account/"


def test_a_password_that_an_administrator_sets_counts_among_them(wang, client_of, head_office):
    wang.set_password("set-by-an-administrator")
    wang.save()
    newest = FormerPassword.objects.last_of(wang).first()
    assert newest.encoded == wang.password
