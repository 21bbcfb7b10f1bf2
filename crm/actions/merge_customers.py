"""Merging two customers that are one: everything goes to the one that stays, in one transaction."""

from collections.abc import Collection
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import EditedMeanwhile, record_changes
from crm.actions.customers import describe
from crm.actions.facts import facts_changed
from crm.actions.hierarchy import refuse_circle
from crm.actions.merge_members import take_members_over
from crm.actions.merging import Merging, merge_steps
from crm.models import Contact, Customer, CustomerLine, CustomerMerge, Sale, User, Way

# Region and branch office stay the survivor's: moving a customer is a transfer.
CHOOSABLE = (
    *("name", "short_name", "code", "kind", "credit_code", "industry", "parent", "division"),
    *("address", "website", "note"),
)


class MergeRefused(Exception):
    """The two cannot become one; the message says why, for people. Nothing was changed."""


@transaction.atomic
def merge_customers(
    *, survivor: Customer, loser: Customer, versions: tuple[int, int], from_loser: Collection[str], by: User
) -> CustomerMerge:
    """Let one customer go into another; `from_loser` are the fields whose value is taken from the one that goes.

    `versions` are those of the survivor and the loser that the person saw. Contacts, children, product lines with all
    that belongs to them go over. Where both have a product line, the loser's is switched off: its sales, memberships
    and the assessments of years that the survivor's has none of go to the survivor's line. Grades follow.
    Raises EditedMeanwhile, MergeRefused, StandsAboveItself.
    """
    if survivor.pk == loser.pk:
        raise MergeRefused(_("A customer cannot be merged with itself."))
    merging = _locked(survivor.pk, loser.pk, versions, by)
    now = timezone.now()
    parent = _parent(merging, is_losers="parent" in from_loser)
    values = {name: getattr(merging.loser, name) for name in from_loser if name in CHOOSABLE}

    def go(one: Customer) -> None:
        one.deleted_at, one.merged_into = now, merging.survivor

    def take(one: Customer) -> None:
        for name, value in (values | {"parent": parent}).items():
            setattr(one, name, value)
        describe(one)
        _refuse_what_cannot_be(one)

    merging.change("customers", [merging.loser], go, "deleted_at", "merged_into")
    _take_family_over(merging)
    merging.change("customers", [merging.survivor], take, *CHOOSABLE, "pinyin", "search_text")
    _take_contacts_over(merging)
    _take_lines_over(merging)
    for step in merge_steps():
        step.follow(merging)
    return _recorded(merging)


def _locked(survivor: int, loser: int, versions: tuple[int, int], by: User) -> Merging:
    """The locks of who grades are taken first, then those of the customers."""
    lines = CustomerLine.objects.filter(customer__in=(survivor, loser)).order_by("pk").values_list("pk", flat=True)
    for step in merge_steps():
        step.lock(list(lines))
    stored = Customer.objects.filter(pk__in=(survivor, loser)).select_related("region", "parent", "division")
    found = {one.pk: one for one in stored.order_by("pk").select_for_update(of=("self",))}
    for pk, version in ((survivor, versions[0]), (loser, versions[1])):
        if found[pk].deleted_at is not None:
            raise MergeRefused(_("{name} has been removed or merged already.").format(name=found[pk].name))
        if found[pk].version != version:
            raise EditedMeanwhile(found[pk])
    return Merging(survivor=found[survivor], loser=found[loser], by=by)


def _parent(merging: Merging, *, is_losers: bool) -> Customer | None:
    """The parent that was chosen; where that is one of the two, the one above it."""
    pair = {merging.survivor.pk, merging.loser.pk}
    chosen, other = merging.survivor.parent, merging.loser.parent
    if is_losers:
        chosen, other = other, chosen
    if chosen is None or chosen.pk not in pair:
        return chosen
    return None if other is None or other.pk in pair else other


def _take_family_over(merging: Merging) -> None:
    below = Customer.objects.filter(parent=merging.loser, deleted_at=None).exclude(pk=merging.survivor.pk)
    earlier = Customer.objects.filter(merged_into=merging.loser)

    def belong(one: Customer) -> None:
        one.parent = merging.survivor

    def point(one: Customer) -> None:
        one.merged_into = merging.survivor

    merging.change("children", list(below.order_by("pk").select_for_update()), belong, "parent")
    merging.change("merged", list(earlier.order_by("pk").select_for_update()), point, "merged_into")


