"""Why a person sees a record, or what is missing: the rules of `visible_to`, said in words.

The querysets decide; nothing here does. A property test holds both to the same answer for every kind of record.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.memberships import why_in_words
from crm.models import (
    AUDITORS,
    Contact,
    Customer,
    CustomerLine,
    DataImport,
    Delegation,
    Export,
    LineMember,
    Role,
    Sale,
    User,
)
from crm.permissions import Permission

DELEGATIONS_SHOWN = 10  # the latest; each asks for what its giver sees


@dataclass(frozen=True)
class Reason:
    """What shows a record to a person (`shows`), or what of that is missing."""

    code: str
    message: str
    shows: bool


@dataclass(frozen=True)
class Sight:
    """Whether a person sees a record, and every reason for it."""

    sees: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class SightKind:
    """A kind of record that can be asked about: how it is called, who reads such records, and why one is seen."""

    name: str
    label: str | Promise
    model: type[models.Model]
    permission: Permission | None  # None: everyone reads his own
    explain: Callable[[User, Any], Sight]


def sight_kinds() -> dict[str, SightKind]:
    """Every kind that the apps declare."""
    return {kind.name: kind for name in settings.SIGHT_KINDS for kind in import_string(name)}


def sight(reasons: Iterator[Reason], *needed: Reason | None) -> Sight:
    """One reason that shows is enough, unless something that is needed is missing."""
    missing = [reason for reason in needed if reason is not None]
    found = list(reasons)
    return Sight(not missing and any(reason.shows for reason in found), (*missing, *found))


def deleted(record: Any) -> Reason | None:
    """A deleted record is there for nobody; nothing where it is not deleted."""
    return None if record.deleted_at is None else missing("deleted", _("It is deleted: nobody sees it any more."))


def missing(code: str, message: str) -> Reason:
    """Something without which the person does not see the record."""
    return Reason(code, message, shows=False)


def ground(code: str, message: str) -> Reason:
    """Something that shows the record to the person."""
    return Reason(code, message, shows=True)


def why_customer(person: User, customer: Customer) -> Sight:
    """As CustomerQuerySet.visible_to."""
    return sight(reasons_for_customer(person, customer), deleted(customer))


def why_line(person: User, line: CustomerLine) -> Sight:
    """Who sees a customer sees its lines."""
    return why_customer(person, line.customer)


def why_contact(person: User, contact: Contact) -> Sight:
    """Who sees a customer sees the people there."""
    return sight(reasons_for_customer(person, contact.customer), deleted(contact), deleted(contact.customer))


def why_sale(person: User, sale: Sale) -> Sight:
    """Who sees a customer sees its sales."""
    customer = sale.line.customer
    return sight(reasons_for_customer(person, customer), deleted(sale), deleted(customer))


def why_person(person: User, other: User) -> Sight:
    """As UserQuerySet.visible_to."""
    return sight(_reasons_for_person(person, other))


def why_import(person: User, one: DataImport) -> Sight:
    """As DataImportQuerySet.visible_to."""
    return sight(reasons_for_made(person, one.by, person.role == Role.SALES_MANAGEMENT))


def why_export(person: User, one: Export) -> Sight:
    """As ExportQuerySet.visible_to: that it was made; the file is its maker's alone."""
    return sight(reasons_for_made(person, one.by, person.role in AUDITORS))


def reasons_for_customer(person: User, customer: Customer) -> Iterator[Reason]:
    """The role's rule first, then what ties the person to this customer, then what others have delegated."""
    if person.sees_all_regions:
        said = _("The role {role} sees the customers of every region.")
        yield ground("all_regions", said.format(role=person.get_role_display()))
    elif person.is_administrator:
        yield missing("administrator", _("Administrators keep the system and see no customers."))
    else:
        yield from _of_reach(person, customer)
        for giver in person.delegators:
            yield _of_delegation(giver, customer)
        yield from _of_other_days(person, customer)


def _of_reach(person: User, customer: Customer) -> Iterator[Reason]:
    """As User.own_reach: a whole region, or a branch office and what memberships give."""
    if person.sees_whole_region:
        yield _of_region(person, customer)
    else:
        yield from _of_ties(person, customer)


def _of_delegation(giver: User, customer: Customer) -> Reason:
    shown = [reason.message for reason in _of_reach(giver, customer) if reason.shows]
    if shown:
        said = _("{name} has delegated his customers for today. Of him: {reason}")
        return ground("delegated", said.format(name=giver, reason=shown[0]))
    said = _("{name} has delegated his customers for today, but this is none of them.")
    return missing("not_delegated", said.format(name=giver))


