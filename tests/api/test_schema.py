"""The OpenAPI description: made without a warning, and what is answered is what it says."""

import json
from io import StringIO

import jsonschema
import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from grading.models import CycleState
from tests.api.conftest import NOT_GRADABLE
from tests.factories import (
    AssessmentFactory,
    ContactFactory,
    CustomerLineFactory,
    CycleFactory,
    SaleFactory,
    UserFactory,
)

PATHS = [
    "customers/",
    "customer-lines/",
    "sales/",
    "grades/",
    "assessments/",
    "policies/",
    "cycles/",
    "regions/",
    "product-lines/",
    "contacts/",
    "people/",
]


@pytest.fixture(scope="module")
def schema():
    written = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format=openapi-json", stdout=written)
    return json.loads(written.getvalue())


@pytest.fixture
def company(customer, graded, north):
    line = CustomerLineFactory(customer=customer, lead=north)
    ContactFactory(customer=customer)
    SaleFactory(line=line, contract_no="HT-1")
    AssessmentFactory(line=line)
    graded(line)
    graded(CustomerLineFactory(customer=customer, product_line_id=line.product_line_id + 1), **NOT_GRADABLE)
    CycleFactory(fiscal_year=2027, state=CycleState.DRAFT)
    return customer


def answer_of(schema, path, method="get", status="200", media_type="application/json"):
    body = schema["paths"][f"/api/v1/{path}"][method]["responses"][status]["content"][media_type]["schema"]
    return {**body, "components": schema["components"]}


def test_it_is_openapi_3_1_and_names_every_resource(schema):
    assert schema["openapi"].startswith("3.1")
    assert {f"/api/v1/{path}" for path in PATHS} <= schema["paths"].keys()
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


@pytest.mark.parametrize("path", PATHS)
@time_machine.travel("2025-06-01")
def test_lists_are_what_it_says(schema, api, head_office, company, path):
    page = api(head_office).read(path).json()
    assert page["results"]
    jsonschema.validate(page, answer_of(schema, path))
    shown = page["results"][0]
    described = answer_of(schema, path)["components"]["schemas"]
    name = answer_of(schema, path)["$ref"].rpartition("/")[2].removeprefix("Paginated").removesuffix("List")
    assert shown.keys() == described[name]["properties"].keys()


@time_machine.travel("2025-06-01")
def test_a_breakdown_has_the_described_parts_and_no_others(schema, api, head_office, company):
    parts = schema["components"]["schemas"]
    shown = api(head_office).results("grades/", state="graded")[0]["breakdown"]
    assert shown.keys() == parts["Breakdown"]["properties"].keys()
    assert shown["parts"][0].keys() == parts["Part"]["properties"].keys()
    assert shown["inputs"].keys() == parts["Inputs"]["properties"].keys()
    assert shown["lifts"][0].keys() == parts["Lift"]["properties"].keys()


def test_a_run_is_what_it_says(schema, api, head_office, company):
    client = api(head_office)
    [draft] = client.results("cycles/", state="draft")
    client.send("post", f"cycles/{draft['id']}/open/")
    started = client.send("post", f"cycles/{draft['id']}/start-run/").json()
    jsonschema.validate(started, answer_of(schema, "cycles/{id}/"))


def test_a_preview_and_a_problem_are_what_it_says(schema, api, north):
    body = {"line": "police", "fiscal_year": 2026, "budget": "planned"}
    shown = api(north).send("post", "grades/preview/", body).json()
    jsonschema.validate(shown, answer_of(schema, "grades/preview/", "post"))
    refused = api(north).send("post", "grades/preview/", {"line": 1}).json()
    problem = answer_of(schema, "grades/preview/", "post", "400", "application/problem+json")
    jsonschema.validate(refused, problem)


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("customers/", "get", {"200", "304", "400", "401", "403", "406", "410", "429"}),
        ("customers/", "post", {"201", "400", "401", "403", "409", "415", "422", "429"}),
        ("customers/{id}/", "get", {"200", "304", "400", "401", "403", "404", "429"}),
        ("customers/{id}/", "patch", {"200", "400", "401", "403", "404", "409", "412", "415", "429"}),
        ("cycles/{id}/publish/", "post", {"202", "400", "401", "403", "404", "409", "415", "422", "429"}),
        ("policies/{number}/", "get", {"200", "304", "400", "401", "403", "404", "429"}),
    ],
)
def test_it_names_the_problems(schema, path, method, statuses):
    assert schema["paths"][f"/api/v1/{path}"][method]["responses"].keys() == statuses


def test_filters_stand_in_it(schema):
    parameters = {item["name"]: item for item in schema["paths"]["/api/v1/grades/"]["get"]["parameters"]}
    assert parameters.keys() == {
        *("line", "region", "grade", "fiscal_year", "customer", "state"),
        *("search", "ordering", "cursor", "page_size", "format"),
        *("as_of", "changed_since", "If-None-Match"),
    }
    assert parameters["grade"]["schema"]["items"]["enum"] == ["A", "B", "C", "D"]


def test_headers_stand_in_it(schema):
    customers = schema["paths"]["/api/v1/customers/"]
    for status in ("200", "304"):
        assert customers["get"]["responses"][status]["headers"].keys() == {"ETag", "RateLimit", "RateLimit-Policy"}
    for status in ("400", "403", "406", "410", "429"):
        assert customers["get"]["responses"][status]["headers"].keys() == {"RateLimit", "RateLimit-Policy"}
    assert "headers" not in customers["get"]["responses"]["401"]
    assert "content" not in customers["get"]["responses"]["304"]
    assert "Idempotency-Key" in {item["name"] for item in customers["post"]["parameters"]}
    change = schema["paths"]["/api/v1/customers/{id}/"]["patch"]
    assert "If-Match" in {item["name"] for item in change["parameters"]}


def test_what_changed_and_what_is_gone_is_what_it_says(schema, api, north, company, south_region):
    client = api(north)
    first = client.read("customers/", changed_since="1970-01-01T00:00:00Z").json()
    jsonschema.validate(first, answer_of(schema, "customers/"))
    sent = api(UserFactory()).send("patch", f"customers/{company.pk}/", {"region": "south", "version": 1})
    assert sent.status_code == 200, sent.content
    after = client.read("customers/", changed_since=first["sync"]).json()
    assert after["results"] == [{"id": company.pk, "deleted": True}]
    jsonschema.validate(after, answer_of(schema, "customers/"))


def test_it_is_served_to_everyone(db):
    shown = Client().get("/api/v1/schema/?format=json")
    assert shown.status_code == 200
    assert shown.json()["openapi"].startswith("3.1")


def test_the_readable_pages_obey_the_content_security_policy(db, settings):
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    page = Client().get("/api/v1/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert "<style" not in text
    assert text.count("<script") == text.count("<script src=")
    assert Client().get("/api/v1/docs/?script=").status_code == 200


def test_the_root_leads_to_the_readable_pages(db):
    assert Client().get("/api/v1/")["Location"] == "/api/v1/docs/"
