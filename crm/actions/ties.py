"""Leads and memberships of people whose region is not the customer's: a move of either ends them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, record_changes, snapshot
from crm.actions.delegations import note_last_day
from crm.lib.batches import batches
from crm.lib.bulk import update_all
from crm.models import CustomerLine, Delegation, LineMember, User, Way

_AT_ONCE = 2000


@dataclass(frozen=True)
class Move:
    """By whom, which way and why customers or people have moved; what it ends carries the same."""

    by: User | None
    way: Way
    reason: str = ""  # none given: the move itself is
    batch: UUID | None = None

    def record(self, edits: list[Edit]) -> None:
        """Append the changes of one table."""
        reason = self.reason or _("moved to another region")
        record_changes(edits, by=self.by, way=self.way, reason=reason, batch=self.batch)


def end_ties_of_customers(customers: Iterable[int], move: Move, *, lead: User | None = None) -> list[CustomerLine]:
    """End what ties people of other regions to customers that have moved; `lead` takes the lines that they led.

    Returns these lines.
    """
    ended: list[CustomerLine] = []
    for some in batches(customers, _AT_ONCE):
        ended += _end_leads(Q(customer__in=some), move, lead)
        _end_members(Q(line__customer__in=some), move)
    return ended


def end_ties_of_people(people: Iterable[int], move: Move) -> None:
    """End what ties people who have moved to customers of other regions, what they have delegated there too."""
    for some in batches(people, _AT_ONCE):
        _end_leads(Q(lead__in=some), move, None)
        _end_members(Q(user__in=some), move)
        _end_delegations(some, move)


def _end_leads(among: Q, move: Move, lead: User | None) -> list[CustomerLine]:
    found = CustomerLine.objects.led_from_elsewhere().filter(among).select_related("customer")
    lines = list(found.order_by("pk").select_for_update(of=("self",)))
    before = [snapshot(line) for line in lines]
    for line in lines:
        line.lead = lead
    update_all(CustomerLine, lines, ["lead"])
    move.record([Edit(line, was) for line, was in zip(lines, before, strict=True)])
    return lines


def _end_members(among: Q, move: Move) -> None:
    found = LineMember.objects.not_over().from_elsewhere().filter(among).select_related("line__customer")
    members = list(found.order_by("pk").select_for_update(of=("self",)))
    today, before = timezone.localdate(), [snapshot(member) for member in members]
    for member in members:
        member.until_on = max(today, member.from_on)
    update_all(LineMember, members, ["until_on"])
    move.record([Edit(member, was) for member, was in zip(members, before, strict=True)])


def _end_delegations(people: Sequence[int], move: Move) -> None:
    """Of no batch: an undo that moves somebody back passes nothing on again."""
    standing = Delegation.objects.not_over(timezone.localdate()).filter(Q(giver__in=people) | Q(receiver__in=people))
    apart = standing.filter(giver__region__isnull=False, receiver__region__isnull=False)
    found = apart.exclude(giver__region=F("receiver__region")).select_related("receiver").order_by("pk")
    for one in found.select_for_update(of=("self",)):
        before = snapshot(one)
        one.ended_at = timezone.now()
        one.save(update_fields=["ended_at"])
        replace(move, batch=None).record([Edit(one, before)])
        note_last_day(one.receiver)
