"""Strings that break products, sent through every door: each is kept byte for byte, or refused by the field's name."""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from django.db.models import Model
from django.urls import reverse
from django.utils.html import escape

from crm.actions.imports import import_kinds, import_table
from crm.lib.spreadsheets import read_table

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
# The texts of each kind of record. Codes are left out: imports write them in one form (NFKC, no spaces around).
TEXTS = {
    "customer": ("name", "short_name", "industry", "address", "website", "note"),
    "contact": ("name", "department", "title", "phone", "note"),
    "sale": ("note",),
    "assessment": ("note",),
}
CODES = {"customer": ("code", "credit_code"), "sale": ("contract_no",)}
Send = Callable[[Model, dict[str, str]], set[str]]  # returns the fields that were refused


def is_kept(record: Any, name: str, written: str) -> bool:
    """Whether a field keeps a text, told from the model alone."""
    field = record._meta.get_field(name)
    is_short = field.max_length is None or len(written) <= field.max_length
    return is_short and not _REFUSED.search(written) and (field.blank or bool(written.strip()))


def send_each(record: Any, names: Sequence[str], strings: Iterable[str], send: Send) -> None:
    """Send each string to all fields of a record: those that keep it hold it then, the others are named and hold on."""
    for written in strings:
        kept = [name for name in names if is_kept(record, name, written)]
        refused = [name for name in names if name not in kept]
        for some, expected in ((kept, set()), (refused, set(refused))):
            before = {name: getattr(record, name) for name in names}
            if some:
                said = send(record, dict.fromkeys(some, written))
                assert bool(said) == bool(expected) and said <= expected, repr(written)
                record.refresh_from_db()
                wanted = before if expected else before | dict.fromkeys(some, written)
                assert {name: getattr(record, name) for name in names} == wanted, repr(written)


def by_api(client: Any, path: str) -> Send:
    """Send by PATCH to an address of the API."""

    def send(record: Any, values: dict[str, str]) -> set[str]:
        answer = client.send("patch", f"{path}/{record.pk}/", {**values, "version": record.version})
        assert answer.status_code in (200, 400), answer.content
        return {error["field"] for error in answer.json()["errors"]} if answer.status_code == 400 else set()

    return send


def by_administration(client: Any) -> Send:
    """Send by the form of a record in the administration, as a browser would send it back."""
    shown: dict[str, Any] = {}

    def send(record: Any, values: dict[str, str]) -> set[str]:
        url = reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])
        if not shown:
            form = client.get(url).context["adminform"].form
            every = {name: form[name].value() for name in form.fields}
            shown.update({name: value for name, value in every.items() if value is not None and value is not False})
        answer = client.post(url, {**shown, "read_version": record.version, **values})
        assert answer.status_code in (200, 302), answer.content
        if answer.status_code == 200:
            return set(answer.context["adminform"].form.errors)
        shown.update(values)
        return set()

    return send


def by_assessment_page(client: Any) -> Send:
    """Send by the page on which people enter an assessment."""

    def send(record: Any, values: dict[str, str]) -> set[str]:
        url = reverse("grading:save-assessment", args=[record.pk])
        answer = client.post(url, {"version": record.version, "budget_state": "none", **values})
        assert answer.status_code in (200, 302, 400), answer.content
        return set() if answer.status_code == 302 else set(answer.context["form"].errors)

    return send


def assert_harmless(client: Any, urls: Iterable[str], written: str) -> None:
    """No page holds a string with a tag as it is; it stands there escaped, if at all."""
    for url in urls:
        page = client.get(url).content.decode()
        assert "<" not in written or written not in page, f"{written!r} at {url}"


def shown_on(client: Any, url: str, written: str) -> bool:
    """Whether a page shows a string, escaped."""
    return str(escape(written)) in client.get(url).content.decode()


# --- files


def for_files(strings: Iterable[str]) -> list[str]:
    """Those that a file can hold: NUL makes a csv file no text, and no workbook can hold what XML cannot."""
    return [written for written in strings if not set(written) & {"\x00", "\ufffe", "\uffff"}]


def import_strings(folder: Path, suffix: str, strings: Sequence[str]) -> None:
    """Import records of each kind with each string in each text; what is not kept is rejected, row by row."""
    customers = [{"code": f"NS{at}", "name": f"客户{at}", "region": "north"} for at in range(len(strings))]
    _import("customers", customers, folder, suffix)
    for kind, model, key in _KINDS:
        rows = [_row_of(kind, at) for at in range(len(strings))]
        for name in TEXTS[model]:
            changed = [row | {name: written} for row, written in zip(rows, strings, strict=True)]
            records, rejected = _import(kind, changed, folder, suffix)
            for number, (row, written) in enumerate(zip(rows, strings, strict=True), start=2):
                _check(records, rejected, number, name, written, key(row))


def _row_of(kind: str, at: int) -> dict[str, str]:
    line = {"customer": f"NS{at}", "product_line": "police"}
    return {
        "customers": {"code": f"NS{at}"},
        "sales": {**line, "contract_no": f"HT{at}", "signed_on": "2026-01-01", "amount": "1"},
        "assessments": {**line, "fiscal_year": "2026"},
    }[kind]


_KINDS: tuple[tuple[str, str, Callable[[dict[str, str]], dict[str, str]]], ...] = (
    ("customers", "customer", lambda row: {"code": row["code"]}),
    ("sales", "sale", lambda row: {"contract_no": row["contract_no"]}),
    ("assessments", "assessment", lambda row: {"line__customer__code": row["customer"]}),
)


def _check(records: Any, rejected: set[int], number: int, name: str, written: str, key: dict[str, str]) -> None:
    record = records.filter(**key).first()
    is_blank = not written.strip()  # says nothing: what is stored stays
    if number in rejected:
        assert not is_blank, repr(written)
        assert not is_kept(records.model(), name, written), repr(written)
    elif not is_blank:
        assert getattr(record, name) == written


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