def _of_other_days(person: User, customer: Customer) -> Iterator[Reason]:
    """Delegations that would show the customer on the days for which they are, of which today is none."""
    today = timezone.localdate()
    known = Delegation.objects.filter(receiver=person).exclude(giver__in=[giver.pk for giver in person.delegators])
    for one in known.select_related("giver__region", "giver__branch").order_by("-from_on", "-pk")[:DELEGATIONS_SHOWN]:
        if any(reason.shows for reason in _of_reach(one.giver, customer)):
            days = {"name": one.giver, "from_on": one.from_on.isoformat(), "until_on": one.until_on.isoformat()}
            if one.ended_at is None and one.from_on > today:
                said = _("{name} delegates his customers from {from_on} to {until_on}, not today.")
                yield missing("delegation_to_come", said.format(**days))
            else:
                said = _("{name} had delegated his customers from {from_on} to {until_on}; that is over.")
                yield missing("delegation_ended", said.format(**days))


def _of_region(person: User, customer: Customer) -> Reason:
    role = person.get_role_display()
    if customer.region_id == person.region_id:
        said = _("The role {role} sees every customer of its region, {region}: this is one.")
        return ground("whole_region", said.format(role=role, region=customer.region))
    said = _("The role {role} sees the customers of its own region, {own}; this one belongs to {region}.")
    return missing("other_region", said.format(role=role, own=person.region, region=customer.region))


def _of_ties(person: User, customer: Customer) -> Iterator[Reason]:
    """Branch office, own memberships, those of guided people."""
    if person.role == Role.BRANCH_GM:
        yield _of_branch(person, customer)
    known = LineMember.objects.of_people([person.pk]).filter(line__customer=customer)
    members = list(known.select_related("line__product_line", "user").order_by("until_on", "from_on", "pk"))
    reasons = [_of_member(person, member) for member in members]
    yield from reasons
    if not any(reason.shows for reason in reasons):
        said = _("No membership in any line of this customer, neither the person's own nor one of somebody guided.")
        yield missing("no_membership", said)


def _of_branch(person: User, customer: Customer) -> Reason:
    if customer.branch_id == person.branch_id:
        said = _("The role {role} sees every customer of its branch office, {branch}: this is one.")
        return ground("branch", said.format(role=person.get_role_display(), branch=customer.branch))
    said = _("The customer does not belong to the person's branch office, {branch}.")
    return missing("other_branch", said.format(branch=person.branch))


def _of_member(person: User, member: LineMember) -> Reason:
    is_own = member.user_id == person.pk
    facts = {
        "line": member.line.product_line,
        "name": member.user,
        "why": why_in_words(member.why),
        "from_on": member.from_on.isoformat(),
        "until_on": member.until_on.isoformat() if member.until_on else "",
    }
    today = timezone.localdate()
    if member.until_on is not None and member.until_on <= today:
        own = _("A membership in the line {line} ended on {until_on} ({why}, from {from_on}).")
        guided = _("The membership of {name}, whom the person guides, ended on {until_on} ({line}: {why}).")
        return missing("membership_ended", (own if is_own else guided).format(**facts))
    if member.from_on > today:
        own = _("A membership in the line {line} begins on {from_on} ({why}).")
        guided = _("The membership of {name}, whom the person guides, begins on {from_on} ({line}: {why}).")
        return missing("membership_to_come", (own if is_own else guided).format(**facts))
    own = _("Member of the line {line} since {from_on}: {why}.")
    guided = _("Guides {name}, who is a member of the line {line} since {from_on}: {why}.")
    return ground("membership" if is_own else "guides_member", (own if is_own else guided).format(**facts))


def _reasons_for_person(person: User, other: User) -> Iterator[Reason]:
    role = person.get_role_display()
    if person.sees_all_regions or person.is_administrator:
        yield ground("all_people", _("The role {role} knows everyone.").format(role=role))
    elif other.region_id is None:
        yield ground("head_office", _("Everyone knows the people of head office."))
    elif other.region_id == person.region_id:
        yield ground("same_region", _("Both belong to the region {region}.").format(region=other.region))
    else:
        said = _("The person belongs to another region: {region}.")
        yield missing("other_region", said.format(region=other.region))


def reasons_for_made(person: User, maker: User, sees_all: bool) -> Iterator[Reason]:
    """Its maker's own, and of those who see what everybody made."""
    if maker.pk == person.pk:
        yield ground("own", _("The person made it."))
    if sees_all:
        role = person.get_role_display()
        yield ground("everyones", _("The role {role} sees what everybody made.").format(role=role))
    elif maker.pk != person.pk:
        yield missing("not_own", _("Somebody else made it: {name}.").format(name=maker))


KINDS = (
    SightKind("customer", gettext_lazy("Customer"), Customer, Permission.VIEW_CUSTOMERS, why_customer),
    SightKind("line", gettext_lazy("Customer line"), CustomerLine, Permission.VIEW_CUSTOMERS, why_line),
    SightKind("contact", gettext_lazy("Contact"), Contact, Permission.VIEW_CUSTOMERS, why_contact),
    SightKind("sale", gettext_lazy("Sale"), Sale, Permission.VIEW_SALES, why_sale),
    SightKind("person", gettext_lazy("Person"), User, Permission.VIEW_REFERENCE, why_person),
    SightKind("import", gettext_lazy("Import"), DataImport, Permission.IMPORT_DATA, why_import),
    SightKind("export", gettext_lazy("Export"), Export, None, why_export),
)
