"""Signing in with the company's own account, against servers of this machine that speak as the real ones do."""

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from crm import identity_providers
from crm.actions.company_accounts import save_company_account
from crm.identity_providers.base import Attempt, NotVouchedFor
from crm.identity_providers.dingtalk import DingTalk
from crm.identity_providers.feishu import Feishu
from crm.identity_providers.oidc import OpenIdConnect
from crm.identity_providers.wecom import WeCom
from crm.lib.outbound import AskingFailed, ask
from crm.models import Change, CompanyAccount, OpenSession, Role, SecurityEvent, SecurityMatter, User
from tests.crm.test_accounts import CODE, code_now, give_app, is_in
from tests.factories import UserFactory

ATTEMPT = Attempt(state="s", nonce="n-1", verifier="v" * 50, back="https://crm.corp.cn/back/")
ALL = ("oidc", "wecom", "dingtalk", "feishu")


# --- servers


class Server:
    """Answers by path; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.answers: dict[str, object] = {}
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, object]:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0)).decode()
        self.asked.append(
            {
                "path": parts.path,
                "query": {name: values[0] for name, values in parse_qs(parts.query).items()},
                "body": body,
                "headers": {name.lower(): value for name, value in handler.headers.items()},
            }
        )
        said = self.answers.get(parts.path, (404, {}))
        said = said() if isinstance(said, Callable) else said
        return said if isinstance(said, tuple) else (200, said)

    def form(self, at: int = -1) -> dict:
        return {name: values[0] for name, values in parse_qs(self.asked[at]["body"]).items()}


@contextmanager
def running(server: Server):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, said = server.answer(self)
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{server.url}/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *args) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = False
    server.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
def server():
    with running(Server()) as started:
        yield started


def token_of(**claims) -> str:
    def part(value) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2ln"


def claims_of(server: Server, **changes) -> dict:
    return {"iss": server.url, "aud": "hengke", "exp": time.time() + 300, "nonce": "n-1", "sub": "u-1"} | changes


def speak_oidc(server: Server, *, userinfo: dict | None = None, **claims) -> None:
    server.answers |= {
        "/.well-known/openid-configuration": lambda: (
            {
                "issuer": server.url,
                "authorization_endpoint": f"{server.url}/authorize",
                "token_endpoint": f"{server.url}/token",
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
            | ({"userinfo_endpoint": f"{server.url}/me"} if userinfo else {})
        ),
        "/token": lambda: {"access_token": "at", "id_token": token_of(**claims_of(server, **claims))},
        "/me": userinfo or {},
    }


def speak_wecom(server: Server, **said) -> None:
    server.answers |= {
        "/cgi-bin/gettoken": {"errcode": 0, "errmsg": "ok", "access_token": "at", "expires_in": 7200},
        "/cgi-bin/auth/getuserinfo": {"errcode": 0, "errmsg": "ok"} | (said or {"userid": "WangFang"}),
    }


def speak_dingtalk(server: Server, **said) -> None:
    server.answers |= {
        "/v1.0/oauth2/userAccessToken": {"accessToken": "ut", "refreshToken": "rt", "expireIn": 7200},
        "/v1.0/contact/users/me": {"nick": "王芳", "unionId": "un-1", "openId": "op-1", "email": "wang@corp.cn"},
        "/v1.0/oauth2/accessToken": {"accessToken": "ct", "expireIn": 7200},
        "/topapi/user/getbyunionid": {"errcode": 0, "result": {"contact_type": 0, "userid": "manager4220"}} | said,
    }


def speak_feishu(server: Server, **person) -> None:
    known = {"open_id": "ou-1", "name": "王芳", "email": "own@qq.com"}
    server.answers |= {
        "/open-apis/authen/v2/oauth/token": {"code": 0, "access_token": "at", "expires_in": 7200},
        "/open-apis/authen/v1/user_info": {"code": 0, "msg": "success", "data": known | person},
    }


def oidc(server: Server, **more) -> OpenIdConnect:
    return OpenIdConnect(server.url, "hengke", "secret", **more)


def wecom(server: Server) -> WeCom:
    return WeCom("ww1", "1000002", "secret", entrance=server.url, api=server.url)


def dingtalk(server: Server) -> DingTalk:
    return DingTalk("key", "secret", api=server.url, old_api=server.url)


def feishu(server: Server) -> Feishu:
    return Feishu("cli_1", "secret", api=server.url)


# --- OpenID Connect


def test_oidc_sends_the_browser_with_state_nonce_and_challenge(server):
    speak_oidc(server)
    address = urlsplit(oidc(server).address(ATTEMPT))
    sent = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert address.path == "/authorize"
    assert (sent["state"], sent["nonce"], sent["redirect_uri"]) == ("s", "n-1", ATTEMPT.back)
    assert sent["code_challenge_method"] == "S256"
    assert sent["code_challenge"] not in ("", ATTEMPT.verifier)


def test_oidc_exchanges_the_code_with_the_verifier_and_says_who_it_is(server):
    speak_oidc(server, email="Wang@corp.cn", email_verified=True)
    vouched = oidc(server).identify("c-1", ATTEMPT)
    assert (vouched.subjects, vouched.email) == (("u-1",), "Wang@corp.cn")
    form = server.form()
    assert (form["code"], form["code_verifier"], form["client_secret"]) == ("c-1", ATTEMPT.verifier, "secret")


def test_oidc_the_secret_goes_into_the_header_where_the_provider_wants_it_there(server):
    speak_oidc(server)
    described = server.answers["/.well-known/openid-configuration"]
    server.answers["/.well-known/openid-configuration"] = lambda: {
        name: value for name, value in described().items() if name != "token_endpoint_auth_methods_supported"
    }
    oidc(server).identify("c-1", ATTEMPT)
    assert "client_secret" not in server.form()
    assert server.asked[-1]["headers"]["authorization"] == "Basic " + base64.b64encode(b"hengke:secret").decode()


@pytest.mark.parametrize("verified", [False, None, "no", 0])
def test_oidc_an_email_that_is_not_vouched_for_is_none(server, verified):
    speak_oidc(server, email="wang@corp.cn", email_verified=verified)
    assert oidc(server).identify("c-1", ATTEMPT).email == ""


def test_oidc_userinfo_adds_what_the_token_does_not_hold_and_another_claim_may_link(server):
    speak_oidc(server, userinfo={"sub": "u-1", "employee": "E7", "email": "w@corp.cn", "email_verified": True})
    vouched = oidc(server, id_claim="employee").identify("c-1", ATTEMPT)
    assert (vouched.subjects, vouched.email) == (("E7",), "w@corp.cn")
    assert server.asked[-1]["headers"]["authorization"] == "Bearer at"


def test_oidc_an_address_and_its_proof_come_from_one_place(server):
    speak_oidc(server, userinfo={"sub": "u-1", "email": "own@x.cn", "email_verified": True}, email="boss@corp.cn")
    assert oidc(server).identify("c-1", ATTEMPT).email == ""


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"iss": "https://elsewhere.com"}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["hengke", "another"], "azp": "another"}, "party"),
        ({"exp": 1}, "time"),
        ({"exp": None}, "time"),
        ({"nonce": "n-2"}, "nonce"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
    ],
)
def test_oidc_a_token_that_is_not_right_opens_nothing(server, claims, says):
    speak_oidc(server, **claims)
    with pytest.raises(NotVouchedFor, match=says):
        oidc(server).identify("c-1", ATTEMPT)


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.!!.c", "a.W10.c", "a.MQ.c"])
def test_oidc_a_token_that_cannot_be_read_opens_nothing(server, token):
    speak_oidc(server)
    server.answers["/token"] = {"access_token": "at", "id_token": token}
    with pytest.raises(NotVouchedFor):
        oidc(server).identify("c-1", ATTEMPT)


def test_oidc_userinfo_of_somebody_else_opens_nothing(server):
    speak_oidc(server, userinfo={"sub": "u-2"})
    with pytest.raises(NotVouchedFor, match="somebody else"):
        oidc(server).identify("c-1", ATTEMPT)


def test_oidc_a_description_of_another_issuer_is_refused(server):
    speak_oidc(server)
    with pytest.raises(NotVouchedFor, match="another issuer"):
        OpenIdConnect(f"{server.url}/", "hengke", "secret").address(ATTEMPT)


# --- WeCom


def test_wecom_shows_its_picture_for_the_companys_application(server):
    address = urlsplit(wecom(server).address(ATTEMPT))
    sent = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert address.path == "/wwlogin/sso/login"
    assert (sent["login_type"], sent["appid"], sent["agentid"]) == ("CorpApp", "ww1", "1000002")
    assert (sent["state"], sent["redirect_uri"]) == ("s", ATTEMPT.back)


def test_wecom_says_the_members_id_and_is_asked_for_a_token_once(server):
    speak_wecom(server)
    for code in ("c-1", "c-2"):
        assert wecom(server).identify(code, ATTEMPT).subjects == ("WangFang",)
    paths = [asked["path"] for asked in server.asked]
    assert paths == ["/cgi-bin/gettoken", "/cgi-bin/auth/getuserinfo", "/cgi-bin/auth/getuserinfo"]
    assert server.asked[0]["query"] == {"corpid": "ww1", "corpsecret": "secret"}
    assert server.asked[-1]["query"] == {"access_token": "at", "code": "c-2"}


@pytest.mark.parametrize(
    "said", [{"openid": "o-1", "external_userid": "ex"}, {"errcode": 40029}, {"userid": ""}, {"userid": 5}]
)
def test_wecom_who_is_no_member_of_the_company_has_no_id(server, said):
    speak_wecom(server, **said)
    with pytest.raises(NotVouchedFor):
        wecom(server).identify("c-1", ATTEMPT)


def test_wecom_a_wrong_secret_is_an_error_by_name(server):
    server.answers["/cgi-bin/gettoken"] = {"errcode": 40001, "errmsg": "invalid credential"}
    with pytest.raises(NotVouchedFor, match="40001"):
        wecom(server).identify("c-1", ATTEMPT)


# --- DingTalk


def test_dingtalk_says_the_members_id_and_no_email_since_people_write_that_themselves(server):
    speak_dingtalk(server)
    vouched = dingtalk(server).identify("c-1", ATTEMPT)
    assert (vouched.subjects, vouched.email) == (("manager4220",), "")
    assert json.loads(server.asked[0]["body"])["code"] == "c-1"
    assert server.asked[1]["headers"]["x-acs-dingtalk-access-token"] == "ut"
    assert server.form() == {"unionid": "un-1"}


@pytest.mark.parametrize(
    "said",
    [{"errcode": 60121, "errmsg": "not found"}, {"result": {"contact_type": 1, "userid": "x"}}, {"result": None}],
)
def test_dingtalk_who_is_outside_the_company_is_not_vouched_for(server, said):
    speak_dingtalk(server, **said)
    with pytest.raises(NotVouchedFor):
        dingtalk(server).identify("c-1", ATTEMPT)


# --- Feishu


def test_feishu_says_both_ids_and_the_companys_email_alone(server):
    speak_feishu(server, user_id="e33ggbyz", enterprise_email="wang@corp.cn")
    vouched = feishu(server).identify("c-1", ATTEMPT)
    assert (vouched.subjects, vouched.email) == (("e33ggbyz", "ou-1"), "wang@corp.cn")
    speak_feishu(server)
    vouched = feishu(server).identify("c-1", ATTEMPT)
    assert (vouched.subjects, vouched.email) == (("ou-1",), "")


def test_feishu_an_error_opens_nothing(server):
    speak_feishu(server)
    server.answers["/open-apis/authen/v2/oauth/token"] = {"code": 20003, "error": "invalid_grant"}
    with pytest.raises(NotVouchedFor, match="20003"):
        feishu(server).identify("c-1", ATTEMPT)


# --- asking


@pytest.mark.parametrize("said", [(500, {}), (302, {}), b"<html>", b"[1]", b"\xff"])
def test_an_answer_that_is_none_is_an_error_by_name(server, said):
    server.answers["/x"] = said
    with pytest.raises(AskingFailed):
        ask(f"{server.url}/x")
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "http://127.0.0.1:9/x"])
def test_only_servers_are_asked(url):
    with pytest.raises(AskingFailed):
        ask(url)


# --- the way there and back


@pytest.fixture
def wang(north_region):
    return UserFactory(
        username="wang", name="王芳", role=Role.REGIONAL_STAFF, region=north_region, email="wang@corp.cn", password="!"
    )


@pytest.fixture
def configured(server, monkeypatch):
    """All four, each speaking from this machine."""
    speak_oidc(server, email="wang@corp.cn", email_verified=True)
    speak_wecom(server)
    speak_dingtalk(server)
    speak_feishu(server)
    made = {
        "oidc": oidc(server, name="Corp"),
        "wecom": wecom(server),
        "dingtalk": dingtalk(server),
        "feishu": feishu(server),
    }
    for module in ("crm.views.company_sign_in", "crm.templatetags.accounts", "crm.views.security"):
        monkeypatch.setattr(f"{module}.configured_providers", lambda: made)
    return server


def link(person: User, provider: str, subject: str) -> None:
    save_company_account(account=CompanyAccount(user=person, provider=provider, subject=subject), by=None)


def there(client: Client, provider: str, **query) -> dict:
    answer = client.get(reverse("crm:start-sign-in", args=[provider]), query)
    assert answer.status_code == 302, answer.content
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def back(client: Client, provider: str, server: Server | None = None, **query):
    sent = there(client, provider)
    if provider == "oidc" and server:
        speak_oidc(server, email="wang@corp.cn", email_verified=True, nonce=sent["nonce"])
    code = "authCode" if provider == "dingtalk" else "code"
    return client.get(reverse("crm:finish-sign-in", args=[provider]), {code: "c-1", "state": sent["state"]} | query)


@pytest.fixture
def guest(db) -> Client:
    return Client(headers={"accept-language": "en"})


SUBJECTS = {"oidc": "u-1", "wecom": "WangFang", "dingtalk": "manager4220", "feishu": "ou-1"}


@pytest.mark.parametrize("provider", ALL)
def test_a_linked_person_signs_in(configured, wang, guest, provider):
    link(wang, provider, SUBJECTS[provider])
    assert back(guest, provider, configured)["Location"] == "/"
    assert is_in(guest)
    event = SecurityEvent.objects.get()
    assert (event.what, event.user, event.way) == (SecurityMatter.SIGNED_IN, wang, provider)
    assert OpenSession.objects.get().way == provider
    page = guest.get("/account/").content.decode()
    assert "you sign in with your company account" in page
    assert SUBJECTS[provider] in page


def test_the_page_that_one_wanted_comes_next_but_no_other_site(configured, wang, guest):
    link(wang, "wecom", "WangFang")
    for wanted, comes in (("/customers/", "/customers/"), ("https://evil.com/", "/"), ("//evil.com", "/")):
        sent = there(guest, "wecom", next=wanted)
        answer = guest.get(reverse("crm:finish-sign-in", args=["wecom"]), {"code": "c", "state": sent["state"]})
        assert answer["Location"] == comes


def test_the_company_address_links_the_one_person_who_has_it_once(configured, wang, guest):
    UserFactory(username="left", email="wang@corp.cn", is_active=False)
    back(guest, "oidc", configured)
    assert is_in(guest)
    account = CompanyAccount.objects.get()
    assert (account.user, account.provider, account.subject) == (wang, "oidc", "u-1")
    assert Change.objects.filter(table="crm_companyaccount", by=wang).count() == 1
    User.objects.filter(pk=wang.pk).update(email="other@corp.cn")
    again = Client(headers={"accept-language": "en"})
    back(again, "oidc", configured)
    assert is_in(again)


@pytest.mark.parametrize("provider", ["wecom", "dingtalk", "feishu"])
def test_who_is_nobody_here_gets_no_account_but_his_id(configured, guest, provider, settings):
    answer = back(guest, provider)
    assert answer.status_code == 403
    assert SUBJECTS[provider] in answer.content.decode()
    assert not is_in(guest)
    assert not User.objects.exists()
    event = SecurityEvent.objects.get()
    assert (event.what, event.user, event.name) == (SecurityMatter.UNKNOWN, None, SUBJECTS[provider])


def test_an_address_of_two_people_or_of_one_who_is_linked_otherwise_opens_nothing(configured, wang, guest):
    link(wang, "oidc", "u-9")
    assert back(guest, "oidc", configured).status_code == 403
    CompanyAccount.objects.all().delete()
    UserFactory(email="WANG@corp.cn")
    assert back(guest, "oidc", configured).status_code == 403
    assert not is_in(guest)


@pytest.mark.parametrize("provider", ALL)
def test_whose_account_is_closed_does_not_get_in_by_the_company_either(configured, wang, guest, provider):
    link(wang, provider, SUBJECTS[provider])
    User.objects.filter(pk=wang.pk).update(is_active=False)
    assert back(guest, provider, configured)["Location"] == "/accounts/inactive/"
    assert not is_in(guest)
    assert SecurityEvent.objects.get().what == SecurityMatter.CLOSED


def test_a_second_factor_is_asked_for_after_the_company_too(configured, wang, guest):
    link(wang, "wecom", "WangFang")
    give_app(wang)
    assert back(guest, "wecom")["Location"] == CODE
    assert not is_in(guest)
    guest.post(CODE, {"code": code_now()})
    assert is_in(guest)
    assert SecurityEvent.objects.get().way == "wecom"


@pytest.mark.parametrize("query", [{"state": "guessed"}, {"state": ""}, {"code": ""}])
def test_an_answer_that_belongs_to_no_question_of_this_browser_opens_nothing(configured, wang, guest, query):
    link(wang, "wecom", "WangFang")
    answer = back(guest, "wecom", **query)
    assert answer.status_code == 400
    assert "begin again" in answer.content.decode()
    assert not is_in(guest)


def test_an_answer_counts_once_for_its_provider_and_ten_minutes(configured, wang, guest):
    link(wang, "wecom", "WangFang")
    link(wang, "feishu", "ou-1")
    address = reverse("crm:finish-sign-in", args=["wecom"])
    state = there(guest, "feishu")["state"]
    assert guest.get(address, {"code": "c", "state": state}).status_code == 400
    state = there(guest, "wecom")["state"]
    with time_machine.travel(time.time() + 601):
        assert guest.get(address, {"code": "c", "state": state}).status_code == 400
    state = there(guest, "wecom")["state"]
    assert guest.get(address, {"code": "c", "state": state}).status_code == 302
    assert Client().get(address, {"code": "c", "state": state}).status_code == 400


@pytest.mark.parametrize(
    ("path", "provider"),
    [
        ("/token", "oidc"),
        ("/cgi-bin/auth/getuserinfo", "wecom"),
        ("/topapi/user/getbyunionid", "dingtalk"),
        ("/open-apis/authen/v1/user_info", "feishu"),
    ],
)
def test_a_provider_that_fails_is_said_in_a_sentence_without_its_words(configured, guest, path, provider, caplog):
    configured.answers[path] = (500, {"error": "secret detail"})
    answer = back(guest, provider)
    assert answer.status_code == 403
    assert "was not confirmed" in answer.content.decode()
    assert "detail" not in answer.content.decode()
    assert "secret" not in caplog.text


def test_a_provider_that_does_not_answer_at_all_is_said_too(configured, guest):
    configured.answers["/.well-known/openid-configuration"] = (503, {})
    answer = guest.get(reverse("crm:start-sign-in", args=["oidc"]))
    assert answer.status_code == 502
    assert "does not answer" in answer.content.decode()


# --- shown and reachable


def test_the_sign_in_page_has_a_button_for_each(configured, guest):
    page = guest.get("/accounts/login/?next=/customers/").content.decode()
    for words in ("Sign in with Corp", "Sign in with WeCom", "Sign in with DingTalk", "Sign in with Feishu"):
        assert words in re.sub(r"\s+", " ", page)
    assert "/account/sign-in/wecom/?next=%2Fcustomers%2F" in page


def test_the_buttons_speak_chinese(configured, db):
    page = Client(headers={"accept-language": "zh-hans"}).get("/accounts/login/").content.decode()
    for words in ("使用企业微信登录", "使用钉钉登录", "使用飞书登录"):
        assert words in page


@pytest.mark.parametrize("provider", [*ALL, "google"])
def test_without_configuration_nothing_shows_and_nothing_is_reachable(guest, provider):
    assert identity_providers.configured_providers() == {}
    assert "Sign in with" not in guest.get("/accounts/login/").content.decode()
    for name in ("crm:start-sign-in", "crm:finish-sign-in"):
        assert guest.get(reverse(name, args=[provider])).status_code == 404


def test_what_is_configured_is_made_of_it(settings):
    settings.COMPANY_SIGN_IN = {
        "oidc": {"issuer": "https://id.corp.cn", "client_id": "a", "client_secret": "b", "name": "", "id_claim": "sub"},
        "wecom": {"WECOM_CORP_ID": "ww1", "WECOM_AGENT_ID": "1", "WECOM_SECRET": "s"},
        "dingtalk": {},
        "feishu": {"FEISHU_APP_ID": "cli", "FEISHU_APP_SECRET": "s"},
    }
    made = identity_providers.configured_providers()
    assert list(made) == ["oidc", "wecom", "feishu"]
    assert made["wecom"].address(ATTEMPT).startswith("https://login.work.weixin.qq.com/wwlogin/sso/login?")
    assert made["feishu"].address(ATTEMPT).startswith("https://accounts.feishu.cn/")


# --- linked by administrators


def test_an_administrator_links_and_unlinks(wang, client_of):
    admin = client_of(UserFactory(role=Role.ADMINISTRATOR))
    form = {"user": wang.pk, "provider": "wecom", "subject": "WangFang"}
    assert admin.post(reverse("admin:crm_companyaccount_add"), form).status_code == 302
    twice = admin.post(reverse("admin:crm_companyaccount_add"), form | {"user": UserFactory().pk})
    assert "already exists" in twice.content.decode()
    account = CompanyAccount.objects.get()
    assert Change.objects.get(table="crm_companyaccount").after["subject"] == "WangFang"
    admin.post(reverse("admin:crm_companyaccount_changelist"), {"action": "unlink", "_selected_action": [account.pk]})
    assert not CompanyAccount.objects.exists()
    assert Change.objects.filter(table="crm_companyaccount", after__isnull=True).count() == 1


def test_nobody_else_comes_near_it(north, client_of):
    assert client_of(north).get(reverse("admin:crm_companyaccount_changelist")).status_code == 403
