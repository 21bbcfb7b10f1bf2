"""Importing customers: found by code, else credit code, else name, the latter two within the region."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from django.db.models import OuterRef, Prefetch, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.actions.customers import describe
from crm.actions.import_rows import Column, Kind, NearDuplicate, Occasion, Row, tidied
from crm.actions.places import date_customers
from crm.actions.references import (
    Words,
    branches_by_word,
    customers_seen_by,
    lines_closed_by_undo,
    lines_of,
    may_write_region,
    product_lines_by_word,
    regions_by_word,
    reopen_lines,
    store_lines,
)
from crm.import_kinds.moves import end_ties_of_moved, match_moves
from crm.import_kinds.parents import match_parents, refuse_orphans
from crm.import_kinds.shared import AT_ONCE, called, labelled, said, streamed, words, written, written_code
from crm.lib.bulk import among, append_all, update_all
from crm.lib.cells import text
from crm.lib.similar import Names
from crm.models import Branch, Customer, CustomerKind, CustomerLine, CustomerRegion, Division, ProductLine, User
from crm.permissions import Permission

_KINDS_OF_CUSTOMER = {
    **dict.fromkeys(("customer", "客户", "最终用户"), CustomerKind.CUSTOMER.value),
    **dict.fromkeys(("agent", "代理", "代理商"), CustomerKind.AGENT.value),
    **dict.fromkeys(
        ("government_relation", "government relation", "政府关系人", "政府关系"), CustomerKind.GOVERNMENT_RELATION.value
    ),
}
_FINDING = ("code", "credit_code", "name")
_OWN_FIELDS = ("code", "name", "short_name", "kind", "credit_code", "industry", "address", "website", "note")


def match_customers(rows: Sequence[Row], user: User | None) -> None:
    """Find each row's customer by code, else credit code, else name; the latter two within the region.

    A code that two regions use means the customer of the row's region.
    """
    _match_places(rows, user)
    for row in rows:
        row.key = _key(row)
    stored = _Stored(rows, user)
    for row in rows:
        row.fields |= {name: row.values[name] for name in _OWN_FIELDS if name in row.values}
        _choose(row, stored.find(row), user)
    match_moves(rows, user)
    _join_names(rows)
    match_parents(rows, user)
    _match_product_lines(rows)


class _Stored:
    """The customers that rows may mean, by each way of matching."""

    def __init__(self, rows: Sequence[Row], user: User | None) -> None:
        self.found: dict[tuple, list[Customer]] = defaultdict(list)
        for name in _FINDING:
            said_so = {row.key[-1] for row in rows if row.key[0] == name and row.key[-1]}
            wanted = said_so | {text(word) for word in said_so}
            seen = customers_seen_by(user).filter(**{f"{name}__in": among(wanted)}).select_for_update(of=("self",))
            for customer in seen.select_related("region", "parent") if wanted else ():
                value = getattr(customer, name)
                self.found[(name, value) if name == "code" else (name, customer.region_id, value)].append(customer)
        self.regions: dict[str, set[int]] = defaultdict(set)  # of a code, as the rows say
        for row in rows:
            if row.key[0] == "code" and "region" in row.fields:
                self.regions[row.key[-1]].add(row.fields["region"].pk)

    def find(self, row: Row) -> list[Customer]:
        """The customers that a row may mean."""
        fitting = self.found.get(row.key, []) or self._tidied(row)
        return self._of_region(row, fitting) if row.key[0] == "code" else fitting

    def _of_region(self, row: Row, fitting: list[Customer]) -> list[Customer]:
        """Of the customers with a code that of the row's region, where the code is used in several; else a move."""
        region = row.fields.get("region")
        if region is None or max(len(fitting), len(self.regions[row.values["code"]])) < 2:
            return fitting
        return [one for one in fitting if one.region_id == region.pk]

    def _tidied(self, row: Row) -> list[Customer]:
        """The customers that a code or name with other spaces or widths of signs means; they keep their own."""
        name, tidy = row.key[0], tidied(row.key)
        fitting = self.found.get(tidy, [])
        if fitting:
            row.key = tidy
            row.fields.pop(name, None)
        return fitting


