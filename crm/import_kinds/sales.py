"""Importing sales: found by their number, else contract number and line, else line, day, amount and note."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.actions.facts import facts_changed
from crm.actions.import_rows import Column, Kind, Occasion, Row, tidied
from crm.actions.references import match_lines, open_lines
from crm.import_kinds.shared import AT_ONCE, LINE_COLUMNS, streamed, written, written_code
from crm.lib.batches import batches
from crm.lib.cells import amount, day, whole
from crm.models import CustomerLine, Sale, User
from crm.permissions import Permission

_OWN_FIELDS = ("contract_no", "signed_on", "amount", "note")


def match_sales(rows: Sequence[Row], user: User | None) -> None:
    """Find each row's sale by contract number and line; without a number by line, day, amount and note."""
    match_lines(rows, user)
    for row in rows:
        row.fields = {name: row.values[name] for name in _OWN_FIELDS if name in row.values}
    placed = [row for row in rows if "line" in row.extra]
    stored, numbered = _stored_sales(placed)
    for row in placed:
        line = row.fields["line"] = row.extra["line"]
        if "id" in row.values:
            row.key = ("id", row.values["id"])
            row.record = numbered.get((line.pk, row.values["id"]))
            if row.record is None:
                row.reject(_("this customer's line has no sale {number}").format(number=row.values["id"]), "id")
        elif not row.faults:
            row.key = _key_of_sale(line.pk or id(line), row.fields)
            row.record = stored.get(row.key) or _of_like_number(row, stored)
    _refuse_taken_numbers(placed, stored)


def _key_of_sale(line: int, values: dict[str, Any]) -> tuple:
    if values.get("contract_no"):
        return (line, values["contract_no"])
    return (line, values["signed_on"], values["amount"], values.get("note", ""))


def _of_like_number(row: Row, stored: dict[tuple, Sale]) -> Sale | None:
    """The sale that a contract number with other spaces or widths of signs means; it keeps its own."""
    sale = stored.get(tidied(row.key)) if row.fields.get("contract_no") else None
    if sale is not None:
        row.fields["contract_no"] = sale.contract_no
    return sale


def _stored_sales(rows: Sequence[Row]) -> tuple[dict[tuple, Sale], dict[tuple, Sale]]:
    """The sales of the rows' lines: by what they say, and by line and number."""
    lines = {row.extra["line"].pk: row.extra["line"] for row in rows if row.extra["line"].pk}
    found: dict[tuple, Sale] = {}
    numbered: dict[tuple, Sale] = {}
    for some in batches(lines, AT_ONCE):
        for sale in Sale.objects.filter(deleted_at=None, line__in=some).select_for_update():
            sale.line = lines[sale.line_id]
            values = {name: getattr(sale, name) for name in _OWN_FIELDS}
            found[_key_of_sale(sale.line_id, values)] = sale
            numbered[sale.line_id, sale.pk] = sale
    return found, numbered


def _refuse_taken_numbers(rows: Sequence[Row], stored: dict[tuple, Sale]) -> None:
    """A sale named by its own number cannot take the contract number of another one of the line."""
    for row in rows:
        number = row.fields.get("contract_no")
        holder = stored.get((row.extra["line"].pk, number)) if number and row.record else None
        if holder is not None and holder != row.record:
            row.reject(_("The customer line already has a sale with this contract number."), "contract_no")


def refuse_numbers_given_twice(rows: Sequence[Row]) -> None:
    """Of two sales of a line that get one contract number the first keeps it."""
    given: dict[tuple, Row] = {}
    for row in [row for row in rows if not row.faults and row.record.contract_no]:
        line = row.extra["line"]
        first = given.setdefault((line.pk or id(line), row.record.contract_no), row)
        if first is not row:
            sentence = _("row {number} gives this contract number to another sale of the line")
            row.reject(sentence.format(number=first.number), "contract_no")


def follow_sales(rows: Sequence[Row], occasion: Occasion) -> None:
    """What was bought decides grades: mark the lines for regrading."""
    for some in batches(sorted({row.record.line_id for row in rows}), AT_ONCE):
        facts_changed(CustomerLine.objects.filter(pk__in=some))


def rows_of_sales(user: User) -> Iterator[Sequence[Any]]:
    """The sales that exist for a person."""
    for sale in streamed(Sale.objects.visible_to(user).for_list()):
        customer = sale.line.customer
        yield (
            sale.pk,
            customer.code,
            customer.region.code,
            sale.line.product_line.code,
            sale.contract_no,
            sale.signed_on,
            sale.amount,
            sale.note,
        )


SALES = Kind(
    name="sales",
    model=Sale,
    permission=Permission.EDIT_SALE,
    columns=(
        Column(
            "id",
            whole,
            ("销售编号", "sale number"),
            about=gettext_lazy("The number that an export shows; empty for a new one."),
            is_key=True,
        ),
        *LINE_COLUMNS,
        Column(
            "contract_no",
            written_code,
            ("合同号", "合同编号", "contract number", "contract no"),
            about=gettext_lazy("Finds the sale in its line; without it day, amount and note do."),
            is_key=True,
        ),
        Column("signed_on", day, ("签订日期", "签约日期", "signed on", "signing date"), True),
        Column("amount", amount, ("金额", "合同金额", "amount"), True),
        Column("note", written, ("备注", "note")),
    ),
    match=match_sales,
    check=refuse_numbers_given_twice,
    prepare=open_lines,
    follow=follow_sales,
    rows=rows_of_sales,
)
