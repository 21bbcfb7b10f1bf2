"""Strings that break products, sent through every door: each is kept byte for byte, or refused by the field's name."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.urls import reverse
from django.utils.html import escape

from crm.actions.imports import import_kinds, import_table
from crm.lib.cells import text
from crm.lib.spreadsheets import read_table
from crm.models import Contact, Region, Role
from tests.factories import (
    AssessmentFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    SaleFactory,
    UserFactory,
)

NAUGHTY = (
    "",
    " ",
    "　",
    "undefined",
    "NULL",
    "'; DROP TABLE crm_customer; --",
    '"><script>alert(1)</script>',
    "</textarea><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{ request.user.password }}{% debug %}",
    '=HYPERLINK("http://x","y")',
    "＝1+1",
    "@SUM(A1)",
    "-2+3+cmd|' /C calc'!A0",
    "' leading quote",
    "'quoted'",
    " spaces around ",
    "two\nlines",
    "carriage\r\nreturn",
    "tab\there",
    "_x0041_",
    "%s %d %n {0} {name}",
    "../../etc/passwd\\x00",
    "a\x00b",
    "\x01\x07\x1b[31m",
    "\x7f\x85\x9f",
    "\ufeffmark",
    "\u202eright to left",
    "zero\u200bwidth",
    "𠮷野家 田中さん 👩‍👩‍👧‍👦",
    "Ω≈ç√∫ ﬁ ½ Å é e\u0301",
    "مُنَاقَشَةُ",
    "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤ ̖t̝͕̳̣̻̪͞h̼͓̲̦̳̘̲e͇̣̰̦̬͎",
    "\ufffe",
    "\uffff",
    "长" * 60,
    "x" * 201,
)
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
TEXTS = {
    "customer": ("name", "short_name", "industry", "address", "website", "note"),
    "contact": ("name", "department", "title", "phone", "note"),
    "person": ("name",),
    "sale": ("note",),
    "assessment": ("note",),
}
# What records are found or reached by. Files write names to sign in with in one form (NFKC, no spaces around).
CODES = {
    "customer": ("code", "credit_code"),
    "contact": ("email",),
    "person": ("username", "email"),
    "sale": ("contract_no",),
}
_OF_ONE_FORM = ("username", "email")
Send = Callable[[Model, dict[str, str]], set[str]]  # returns the fields that were refused


# Which kinds of records have a form in the administration, and which are written by the API.
BY_ADMINISTRATION = ("customer", "contact", "person", "sale")
BY_API = ("customer", "contact", "sale", "assessment")


def make_records(region: Region) -> dict[str, Any]:
    """One record of each kind."""
    customer = CustomerFactory(region=region)
    line = CustomerLineFactory(customer=customer)
    return {
        "customer": customer,
        "contact": ContactFactory(customer=customer),
        "person": UserFactory(role=Role.SALES_MANAGER, region=region),
        "sale": SaleFactory(line=line),
        "assessment": AssessmentFactory(line=line),
    }


def texts_of(kind: str) -> tuple[str, ...]:
    """All that is written freely in a kind of record."""
    return TEXTS[kind] + CODES.get(kind, ())


def is_kept(record: Any, name: str, written: str) -> bool:
    """Whether a field keeps a text, told from the model alone."""
    field = record._meta.get_field(name)
    if name in _OF_ONE_FORM:
        return _is_of_its_form(field, written)
    is_short = field.max_length is None or len(written) <= field.max_length
    return is_short and not _REFUSED.search(written) and (field.blank or bool(written.strip()))


def _is_of_its_form(field: Any, written: str) -> bool:
    try:
        field.clean(written, None)
    except ValidationError:
        return False
    return True


def send_each(record: Any, names: Sequence[str], strings: Iterable[str], send: Send) -> None:
    """Send each string to all fields of a record: those that keep it hold it then, the others are named and hold on."""
    for written in strings:
        sent = [name for name in names if name not in _OF_ONE_FORM or written == text(written)]
        kept = [name for name in sent if is_kept(record, name, written)]
        _send_kept(record, kept, written, send)
        _send_refused(record, {*sent} - {*kept}, written, send)


def _send_kept(record: Any, names: Sequence[str], written: str, send: Send) -> None:
    if names:
        assert send(record, dict.fromkeys(names, written)) == set(), repr(written)
        record.refresh_from_db()
        assert {getattr(record, name) for name in names} == {written}


def _send_refused(record: Any, names: set[str], written: str, send: Send) -> None:
    """A door may name some at first, and the others when these are gone; nothing at all may mean: as it is."""
    before = {name: getattr(record, name) for name in names}
    left = names
    while left:
        said = send(record, dict.fromkeys(sorted(left), written))
        assert said <= left and (said or not written.strip()), repr(written)
        left = left - said if said else set()
    record.refresh_from_db()
    assert {name: getattr(record, name) for name in names} == before, repr(written)


def by_api(client: Any, path: str) -> Send:
    """Send by PATCH to an address of the API."""

    def send(record: Any, values: dict[str, str]) -> set[str]:
        answer = client.send("patch", f"{path}/{record.pk}/", {**values, "version": record.version})
        assert answer.status_code in (200, 400), answer.content
        return {error["field"] for error in answer.json()["errors"]} if answer.status_code == 400 else set()

    return send


def by_form(client: Any, address: str, **always: str) -> Send:
    """Send by the form of a record at a named address, as a browser would send it back."""
    shown: dict[str, Any] = {}

    def send(record: Any, values: dict[str, str]) -> set[str]:
        url = reverse(address, args=[record.pk])
        if not shown:
            form = _form_of(client.get(url))
            every = {name: form[name].value() for name in form.fields}
            shown.update({name: value for name, value in every.items() if value is not None and value is not False})
        read = {"version": record.version, "read_version": record.version}
        answer = client.post(url, {**shown, **always, **read, **values})
        assert answer.status_code in (200, 302, 400, 422), answer.content
        if answer.status_code != 302:
            return set(_form_of(answer).errors)
        shown.update(values)
        return set()

    return send


def _form_of(answer: Any) -> Any:
    return answer.context["adminform"].form if "adminform" in answer.context else answer.context["form"]


def by_administration(client: Any, record: Any) -> Send:
    """Send by the form of a record in the administration."""
    return by_form(client, f"admin:{record._meta.app_label}_{record._meta.model_name}_change")


PAGES = {
    "customer": "crm:edit-customer",
    "contact": "crm:edit-contact",
    "person": "crm:edit-person",
    "assessment": "grading:save-assessment",
}


def by_page(client: Any, kind: str) -> Send:
    """Send by the page on which people change a kind of record."""
    return by_form(client, PAGES[kind], **({"is_confirmed": "on"} if kind == "customer" else {}))


# --- pages


def hold(records: Mapping[str, Any], written: str) -> None:
    """Put a string, as much of it as goes in, into each text of some records, past every door."""
    for kind, record in records.items():
        cut = {name: written[: record._meta.get_field(name).max_length] for name in TEXTS[kind]}
        type(record)._default_manager.filter(pk=record.pk).update(**cut)


def assert_shown_harmlessly(client: Any, records: Mapping[str, Any], written: str) -> None:
    """Every page that shows the records has the string escaped, and none as it is."""
    showing = [reverse(PAGES[kind], args=[records[kind].pk]) for kind in PAGES]
    showing += [reverse(f"crm:view-{kind}", args=[records[kind].pk]) for kind in ("customer", "person")]
    showing += [reverse("crm:list-customers"), reverse("crm:list-people")]
    for url in showing:
        page = client.get(url).content.decode()
        assert written not in page, f"{written!r} at {url}"
        assert str(escape(written)) in page, f"{written!r} at {url}"


# --- files


def for_files(strings: Iterable[str], suffix: str) -> list[str]:
    """Those that a file can hold: NUL makes a csv file no text, our writer of workbooks knows no way for two signs."""
    left_out = {"\x00"} if suffix == ".csv" else {"\ufffe", "\uffff"}
    return [written for written in strings if not set(written) & left_out]


def import_strings(folder: Path, suffix: str, strings: Iterable[str]) -> None:
    """Import records of each kind with each string in each text; what is not kept is rejected, row by row."""
    each = list(dict.fromkeys(strings))
    customers = [{"code": f"NS{at}", "name": f"客户{at}", "region": "north"} for at in range(len(each))]
    _import("customers", customers, folder, suffix)
    _import("contacts", [{"customer": f"NS{at}", "name": f"联系人{at}"} for at in range(len(each))], folder, suffix)
    for sheet in _SHEETS:
        rows = [sheet.row(at) for at in range(len(each))]
        for name in sheet.names:
            changed = [row | {name: written} for row, written in zip(rows, each, strict=True)]
            records, rejected = _import(sheet.kind, changed, folder, suffix)
            repeated = _repeated(each) if name == "code" else set()
            for at, written in enumerate(each):
                if at in repeated:
                    assert at + 2 in rejected, repr(written)
                else:
                    _check(records, at + 2 in rejected, name, written, sheet.key(at))


def _repeated(strings: Sequence[str]) -> set[int]:
    """The places of those that differ from an earlier one in spaces or widths of signs only: a code is one record's."""
    first = {text(written): at for at, written in reversed(list(enumerate(strings)))}
    return {at for at, written in enumerate(strings) if text(written) and first[text(written)] != at}