def _key(row: Row) -> tuple:
    if "code" in row.values:
        return ("code", row.values["code"])
    region = row.fields["region"].pk if "region" in row.fields else None
    name = "credit_code" if "credit_code" in row.values else "name"
    return (name, region, row.values.get(name))


def _choose(row: Row, fitting: Sequence[Customer], user: User | None) -> None:
    """The customer of a row or none yet; a reason where several fit. Unclear: what is wrong with it hides whom."""
    if row.faults and not _says_who(row, fitting):
        row.extra["is_unclear"] = True
    elif len(fitting) > 1:
        row.extra["is_unclear"] = True
        said_so = _("several customers are called “{word}”; write the code and the region")
        row.reject(said_so.format(word=row.key[-1]), row.key[0])
    elif fitting:
        row.record = fitting[0]
    else:
        _require_for_new(row, user)


def _says_who(row: Row, fitting: Sequence[Customer]) -> bool:
    """Whether a rejected row still says whom it means: the region only tells apart who is called so."""
    if row.is_wrong(*_FINDING[: _FINDING.index(row.key[0]) + 1]):
        return False
    may_be_there = fitting if row.key[0] == "code" else row.key[-1]
    return not (may_be_there and row.is_wrong("region"))


def _require_for_new(row: Row, user: User | None) -> None:
    if row.key[0] == "code" and "region" in row.fields:
        row.key = ("code", row.fields["region"].pk, row.key[-1])
    if not may_write_region(user):
        word = row.values.get("code") or row.values.get("name", "")
        row.reject(_("there is no customer “{word}”").format(word=word), "code" if "code" in row.values else "name")
    for name in ("name", "region"):
        if name not in row.fields and not row.is_wrong(name):
            row.reject(_("a new customer needs its {column}").format(column=called(Customer, name)), name)


def _join_names(rows: Iterable[Row]) -> None:
    """A new customer without a code is the one that another row of the file calls by the same name."""
    new = [row for row in rows if not row.faults and row.record is None]
    named = {tidied((row.fields["region"].pk, row.fields["name"])): row.key for row in new if "code" in row.values}
    for row in new:
        if row.key[0] == "name":
            row.key = named.get(tidied(row.key[1:]), row.key)


def _match_places(rows: Sequence[Row], user: User | None) -> None:
    regions, branches = regions_by_word(user), branches_by_word(user)
    divisions = _divisions(rows)
    for row in rows:
        for name, known in (("region", regions), ("branch", branches), ("division", divisions)):
            word = row.values.get(name, "")
            if word and word.lower() not in known:
                row.reject(known.why_not(called(Customer, name), word), name)
            elif word:
                row.fields[name] = known[word.lower()]


def _divisions(rows: Sequence[Row]) -> Words:
    """Divisions by code, and by name where only one is called so."""
    if not any("division" in row.values for row in rows):
        return Words()
    named: dict[str, list[Division]] = defaultdict(list)
    for division in Division.objects.all():
        named[division.name].append(division)
        named[division.code].append(division)
    return Words.of(named)


def _match_product_lines(rows: Sequence[Row]) -> None:
    known = product_lines_by_word()
    stored = lines_of(row.record for row in rows if row.record and row.values.get("lines"))
    closed = lines_closed_by_undo(stored.values())
    for row in rows:
        for word in row.values.get("lines", ()):
            product_line = known.get(word.lower())
            line = stored.get((row.record.pk, product_line.pk)) if row.record and product_line else None
            if product_line is None or _is_sold_no_more(product_line, line, row):
                row.reject(known.why_not(ProductLine._meta.verbose_name, word), "lines")
            elif line is None or line.pk in closed:
                row.extra.setdefault("lines", []).append(line or product_line)
                row.is_touched = True


