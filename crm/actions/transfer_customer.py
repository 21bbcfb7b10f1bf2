"""Moving a customer to another region, with what becomes of those who led or saw its product lines."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from crm.actions.customers import save_customer
from crm.actions.lines import LEAD, why_not_lead
from crm.models import Branch, Customer, CustomerLine, LineMember, Region, User


class TransferRefused(Exception):
    """The customer cannot go there; the message says why, for people. Nothing was changed."""

    def __init__(self, message: str, other: Customer | None = None) -> None:
        super().__init__(message)
        self.other = other  # the customer of the new region that this one probably is


@dataclass(frozen=True)
class Consequences:
    """Who does not belong to the new region: the lines whose lead ends, and the other memberships that do."""

    lines: tuple[CustomerLine, ...]
    members: tuple[LineMember, ...]


def consequences_of(customer: Customer, region: Region) -> Consequences:
    """What a transfer would end."""
    lines = CustomerLine.objects.filter(customer=customer).select_related("product_line", "lead")
    members = LineMember.objects.not_over().filter(line__customer=customer).exclude(why=LEAD)
    members = members.select_related("user", "line__product_line").order_by("pk")
    return Consequences(
        tuple(line for line in lines.order_by("product_line__position", "pk") if _ends(line.lead, region)),
        tuple(member for member in members if _ends(member.user, region)),
    )


@transaction.atomic
def transfer_customer(
    *,
    customer: Customer,
    version: int,
    region: Region,
    branch: Branch | None,
    lead: User | None = None,
    by: User,
    reason: str = "",
) -> Customer:
    """Move a customer to another region from today on; past figures stay with the region of then.

    Leads and members who do not belong to the new region end; `lead` takes over the lines whose lead does. The old
    region's followers get a tombstone. Raises EditedMeanwhile, MayNotTransfer, TransferRefused.
    """
    _refuse(customer, region, branch, lead)
    customer.region, customer.branch = region, branch
    return save_customer(customer=customer, version=version, by=by, reason=reason, lead=lead)


def other_of_region(customer: Customer, region: Region) -> Customer | None:
    """The customer of a region with this one's credit code, or code."""
    there = Customer.objects.filter(deleted_at=None, region=region).exclude(pk=customer.pk)
    by_credit_code = there.filter(credit_code=customer.credit_code) if customer.credit_code else there.none()
    return by_credit_code.first() or there.filter(code=customer.code).first()


def _refuse(customer: Customer, region: Region, branch: Branch | None, lead: User | None) -> None:
    if region.pk == customer.region_id:
        raise TransferRefused(_("The customer belongs to this region already."))
    if branch is not None and branch.region_id != region.pk:
        raise TransferRefused(_("This branch office belongs to another region."))
    if lead is not None and lead.region_id != region.pk:
        raise TransferRefused(_("The new lead does not belong to the new region."))
    if lead is not None and (refusal := why_not_lead(lead, region.pk)):
        raise TransferRefused(refusal)
    other = other_of_region(customer, region)
    if other is None:
        return
    if customer.credit_code and other.credit_code == customer.credit_code:
        raise TransferRefused(_("The region has a customer with this credit code: {name}.").format(name=other), other)
    raise TransferRefused(_("The region has a customer with this code: {name}.").format(name=other), other)


def _ends(person: User | None, region: Region) -> bool:
    """Head office belongs everywhere."""
    return person is not None and person.region_id not in (None, region.pk)
