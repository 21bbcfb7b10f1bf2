"""Saving what people decide about a customer line: whether it is active, who leads it, who else sees it and why."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.actions.changes import record_change
from crm.actions.facts import facts_changed
from crm.actions.versions import lock_record
from crm.models import CustomerLine, LineMember, User, Way

LEAD = "lead"


@transaction.atomic
def save_line(*, line: CustomerLine, by: User | None, way: Way = Way.FORM) -> CustomerLine:
    """Save whether a line is active and who leads it; a new lead sees the line from today on, the former no more.

    Lines are added with `crm.actions.customers.add_line`. The labels on the line are grading's and stay as they are.
    """
    before: Any = lock_record(line)
    line.save(update_fields=["is_active", "lead"])
    record_change(line, before=before, by=by, way=way)
    if before["lead_id"] != line.lead_id:
        _follow_lead(line, by, way)
    if before["is_active"] != line.is_active:
        facts_changed(CustomerLine.objects.filter(pk=line.pk))
    return line


@transaction.atomic
def save_member(*, member: LineMember, by: User | None, way: Way = Way.FORM) -> LineMember:
    """Save who sees a line besides its region and why, or since when no more."""
    before = lock_record(member)
    member.save()
    record_change(member, before=before, by=by, way=way)
    return member


def _follow_lead(line: CustomerLine, by: User | None, way: Way) -> None:
    today = timezone.localdate()
    for former in LineMember.objects.current().filter(line=line, why=LEAD).exclude(user=line.lead_id):
        former.until_on = max(today, former.from_on)
        save_member(member=former, by=by, way=way)
    if line.lead is not None and not LineMember.objects.current().filter(line=line, why=LEAD).exists():
        save_member(member=LineMember(line=line, user=line.lead, why=LEAD, from_on=today), by=by, way=way)
