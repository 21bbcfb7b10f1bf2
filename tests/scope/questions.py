"""Everything that a person can ask of the product: links followed, lists narrowed, files taken along, forms filled in.

A question is a name and what asks it; it gives back answers. `echoes` says that the person types the other region's
words himself: an answer may then repeat them, and only tells something where it differs from one without that region.
"""

import html
import io
import re
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string

from crm.actions.exports import listed_by_name
from crm.actions.imports import import_kinds
from crm.models import DataImport, User
from tests.scope.asking import ask, path_of
from tests.scope.company import HEADERS, KINDS, NEXT_YEAR, SITUATIONS, YEAR, Company, Side
from tests.scope.routes import ACCOUNT, ROUTES

_LINK = re.compile(r'(?:href|src|action|hx-get|formaction)="([^"#]*)')
_LEAVES = re.compile(r"^/(static|accounts|language|admin/logout|admin/jsi18n|api/v1/docs|admin/password)")
_LIST_PAGES = ("/customers/", "/grading/board/", f"/grading/cycles/{YEAR}/grades/", "/imports/")
_ALIKE = 2  # addresses that differ in their numbers and in the values of their parameters only
_FEW = 70  # links that the quick suite follows
FORMATS = ("json", "csv", "ndjson", "xlsx")


@dataclass(frozen=True)
class Question:
    """What is asked, and how."""

    name: str
    ask: Callable[[Client], Sequence[Any]]
    echoes: bool = False


def get(path: str, *, echoes: bool = False, **headers: str) -> Question:
    """An address that is read."""
    said = f"GET {path} {headers or ''}"
    return Question(said.strip(), lambda client: [ask(client, "GET", path, **headers)], echoes)


def send(verb: str, path: str, data: dict[str, Any], *, is_json: bool = False, echoes: bool = True) -> Question:
    """A form or an object that is sent."""
    return Question(f"{verb} {path} {data}", lambda client: [ask(client, verb, path, data, is_json=is_json)], echoes)


def questions(company: Company, person: User, *, share: float = 1) -> Iterator[Question]:
    """Those of one person who belongs to the north, the links of his pages apart; of the many alike only a share."""
    many = [*of_every_route(company, person), *of_the_administration(company)]
    yield from Random("4").sample(many, int(share * len(many)))
    yield from of_api_lists(company)
    yield from of_list_pages(company)
    yield from of_files(company)
    yield from of_the_api_that_writes(company)
    yield from of_forms(company)
    yield from of_imports(company)


# --- links


def linked(client: Client, *, share: float = 1) -> Iterator[tuple[Question, Sequence[Any]]]:
    """The pages that links lead to from the first on, with their answers; of those that are alike some."""
    waiting, known, alike = deque(["/"]), {"/"}, Counter()
    left = _FEW if share < 1 else 15 * _FEW
    while waiting and left:
        left -= 1
        path = waiting.popleft()
        answer = ask(client, "GET", path)
        yield get(path), [answer]
        for link in links_in(answer, path):
            parts = urlsplit(link)
            names = sorted(name for name, _value in parse_qsl(parts.query))
            shape = (re.sub(r"\d+", "0", parts.path), *names)
            if link not in known and alike[shape] < _ALIKE:
                known.add(link)
                alike[shape] += 1
                waiting.append(link)


def links_in(answer: Any, path: str) -> Iterator[str]:
    """The addresses of this product in a page, and where an answer sends its reader."""
    found = [answer["Location"]] if answer.has_header("Location") else []
    if answer["Content-Type"].startswith("text/html") if answer.has_header("Content-Type") else False:
        found += [html.unescape(link) for link in _LINK.findall(answer.read.decode())]
    for link in found:
        if link.startswith("?"):
            link = urlsplit(path).path + link
        if link.startswith("/") and not link.startswith("//") and not _LEAVES.match(link):
            yield link


# --- the routes with each record


def of_every_route(company: Company, person: User) -> Iterator[Question]:
    for route in ROUTES:
        if route.group == ACCOUNT:
            continue
        for situation in SITUATIONS if route.record else ("",):
            named = KINDS[route.record].named(company, person, situation) if route.record else None
            if (named is None) == bool(route.record):
                continue
            path = path_of(route, named)
            verbs = [verb for verb in ("GET", "POST", "PATCH") if verb in route.answers]
            for verb in verbs:
                if verb == "GET":
                    yield get(path)
                else:
                    yield send(verb, path, {}, is_json=path.startswith("/api/"), echoes=False)


# --- lists


