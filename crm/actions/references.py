"""What the words of an imported row mean: regions, lines and customers by code or name, looked up in sets."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, record_changes, snapshot
from crm.actions.import_rows import Occasion, Row
from crm.lib.batches import batches
from crm.lib.bulk import insert_all, update_all
from crm.lib.cells import text
from crm.models import Branch, Change, Customer, CustomerLine, DataImport, ProductLine, Region, User, Way

_AT_ONCE = 5000  # values in one query


def customers_seen_by(user: User | None) -> QuerySet[Customer]:
    """The customers that exist for a person; all that are not deleted for the command with full scope."""
    everyone = Customer.objects.filter(deleted_at=None)
    return everyone if user is None else Customer.objects.visible_to(user)


def may_write_region(user: User | None) -> bool:
    """Whether a person may add customers and lines to a whole region."""
    return user is None or user.sees_all_regions or user.sees_whole_region


def may_open_line(user: User | None, customer: Customer) -> bool:
    """Whether a person may add a product line to a customer: one of a whole region that is his, or delegated to him."""
    return (
        user is None or user.sees_all_regions or (may_write_region(user) and customer.region_id in user.reach.regions)
    )


class Words(dict[str, Any]):
    """What words stand for, where each stands for one record; `several` are those that stand for more than one."""

    several: Collection[str] = ()

    @classmethod
    def of(cls, found: Mapping[str, Sequence[Any]]) -> "Words":
        """The words of some records, each with those that it may mean."""
        words = cls({word: records[0] for word, records in found.items() if word and len(records) == 1})
        words.several = {word for word, records in found.items() if len(records) > 1}
        return words

    def why_not(self, column: Any, word: str) -> str:
        """Why a word stands for none; only records that the person sees are among these, so only they are told of."""
        return none_or_several(column, word, is_several=word.lower() in self.several)


def none_or_several(column: Any, word: str, *, is_several: bool) -> str:
    """Why a word stands for none of what a column is about."""
    sentence = _("there is more than one {column} “{word}”") if is_several else _("there is no {column} “{word}”")
    return sentence.format(column=column, word=word)


def regions_by_word(user: User | None) -> Words:
    """The regions that exist for a person, by code and names."""
    return by_word(Region.objects.all() if user is None else Region.objects.visible_to(user))


def branches_by_word(user: User | None) -> Words:
    """The branch offices of those regions, by code and names."""
    return by_word(Branch.objects.all() if user is None else Branch.objects.visible_to(user))


def product_lines_by_word() -> Words:
    """The product lines, those that are not sold any more included, by code and names."""
    return by_word(ProductLine.objects.all())


def by_word(named: Iterable[Any]) -> Words:
    """Reference rows by code, and by a name that only one of them has or one of those in use, in lower case."""
    coded: dict[str, list[Any]] = defaultdict(list)
    called: dict[str, list[Any]] = defaultdict(list)
    for row in named:
        coded[row.code.lower()].append(row)
        for word in {row.name.lower(), row.name_en.lower()}:
            called[word].append(row)
    in_use = {word: [row for row in rows if row.is_active] or rows for word, rows in called.items()}
    return Words.of(in_use | coded)


def customers_by_word(words: Iterable[str], user: User | None) -> dict[str, list[Customer]]:
    """Customers whose code, credit code or name is one of the words; the first of these that fits decides.

    A word with other spaces or widths of signs than a stored one means that one.
    """
    found: dict[str, list[Customer]] = {}
    said_so = set(filter(None, words))
    wanted = sorted(said_so | {text(word) for word in said_so})
    for attribute in ("code", "credit_code", "name"):
        matches: dict[str, list[Customer]] = defaultdict(list)
        for some in batches([word for word in wanted if word not in found], _AT_ONCE):
            for row in customers_seen_by(user).filter(**{f"{attribute}__in": some}).select_related("region"):
                matches[getattr(row, attribute)].append(row)
        found |= matches
    return found | {word: found[text(word)] for word in said_so - found.keys() if text(word) in found}


def match_customers(rows: Sequence[Row], user: User | None) -> None:
    """Set `extra["customer"]` from the columns customer and region, or a reason."""
    found = customers_by_word((row.values["customer"] for row in rows if "customer" in row.values), user)
    regions = regions_by_word(user)
    for row in rows:
        word = row.values.get("region", "")
        if word and word.lower() not in regions:
            row.reject(regions.why_not(Region._meta.verbose_name, word), "region")
        if "customer" in row.values:
            _match_customer(row, found.get(row.values["customer"], []), regions.get(word.lower()))


def _match_customer(row: Row, called: Sequence[Customer], region: Region | None) -> None:
    """The customer of a row, of those that are called so; where its region is wrong, that none is called so at most."""
    word = row.values["customer"]
    fitting = [one for one in called if one.region == region] if region else called
    if not fitting:
        row.reject(_("there is no customer “{word}”").format(word=word), "customer")
    elif row.is_wrong("region"):
        return
    elif len(fitting) == 1:
        row.extra["customer"] = fitting[0]
    else:
        said_so = _("several customers are called “{word}”; write the code and the region")
        row.reject(said_so.format(word=word), "customer")


def match_lines(rows: Sequence[Row], user: User | None) -> None:
    """Set `extra["line"]` from the columns customer, region, product_line; a line not there yet is opened."""
    match_customers(rows, user)
    product_lines = product_lines_by_word()
    good = [row for row in rows if "customer" in row.extra]
    lines = lines_of({row.extra["customer"].pk: row.extra["customer"] for row in good}.values())
    writable = _writable(lines.values(), user)
    for row in [row for row in rows if "product_line" in row.values]:
        word = row.values["product_line"]
        product_line, customer = product_lines.get(word.lower()), row.extra.get("customer")
        if product_line is None:
            row.reject(product_lines.why_not(ProductLine._meta.verbose_name, word), "product_line")
            continue
        if customer is None:
            continue
        key = (customer.pk, product_line.pk)
        line = lines.get(key)
        if line is None and may_open_line(user, customer) and product_line.is_active:
            line = lines[key] = CustomerLine(customer=customer, product_line=product_line)
        if line is None or (line.pk and line.pk not in writable):
            row.reject(_("you may not write this customer's line “{word}”").format(word=word), "product_line")
        else:
            row.extra["line"] = line


def lines_of(customers: Iterable[Customer]) -> dict[tuple[int, int], CustomerLine]:
    """The lines of customers by customer and product line, each with its customer."""
    found: dict[tuple[int, int], CustomerLine] = {}
    for some in batches(customers, _AT_ONCE):
        known = {customer.pk: customer for customer in some}
        for line in CustomerLine.objects.filter(customer__in=known).select_related("product_line"):
            line.customer = known[line.customer_id]
            found[line.customer_id, line.product_line_id] = line
    return found


def open_lines(rows: Sequence[Row], occasion: Occasion) -> None:
    """Store the lines that `match_lines` opened, and open again what an undo had closed."""
    lines = {id(row.extra["line"]): row.extra["line"] for row in rows}.values()
    store_lines([line for line in lines if line.pk is None], occasion)
    closed = lines_closed_by_undo(lines)
    reopen_lines([line for line in lines if line.pk in closed], occasion)


def store_lines(lines: Sequence[CustomerLine], occasion: Occasion) -> None:
    """Store new customer lines and record them."""
    insert_all(CustomerLine, lines)
    edits = [Edit(line, None) for line in lines]
    record_changes(edits, by=occasion.by, way=Way.IMPORT, batch=occasion.batch)


def reopen_lines(lines: Sequence[CustomerLine], occasion: Occasion) -> None:
    """Make lines active again and record it."""
    before = [snapshot(line) for line in lines]
    for line in lines:
        line.is_active = True
    update_all(CustomerLine, lines, ["is_active"])
    edits = [Edit(line, was) for line, was in zip(lines, before, strict=True)]
    record_changes(edits, by=occasion.by, way=Way.IMPORT, batch=occasion.batch)


def lines_closed_by_undo(lines: Iterable[CustomerLine]) -> set[int]:
    """Of inactive lines those that an undo has closed, not a person: importing them again opens them."""
    return closed_by_undo(CustomerLine, [line.pk for line in lines if line.pk and not line.is_active])


def closed_by_undo(model: type[Model], ids: Collection[int]) -> set[int]:
    """Of some records those whose latest change is the undo of an import."""
    latest: dict[int, Any] = {}
    for some in batches(ids, _AT_ONCE):
        changes = Change.objects.filter(table=model._meta.db_table, object_id__in=some).order_by("sequence")
        latest |= dict(changes.values_list("object_id", "batch"))
    undone = DataImport.objects.filter(undo_batch__in=set(filter(None, latest.values())))
    batches_of_undo = set(undone.values_list("undo_batch", flat=True)) if latest else set()
    return {pk for pk, batch in latest.items() if batch in batches_of_undo}


def pairs(values: Iterable[tuple[Any, Any]], first: str, second: str) -> Iterable[Q]:
    """Conditions that find rows by pairs of values, some at a time: a few too many, never one too few."""
    for some in batches(values, _AT_ONCE):
        yield Q(**{f"{first}__in": {one for one, two in some}, f"{second}__in": {two for one, two in some}})


def _writable(lines: Iterable[CustomerLine], user: User | None) -> set[int]:
    if user is None or user.sees_all_regions or user.reach.is_one_region:
        return {line.pk for line in lines}
    return set(CustomerLine.objects.writable_by(user).values_list("pk", flat=True))
