"""Saving what people decide about a customer line: whether it is active, who leads it, who else sees it and why."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import record_change
from crm.actions.facts import facts_changed
from crm.actions.versions import lock_record
from crm.models import Customer, CustomerLine, LineMember, User, Way
from crm.models.user import LEADING

LEAD = "lead"  # why somebody is a member (crm.memberships says it in words)
ADDED = "added the line"


class MayNotLead(Exception):
    """The person cannot lead customers of this region; nothing was saved."""


def why_not_lead(person: User, region: int) -> str:
    """Why somebody cannot lead customers of a region; empty where he can."""
    if not person.is_active:
        return _("{name} does not work here any more.").format(name=person)
    if person.role not in LEADING:
        return _("{name} cannot lead customers: {role}.").format(name=person, role=person.get_role_display())
    if person.region_id != region:
        return _("“{name}” belongs to another region.").format(name=person)
    return ""


def require_lead(lead: User | None, customer: Customer) -> None:
    """Whoever leads lines of a customer may do so. Raises MayNotLead."""
    if lead is not None and (refusal := why_not_lead(lead, customer.region_id)):
        raise MayNotLead(refusal)


@transaction.atomic
def save_line(
    *, line: CustomerLine, by: User | None, way: Way = Way.FORM, reason: str = "", read: str = ""
) -> CustomerLine:
    """Save whether a line is active and who leads it; a new lead sees the line from today on, the former no more.

    Lines are added with `crm.actions.customers.add_line`. The labels on the line are grading's and stay as they are.
    Raises MayNotLead, and EditedMeanwhile where the line is not in the state that was `read`.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=line.customer_id)  # it stays in its region
    before: Any = lock_record(line, read=read)
    if before["lead_id"] != line.lead_id:
        require_lead(line.lead, customer)
    line.save(update_fields=["is_active", "lead"])
    record_change(line, before=before, by=by, way=way, reason=reason)
    if before["lead_id"] != line.lead_id:
        _follow_lead(line, by, way)
    if before["is_active"] != line.is_active:
        facts_changed(CustomerLine.objects.filter(pk=line.pk))
    return line


@transaction.atomic
def save_member(
    *, member: LineMember, by: User | None, way: Way = Way.FORM, reason: str = "", read: str = ""
) -> LineMember:
    """Save who sees a line besides its region and why, or since when no more. Raises EditedMeanwhile."""
    before = lock_record(member, read=read)
    member.save()
    record_change(member, before=before, by=by, way=way, reason=reason)
    return member


def begin_leading(line: CustomerLine, *, by: User | None, way: Way, reason: str = "") -> None:
    """Whoever leads a line sees it from today on."""
    if line.lead is None:
        return
    today = timezone.localdate()
    leading = LineMember.objects.not_over().filter(line=line, why=LEAD, user=line.lead)
    member = leading.first() or LineMember(line=line, user=line.lead, why=LEAD)
    member.from_on, member.until_on = min(member.from_on or today, today), None
    save_member(member=member, by=by, way=way, reason=reason)


def _follow_lead(line: CustomerLine, by: User | None, way: Way) -> None:
    today = timezone.localdate()
    for former in LineMember.objects.not_over().filter(line=line, why=LEAD).exclude(user=line.lead_id):
        former.until_on = max(today, former.from_on)
        save_member(member=former, by=by, way=way)
    begin_leading(line, by=by, way=way)
