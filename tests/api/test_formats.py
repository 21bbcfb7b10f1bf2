"""Every list in every form: the same records as the pages, in scope, strict, and in little memory."""

import csv
import gc
import io
import json
import tracemalloc
import weakref

import orjson
import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from rest_framework.test import APIRequestFactory, force_authenticate

from crm.api import streaming
from crm.api.views import CustomerViewSet
from crm.models import Contact, Customer, Role
from grading.models import CycleState
from tests.api.conftest import NOT_GRADABLE
from tests.factories import (
    AssessmentFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)

RESOURCES = [
    "customers",
    "contacts",
    "people",
    "customer-lines",
    "sales",
    "regions",
    "product-lines",
    "grades",
    "assessments",
    "policies",
    "cycles",
]
MEDIA_TYPES = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pytest.fixture(autouse=True)
def in_2025():
    with time_machine.travel("2025-06-01"):
        yield


@pytest.fixture
def company(customer, foreign_customer, graded, north):
    for index, owner in enumerate((customer, foreign_customer)):
        line = CustomerLineFactory(customer=owner, lead=north if owner is customer else None)
        ContactFactory(customer=owner, name="=1+1", note='a "quoted",\nbroken line', email="")
        SaleFactory(line=line, contract_no=f"-HT-{index}", amount=-12_34, note="＝SUM(A1)")
        AssessmentFactory(line=line, budget_amount=None)
        graded(line)
        other = CustomerLineFactory(customer=owner, product_line_id=line.product_line_id + 1)
        graded(other, **NOT_GRADABLE, expected_margin=None)
    CycleFactory(fiscal_year=2027, state=CycleState.DRAFT)
    return customer


def people_of(region, line):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=region)
    LineMemberFactory(line=line, user=manager)
    return manager


def body(answer):
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def stream(client, path, form, **parameters):
    return body(client.read(path, format=form, **parameters))


def whole(client, path, **parameters):
    """All records of the JSON pages, small pages on purpose."""
    answer, found = client.read(path, page_size=3, **parameters).json(), []
    while True:
        found += answer["results"]
        if answer["next"] is None:
            return found
        answer = client.get(answer["next"]).json()


def table(text):
    return list(csv.DictReader(io.StringIO(text.decode())))


