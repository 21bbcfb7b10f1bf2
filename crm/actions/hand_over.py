"""Handing over what a person carries, all of it at once, when he leaves or gets other work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, record_changes, snapshot
from crm.actions.delegations import end_delegation
from crm.actions.exports import JOB_KIND as EXPORT
from crm.actions.jobs import cancel_job
from crm.actions.lines import LEAD, why_not_lead
from crm.actions.people import save_person
from crm.lib.batches import batches
from crm.lib.bulk import insert_all, update_all
from crm.models import CustomerLine, Delegation, Job, LineMember, ProductLine, User, Way

_AT_ONCE = 2000


class HandOverRefused(Exception):
    """Nothing was handed over; `field` says whose choice it is about: successor, members, guided, or an `Area`."""

    def __init__(self, sentence: str, field: "str | Area | None" = None) -> None:
        super().__init__(sentence)
        self.field = field


class Area(NamedTuple):
    """A product line in a region, by their numbers: one person may lead all of it."""

    product_line: int
    region: int


@dataclass(frozen=True)
class Successors:
    """Who takes over: one for everything, or others for some product lines, the memberships and the guided people."""

    everything: User | None = None
    lines: Mapping[Area, User] = field(default_factory=dict)
    members: User | None = None
    guided: User | None = None

    def people(self) -> set[User]:
        """Everyone who is named."""
        return {one for one in (self.everything, self.members, self.guided, *self.lines.values()) if one is not None}

    def as_stored(self, people: Mapping[int, User]) -> "Successors":
        """The same people as they are now."""

        def stored(one: User | None) -> User | None:
            return None if one is None else people[one.pk]

        lines = {area: people[one.pk] for area, one in self.lines.items()}
        return Successors(stored(self.everything), lines, stored(self.members), stored(self.guided))


@dataclass(frozen=True)
class HandedOver:
    """How much was handed over or ended."""

    lines: int = 0
    members: int = 0
    guided: int = 0
    delegations: int = 0
    has_left: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing to do."""
        return self == HandedOver()


@dataclass(frozen=True)
class _Occasion:
    person: User
    successors: Successors
    by: User
    reason: str
    batch: UUID

    def record(self, edits: list[Edit]) -> None:
        record_changes(edits, by=self.by, way=Way.FORM, reason=self.reason, batch=self.batch)


@transaction.atomic
def hand_over(*, person: User, successors: Successors, leaves: bool, by: User, reason: str = "") -> HandedOver:
    """Give to the successors all that a person carries now, whatever a preview showed, and let him leave if he does.

    Customer lines change their lead, memberships and guided people their person; delegations from and to him end, since
    they are not passed on. Who leaves cannot sign in any more: sessions, API tokens and files being made for him end.
    Safe to run twice. Raises HandOverRefused, LocksOneselfOut.
    """
    named = {one.pk for one in successors.people()} | {person.pk}
    people = {one.pk: one for one in User.objects.filter(pk__in=named).order_by("pk").select_for_update()}
    occasion = _Occasion(people[person.pk], successors.as_stored(people), by, reason, uuid4())
    _require_people(occasion)
    leads = _hand_over_lines(occasion)
    done = HandedOver(
        lines=len(leads),
        members=_hand_over_members(occasion, leads),
        guided=_hand_over_guided(occasion),
        delegations=_end_delegations(occasion),
        has_left=leaves and occasion.person.is_active,
    )
    if done.has_left:
        _leave(occasion)
    person.refresh_from_db()
    return done


def _require_people(occasion: _Occasion) -> None:
    for one in occasion.successors.people():
        if one == occasion.person:
            raise HandOverRefused(_("Choose somebody else than the one who hands over."))
        if not one.is_active:
            raise HandOverRefused(_("{name} does not work here any more.").format(name=one))


def _hand_over_lines(occasion: _Occasion) -> dict[int, User]:
    """The lines he leads get their new leads. Returns these by line."""
    found = CustomerLine.objects.led_by(occasion.person).order_by("pk")
    _require_leads(occasion, found)
    leads: dict[int, User] = {}
    for ids in batches(list(found.values_list("pk", flat=True)), _AT_ONCE):
        lines = list(found.filter(pk__in=ids).select_related("customer").select_for_update(of=("self",)))
        before = [snapshot(line) for line in lines]
        for line in lines:
            area = Area(line.product_line_id, line.customer.region_id)
            line.lead = leads[line.pk] = _lead_of(occasion.successors, area)
        update_all(CustomerLine, lines, ["lead"])
        occasion.record([Edit(line, was) for line, was in zip(lines, before, strict=True)])
    return leads


def _lead_of(successors: Successors, area: Area) -> Any:
    return successors.lines.get(area) or successors.everything