def values_of(company: Company) -> dict[str, list[Any]]:
    """For each filter values of both regions: as they are there, and as they are not."""
    north, south = company.north, company.south
    return {
        "search": ["市公安局", "SUED", "sued", "nord", "x"],
        "region": [north.region.code, south.region.code, "nowhere"],
        "branch": [north.branch.code, south.branch.code, "nowhere"],
        "customer": [north.own.customer.pk, south.own.customer.pk, company.deleted.customer.pk, 999_999],
        "customer_line": [north.own.line.pk, south.own.line.pk, 999_999],
        "lead": [north.seller.pk, south.seller.pk, 999_999],
        "contract_no": ["SUED", "x"],
        "grade": ["A", "Z"],
        "role": ["sales_manager", "x"],
        "fiscal_year": [YEAR, NEXT_YEAR],
        "as_of": ["2026-03-01", "x"],
        "changed_since": ["2020-01-01T00:00:00Z", "x"],
        "page_size": [1],
        "cursor": ["x"],
        "signed_from": ["2020-01-01"],
    }


def narrowed(path: str, filters: Iterable[str], orderings: Iterable[str], company: Company) -> Iterator[Question]:
    """A list by every filter and in every order."""
    known = values_of(company)
    for name in filters:
        for value in known.get(name, ["true", "x"]):
            yield get(f"{path}?{urlencode({name: value})}")
    for word in orderings:
        yield get(f"{path}?ordering={word}")
        yield get(f"{path}?ordering=-{word}")


def of_api_lists(company: Company) -> Iterator[Question]:
    for routes in settings.API_ROUTES:
        for prefix, viewset in import_string(routes):
            path = f"/api/v1/{prefix}/"
            own = viewset.filterset_class
            yield from narrowed(
                path, [*own.base_filters, "changed_since", "page_size", "cursor"], own.orderings, company
            )
            for form in FORMATS:
                yield get(f"{path}?format={form}")


def of_list_pages(company: Company) -> Iterator[Question]:
    filters = ("search", "region", "lead", "grade", "line", "state", "kind", "before", "missing", "colour")
    orderings = ("name", "code", "region", "score", "potential_sales", "lead", "expected_close_on")
    for path in _LIST_PAGES:
        yield from narrowed(path, filters, orderings, company)
        yield get(f"{path}?page=2&page_size=25")
    for query in ("", "search=SUED", "search=市", "region=south", f"lead={company.south.seller.pk}", "state=graded"):
        yield get(f"/grading/cycles/{YEAR}/grid/?line=police&{query}")
    columns = "name,code,region,branch,short_name,credit_code,industry,division,address,website,lead,lines,parent"
    yield get(f"/customers/?columns={columns}")
    yield get("/customers/?line=police&ordering=-score")
    for at in ("0", "1", "2", "3"):
        yield get(f"/customers/{company.north.own.customer.pk}/?at={at}")
        yield get(f"/customers/{company.north.own.customer.pk}/?search=市&at={at}")


# --- files


def of_files(company: Company) -> Iterator[Question]:
    for name in listed_by_name():
        for query in ("", "region=south", f"lead={company.south.seller.pk}", "search=SUED", "search=市公安局"):
            for form in ("csv", "xlsx"):
                path = f"/exports/{name}/?{query}" + (f"&year={YEAR}&cycle={YEAR}" if name == "cycle-grades" else "")
                yield send("POST", path, {"format": form}, echoes=False)
    yield from of_histories_as_files(company)
    for kind in import_kinds():
        for records in ("", "?records=all"):
            for language in ("en", "zh-hans"):
                yield get(f"/imports/templates/{kind}/{records}", **{"accept-language": language})


def of_histories_as_files(company: Company) -> Iterator[Question]:
    for side in (company.north, company.south):
        for kind, record in (
            ("customer", side.own.customer),
            ("customer-line", side.own.line),
            ("contact", side.own.contact),
        ):
            path = f"/exports/record-changes/?record={kind}/{record.pk}"
            yield send("POST", path, {"format": "csv"}, echoes=False)


