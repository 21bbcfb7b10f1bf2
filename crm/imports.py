"""The kinds of records of this app that can be imported: customers and sales."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.facts import facts_changed
from crm.actions.imports import Column, Kind, Occasion, Row
from crm.actions.references import (
    by_word,
    customers_by_word,
    customers_seen_by,
    lines_of,
    match_lines,
    may_write_region,
    open_lines,
    product_lines_by_word,
    regions_by_word,
    store_lines,
)
from crm.lib.batches import batches
from crm.lib.cells import Cell, amount, choice, day, text, whole
from crm.lib.pinyin import full_pinyin, search_text
from crm.models import (
    Branch,
    Customer,
    CustomerKind,
    CustomerLine,
    CustomerRegion,
    Division,
    ProductLine,
    Region,
    Sale,
    User,
)
from crm.permissions import Permission

_KINDS_OF_CUSTOMER = {
    **dict.fromkeys(("customer", "客户", "最终用户"), CustomerKind.CUSTOMER.value),
    **dict.fromkeys(("agent", "代理", "代理商"), CustomerKind.AGENT.value),
    **dict.fromkeys(
        ("government_relation", "government relation", "政府关系人", "政府关系"), CustomerKind.GOVERNMENT_RELATION.value
    ),
}
_OWN_FIELDS = ("code", "name", "short_name", "kind", "credit_code", "industry", "address", "website", "note")
_AT_ONCE = 5000


def words(cell: Cell) -> list[str]:
    """Several words in one cell, separated by commas, semicolons or 、."""
    separated = text(cell).replace("、", ",").replace(";", ",").split(",")
    return [word.strip() for word in separated if word.strip()]


# --- customers


def match_customers(rows: Sequence[Row], user: User | None) -> None:
    """Find each row's customer by code, else credit code, else name; the latter two within the region."""
    _match_places(rows, user)
    stored = _Stored(rows, user)
    for row in [row for row in rows if not row.reasons]:
        row.key = _key(row)
        row.record = stored.find(row)
        row.fields |= {name: row.values[name] for name in _OWN_FIELDS if name in row.values}
        if row.record is None:
            _require_for_new(row, user, stored)
    _match_parents(rows, user)
    _match_product_lines(rows)
    _refuse_taken_credit_codes(rows)


class _Stored:
    """The customers that rows may mean, by each way of matching."""

    def __init__(self, rows: Sequence[Row], user: User | None) -> None:
        self.found: dict[tuple, list[Customer]] = defaultdict(list)
        for name in ("code", "credit_code", "name"):
            wanted = sorted({row.values[name] for row in rows if name in row.values})
            for some in batches(wanted, _AT_ONCE):
                seen = customers_seen_by(user).filter(**{f"{name}__in": some}).select_for_update(of=("self",))
                for customer in seen.select_related("region", "parent"):
                    value = getattr(customer, name)
                    self.found[(name, value) if name == "code" else (name, customer.region_id, value)].append(customer)
        codes = [row.values["code"] for row in rows if "code" in row.values]
        self.codes: set[str] = set()
        for some in batches(codes, _AT_ONCE):
            self.codes |= set(Customer.objects.filter(code__in=some).values_list("code", flat=True))

    def find(self, row: Row) -> Customer | None:
        """The customer of a row; a reason where several fit."""
        fitting = self.found.get(row.key, [])
        if len(fitting) > 1:
            row.reject(_("several customers are called “{word}”; write the code").format(word=row.values["name"]))
        return fitting[0] if fitting else None


def _key(row: Row) -> tuple:
    if "code" in row.values:
        return ("code", row.values["code"])
    region = row.fields["region"].pk if "region" in row.fields else None
    name = "credit_code" if "credit_code" in row.values else "name"
    return (name, region, row.values.get(name))


def _require_for_new(row: Row, user: User | None, stored: _Stored) -> None:
    if not may_write_region(user) or row.values.get("code") in stored.codes:
        row.reject(_("there is no customer “{word}”").format(word=row.values.get("code") or row.values.get("name", "")))
    for name in ("name", "region"):
        if name not in row.fields:
            row.reject(_("a new customer needs its {column}").format(column=name))


def _match_places(rows: Sequence[Row], user: User | None) -> None:
    regions, branches = regions_by_word(user), by_word(Branch.objects.all())
    divisions = _divisions(rows)
    for row in rows:
        for name, known in (("region", regions), ("branch", branches), ("division", divisions)):
            word = row.values.get(name, "")
            if word and word.lower() not in known:
                row.reject(_("there is no {column} “{word}”, or more than one").format(column=name, word=word))
            elif word:
                row.fields[name] = known[word.lower()]