def _require_leads(occasion: _Occasion, lines: QuerySet[CustomerLine]) -> None:
    """Every product line has a successor who may lead, in the region of its customers."""
    named = ProductLine.objects.in_bulk()
    for area in map(Area._make, lines.values_list("product_line", "customer__region").order_by().distinct()):
        called = named[area.product_line].label
        lead = _lead_of(occasion.successors, area)
        where: str | Area = area if area in occasion.successors.lines else "successor"
        if lead is None:
            raise HandOverRefused(
                _("Choose a successor, or one for the product line “{line}”.").format(line=called), where
            )
        if lead.region_id not in (None, area.region):
            sentence = _("{name} belongs to another region than customers of the line “{line}”.")
            raise HandOverRefused(sentence.format(name=lead, line=called), where)
        if refusal := why_not_lead(lead, area.region):
            raise HandOverRefused(refusal, where)


def _hand_over_members(occasion: _Occasion, leads: Mapping[int, User]) -> int:
    """What he saw besides: it ends for him and begins for the successors. Returns how many memberships ended."""
    standing = LineMember.objects.not_over().of_person(occasion.person).order_by("pk")
    _require_members(occasion, standing)
    ended = 0
    for ids in batches(list(standing.values_list("pk", flat=True)), _AT_ONCE):
        found = standing.filter(pk__in=ids).select_related("line__customer").select_for_update(of=("self",))
        members = list(found)
        _end_members(occasion, members)
        _begin_members(occasion, [member for member in members if member.why != LEAD])
        ended += sum(member.why != LEAD for member in members)
    for some in batches(leads, _AT_ONCE):
        lines = CustomerLine.objects.filter(pk__in=some).select_related("customer")
        _insert_members(occasion, [_member(line, leads[line.pk], LEAD) for line in lines])
    return ended


def _require_members(occasion: _Occasion, standing: QuerySet[LineMember]) -> None:
    besides = standing.exclude(why=LEAD)
    if not besides.exists():
        return
    successor, where = _successor(occasion.successors.members, occasion.successors.everything, "members")
    if successor is None or successor.is_administrator:
        raise HandOverRefused(_("Choose who gets the other customers that he works on."), where)
    elsewhere = besides.exclude(line__customer__region=successor.region_id)
    if successor.region_id is not None and elsewhere.exists():
        sentence = _("{name} belongs to another region than customers that would come.")
        raise HandOverRefused(sentence.format(name=successor), where)


def _end_members(occasion: _Occasion, members: list[LineMember]) -> None:
    today, before = timezone.localdate(), [snapshot(member) for member in members]
    for member in members:
        member.until_on = max(today, member.from_on)
    update_all(LineMember, members, ["until_on"])
    occasion.record([Edit(member, was) for member, was in zip(members, before, strict=True)])


def _begin_members(occasion: _Occasion, members: list[LineMember]) -> None:
    successor = occasion.successors.members or occasion.successors.everything
    if successor is not None:
        _insert_members(occasion, [_member(one.line, successor, one.why, one.from_on) for one in members])


def _member(line: CustomerLine, user: User, why: str, from_on: Any = None) -> LineMember:
    today = timezone.localdate()
    return LineMember(line=line, user=user, why=why, from_on=max(today, from_on or today))


def _insert_members(occasion: _Occasion, members: list[LineMember]) -> None:
    """Those whom the successor is not already."""
    lines = [member.line_id for member in members]
    standing = LineMember.objects.not_over().filter(line__in=lines).values_list("line", "user", "why")
    known = set(standing)
    new = [one for one in members if (one.line_id, one.user_id, one.why) not in known]
    insert_all(LineMember, new)
    occasion.record([Edit(member, None) for member in new])


def _hand_over_guided(occasion: _Occasion) -> int:
    """The people whom he guides get another guide; a successor among them gets his."""
    guided = list(User.objects.filter(guided_by=occasion.person).order_by("pk").select_for_update())
    successor, where = _successor(occasion.successors.guided, occasion.successors.everything, "guided")
    if not guided:
        return 0
    if successor is None or successor.is_administrator:
        raise HandOverRefused(_("Choose who guides his people."), where)
    if any(one.region_id not in (None, successor.region_id) for one in guided) and successor.region_id is not None:
        raise HandOverRefused(
            _("{name} belongs to another region than people to be guided.").format(name=successor), where
        )
    before = [snapshot(one) for one in guided]
    for one in guided:
        above = occasion.person.guided_by_id
        one.guided_by_id = successor.pk if one != successor else (above if above != one.pk else None)
        one.version += 1
    update_all(User, guided, ["guided_by", "version"])
    occasion.record([Edit(one, was) for one, was in zip(guided, before, strict=True)])
    return len(guided)


def _successor(own: User | None, everything: User | None, name: str) -> tuple[User | None, str]:
    return (own, name) if own is not None else (everything, "successor")


def _end_delegations(occasion: _Occasion) -> int:
    today, person = timezone.localdate(), occasion.person
    standing = Delegation.objects.not_over(today)
    ended = [*standing.filter(giver=person), *standing.filter(receiver=person)]
    return sum(
        end_delegation(delegation=one, by=occasion.by, reason=occasion.reason, batch=occasion.batch) for one in ended
    )


def _leave(occasion: _Occasion) -> None:
    person = User.objects.get(pk=occasion.person.pk)
    person.is_active = False
    save_person(person=person, by=occasion.by, reason=occasion.reason, batch=occasion.batch)
    for job in Job.objects.active().filter(by=person, kind=EXPORT):
        cancel_job(job.pk, by=occasion.by)
