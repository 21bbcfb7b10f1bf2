"""Saving customers and the product lines they buy from."""

from collections.abc import Iterable
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import record_change
from crm.actions.facts import facts_changed
from crm.actions.hierarchy import refuse_circle
from crm.actions.lines import ADDED, begin_leading, require_lead
from crm.actions.ties import Move, end_ties_of_customers
from crm.actions.versions import lock_version
from crm.lib.pinyin import full_pinyin, search_text
from crm.models import Customer, CustomerLine, CustomerRegion, LineMember, ProductLine, Region, User, Way
from crm.permissions import Permission, can


class OutOfReach(Exception):
    """Who saves the record could not see it afterwards; nothing was saved."""


class MayNotTransfer(Exception):
    """Who saves the record may not move customers to another region; nothing was saved."""


class BranchElsewhere(Exception):
    """The branch office belongs to another region than the customer; nothing was saved."""


class LineExists(Exception):
    """The customer has this product line already."""


@transaction.atomic
def save_customer(
    *,
    customer: Customer,
    version: int,
    by: User | None,
    way: Way = Way.FORM,
    product_lines: Iterable[ProductLine] = (),
    reason: str = "",
    lead: User | None = None,
) -> Customer:
    """Save a customer, new (version 0) or changed; a new one may get its product lines at once.

    A new customer without a code gets one. A new or moved one gets a dated region row. Of a moved one the branch office
    of the old region goes, and leads and memberships of people who do not belong to the new one end; `lead` takes over
    what they led. Raises EditedMeanwhile, MayNotTransfer, BranchElsewhere, OutOfReach, LineExists, StandsAboveItself,
    and ValidationError for values the model refuses.
    """
    before = lock_version(customer, version)
    if before is not None and before["parent_id"] != customer.parent_id:
        refuse_circle(customer)
    place = None if before is None else (before["region_id"], before["branch_id"])
    is_moved = place is not None and place[0] != customer.region_id
    if is_moved:
        _require_transfer(by)
    _settle_branch(customer, former=place[1] if place else None, is_moved=is_moved)
    customer.version = version + 1
    _write(customer)
    if is_moved or before is None:
        date_region(customer)
    record_change(customer, before=before, by=by, way=way, reason=reason)
    for product_line in product_lines:
        add_line(customer=customer, product_line=product_line, by=by, way=way)
    if is_moved:
        _end_ties(customer, Move(by, way, reason), lead)
    if by is not None and place != (customer.region_id, customer.branch_id):
        _require_reach(customer, by)
    return customer


@transaction.atomic
def add_line(
    *, customer: Customer, product_line: ProductLine, by: User | None, way: Way = Way.FORM, lead: User | None = None
) -> CustomerLine:
    """Add a product line to a customer; who could not write it otherwise becomes its member.

    Raises LineExists, MayNotLead.
    """
    if lead is not None:
        require_lead(lead, Customer.objects.select_for_update(no_key=True).get(pk=customer.pk))
    line, is_new = CustomerLine.objects.get_or_create(
        customer=customer, product_line=product_line, defaults={"lead": lead, "facts_changed_at": timezone.now()}
    )
    if not is_new:
        raise LineExists(_("The customer has the product line {line} already.").format(line=product_line.label))
    record_change(line, before=None, by=by, way=way)
    if by is not None and not CustomerLine.objects.writable_by(by).filter(pk=line.pk).exists():
        member = LineMember.objects.create(line=line, user=by, why=ADDED, from_on=timezone.localdate())
        record_change(member, before=None, by=by, way=way)
    facts_changed(CustomerLine.objects.filter(pk=line.pk))
    return line


def _write(customer: Customer) -> None:
    """Save with what search looks in; a customer without a code gets its own number as one."""
    is_nameless = not customer.code
    customer.code = customer.code or uuid4().hex
    describe(customer)
    customer.save()
    if is_nameless:
        customer.code = f"K{customer.pk:06}"
        describe(customer)
        customer.save(update_fields=["code", "search_text"])


def describe(customer: Customer) -> None:
    """Fill in what search looks in."""
    customer.pinyin = full_pinyin(customer.name)[:600]
    customer.search_text = search_text(name=customer.name, short_name=customer.short_name, code=customer.code)


def date_region(customer: Customer) -> None:
    """The customer belongs to its region from today on; past figures stay with the region of then."""
    CustomerRegion.objects.update_or_create(
        customer=customer, from_on=timezone.localdate(), defaults={"region": customer.region}
    )


def _require_transfer(by: User | None) -> None:
    if by is not None and not can(by, Permission.TRANSFER_CUSTOMER):
        raise MayNotTransfer(_("Only who may transfer customers moves one to another region."))


def _settle_branch(customer: Customer, *, former: int | None, is_moved: bool) -> None:
    """What was the branch office before a move is none any more; one that was chosen is of the customer's region."""
    branch = customer.branch
    if branch is None or branch.region_id == customer.region_id:
        return
    if branch.pk != former:
        raise BranchElsewhere(_("This branch office belongs to another region."))
    if is_moved:
        customer.branch = None


def _end_ties(customer: Customer, move: Move, lead: User | None) -> None:
    for line in end_ties_of_customers([customer.pk], move, lead=lead):
        begin_leading(line, by=move.by, way=move.way, reason=move.reason)


def _require_reach(customer: Customer, by: User) -> None:
    may_use_region = Region.objects.visible_to(by).filter(pk=customer.region_id).exists()
    if not (may_use_region and Customer.objects.visible_to(by).filter(pk=customer.pk).exists()):
        raise OutOfReach(_("You would not see this customer. Choose your own region, branch and product lines."))
