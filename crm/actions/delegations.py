"""Delegation: somebody looks after another's customer lines for some days. It ends by itself, or early."""

from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import record_change, snapshot
from crm.models import Delegation, User, Way
from crm.permissions import Permission, can

LONGEST = timedelta(days=365)


class DelegationRefused(Exception):
    """The delegation cannot be made so; `field` says where a form shows it."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


def may_delegate_for(by: User, giver: User) -> bool:
    """Whether a person may make and end delegations of another: his own, or by keeping people."""
    return by == giver or can(by, Permission.EDIT_USERS)


@transaction.atomic
def delegate(
    *, giver: User, receiver: User, from_on: date, until_on: date, by: User, reason: str = "", way: Way = Way.FORM
) -> Delegation:
    """Have the receiver see and write what the giver's own customer lines are, on these days, both included.

    Raises DelegationRefused.
    """
    people = {one.pk: one for one in _locked(giver, receiver)}
    giver, receiver = people[giver.pk], people[receiver.pk]
    _require_people(giver, receiver, by)
    _require_days(giver, receiver, from_on, until_on)
    made = Delegation.objects.create(giver=giver, receiver=receiver, from_on=from_on, until_on=until_on, reason=reason)
    record_change(made, before=None, by=by, way=way)
    note_last_day(receiver)
    return made


@transaction.atomic
def end_delegation(
    *, delegation: Delegation, by: User, way: Way = Way.FORM, reason: str = "", batch: UUID | None = None
) -> bool:
    """End a delegation at once. Returns whether it was still in force or to come. Raises DelegationRefused."""
    locked = Delegation.objects.select_for_update().get(pk=delegation.pk)
    if not may_delegate_for(by, locked.giver):
        raise DelegationRefused(_("Only who delegated, or who keeps people, ends a delegation."))
    if locked.ended_at is not None or locked.until_on < timezone.localdate():
        return False
    before = snapshot(locked)
    locked.ended_at = timezone.now()
    locked.save(update_fields=["ended_at"])
    record_change(locked, before=before, by=by, way=way, reason=reason, batch=batch)
    note_last_day(locked.receiver)
    return True


def _locked(*people: User) -> list[User]:
    return list(User.objects.filter(pk__in=[one.pk for one in people]).order_by("pk").select_for_update())


def _require_people(giver: User, receiver: User, by: User) -> None:
    if not may_delegate_for(by, giver):
        raise DelegationRefused(_("You can delegate your own customers only."))
    if giver == receiver:
        raise DelegationRefused(_("Nobody delegates to himself."), "receiver")
    for one, field in ((giver, "giver"), (receiver, "receiver")):
        if not one.is_active:
            raise DelegationRefused(_("{name} does not work here any more.").format(name=one), field)
        if one.is_administrator:
            raise DelegationRefused(_("Administrators have no customers and look after none."), field)
    if not User.objects.visible_to(by).filter(pk=receiver.pk).exists():
        raise DelegationRefused(_("Choose a colleague of your region or of head office."), "receiver")


def _require_days(giver: User, receiver: User, from_on: date, until_on: date) -> None:
    if from_on < timezone.localdate():
        raise DelegationRefused(_("Choose today or a later day."), "from_on")
    if until_on < from_on:
        raise DelegationRefused(_("The last day lies before the first."), "until_on")
    if until_on - from_on > LONGEST:
        raise DelegationRefused(
            _("A delegation lasts a year at most. For longer, hand the customers over."), "until_on"
        )
    standing = Delegation.objects.filter(giver=giver, receiver=receiver, ended_at=None)
    if standing.filter(from_on__lte=until_on, until_on__gte=from_on).exists():
        raise DelegationRefused(_("These days overlap with a delegation to the same person."), "from_on")


def note_last_day(receiver: User) -> None:
    """Who has nothing delegated is asked nothing about it: a label on the person says until when to look."""
    standing = Delegation.objects.filter(receiver=receiver, ended_at=None)
    last = standing.aggregate(last=Max("until_on"))["last"]
    User.objects.filter(pk=receiver.pk).update(delegated_until=last)
