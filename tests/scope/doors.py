"""The doors by which people save records: each reads a record, and later saves what was read with one field changed."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import reverse

from crm.actions.data_imports import start_import, upload_import
from crm.actions.imports import import_kinds
from crm.actions.work_on_import import work_on_import
from crm.import_templates import column_label
from crm.models import BulkChange, BulkState, DataImport, ImportState, User
from crm.models.named import Named


@dataclass(frozen=True)
class Door:
    """A way in. `read` gives back what the person has before him; `save` whether it was saved with the new value."""

    name: str
    read: Callable[[Client, User, Any], Any]
    save: Callable[[Client, User, Any, Any, str, Any], bool]
    has_version: bool = True  # what was read says which version it was

    def __str__(self) -> str:
        return self.name


def form_of(client: Client, path: str, context: str) -> dict[str, Any]:
    """What a browser would send back of a form as it stands."""
    found = client.get(path).context[context]
    form = getattr(found, "form", found)
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def _admin_path(record: Any) -> str:
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def _read_admin(client: Client, by: User, record: Any) -> dict[str, Any]:
    answer = client.get(_admin_path(record))
    form = answer.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    for formset in answer.context["inline_admin_formsets"]:
        values |= {field.html_name: field.value() for field in formset.formset.management_form}
        values |= {field.html_name: field.value() for one in formset.formset.forms for field in one}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def _save_admin(client: Client, by: User, record: Any, read: Any, name: str, value: Any) -> bool:
    return client.post(_admin_path(record), read | {name: value}).status_code == 302


def _page(name: str, *args: Any) -> tuple[Callable, Callable]:
    def path(record: Any) -> str:
        return reverse(name, args=[record.pk])

    def save(client: Client, by: User, record: Any, read: Any, field: str, value: Any) -> bool:
        return client.post(path(record), read | {field: value}).status_code == 302

    return (lambda client, by, record: form_of(client, path(record), "form")), save


def _grid_of(record: Any) -> str:
    return reverse("grading:edit-grid", args=[record.fiscal_year]) + f"?line={record.line.product_line.code}"


def _read_grid(client: Client, by: User, record: Any) -> dict[str, Any]:
    rows = client.get(_grid_of(record)).context["grid"]["rows"]
    return next(row for row in rows if row["line"] == record.line_id)


def _save_grid(client: Client, by: User, record: Any, read: Any, name: str, value: Any) -> bool:
    row = {"line": read["line"], "version": read["version"], "values": {name: value}}
    answer = client.post(_grid_of(record), {"rows": [row]}, content_type="application/json")
    return answer.json()["rows"][0]["outcome"] == "saved"


def _api(prefix: str, *, by_tag: bool) -> tuple[Callable, Callable]:
    def read(client: Client, by: User, record: Any) -> Any:
        answer = client.get(f"/api/v1/{prefix}/{record.pk}/")
        return answer["ETag"] if by_tag else answer.json()["version"]

    def save(client: Client, by: User, record: Any, read: Any, name: str, value: Any) -> bool:
        body, headers = ({name: value}, {"If-Match": read}) if by_tag else ({name: value, "version": read}, {})
        path = f"/api/v1/{prefix}/{record.pk}/"
        return client.patch(path, body, content_type="application/json", headers=headers).status_code == 200

    return read, save


def _import(kind_name: str) -> tuple[Callable, Callable]:
    """A file with the record's row as an export has it: what finds the record, and the one column that is changed."""

    def read(client: Client, by: User, record: Any) -> Any:
        kind = import_kinds()[kind_name]
        names = [column.name for column in kind.columns]
        if issubclass(kind.model, Named):  # nobody exports these: who knows the code writes the file
            return {name: getattr(record, name) for name in names}
        found = (row for row in kind.rows(by) if row_is_of(kind_name, row, record))
        return dict(zip(names, next(found), strict=True))

    def save(client: Client, by: User, record: Any, read: Any, name: str, value: Any) -> bool:
        kind = import_kinds()[kind_name]
        finds = [column for column in kind.columns if column.is_required or column.is_key]
        wanted = [column for column in kind.columns if column in finds or column.name == name]
        table = io.StringIO()
        rows = csv.writer(table)
        rows.writerow([column_label(column) for column in wanted])
        # an export writes fen as yuan
        read = read | ({"amount": read["amount"] / 100} if "amount" in read else {})
        rows.writerow([value if column.name == name else read[column.name] for column in wanted])
        one = imported(kind_name, table.getvalue(), by)
        return one.report["counts"]["updated"] == 1

    return read, save


def imported(kind: str, content: str, by: User) -> DataImport:
    """An import that has been applied."""
    one = upload_import(kind=kind, name="a.csv", content=content.encode(), by=by)
    start_import(data_import=one, by=by)
    work_on_import(job_id=one.job_id)
    one.refresh_from_db()
    assert one.state == ImportState.DONE, one.report
    return one


def _bulk(kind: str, field: str, values: Sequence[Any]) -> tuple[Callable, Callable]:
    """What is read is a page that waits to be confirmed: one for each of the values, since the page names it."""

    def read(client: Client, by: User, record: Any) -> dict[Any, BulkChange]:
        return {value: shown(client, by, record, value) for value in values}

    def shown(client: Client, by: User, record: Any, value: Any) -> BulkChange:
        client.post(reverse("crm:choose-rows", args=[kind]), {"number": record.pk})
        one = BulkChange.objects.filter(by=by).latest("pk")
        client.post(f"{reverse('crm:set-up-bulk-change', args=[one.pk])}?field={field}", {field: value})
        one.refresh_from_db()
        assert one.state == BulkState.SHOWN
        return one

    def save(client: Client, by: User, record: Any, read: Any, name: str, value: Any) -> bool:
        one = read[value]
        client.post(reverse("crm:start-bulk-change", args=[one.pk]), {"version": one.version})
        one.refresh_from_db()
        assert one.state == BulkState.DONE
        return one.report["counts"]["changed"] == 1

    return read, save


def row_is_of(kind: str, row: Any, record: Any) -> bool:
    """Whether a row of an export is the record's."""
    if kind not in ("contacts", "sales", "assessments"):
        return row[0] == (record.username if kind == "people" else record.code)
    if kind != "assessments":
        return row[0] == record.pk
    return record.line.customer.code in row and record.line.product_line.code in row


ADMIN = Door("administration", _read_admin, _save_admin)
ASSESSMENT_FORM = Door("assessment form", *_page("grading:save-assessment"))
GRID_CELL = Door("grid cell", _read_grid, _save_grid)
CUSTOMER_PAGE = Door("customer's page", *_page("crm:edit-customer"))
CONTACT_PAGE = Door("contact's page", *_page("crm:edit-contact"))
PERSON_PAGE = Door("person's page", *_page("crm:edit-person"))
REGION_PAGE = Door("region's page", *_page("crm:edit-region"))
BRANCH_PAGE = Door("branch office's page", *_page("crm:edit-branch"))


def api(prefix: str) -> tuple[Door, Door]:
    """With If-Match, and with the version in the body."""
    return Door("API, If-Match", *_api(prefix, by_tag=True)), Door("API, version", *_api(prefix, by_tag=False))


def imports(kind: str) -> Door:
    """A file names no version."""
    return Door("import", *_import(kind), has_version=False)


def bulk(kind: str, field: str, values: Sequence[Any]) -> Door:
    """The confirmation of a bulk change of one record, with the values that the tests save."""
    return Door("bulk change", *_bulk(kind, field, values))