def _refuse_what_cannot_be(survivor: Customer) -> None:
    """The survivor with the chosen values is as any customer must be."""
    refuse_circle(survivor)
    try:
        survivor.validate_constraints()
    except ValidationError as refusal:
        raise MergeRefused(" ".join(refusal.messages)) from refusal


def _take_contacts_over(merging: Merging) -> None:
    contacts = Contact.objects.filter(customer=merging.loser, deleted_at=None)

    def belong(one: Contact) -> None:
        one.customer = merging.survivor

    merging.change("contacts", list(contacts.order_by("pk").select_for_update()), belong, "customer")


def _take_lines_over(merging: Merging) -> None:
    pair = (merging.survivor, merging.loser)
    lines: dict[int, dict[int, CustomerLine]] = {one.pk: {} for one in pair}
    known = {one.pk: one for one in pair}
    for line in CustomerLine.objects.filter(customer__in=pair).order_by("pk").select_for_update():
        line.customer = known[line.customer_id]
        lines[line.customer_id][line.product_line_id] = line
    own = lines[merging.survivor.pk]
    merging.moved = [line for at, line in lines[merging.loser.pk].items() if at not in own]
    doubled = [line for at, line in lines[merging.loser.pk].items() if at in own]
    merging.retired = {line.pk: own[line.product_line_id] for line in doubled}

    def belong(line: CustomerLine) -> None:
        line.customer = merging.survivor

    merging.change("lines", merging.moved, belong, "customer")
    _combine_lines(merging, doubled)
    _take_sales_over(merging)
    take_members_over(merging)
    moved = [line.pk for line in merging.moved]
    merging.tell_departures(Sale.objects.filter(line__in=moved, deleted_at=None).order_by("pk"))
    for step in merge_steps():
        merging.tell_departures(step.belonging(moved))


def _combine_lines(merging: Merging, doubled: list[CustomerLine]) -> None:
    """The survivor's line goes on: active where either was, led by the loser's lead where it has none."""
    former = {merging.retired[line.pk].pk: (line.is_active, line.lead) for line in doubled}

    def go_on(line: CustomerLine) -> None:
        was_active, lead = former[line.pk]
        line.is_active, line.lead = line.is_active or was_active, line.lead or lead

    def retire(line: CustomerLine) -> None:
        line.is_active = False

    own = [
        line
        for line in merging.retired.values()
        if (former[line.pk][0] and not line.is_active) or (former[line.pk][1] and not line.lead_id)
    ]
    merging.change("combined", own, go_on, "is_active", "lead")
    merging.change("retired", doubled, retire, "is_active")


def _take_sales_over(merging: Merging) -> None:
    """A contract that both lines have is one contract: the loser's stays with its retired line and counts no more."""
    going_on = {line.pk for line in merging.retired.values()}
    sales = Sale.objects.filter(line__in={*merging.retired, *going_on}, deleted_at=None)
    found = list(sales.select_related("line__customer").order_by("pk").select_for_update(of=("self",)))
    contracts = {(sale.line_id, sale.contract_no) for sale in found if sale.line_id in going_on and sale.contract_no}
    going = [
        sale
        for sale in found
        if sale.line_id in merging.retired and (merging.retired[sale.line_id].pk, sale.contract_no) not in contracts
    ]

    def go_over(sale: Sale) -> None:
        sale.line = merging.retired[sale.line_id]

    merging.change("sales", going, go_over, "line")
    merging.counts["sales_kept"] += sum(sale.line_id in merging.retired for sale in found)


def _reason(merging: Merging) -> str:
    """Which two; of two regions each reads nothing of the other's customer."""
    survivor, loser = merging.survivor, merging.loser
    if survivor.region_id != loser.region_id:
        return _("merge with a customer of another region")
    return _("merge of {loser} into {survivor}").format(loser=loser.code, survivor=survivor.code)


def _recorded(merging: Merging) -> CustomerMerge:
    batch = uuid4()
    record_changes(merging.edits, by=merging.by, way=Way.FORM, reason=_reason(merging)[:200], batch=batch)
    facts_changed(CustomerLine.objects.filter(customer__in=(merging.survivor, merging.loser)))
    return CustomerMerge.objects.create(
        survivor=merging.survivor,
        loser=merging.loser,
        batch=batch,
        counts=dict(merging.counts),
        by=merging.by,
        at=timezone.now(),
    )