def _is_sold_no_more(product_line: ProductLine, line: CustomerLine | None, row: Row) -> bool:
    """Whether a customer cannot get a line; one that has it already keeps it."""
    return line is None and not product_line.is_active and "is_unclear" not in row.extra


def check_customers(rows: Sequence[Row]) -> None:
    """What customers may not have beside each other or together; then those whose parent is rejected."""
    sure = [row for row in rows if row.record and not row.is_wrong("region") and "is_unclear" not in row.extra]
    _refuse_taken_credit_codes(sure)
    _refuse_branches_elsewhere(sure)
    refuse_orphans(rows)


def _refuse_taken_credit_codes(rows: Sequence[Row]) -> None:
    """A credit code is unique within a region, among what is stored and within the file; it moves with its customer."""
    given = [row for row in rows if row.record.credit_code and _gets(row, "region_id", "credit_code")]
    given = [row for row in given if not row.is_wrong("credit_code")]
    codes = among(row.record.credit_code for row in given)
    holders = Customer.objects.filter(deleted_at=None, credit_code__in=codes)
    stored = holders.values_list("region_id", "credit_code", "pk") if given else ()
    taken: dict[tuple, Any] = {(region, code): pk for region, code, pk in stored}
    for row in sorted(given, key=lambda row: bool(row.faults)):  # a rejected one takes none from the others
        owner, held = row.record.pk or row, (row.record.region_id, row.record.credit_code)
        holder = taken.get(held, owner) if row.faults else taken.setdefault(held, owner)
        if holder != owner:
            row.reject(_("Another customer of the region has this credit code."), "credit_code")


def _refuse_branches_elsewhere(rows: Sequence[Row]) -> None:
    """The branch office belongs to the region; what the row does not change stays as it is stored."""
    placed = [row for row in rows if row.record.branch_id and _gets(row, "region_id", "branch_id")]
    regions = dict(Branch.objects.values_list("pk", "region")) if placed else {}
    for row in placed:
        if "branch" in row.fields and regions[row.record.branch_id] != row.record.region_id:
            row.reject(_("This branch office belongs to another region."), "branch")


def _gets(row: Row, *names: str) -> bool:
    """Whether a row gives its customer another value in one of these columns of the database."""
    return row.before is None or any(row.before[name] != getattr(row.record, name) for name in names)


def describe_customer(customer: Customer) -> None:
    """What search looks in; a new customer without a code gets its number as one later."""
    customer.code = customer.code or uuid4().hex
    describe(customer)


def settle_customers(rows: Sequence[Row], occasion: Occasion) -> None:
    """What needs the customers' numbers: codes, parents of the same file, dated regions, product lines."""
    for row in rows:
        if row.is_new and "code" not in row.fields:
            row.record.code = f"K{row.record.pk:06}"
            describe_customer(row.record)
        if "parent" in row.extra:
            row.record.parent = row.extra["parent"].record
    settled = [row.record for row in rows if "parent" in row.extra or (row.is_new and "code" not in row.fields)]
    update_all(Customer, settled, ["code", "parent", "search_text"])
    today = timezone.localdate()
    new = [(row.record.pk, row.record.region_id, today) for row in rows if row.is_new]
    append_all(CustomerRegion, ("customer_id", "region_id", "from_on"), new)
    _follow_moves(rows, occasion)
    named = [(row.record, line) for row in rows for line in row.extra.get("lines", ())]
    store_lines(
        [CustomerLine(customer=one, product_line=line) for one, line in named if not isinstance(line, CustomerLine)],
        occasion,
    )
    reopen_lines([line for _one, line in named if isinstance(line, CustomerLine)], occasion)


def _follow_moves(rows: Sequence[Row], occasion: Occasion) -> None:
    """Who has moved belongs to the region from today on; past figures stay with the region of then."""
    moved = [row.record for row in rows if row.before and row.before["region_id"] != row.record.region_id]
    date_customers(moved, from_on=timezone.localdate())
    end_ties_of_moved(moved, occasion)


