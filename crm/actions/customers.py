"""Saving customers and the product lines they buy from."""

from collections.abc import Iterable
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import record_change
from crm.actions.facts import facts_changed
from crm.actions.versions import lock_version
from crm.lib.pinyin import full_pinyin, search_text
from crm.models import Customer, CustomerLine, CustomerRegion, LineMember, ProductLine, Region, User, Way


class OutOfReach(Exception):
    """Who saves the record could not see it afterwards; nothing was saved."""


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
) -> Customer:
    """Save a customer, new (version 0) or changed; a new one may get its product lines at once.

    A new customer without a code gets one. A new or moved one gets a dated region row. Raises
    EditedMeanwhile, OutOfReach, LineExists, and ValidationError for values the model refuses.
    """
    before = lock_version(customer, version)
    customer.version = version + 1
    _write(customer)
    is_moved = before is None or before["region_id"] != customer.region_id
    if is_moved:
        _date_region(customer)
    record_change(customer, before=before, by=by, way=way, reason=reason)
    for product_line in product_lines:
        add_line(customer=customer, product_line=product_line, by=by, way=way)
    if is_moved and by is not None:
        _require_reach(customer, by)
    return customer


@transaction.atomic
def add_line(
    *, customer: Customer, product_line: ProductLine, by: User | None, way: Way = Way.FORM, lead: User | None = None
) -> CustomerLine:
    """Add a product line to a customer; who could not write it otherwise becomes its member. Raises LineExists."""
    line, is_new = CustomerLine.objects.get_or_create(
        customer=customer, product_line=product_line, defaults={"lead": lead, "facts_changed_at": timezone.now()}
    )
    if not is_new:
        raise LineExists(_("The customer has the product line {line} already.").format(line=product_line.label))
    record_change(line, before=None, by=by, way=way)
    if by is not None and not CustomerLine.objects.writable_by(by).filter(pk=line.pk).exists():
        member = LineMember.objects.create(line=line, user=by, why="added the line", from_on=timezone.localdate())
        record_change(member, before=None, by=by, way=way)
    facts_changed(CustomerLine.objects.filter(pk=line.pk))
    return line


def _write(customer: Customer) -> None:
    """Save with what search looks in; a customer without a code gets its own number as one."""
    is_nameless = not customer.code
    customer.code = customer.code or uuid4().hex
    _describe(customer)
    customer.save()
    if is_nameless:
        customer.code = f"K{customer.pk:06}"
        _describe(customer)
        customer.save(update_fields=["code", "search_text"])


def _describe(customer: Customer) -> None:
    customer.pinyin = full_pinyin(customer.name)[:600]
    customer.search_text = search_text(name=customer.name, short_name=customer.short_name, code=customer.code)


def _date_region(customer: Customer) -> None:
    """The customer belongs to its region from today on; past figures stay with the region of then."""
    CustomerRegion.objects.update_or_create(
        customer=customer, from_on=timezone.localdate(), defaults={"region": customer.region}
    )


def _require_reach(customer: Customer, by: User) -> None:
    may_use_region = Region.objects.visible_to(by).filter(pk=customer.region_id).exists()
    if not (may_use_region and Customer.objects.visible_to(by).filter(pk=customer.pk).exists()):
        raise OutOfReach(_("You would not see this customer. Choose your own region, branch and product lines."))