def unpacked(content: bytes) -> bytes:
    """What an answer says: a workbook's parts one after the other, anything else as it is."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return b"\n".join(name.encode() + b"\n" + book.read(name) for name in sorted(book.namelist()))


# --- the administration


def of_the_administration(company: Company) -> Iterator[Question]:
    south = company.south
    for model, shown in admin.site._registry.items():
        table = f"{model._meta.app_label}_{model._meta.model_name}"
        path = reverse(f"admin:{table}_changelist")
        for query in ("q=SUED", "q=市", "o=1", "o=-2", "p=2", "all=", "e=1", "nothing__x=1", "region__id__exact=x"):
            yield get(f"{path}?{query}")
        yield from _of_filters(path, shown, south)
        for lookup in ("customer__name__startswith=SUED", "line__customer__note__contains=SUED", "lead__name__gt=S"):
            yield get(f"{path}?{lookup}")
        for name in shown.autocomplete_fields:
            for term in ("", "sued", "市", "police"):
                chosen = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": name}
                yield get(f"/admin/autocomplete/?{urlencode(chosen | {'term': term})}")


def _of_filters(path: str, shown: Any, south: Side) -> Iterator[Question]:
    for entry in shown.list_filter:
        name = entry if isinstance(entry, str) else entry[0]
        for value in (south.region.pk, south.seller.pk, south.own.line.pk, "x"):
            yield get(f"{path}?{name}__id__exact={value}")
            yield get(f"{path}?{name}__exact={value}")
        for deeper in ("name__startswith=S", "password__startswith=m", "customers__parent__name__startswith=SUED"):
            yield get(f"{path}?{name}__{deeper}")


# --- writing


def of_the_api_that_writes(company: Company) -> Iterator[Question]:
    """Objects that name the other region's records, or say what one of them says already."""
    north, south = company.north, company.south
    customer = {"name": "新客户", "region": "north", "product_lines": ["police"]}
    taken = south.own.customer
    for said in (
        {"region": "south"},
        {"branch": south.branch.code},
        {"parent": taken.pk},
        {"credit_code": taken.credit_code},
        {"name": taken.name, "short_name": taken.short_name},
    ):
        yield send("POST", "/api/v1/customers/", customer | said, is_json=True)
        own = {"version": north.own.customer.version} | said
        yield send("PATCH", f"/api/v1/customers/{north.own.customer.pk}/", own, is_json=True)
    for said in ({"customer": taken.pk, "name": "某人"}, {"customer": 999_999, "name": "某人"}):
        yield send("POST", "/api/v1/contacts/", said, is_json=True)
    for line in (south.own.line.pk, 999_999):
        sale = {"customer_line": line, "signed_on": "2026-01-05", "amount": "1.00", "contract_no": "SUEDMARK-HT-A"}
        yield send("POST", "/api/v1/sales/", sale, is_json=True)
        yield send("POST", "/api/v1/assessments/", {"customer_line": line, "fiscal_year": YEAR}, is_json=True)
    yield send("POST", "/api/v1/customer-lines/", {"customer": taken.pk, "line": "police"}, is_json=True)
    sale = {"customer_line": north.own.line.pk, "signed_on": "2026-01-05", "amount": "1.00"}
    yield send("POST", "/api/v1/sales/", sale | {"contract_no": "SUEDMARK-HT-A"}, is_json=True)


def of_taken_codes(company: Company) -> Iterator[Question]:
    """A new customer with a code that the other region uses already: by the API, the administration and a file."""
    code = company.south.own.customer.code
    yield send("POST", "/api/v1/customers/", {"name": "新客户", "region": "north", "code": code}, is_json=True)
    new = {"code": code, "name": "新客户", "kind": "customer", "region": company.north.region.pk, "read_version": 0}
    yield send("POST", "/admin/crm/customer/add/", new)
    yield test_run(f"{code},新客户,north,,,,")


def of_forms(company: Company) -> Iterator[Question]:
    """Forms of pages and of the administration that name the other region's records."""
    north, south = company.north, company.south
    path = f"/grading/lines/{north.own.line.pk}/preview/{YEAR}/"
    yield send("POST", path, {"expected_margin": "18", "potential_sales": "400"}, echoes=False)
    for number in (south.own.line.pk, 999_999):  # the answer repeats the number that was asked for
        rows = [{"line": number, "version": version, "values": {"note": "x"}} for version in (0, 1)]
        for row in rows:
            yield send("POST", f"/grading/cycles/{YEAR}/grid/", {"rows": [row]}, is_json=True)
    yield send("POST", "/scope/", {"region": south.region.pk})
    yield send("POST", "/account/tokens/new/", {"name": "SUEDMARK令牌", "scopes": ["read"], "expires_on": "x"})
    new = {"name": "新客户", "kind": "customer", "region": north.region.pk, "read_version": 0}
    for said in (
        {"code": "NEU-1", "region": south.region.pk},
        {"code": "NEU-1", "branch": south.branch.pk},
        {"code": "NEU-1", "parent": south.own.customer.pk},
        {"code": "NEU-1", "credit_code": south.own.customer.credit_code},
    ):
        yield send("POST", "/admin/crm/customer/add/", new | said)
    for customer in (south.own.customer.pk, 999_999):
        yield send("POST", "/admin/crm/contact/add/", {"customer": customer, "name": "某人", "read_version": 0})
        line = {"customer": customer, "product_line": 1, "is_active": "on", "lead": south.seller.pk}
        yield send("POST", "/admin/crm/customerline/add/", line)
    member = {"line": south.own.line.pk, "user": south.seller.pk, "why": "x", "from_on": "2026-03-02"}
    yield send("POST", "/admin/crm/linemember/add/", member)
    yield send("POST", "/admin/crm/linemember/add/", member | {"line": north.own.line.pk})
    for chosen in ({"number": [south.own.customer.pk, north.own.customer.pk]}, {"number": [999_999]}, {"all": "1"}):
        yield in_bulk(chosen, "industry", "SUEDMARK新")
        yield in_bulk(chosen, "branch", south.branch.pk)
    actions = {"action": "delete_selected", "_selected_action": [south.own.customer.pk]}
    yield send("POST", "/admin/crm/customer/", actions, echoes=False)