def resembling_customers(rows: Sequence[Row], user: User | None) -> Iterator[NearDuplicate]:
    """Customers within the person's sight that are called nearly like a new one."""
    if not rows:
        return
    known = Names(customers_seen_by(user).values_list("pk", "name").iterator(chunk_size=AT_ONCE))
    for row in rows if known else ():
        like = known.most_like(row.record.name)
        if like is not None:
            yield NearDuplicate(row.number, row.record.name, like.key, like.name, like.score)


def date_restored_regions(rows: Sequence[Row], occasion: Occasion) -> None:
    """Customers that an undo moves back belong to their former region from today on."""
    _follow_moves(rows, occasion)


def rows_of_customers(user: User) -> Iterator[Sequence[Any]]:
    """The customers that exist for a person."""
    lines = CustomerLine.objects.filter(is_active=True, product_line__is_active=True)
    lines = lines.select_related("product_line").order_by("product_line__position")
    parents = Customer.objects.visible_to(user).filter(pk=OuterRef("parent"))  # one outside of the scope is not named
    seen = Customer.objects.visible_to(user).select_related("region", "branch", "division")
    seen = seen.annotate(parent_code=Subquery(parents.values("code")))
    for one in streamed(seen.prefetch_related(Prefetch("lines", queryset=lines, to_attr="active_lines"))):
        yield (
            one.code,
            one.name,
            one.short_name,
            said(CustomerKind, one.kind),
            one.credit_code,
            one.industry,
            one.region.code,
            one.branch.code if one.branch else None,
            one.division.code if one.division else None,
            one.parent_code,
            "、".join(line.product_line.code for line in one.active_lines),
            one.address,
            one.website,
            one.note,
        )


CUSTOMERS = Kind(
    name="customers",
    model=Customer,
    permission=Permission.EDIT_CUSTOMER,
    columns=(
        Column(
            "code",
            written_code,
            ("客户编码", "编码", "customer code"),
            about=gettext_lazy("Finds the customer; a new one without a code gets its number as one."),
            is_key=True,
        ),
        Column(
            "name",
            written,
            ("客户名称", "名称", "客户", "customer", "customer name"),
            about=gettext_lazy("The full name; a new customer needs it."),
            is_key=True,
            surer=("客户名称", "customer name"),
        ),
        Column("short_name", written, ("简称", "short name")),
        Column(
            "kind",
            labelled(_KINDS_OF_CUSTOMER, CustomerKind),
            ("客户类型", "类型", "type"),
            allowed=tuple(CustomerKind.labels),
        ),
        Column(
            "credit_code",
            written_code,
            ("统一社会信用代码", "信用代码", "credit code"),
            about=gettext_lazy("Finds the customer in its region where there is no code."),
        ),
        Column("industry", written, ("行业", "industry"), is_shared=True),
        Column("region", text, ("大区", "区域", "region"), about=gettext_lazy("A new customer needs it."), is_key=True),
        Column("branch", text, ("分公司", "branch office", "branch")),
        Column(
            "division",
            text,
            ("行政区划", "division"),
            about=gettext_lazy("The code or the name of the administrative division."),
            surer=("区划代码",),
        ),
        Column(
            "parent",
            written_code,
            ("上级客户", "上级单位", "parent"),
            about=gettext_lazy("The code or the name of the customer above; it may stand in the same file."),
        ),
        Column(
            "lines", words, ("产品线", "product lines"), about=gettext_lazy("Several are separated by commas or 、.")
        ),
        Column("address", written, ("地址", "address")),
        Column("website", written, ("网址", "网站", "website")),
        Column("note", written, ("备注", "note")),
    ),
    match=match_customers,
    check=check_customers,
    derive=describe_customer,
    settle=settle_customers,
    resembling=resembling_customers,
    rows=rows_of_customers,
    restored=date_restored_regions,
)
