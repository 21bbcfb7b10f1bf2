"""One's own API tokens: seen, made, shown once, revoked; administrators end other people's."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm.actions.tokens import MOST_TOKENS, issue_token
from crm.models import ApiToken, Change
from tests.api.conftest import ApiClient
from tests.factories import UserFactory

LIST, NEW = "/account/tokens/", "/account/tokens/new/"


def typed(**changes):
    day = timezone.localdate() + timedelta(days=30)
    return {"name": "BI", "scopes": ["read"], "expires_on": day.isoformat()} | changes


def shown_secret(page) -> str:
    return re.search(r'value="([0-9a-f]{64})"', page.content.decode())[1]


def revoke_url(token) -> str:
    return reverse("crm:revoke-own-token", args=[token.number])


def test_without_tokens_it_says_what_they_are_for(north, client_of):
    page = client_of(north).get(LIST)
    assert "You have no API tokens" in page.content.decode()


def test_a_token_is_shown_once_and_works(north, client_of):
    browser = client_of(north)
    made = browser.post(NEW, typed(scopes=["read", "write"]))
    secret = shown_secret(made)
    assert "no-store" in made["Cache-Control"]
    assert ApiClient(secret).read("customers/").status_code == 200
    page = browser.get(LIST).content.decode()
    assert "BI" in page
    assert "never" not in page
    assert secret not in page
    assert secret not in browser.get(NEW).content.decode()


def test_the_log_knows_of_it_and_not_the_secret(north, client_of):
    secret = shown_secret(client_of(north).post(NEW, typed()))
    token = ApiToken.objects.get()
    change = Change.objects.get(table="crm_apitoken")
    assert (change.by, change.object_id, change.after["name"], change.after["scopes"]) == (
        north,
        token.number,
        "BI",
        "read",
    )
    assert secret[:8] not in str(change.after)
    assert token.digest not in str(change.after)


def test_a_token_lasts_to_the_end_of_its_last_day(north, client_of):
    day = timezone.localdate() + timedelta(days=30)
    client_of(north).post(NEW, typed(expires_on=day.isoformat()))
    token = ApiToken.objects.get()
    assert (token.last_day, timezone.localtime(token.expiry).hour) == (day, 0)
    assert str(day) in client_of(north).get(LIST).content.decode()
    with time_machine.travel(timezone.now() + timedelta(days=32)):
        assert "expired" in client_of(north).get(LIST).content.decode()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 61}, "at most 60"),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["everything"]}, "not one of the available choices"),
        ({"expires_on": ""}, "This field is required."),
        ({"expires_on": "2001-01-01"}, "A token works for a year at most."),
        ({"expires_on": "2999-01-01"}, "A token works for a year at most."),
        ({"expires_on": "9999-12-31"}, "A token works for a year at most."),
        ({"expires_on": "tomorrow"}, "Enter a valid date."),
    ],
)
def test_it_says_what_is_wrong_and_makes_nothing(north, client_of, changes, says):
    page = client_of(north).post(NEW, typed(**changes))
    assert page.status_code == 422
    assert says in page.content.decode()
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("sales_management", ["read", "grades:read", "assessments:write", "write"]),
        ("executive", ["read", "grades:read"]),
        ("administrator", ["read"]),
    ],
)
def test_nobody_gives_more_than_his_role_allows(db, client_of, role, scopes):
    browser = client_of(UserFactory(role=role))
    offered = re.findall(r'name="scopes" value="([^"]+)"', browser.get(NEW).content.decode())
    assert offered == scopes
    for scope in {"read", "grades:read", "assessments:write", "write"} - set(scopes):
        assert browser.post(NEW, typed(scopes=[scope])).status_code == 422
    assert not ApiToken.objects.exists()


def test_there_is_an_end_to_how_many(north, client_of):
    for _ in range(MOST_TOKENS):
        issue_token(user=north)
    page = client_of(north).post(NEW, typed())
    assert f"You have {MOST_TOKENS} tokens" in page.content.decode()
    assert ApiToken.objects.count() == MOST_TOKENS


def test_revoking_asks_first_and_ends_it_at_once(north, client_of):
    secret = issue_token(user=north, name="BI")
    token, browser = ApiToken.objects.get(), client_of(north)
    assert "Revoke the token “BI”?" in browser.get(revoke_url(token)).content.decode()
    assert ApiToken.objects.exists()
    assert browser.post(revoke_url(token)).status_code == 302
    assert ApiClient(secret).read("customers/").status_code == 401
    last = Change.objects.filter(table="crm_apitoken").latest("sequence")
    assert (last.by, last.after, last.before["name"]) == (north, None, "BI")
    assert browser.post(revoke_url(token)).status_code == 404


def test_other_peoples_tokens_do_not_exist(north, head_office, client_of):
    issue_token(user=north, name="northern")
    token, browser = ApiToken.objects.get(), client_of(head_office)
    assert "northern" not in browser.get(LIST).content.decode()
    assert browser.get(revoke_url(token)).status_code == 404
    assert browser.post(revoke_url(token)).status_code == 404
    assert ApiToken.objects.exists()


def test_it_asks_for_sign_in(db, client):
    for address in (LIST, NEW):
        assert client.get(address).status_code == 302


def test_the_menu_leads_there(north, client_of):
    assert f'href="{LIST}"' in client_of(north).get("/").content.decode()


def test_use_is_noted_once_a_minute(north, django_assert_max_num_queries):
    api = ApiClient(issue_token(user=north))
    api.read("regions/")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with django_assert_max_num_queries(3):
        api.read("regions/")
    assert ApiToken.objects.get().last_used_at == first
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        api.read("regions/")
    assert ApiToken.objects.get().last_used_at > first


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_page_speaks_the_readers_language(north, client_of, language):
    issue_token(user=north, name="x")
    page = client_of(north, language).get(LIST)
    assert f'lang="{language}"' in page.content.decode()


# --- administration


def ask_to_revoke(browser, tokens, **more):
    body = {"action": "revoke", "_selected_action": [token.pk for token in tokens], **more}
    return browser.post("/admin/crm/apitoken/", body)


def test_an_administrator_ends_other_peoples_tokens(db, north, client_of):
    secret = issue_token(user=north, name="northern")
    browser, tokens = client_of(UserFactory(role="administrator")), list(ApiToken.objects.all())
    page = browser.get("/admin/crm/apitoken/").content.decode()
    assert "northern" in page
    assert secret not in page
    asked = ask_to_revoke(browser, tokens)
    assert "Revoke tokens?" in asked.content.decode()
    assert ApiToken.objects.exists()
    assert ask_to_revoke(browser, tokens, confirmed="yes").status_code == 302
    assert not ApiToken.objects.exists()
    assert Change.objects.filter(table="crm_apitoken", way="admin").count() == 1


def test_who_keeps_no_people_ends_no_tokens(db, north, head_office, client_of):
    issue_token(user=head_office)
    assert ask_to_revoke(client_of(north), ApiToken.objects.all(), confirmed="yes").status_code == 403
    assert ApiToken.objects.exists()
