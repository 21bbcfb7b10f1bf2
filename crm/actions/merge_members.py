"""Who saw the lines of a customer that goes into another sees those of the one that stays."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from crm.actions.lines import LEAD
from crm.actions.merging import Merging
from crm.models import CustomerLine, LineMember

LED_BEFORE = "led the merged line"


@dataclass
class _Fates:
    """What becomes of the memberships."""

    ending: list[LineMember] = field(default_factory=list)
    going: list[LineMember] = field(default_factory=list)
    sooner: dict[LineMember, date] = field(default_factory=dict)  # the survivor's that begin on an earlier day


def take_members_over(merging: Merging) -> None:
    """Who sees the loser's line, or will, sees the survivor's; who does so already need not twice."""
    lines = {*merging.retired, *(line.pk for line in merging.retired.values())}
    standing = LineMember.objects.not_over().filter(line__in=lines).select_related("line__customer")
    fates = _sorted_out(merging, list(standing.order_by("pk").select_for_update(of=("self",))))
    today = timezone.localdate()

    def end(member: LineMember) -> None:
        member.until_on = max(today, member.from_on)

    def go_over(member: LineMember) -> None:
        to = merging.retired[member.line_id]
        member.why, member.line = _why(member, to), to

    def begin(member: LineMember) -> None:
        member.from_on = fates.sooner[member]

    merging.change("memberships", fates.ending, end, "until_on")
    merging.change("memberships", fates.going, go_over, "line", "why")
    merging.change("memberships_sooner", list(fates.sooner), begin, "from_on")


def _sorted_out(merging: Merging, found: Sequence[LineMember]) -> _Fates:
    fates, known = _Fates(), defaultdict(list)
    for member in found:
        if member.line_id not in merging.retired:
            known[member.line_id, member.user_id, member.why].append(member)
    for member in found:
        to = merging.retired.get(member.line_id)
        if to is not None:
            _sort(member, known[to.pk, member.user_id, _why(member, to)], fates)
    return fates


def _sort(member: LineMember, others: list[LineMember], fates: _Fates) -> None:
    """One that goes on without an end stands once: that of the survivor begins with the earlier of both."""
    today = timezone.localdate()
    endless = next((one for one in others if one.until_on is None and member.until_on is None), None)
    if any(_covers(one, member, today) for one in others):
        fates.ending.append(member)
    elif endless is not None:
        fates.ending.append(member)
        fates.sooner[endless] = member.from_on
    else:
        fates.going.append(member)
        others.append(member)


def _covers(one: LineMember, other: LineMember, today: date) -> bool:
    """Whether from today on one membership holds on all days of another."""
    begins_no_later = max(one.from_on, today) <= max(other.from_on, today)
    ends_no_sooner = one.until_on is None or (other.until_on is not None and one.until_on >= other.until_on)
    return begins_no_later and ends_no_sooner


def _why(member: LineMember, to: CustomerLine) -> str:
    """A line has one lead: who led the loser's besides goes on seeing it, for a reason of his own."""
    return LED_BEFORE if member.why == LEAD and member.user_id != to.lead_id else member.why
