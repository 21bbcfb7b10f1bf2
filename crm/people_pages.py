"""What the page of a person shows of his work, as far as it exists for the reader."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.actions.delegations import may_delegate_for
from crm.memberships import why_in_words
from crm.models import CustomerLine, Delegation, LineMember, PersonPlace, User
from crm.permissions import Permission, can

MEMBERS_SHOWN = 50
_STATES = {
    "in force": (_("in force today"), "good"),
    "to come": (_("to come"), "accent"),
    "ended": (_("ended early"), ""),
    "over": (_("over"), ""),
}


@dataclass(frozen=True)
class DelegationRow:
    """A delegation as a page lists it."""

    delegation: Delegation
    state: str
    may_end: bool

    @property
    def state_label(self) -> str:
        """Where it stands, in words."""
        return str(_STATES[self.state][0])

    @property
    def tone(self) -> str:
        """How its state is drawn."""
        return _STATES[self.state][1]


def work_of(person: User, reader: User) -> dict[str, Any]:
    """The customers that a person leads and works on."""
    if not can(reader, Permission.VIEW_CUSTOMERS):
        return {"sees_work": False}
    led = CustomerLine.objects.visible_to(reader).filter(lead=person, is_active=True)
    members = LineMember.objects.visible_to(reader).current().filter(user=person)
    shown = members.select_related("line__customer", "line__product_line").order_by("-from_on", "pk")
    found = list(shown[: MEMBERS_SHOWN + 1])
    return {
        "sees_work": True,
        "led": led.aggregate(lines=Count("pk"), customers=Count("customer", distinct=True)),
        "led_url": f"{reverse('crm:list-customers')}?lead={person.pk}",
        "members": [(member, why_in_words(member.why)) for member in found[:MEMBERS_SHOWN]],
        "has_more_members": len(found) > MEMBERS_SHOWN,
    }


def delegations_of(person: User, reader: User) -> list[DelegationRow]:
    """What is delegated from and to a person, now or on days to come."""
    standing = Delegation.objects.visible_to(reader).not_over(timezone.localdate())
    return delegation_rows(
        [
            *standing.filter(giver=person).select_related("giver", "receiver"),
            *standing.filter(receiver=person).select_related("giver", "receiver"),
        ],
        reader,
    )


def delegation_rows(delegations: Any, reader: User) -> list[DelegationRow]:
    """Delegations with where they stand, and whether the reader may end them."""
    today = timezone.localdate()
    return [
        DelegationRow(one, _state_of(one, today), may_end=_is_open(one, today) and may_delegate_for(reader, one.giver))
        for one in delegations
    ]


def guided_by(person: User, reader: User) -> Any:
    """The people whom he guides."""
    return User.objects.visible_to(reader).filter(guided_by=person, is_active=True).order_by("name", "username")


def places_of(person: User, reader: User) -> Any:
    """Where he has been since when, the latest first."""
    places = PersonPlace.objects.visible_to(reader).filter(person=person)
    return places.select_related("region", "branch").order_by("-from_on")


def _is_open(delegation: Delegation, today: Any) -> bool:
    return delegation.ended_at is None and delegation.until_on >= today


def _state_of(delegation: Delegation, today: Any) -> str:
    if delegation.ended_at is not None:
        return "ended"
    if delegation.until_on < today:
        return "over"
    return "in force" if delegation.from_on <= today else "to come"