# --- bulk changes


def in_bulk(chosen: dict[str, Any], field: str, value: Any) -> Question:
    """Rows chosen, a field set up, shown, confirmed, reported and taken back."""
    name = f"bulk change of {chosen}: {field} {value}"
    return Question(name, lambda client: list(_changed_in_bulk(client, chosen, field, value)), echoes=True)


def _changed_in_bulk(client: Client, chosen: dict[str, Any], field: str, value: Any) -> Iterator[Any]:
    cookies = client.cookies.copy()
    with transaction.atomic():
        sent = client.post("/bulk-changes/new/customers/", chosen)
        yield _kept(sent)
        if sent["Location"].endswith("/set-up/"):
            path = sent["Location"].removesuffix("set-up/")
            yield _kept(client.get(f"{path}set-up/?field={field}"))
            yield _kept(client.post(f"{path}set-up/?field={field}", {field: value}))
            yield _kept(client.get(path))
            yield _kept(client.post(f"{path}start/", {"version": 1}))
            yield _kept(client.get(path))
            yield _kept(client.post(f"{path}undo/"))
        transaction.set_rollback(True)
    client.cookies = cookies


# --- test runs of files


def test_run(*rows: str, kind: str = "customers", headers: str = HEADERS, echoes: bool = True) -> Question:
    """A file sent, set up as proposed and checked: its set-up page, its report and its rejected rows."""
    return Question(f"test run of {kind}: {rows}", lambda client: list(_checked(client, kind, headers, rows)), echoes)


test_run.__test__ = False  # a question, no test


def _checked(client: Client, kind: str, headers: str, rows: Sequence[str]) -> Iterator[Any]:
    file = SimpleUploadedFile("a.csv", "\n".join([headers, *rows]).encode())
    cookies = client.cookies.copy()
    with transaction.atomic():
        sent = client.post("/imports/new/", {"kind": kind, "file": file})
        yield _kept(sent)
        if sent.status_code == 302:
            one = DataImport.objects.latest("pk")
            shown = client.get(f"/imports/{one.pk}/set-up/")
            form = shown.context["form"]
            data = {field.html_name: field.value() for field in form if field.value() not in (None, False)}
            yield _kept(shown)
            yield _kept(client.post(f"/imports/{one.pk}/set-up/", data | {"sheet": one.sheet, "header_row": 1}))
            yield _kept(client.get(f"/imports/{one.pk}/"))
            yield _kept(client.get(f"/imports/{one.pk}/rejected/"))
        transaction.set_rollback(True)
    client.cookies = cookies


def _kept(answer: Any) -> Any:
    answer.read = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer


def of_imports(company: Company) -> Iterator[Question]:
    """Rows that name the other region's customers, people and places, or what is nearly called so."""
    south = company.south.own.customer
    empty = f",{south.name}二,north,,,,"
    yield test_run(empty, f"N-1,{south.name[:-1]}分局,north,,,,")
    yield test_run("N-2,新客户,south,,,,", "N-3,新客户,nowhere,,,,", echoes=False)
    yield test_run(
        f"N-4,新客户,north,{company.south.branch.code},,,",
        f"N-5,新客户,north,{company.south.branch.name},,,",
        f"N-6,新客户,north,,{south.code},,",
        f"N-7,新客户,north,,{south.name},,",
        f"N-8,新客户,north,,,{south.credit_code},",
    )
    line = "客户,大区,产品线"
    words, number = (south.code, south.name, "NOBODY"), company.south.own.contact.pk
    own = f"{company.north.own.customer.code},,某人,{number}"
    yield test_run(*(f"{word},,某人," for word in words), own, kind="contacts", headers="客户,大区,姓名,联系人编号")
    dated = f"{line},签约日期,金额"
    yield test_run(*(f"{word},,公安,2026-01-05,100" for word in words), kind="sales", headers=dated)
    rated = f"{line},财年,预计毛利率"
    yield test_run(*(f"{word},,公安,2026,18" for word in words), kind="assessments", headers=rated)