def cells(record, path=()):
    """A record as csv has it: a column a value, lists as JSON, text that looks like a formula guarded."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from cells(value, (*path, name))
        else:
            yield ".".join((*path, name)), value


def written(value):
    if isinstance(value, str):
        is_formula = value[:1] in "=+-@＝" and value and not value.lstrip("-").replace(".", "").isdigit()
        return f"'{value}" if is_formula else value
    return "" if value is None else orjson.dumps(value).decode()


@pytest.mark.parametrize("path", [path for path in RESOURCES if path != "grades"])
@pytest.mark.parametrize("who", ["head_office", "north", "manager"])
def test_every_form_holds_the_records_of_the_pages(api, request, company, north_region, path, who):
    if who == "manager":
        client = api(people_of(north_region, company.lines.first()))
    else:
        client = api(request.getfixturevalue(who))
    expected = whole(client, f"{path}/")
    assert expected
    assert [json.loads(line) for line in stream(client, f"{path}/", "ndjson").splitlines()] == expected
    rows = table(stream(client, f"{path}/", "csv"))
    assert len(rows) == len(expected)
    for row, record in zip(rows, expected, strict=True):
        flat = {name: written(value) for name, value in cells(record)}
        absent = {name: "" for name in row if flat.get(name.partition(".")[0]) == ""}
        assert row == {name: value for name, value in flat.items() if name in row} | absent
        assert not {name for name, value in flat.items() if value} - row.keys()
    book = CalamineWorkbook.from_filelike(io.BytesIO(stream(client, f"{path}/", "xlsx")))
    sheet = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert sheet[0] == list(rows[0])
    assert len(sheet) == len(expected) + 1


@pytest.mark.parametrize("path", RESOURCES)
@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_accept_asks_for_a_form_too(api, head_office, company, path, form):
    client = api(head_office)
    answer = client.get(f"/api/v1/{path}/", headers={"accept": MEDIA_TYPES[form]})
    assert answer["Content-Type"].startswith(MEDIA_TYPES[form])
    assert answer["Content-Disposition"] == f'attachment; filename="{path}.{form}"'
    assert "Accept" in answer["Vary"]
    if form != "xlsx":  # a workbook says when it was made
        assert body(answer) == stream(client, f"{path}/", form)


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"])
def test_json_pages_unless_told(api, head_office, company, accept):
    answer = api(head_office).get("/api/v1/customers/", headers={"accept": accept})
    assert answer.json().keys() == {"next", "previous", "results"}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/csv;q=0, application/json", "application/json"),
        ("application/json;q=0.1, text/csv", "text/csv"),
        ("application/json;q=0, text/csv", "text/csv"),
        ("text/csv, application/json", "application/json"),
        ("text/csv;q=0.4, application/x-ndjson;q=0.5", "application/x-ndjson"),
        ("*/*;q=0.5, text/csv", "text/csv"),
        ("text/*, */*", "text/csv"),
        ("application/*;q=0.2, text/csv;q=0.1", "application/json"),
        ("*/*, application/json;q=0", "application/x-ndjson"),
        ("application/json;q=0.2, application/json;q=0.9, text/csv;q=0.5", "application/json"),
        ("text/csv; charset=utf-8", "text/csv"),
        ("text/csv;q=lots, application/json;q=0.9", "text/csv"),
    ],
)
def test_the_weights_of_accept_count(api, head_office, company, accept, media_type):
    answer = api(head_office).get("/api/v1/regions/", headers={"accept": accept})
    assert answer["Content-Type"].partition(";")[0] == media_type


@pytest.mark.parametrize("accept", ["text/csv;q=0", "*/*;q=0", "application/json;q=0.0, text/turtle"])
def test_what_is_not_wanted_at_all_is_not_sent(api, head_office, accept):
    answer = api(head_office).get("/api/v1/regions/", headers={"accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")


def test_format_outweighs_accept(api, head_office, company):
    answer = api(head_office).get("/api/v1/regions/?format=csv", headers={"accept": "application/json"})
    assert answer["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("path", RESOURCES)
def test_an_unknown_form_is_refused_in_json(api, head_office, path):
    for answer in (
        api(head_office).read(f"{path}/", format="turtle"),
        api(head_office).get(f"/api/v1/{path}/", headers={"accept": "text/turtle"}),
    ):
        assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")
        assert answer.json()["code"] == "not_acceptable"


def test_a_record_comes_as_json_only(api, head_office, customer):
    answer = api(head_office).read(f"customers/{customer.pk}/", format="csv")
    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")


@pytest.mark.parametrize("form", MEDIA_TYPES)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"region": "nowhere"}, "region"),
        ({"ordering": "mood"}, "ordering"),
        ({"page_size": "10"}, "page_size"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_streams_are_as_strict_as_pages(api, head_office, company, form, query, field):
    answer = api(head_office).read("customers/", format=form, **query)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_streams_ask_for_a_token_and_a_role(api, db, form):
    assert Client().get(f"/api/v1/customers/?format={form}").status_code == 401
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    assert api(administrator).read("customers/", format=form).status_code == 403
    assert api(administrator).get("/api/v1/sales/", headers={"accept": MEDIA_TYPES[form]}).status_code == 403


def test_filters_and_ordering_hold(api, head_office, company):
    client = api(head_office)
    parameters = {"region": "north", "ordering": "-code", "search": "hzs"}
    assert [row["code"] for row in table(stream(client, "customers/", "csv", **parameters))] == ["N1"]
    codes = [row["code"] for row in table(stream(client, "customers/", "csv", ordering="-code"))]
    assert codes == sorted(codes, reverse=True)


@pytest.mark.parametrize("path", [*RESOURCES[:1], "sales", "grades"])
def test_an_empty_list_is_a_header(api, north, path):
    client = api(north)
    assert stream(client, f"{path}/", "ndjson") == b""
    text = stream(client, f"{path}/", "csv")
    assert text.startswith(b"id,") and text.endswith(b"\r\n") and text.count(b"\n") == 1
    book = CalamineWorkbook.from_filelike(io.BytesIO(stream(client, f"{path}/", "xlsx")))
    assert len(book.get_sheet_by_index(0).to_python()) == 1


@pytest.mark.parametrize("form", MEDIA_TYPES)
@pytest.mark.parametrize("path", ["customers", "grades"])
def test_a_head_request_reads_no_record(api, head_office, company, path, form):
    client = api(head_office)
    with CaptureQueriesContext(connection) as made:
        answer = client.head(f"/api/v1/{path}/?format={form}")
        assert b"".join(answer.streaming_content) == b""
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith(MEDIA_TYPES[form])
    assert not any("crm_customer" in query["sql"] for query in made.captured_queries)


def test_text_that_looks_like_a_formula_stays_text_and_numbers_stay_numbers(api, north, company):
    client = api(north)
    [sale] = table(stream(client, "sales/", "csv"))
    assert (sale["contract_no"], sale["note"], sale["amount"]) == ("'-HT-0", "'＝SUM(A1)", "-12.34")
    book = CalamineWorkbook.from_filelike(io.BytesIO(stream(client, "sales/", "xlsx")))
    head, row = book.get_sheet_by_index(0).to_python()
    shown = dict(zip(head, row, strict=True))
    assert (shown["contract_no"], shown["note"], shown["amount"]) == ("-HT-0", "＝SUM(A1)", -12.34)
    [contact] = table(stream(client, "contacts/", "csv"))
    assert (contact["name"], contact["note"]) == ("'=1+1", 'a "quoted",\nbroken line')


@pytest.mark.parametrize("text", ["+8613800000000", "-5", "+1,000"])
def test_text_of_a_sign_and_digits_stays_text(api, north, company, text):
    Contact.objects.update(phone=text)
    Customer.objects.filter(pk=company.pk).update(name=text)
    client = api(north)
    assert table(stream(client, "contacts/", "csv"))[0]["phone"] == f"'{text}"
    assert {grade["customer.name"] for grade in table(stream(client, "grades/", "csv"))} == {f"'{text}"}


def test_csv_is_utf_8_without_a_mark(api, north, company):
    text = stream(api(north), "customers/", "csv")
    assert text[:3] == b"id,"
    assert "杭州市公安局".encode() in text


def customers(region, count, start=0):
    rows = (
        Customer(code=f"M{n}", name=f"杭州市公安局{n}", region=region, pinyin=f"{n:06}", note="x" * 500)
        for n in range(start, start + count)
    )
    Customer.objects.bulk_create(rows)


def test_a_chunk_costs_the_same_queries_however_many_there_are(api, north, north_region, monkeypatch):
    monkeypatch.setattr(streaming, "CHUNK", 100)
    customers(north_region, 1000)
    client = api(north)

    def queries():
        with CaptureQueriesContext(connection) as made:
            assert stream(client, "customers/", "ndjson")
        return len(made)

    queries()  # the first use of a token is noted
    ten_chunks = queries()
    customers(north_region, 1000, start=1000)
    assert queries() == ten_chunks + 10  # one for the lines of each chunk


def test_ten_thousand_records_stream_in_the_memory_of_a_chunk(api, north, north_region):
    customers(north_region, 10_000)
    pieces = api(north).read("customers/", format="ndjson").streaming_content
    next(pieces)
    tracemalloc.start()
    size = sum(len(piece) for piece in pieces)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 6_000_000
    assert peak < 30_000_000


def test_a_client_that_hangs_up_ends_the_reading(api, north, north_region, monkeypatch):
    monkeypatch.setattr(streaming, "CHUNK", 10)
    customers(north_region, 100)
    ended = []
    chunks = streaming.SerializedRecords._chunks

    def watched(records):
        try:
            yield from chunks(records)
        finally:
            ended.append(True)

    monkeypatch.setattr(streaming.SerializedRecords, "_chunks", watched)
    answer = api(north).read("customers/", format="ndjson")
    next(answer.streaming_content)
    assert not ended
    for close in answer._resource_closers:  # answer.close() would end the test's connection too
        close()
    assert ended
    assert len(table(stream(api(north), "customers/", "csv"))) == 100


def test_what_breaks_in_the_middle_breaks_the_stream_off(api, north, north_region, monkeypatch):
    monkeypatch.setattr(streaming, "CHUNK", 10)
    customers(north_region, 30)
    dumps, calls = orjson.dumps, []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) > 15:
            raise DatabaseError("gone")
        return dumps(*args, **kwargs)

    monkeypatch.setattr(streaming.orjson, "dumps", failing)
    answer = api(north).read("customers/", format="ndjson")
    with pytest.raises(DatabaseError):
        b"".join(answer.streaming_content)


def test_what_breaks_at_once_is_a_problem(api, north, customer, monkeypatch):
    def failing(*args, **kwargs):
        raise DatabaseError("gone")

    monkeypatch.setattr(streaming, "csv_lines", failing)
    client = api(north)
    client.raise_request_exception = False
    answer = client.read("customers/", format="csv")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")


def test_more_than_a_sheet_holds_is_said(api, north, north_region, monkeypatch):
    monkeypatch.setattr(streaming.exports, "MOST_SHEET_ROWS", 2)
    CustomerFactory.create_batch(3, region=north_region)
    answer = api(north).read("customers/", format="xlsx")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "too_many_rows")


def test_a_page_is_let_go_once_it_is_sent(head_office, company):
    request = APIRequestFactory().get("/api/v1/customers/")
    force_authenticate(request, head_office)
    gc.disable()
    try:
        answer = CustomerViewSet.as_view({"get": "list"}, basename="customers")(request).render()
        assert answer.status_code == 200
        seen = weakref.ref(answer)
        del answer
        assert seen() is None
    finally:
        gc.enable()