def _divisions(rows: Sequence[Row]) -> dict[str, Division]:
    """Divisions by code, and by name where only one is called so."""
    if not any("division" in row.values for row in rows):
        return {}
    named: dict[str, list[Division]] = defaultdict(list)
    for division in Division.objects.all():
        named[division.name].append(division)
        named[division.code].append(division)
    return {word: found[0] for word, found in named.items() if len(found) == 1}


def _match_parents(rows: Sequence[Row], user: User | None) -> None:
    """A parent stands in the database or in the same file, before or after its children."""
    wanted = {row.values["parent"] for row in rows if row.values.get("parent")}
    stored, in_file = customers_by_word(wanted, user), _rows_by_word(rows)
    for row in [row for row in rows if row.values.get("parent")]:
        word = row.values["parent"]
        fitting = stored.get(word, [])
        above = in_file.get(word)
        if len(fitting) == 1:
            row.fields["parent"] = fitting[0]
        elif above is not None and above is not row:
            row.extra["parent"], row.is_touched = above, True
        else:
            row.reject(_("there is no parent “{word}”, or more than one").format(word=word))
    _refuse_orphans(rows)


def _rows_by_word(rows: Iterable[Row]) -> dict[str, Row]:
    return {row.values[name]: row for row in rows for name in ("name", "code") if name in row.values}


def _refuse_orphans(rows: Sequence[Row]) -> None:
    """A row whose parent is rejected is rejected too, and so on downwards."""
    while orphans := [row for row in rows if not row.reasons and "parent" in row.extra and row.extra["parent"].reasons]:
        for row in orphans:
            row.reject(_("its parent in row {number} is rejected").format(number=row.extra["parent"].number))


def _match_product_lines(rows: Sequence[Row]) -> None:
    known = product_lines_by_word()
    stored = lines_of(row.record for row in rows if row.record and row.values.get("lines"))
    for row in rows:
        for word in row.values.get("lines", ()):
            product_line = known.get(word.lower())
            if product_line is None:
                row.reject(_("there is no product line “{word}”").format(word=word))
            elif row.record is None or (row.record.pk, product_line.pk) not in stored:
                row.extra.setdefault("lines", []).append(product_line)
                row.is_touched = True


def _refuse_taken_credit_codes(rows: Sequence[Row]) -> None:
    """A credit code is unique within a region, among what is stored and within the file."""
    given = [row for row in rows if not row.reasons and row.values.get("credit_code")]
    taken: dict[tuple, Any] = {}
    for some in batches([row.values["credit_code"] for row in given], _AT_ONCE):
        holders = Customer.objects.filter(deleted_at=None, credit_code__in=some)
        taken |= {(region, code): pk for region, code, pk in holders.values_list("region_id", "credit_code", "pk")}
    for row in given:
        region = row.fields.get("region") or row.record.region
        owner = row.record.pk if row.record else row
        if taken.setdefault((region.pk, row.values["credit_code"]), owner) != owner:
            row.reject(_("Another customer of the region has this credit code."))


def describe_customer(customer: Customer) -> None:
    """What search looks in; a new customer without a code gets its number as one later."""
    customer.code = customer.code or uuid4().hex
    customer.pinyin = full_pinyin(customer.name)[:600]
    customer.search_text = search_text(name=customer.name, short_name=customer.short_name, code=customer.code)


def settle_customers(rows: Sequence[Row], occasion: Occasion) -> None:
    """What needs the customers' numbers: codes, parents of the same file, dated regions, product lines."""
    for row in rows:
        if row.is_new and "code" not in row.fields:
            row.record.code = f"K{row.record.pk:06}"
            describe_customer(row.record)
        if "parent" in row.extra:
            row.record.parent = row.extra["parent"].record
    settled = [row.record for row in rows if "parent" in row.extra or (row.is_new and "code" not in row.fields)]
    Customer.objects.bulk_update(settled, ["code", "parent", "search_text"], batch_size=1000)
    _date_regions(rows)
    store_lines(
        [
            CustomerLine(customer=row.record, product_line=product_line)
            for row in rows
            for product_line in row.extra.get("lines", ())
        ],
        occasion,
    )


def _date_regions(rows: Sequence[Row]) -> None:
    moved = [row.record for row in rows if row.before is None or row.before["region_id"] != row.record.region_id]
    CustomerRegion.objects.bulk_create(
        [CustomerRegion(customer=one, region=one.region, from_on=timezone.localdate()) for one in moved],
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["customer", "from_on"],
        update_fields=["region"],
    )


# --- sales