class _Sheet(NamedTuple):
    """A file of a kind: the columns that hold the strings, what else is in a row, and how its record is found."""

    kind: str
    names: tuple[str, ...]
    row: Callable[[int], dict[str, str]]
    key: Callable[[int], dict[str, str]]


def _row_of_contact(at: int) -> dict[str, str]:
    contact = Contact.objects.get(customer__code=f"NS{at}")
    return {"id": str(contact.pk), "customer": f"NS{at}", "name": contact.name}


def _row_of_line(at: int) -> dict[str, str]:
    return {"customer": f"NS{at}", "product_line": "police"}


def _row_of_sale(at: int) -> dict[str, str]:
    return {**_row_of_line(at), "signed_on": "2026-01-01", "amount": "1"}


_SHEETS = (
    _Sheet(
        "customers",
        (*TEXTS["customer"], "credit_code"),
        lambda at: {"code": f"NS{at}"},
        lambda at: {"code": f"NS{at}"},
    ),
    _Sheet(
        "customers",
        ("code",),
        lambda at: {"name": f"新客户{at}", "region": "north"},
        lambda at: {"name": f"新客户{at}"},
    ),
    _Sheet("contacts", texts_of("contact"), _row_of_contact, lambda at: {"customer__code": f"NS{at}"}),
    _Sheet(
        "people",
        (*TEXTS["person"], "email"),
        lambda at: {"username": f"ns{at}", "role": "sales_manager", "region": "north"},
        lambda at: {"username": f"ns{at}"},
    ),
    _Sheet(
        "sales",
        TEXTS["sale"],
        lambda at: {**_row_of_sale(at), "contract_no": f"HT{at}"},
        lambda at: {"contract_no": f"HT{at}"},
    ),
    _Sheet("sales", CODES["sale"], lambda at: {**_row_of_sale(at), "note": f"第{at}"}, lambda at: {"note": f"第{at}"}),
    _Sheet(
        "assessments",
        TEXTS["assessment"],
        lambda at: {**_row_of_line(at), "fiscal_year": "2026"},
        lambda at: {"line__customer__code": f"NS{at}"},
    ),
)


def _check(records: Any, is_rejected: bool, name: str, written: str, key: dict[str, str]) -> None:
    if is_rejected:
        assert not is_kept(records.model(), name, written), repr(written)
    elif written.strip():  # a blank cell says nothing: what is stored stays
        assert getattr(records.filter(**key).first(), name) == written


def _import(kind: str, rows: Sequence[dict[str, str]], folder: Path, suffix: str) -> tuple[Any, set[int]]:
    file = folder / f"{kind}{suffix}"
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    (_write_csv if suffix == ".csv" else _write_xlsx)(file, table)
    chosen = import_kinds()[kind]
    report = import_table(kind=chosen, table=read_table(file), by=None)
    return chosen.model._default_manager.all(), {row.number for row in report.rejected}


def _write_csv(file: Path, table: Sequence[Sequence[str]]) -> None:
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        csv.writer(opened, quoting=csv.QUOTE_ALL).writerows(table)


def _write_xlsx(file: Path, table: Sequence[Sequence[str]]) -> None:
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(table):
            for column, written in enumerate(row):
                sheet.write_string(at, column, written)
