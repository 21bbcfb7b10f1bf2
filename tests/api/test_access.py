"""Who gets in, with what, and how a refusal looks; for every resource."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from crm.actions.tokens import issue_token
from crm.api.urls import router
from crm.models import ApiToken, Role
from crm.permissions import Permission
from tests.api.conftest import ApiClient
from tests.factories import CustomerFactory, UserFactory

LISTS = ["customers", "contacts", "customer-lines", "sales", "grades", "assessments", "policies", "cycles"]
REFERENCE = ["regions", "product-lines", "people"]


def is_problem(answer, status, code):
    body = answer.json()
    assert answer.status_code == status, body
    assert answer["Content-Type"] == "application/problem+json"
    assert (body["status"], body["code"]) == (status, code)
    assert body.keys() >= {"type", "title", "detail"}
    return True


@pytest.mark.parametrize("path", LISTS + REFERENCE)
def test_without_a_token_it_asks_for_one(api, db, path):
    answer = api(None).read(f"{path}/")
    assert is_problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer", "Bearer wrong", "Bearer a b", "Bearer é", "Bearer \x00", "Basic eDp5"])
def test_a_token_that_is_not_known_is_refused(db, header):
    answer = Client(headers={"authorization": header}).get("/api/v1/customers/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_an_expired_token_is_refused(head_office):
    token = issue_token(user=head_office, expires_on=timezone.localdate())
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert is_problem(ApiClient(token).read("customers/"), 401, "expired_token")


def test_the_token_of_someone_who_left_is_refused(head_office):
    client = ApiClient(issue_token(user=head_office))
    head_office.is_active = False
    head_office.save()
    assert is_problem(client.read("customers/"), 401, "invalid_token")


def test_only_a_hash_of_the_token_is_stored(head_office):
    token = issue_token(user=head_office)
    [kept] = ApiToken.objects.values_list("digest", "token_key", "name", "scopes")
    assert not any(token in value for value in kept)


def test_use_is_noted_at_most_once_a_minute(head_office):
    client = ApiClient(issue_token(user=head_office))
    with time_machine.travel("2026-01-01T08:00:00+08:00", tick=False) as clock:
        client.read("regions/")
        first = ApiToken.objects.get().last_used_at
        clock.shift(59)
        client.read("regions/")
        assert ApiToken.objects.get().last_used_at == first
        clock.shift(2)
        client.read("regions/")
        assert ApiToken.objects.get().last_used_at > first


@pytest.mark.parametrize("path", LISTS)
def test_an_administrators_token_sees_no_business_records(api, customer, path):
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    assert is_problem(api(administrator).read(f"{path}/"), 403, "permission_denied")


@pytest.mark.parametrize("path", LISTS)
def test_the_scope_decides_what_of_it_a_token_may(api, head_office, path):
    client = api(head_office, "assessments:write")
    assert is_problem(client.read(f"{path}/"), 403, "missing_scope")


@pytest.mark.parametrize(
    ("scope", "path", "allowed"),
    [
        ("read", "customers/", False),
        ("assessments:write", "customers/", False),
        ("assessments:write", "assessments/", True),
        ("write", "assessments/", True),
        ("write", "customers/", True),
        ("grades:read", "sales/", False),
    ],
)
def test_writing_needs_its_scope(api, head_office, scope, path, allowed):
    answer = api(head_office, scope).send("post", path, {})
    assert answer.status_code == (400 if allowed else 403)


def test_a_reader_may_not_write(api, db):
    executive = UserFactory(role=Role.EXECUTIVE)
    assert is_problem(api(executive).send("post", "customers/", {}), 403, "permission_denied")


def test_the_browsers_session_reads(head_office, client_of):
    assert client_of(head_office).get("/api/v1/customers/").status_code == 200


def test_the_browsers_session_writes_only_with_its_csrf_token(head_office):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(head_office)
    answer = browser.post("/api/v1/customers/", "{}", content_type="application/json")
    assert is_problem(answer, 403, "csrf_failed")


def test_every_action_of_every_resource_says_what_it_needs():
    for prefix, viewset, _basename in router.registry:
        actions = {item.__name__ for item in viewset.get_extra_actions()}
        actions |= {name for name in ("list", "retrieve", "create", "partial_update") if hasattr(viewset, name)}
        assert actions == viewset.permissions.keys(), prefix
        assert all(isinstance(permission, Permission) for permission in viewset.permissions.values())


@pytest.mark.parametrize("path", ["customers/999999999", "customers/0", "customers/" + "9" * 18, "grades/5", "sales/5"])
def test_what_does_not_exist_is_a_problem(api, head_office, path):
    assert is_problem(api(head_office).read(f"{path}/"), 404, "not_found")


@pytest.mark.parametrize("path", ["nothing/", "customers/abc/", "customers/-1/", "customers/" + "9" * 19 + "/"])
def test_an_unknown_address_is_a_problem_too(api, head_office, path):
    assert is_problem(api(head_office).read(path), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_method_that_is_not_there(api, head_office, customer, method):
    answer = api(head_office).send(method, f"customers/{customer.pk}/")
    assert is_problem(answer, 405, "method_not_allowed")
    assert "PATCH" in answer["Allow"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("customers/", "GET, POST, HEAD"),
        ("customers/1/", "GET, PATCH, HEAD"),
        ("regions/", "GET, HEAD"),
        ("grades/preview/", "POST"),
        ("schema/", "GET, HEAD"),
        ("docs/", "GET, HEAD"),
        ("", "GET, HEAD"),
    ],
)
def test_options_is_not_there_either_and_not_named(api, head_office, path, allowed):
    answer = api(head_office).options(f"/api/v1/{path}")
    assert is_problem(answer, 405, "method_not_allowed")
    assert set(answer["Allow"].split(", ")) == set(allowed.split(", "))


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["", "schema/", "docs/"])
def test_there_is_nothing_to_change_in_the_description(api, head_office, path, method):
    for client in (api(head_office), ApiClient(None, enforce_csrf_checks=True)):
        assert is_problem(client.send(method, path), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("schema/?format=xml", {}, 406, "not_acceptable"),
        ("schema/", {"accept": "text/turtle"}, 406, "not_acceptable"),
        ("schema/", {"authorization": "Bearer wrong"}, 401, "invalid_token"),
        ("docs/", {"accept": "application/json"}, 406, "not_acceptable"),
        ("docs/", {"authorization": "Bearer wrong"}, 401, "invalid_token"),
    ],
)
def test_the_description_refuses_in_json(db, path, headers, status, code):
    assert is_problem(Client().get(f"/api/v1/{path}", headers=headers), status, code)


def test_a_form_it_does_not_speak(api, head_office):
    answer = api(head_office).get("/api/v1/customers/", headers={"accept": "text/turtle"})
    assert is_problem(answer, 406, "not_acceptable")
    unknown = api(head_office).read("customers/", format="turtle")
    assert is_problem(unknown, 406, "not_acceptable")
    assert unknown.json()["detail"] == "The formats here are: json, ndjson, csv, xlsx."
    assert api(head_office).read("customers/", format="json").status_code == 200


def test_a_body_of_another_type(api, head_office):
    answer = api(head_office).post("/api/v1/customers/", {"name": "x"})
    assert is_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body", [b"{", b"[1,", b"\xff\xfe", b'{"name": NaN}', b'{"name": "\\ud800"}', b"[" * 5000, b"{}{}"]
)
def test_a_body_that_is_not_json(api, head_office, body):
    answer = api(head_office).post("/api/v1/customers/", body, content_type="application/json")
    assert is_problem(answer, 400, "parse_error")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null"])
def test_a_body_that_is_not_an_object(api, head_office, body):
    answer = api(head_office).post("/api/v1/customers/", body, content_type="application/json")
    assert is_problem(answer, 400, "invalid")


def test_a_body_that_is_too_large(api, head_office):
    body = b'{"note": "' + b"x" * 5_000_001 + b'"}'
    answer = api(head_office).post("/api/v1/customers/", body, content_type="application/json")
    assert is_problem(answer, 413, "too_large")


def test_an_unexpected_error_is_a_problem_too(api, head_office, monkeypatch):
    def fail(*args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("crm.api.pagination.page_size", fail)
    client = api(head_office)
    client.raise_request_exception = False
    answer = client.read("customers/")
    assert is_problem(answer, 500, "server_error")
    assert "secret" not in answer.content.decode()


def test_problems_are_told_in_the_readers_language(api, head_office):
    answer = api(head_office).get("/api/v1/customers/?colour=red", headers={"accept-language": "en"})
    assert answer.json()["errors"] == [
        {"field": "colour", "code": "unknown_parameter", "message": "There is no parameter “colour” here."}
    ]


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "region=east",
        "region=%00",
        "region=",
        "kind=tree",
        "line=poli",
        "grade=E",
        "state=",
        "ordering=mood",
        "ordering=name,code",
        "ordering=name&ordering=code",
        "search=%00",
        "search=a&search=b",
        "search=" + "x" * 101,
        "lead=me",
        "lead=" + "9" * 40,
        "lead=1e3",
        "lead=%F0%9F%98%80",
    ],
)
def test_a_filter_or_value_that_is_not_known_is_named(api, head_office, query):
    CustomerFactory()
    answer = api(head_office).get(f"/api/v1/customers/?{query}")
    assert is_problem(answer, 400, "invalid")
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    "query",
    [
        "grades/?as_of=",
        "grades/?as_of=%20",
        "grades/?as_of=&format=csv",
        "grades/?fiscal_year=",
        "sales/?signed_from=",
        "sales/?signed_until=",
        "sales/?signed_until=&changed_since=1970-01-01T00:00:00Z",
        "sales/?contract_no=",
        "sales/?contract_no=%20",
        "customer-lines/?is_active=",
        "people/?is_active=",
        "assessments/?is_carried_over=",
        "cycles/?state=",
    ],
)
def test_a_filter_without_a_value_is_named(api, head_office, query):
    answer = api(head_office).get(f"/api/v1/{query}")
    assert is_problem(answer, 400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [query.partition("?")[2].partition("=")[0]]


def test_every_filter_of_every_list_wants_a_value(api, head_office):
    client = api(head_office)
    for prefix, viewset, _basename in router.registry:
        for name in viewset.filterset_class.base_filters:
            answer = client.get(f"/api/v1/{prefix}/?{name}=")
            assert answer.status_code == (200 if name == "search" else 400), (prefix, name)


def test_an_empty_search_or_ordering_is_none(api, head_office, customer):
    client = api(head_office)
    assert client.results("customers/", search="", ordering="") == client.results("customers/")


def test_a_pages_form_may_leave_its_filters_empty(head_office, client_of):
    page = client_of(head_office).get("/people/?is_active=&search=")
    assert page.status_code == 200
    assert head_office.name in page.content.decode()


def test_a_record_takes_no_filters(api, head_office, customer):
    answer = api(head_office).read(f"customers/{customer.pk}/", region="north")
    assert answer.json()["errors"][0]["code"] == "unknown_parameter"


def test_every_address_of_the_api_declares_who_may():
    for pattern in get_resolver("crm.api.urls").url_patterns:
        view = pattern.callback
        assert getattr(view, "access", None) or view.cls.permissions, pattern