def match_sales(rows: Sequence[Row], user: User | None) -> None:
    """Find each row's sale by contract number and line; without a number by line, day, amount and note."""
    match_lines(rows, user)
    good = [row for row in rows if not row.reasons]
    stored = _stored_sales(good)
    for row in good:
        line = row.extra["line"]
        row.fields = {
            name: row.values[name] for name in ("contract_no", "signed_on", "amount", "note") if name in row.values
        }
        row.fields["line"] = line
        row.key = _key_of_sale(line.pk or id(line), row.fields)
        row.record = stored.get(row.key)


def _key_of_sale(line: int, values: dict[str, Any]) -> tuple:
    if values.get("contract_no"):
        return (line, values["contract_no"])
    return (line, values["signed_on"], values["amount"], values.get("note", ""))


def _stored_sales(rows: Sequence[Row]) -> dict[tuple, Sale]:
    lines = {row.extra["line"].pk: row.extra["line"] for row in rows if row.extra["line"].pk}
    found: dict[tuple, Sale] = {}
    for some in batches(lines, _AT_ONCE):
        for sale in Sale.objects.filter(deleted_at=None, line__in=some).select_for_update():
            sale.line = lines[sale.line_id]
            values = {name: getattr(sale, name) for name in ("contract_no", "signed_on", "amount", "note")}
            found[_key_of_sale(sale.line_id, values)] = sale
    return found


def follow_sales(rows: Sequence[Row], occasion: Occasion) -> None:
    """What was bought decides grades: mark the lines for regrading."""
    for some in batches(sorted({row.record.line_id for row in rows}), _AT_ONCE):
        facts_changed(CustomerLine.objects.filter(pk__in=some))


# --- reference rows


def match_named(model: type[Region] | type[ProductLine]) -> Callable[[Sequence[Row], User | None], None]:
    """Find reference rows by their code."""

    def match(rows: Sequence[Row], user: User | None) -> None:
        stored = {one.code: one for one in model._default_manager.select_for_update()}
        for row in [row for row in rows if not row.reasons]:
            row.key, row.fields = (row.values["code"],), dict(row.values)
            row.record = stored.get(row.values["code"])

    return match


CUSTOMERS = Kind(
    name="customers",
    model=Customer,
    permission=Permission.EDIT_CUSTOMER,
    columns=(
        Column("code", text, ("客户编码", "编码", "customer code")),
        Column("name", text, ("客户名称", "名称", "客户", "customer", "customer name")),
        Column("short_name", text, ("简称", "short name")),
        Column("kind", choice(_KINDS_OF_CUSTOMER), ("客户类型", "类型", "type")),
        Column("credit_code", text, ("统一社会信用代码", "信用代码", "credit code")),
        Column("industry", text, ("行业", "industry")),
        Column("region", text, ("大区", "区域", "region")),
        Column("branch", text, ("分公司", "branch office", "branch")),
        Column("division", text, ("行政区划", "区划代码", "division")),
        Column("parent", text, ("上级客户", "上级单位", "parent")),
        Column("lines", words, ("产品线", "product lines")),
        Column("address", text, ("地址", "address")),
        Column("website", text, ("网址", "website")),
        Column("note", text, ("备注", "note")),
    ),
    match=match_customers,
    derive=describe_customer,
    settle=settle_customers,
)

LINE_COLUMNS = (
    Column("customer", text, ("客户", "客户编码", "客户名称", "customer", "customer code", "customer name"), True),
    Column("region", text, ("大区", "区域", "region")),
    Column("product_line", text, ("产品线", "product line"), True),
)

SALES = Kind(
    name="sales",
    model=Sale,
    permission=Permission.EDIT_SALE,
    columns=(
        *LINE_COLUMNS,
        Column("contract_no", text, ("合同号", "合同编号", "contract number", "contract no")),
        Column("signed_on", day, ("签订日期", "签约日期", "signed on", "signing date"), True),
        Column("amount", amount, ("金额", "合同金额", "amount"), True),
        Column("note", text, ("备注", "note")),
    ),
    match=match_sales,
    prepare=open_lines,
    follow=follow_sales,
)

_NAMED_COLUMNS = (
    Column("code", text, ("编码",), True),
    Column("name", text, ("名称",), True),
    Column("name_en", text, ("英文名称", "english name")),
    Column("position", whole, ("顺序",)),
)
REGIONS = Kind("regions", Region, Permission.EDIT_REFERENCE, _NAMED_COLUMNS, match_named(Region))
PRODUCT_LINES = Kind("product-lines", ProductLine, Permission.EDIT_REFERENCE, _NAMED_COLUMNS, match_named(ProductLine))

KINDS = (CUSTOMERS, SALES, REGIONS, PRODUCT_LINES)
