"""Why a person sees a region, a branch office, or what is agreed about customers there (crm.sight)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Branch, BulkChange, CustomerMerge, Delegation, LineMember, Region, User
from crm.permissions import Permission
from crm.sight import Reason, Sight, SightKind, deleted, ground, missing, reasons_for_customer, reasons_for_made, sight


def why_member(person: User, member: LineMember) -> Sight:
    """Who sees a customer line sees who else does."""
    customer = member.line.customer
    return sight(reasons_for_customer(person, customer), deleted(customer))


def why_delegation(person: User, delegation: Delegation) -> Sight:
    """As DelegationQuerySet.visible_to."""
    return sight(_reasons_for_delegation(person, delegation))


def why_bulk_change(person: User, one: BulkChange) -> Sight:
    """One's own and nobody else's."""
    return sight(reasons_for_made(person, one.by, sees_all=False))


def why_merge(person: User, _merge: CustomerMerge) -> Sight:
    """Who sees every region sees what was merged."""
    return sight(_reasons_for_every_region(person))


def why_region(person: User, region: Region) -> Sight:
    """As RegionQuerySet.visible_to."""
    return sight(_reasons_for_region(person, region))


def why_branch(person: User, branch: Branch) -> Sight:
    """Who sees a region sees its branch offices."""
    return sight(_reasons_for_region(person, branch.region))


def _reasons_for_every_region(person: User) -> Iterator[Reason]:
    said = {"role": person.get_role_display()}
    if person.sees_all_regions:
        yield ground("all_regions", _("The role {role} sees what was merged, of whatever region.").format(**said))
    else:
        yield missing("not_all_regions", _("The role {role} does not see every region.").format(**said))


def _reasons_for_delegation(person: User, delegation: Delegation) -> Iterator[Reason]:
    giver, receiver = delegation.giver, delegation.receiver
    if person.pk in (giver.pk, receiver.pk):
        yield ground("own", _("The person is one of the two."))
    hidden = [one for one in (giver, receiver) if not one.exists_for(person)]
    if not hidden:
        said = _("The person knows both: {giver} and {receiver}.")
        yield ground("knows_both", said.format(giver=giver, receiver=receiver))
    for one in hidden:
        said = _("{name} belongs to another region: {region}.")
        yield missing("other_region", said.format(name=one, region=one.region))


def _reasons_for_region(person: User, region: Region) -> Iterator[Reason]:
    if person.sees_all_regions or person.is_administrator:
        yield ground("all_places", _("The role {role} sees every region.").format(role=person.get_role_display()))
    elif region.pk == person.region_id:
        yield ground("own_region", _("It is the person's own region."))
    elif region.pk in person.reach.regions:
        yield ground("delegated", _("Somebody of this region has delegated his customers to the person for today."))
    else:
        yield missing("other_region", _("The person belongs to another region: {region}.").format(region=person.region))


KINDS = (
    SightKind("member", gettext_lazy("Membership"), LineMember, Permission.VIEW_CUSTOMERS, why_member),
    SightKind("delegation", gettext_lazy("Delegation"), Delegation, None, why_delegation),
    SightKind("bulk-change", gettext_lazy("Bulk change"), BulkChange, Permission.CHANGE_IN_BULK, why_bulk_change),
    SightKind("merge", gettext_lazy("Merge"), CustomerMerge, Permission.MERGE_CUSTOMERS, why_merge),
    SightKind("region", gettext_lazy("Region"), Region, Permission.VIEW_REFERENCE, why_region),
    SightKind("branch", gettext_lazy("Branch office"), Branch, Permission.VIEW_REFERENCE, why_branch),
)
