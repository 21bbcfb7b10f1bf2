"""Where people and branch offices are, since when; an office that moves takes its people and customers along."""

import logging
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import Edit, record_change, record_removal, snapshot
from crm.actions.ties import Move, end_ties_of_customers, end_ties_of_people
from crm.actions.tokens import revoke_tokens_of
from crm.lib.batches import batches
from crm.lib.bulk import update_all
from crm.models import Branch, BranchRegion, Customer, CustomerRegion, PersonPlace, Region, User, Way

_AT_ONCE = 2000
_log = logging.getLogger(__name__)


class MoveRefused(Exception):
    """The branch office cannot move so; nothing was changed. `field` says where a form shows it."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


def note_places(people: Iterable[User], *, from_on: date | None = None) -> None:
    """The people are where they are from a day on (None: today); where they were before stays known."""
    day = from_on or timezone.localdate()
    PersonPlace.objects.bulk_create(
        [
            PersonPlace(person_id=one.pk, region_id=one.region_id, branch_id=one.branch_id, from_on=day)
            for one in people
        ],
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["person", "from_on"],
        update_fields=["region", "branch"],
    )


def date_customers(customers: Iterable[Customer], *, from_on: date) -> None:
    """The customers belong to their region from a day on; past figures stay with the region of then."""
    CustomerRegion.objects.bulk_create(
        [CustomerRegion(customer_id=one.pk, region_id=one.region_id, from_on=from_on) for one in customers],
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["customer", "from_on"],
        update_fields=["region"],
    )


@transaction.atomic
def move_branch(*, branch: Branch, region: Region, from_on: date, by: User | None, way: Way = Way.FORM) -> bool:
    """Have a branch office belong to another region from a day on, with its people and customers.

    Leads and memberships end between those who move and those who stay. Today it moves at once, later a daily task
    moves it; returns whether it has moved. Raises MoveRefused.
    """
    today, locked = timezone.localdate(), _locked(branch)
    if from_on < today:
        raise MoveRefused(_("Choose today or a later day: what has been stays as it was."), "from_on")
    if not region.is_active:
        raise MoveRefused(_("This region is switched off."), "region")
    if BranchRegion.objects.to_come(today).filter(branch=locked).exists():
        raise MoveRefused(_("This branch office moves on another day already. Call that move off first."))
    if region.pk == locked.region_id:
        raise MoveRefused(_("The branch office belongs to this region already."), "region")
    _plan(locked, region, from_on, by, way)
    if from_on == today:
        _carry_out(locked, region, from_on, by, way)
        branch.region = region
    return from_on == today


@transaction.atomic
def call_off_move(*, move: BranchRegion, by: User) -> bool:
    """Take back a move that has not begun. Returns whether there still was one."""
    planned = BranchRegion.objects.to_come(timezone.localdate()).filter(pk=move.pk).select_for_update().first()
    if planned is None:
        return False
    record_removal(planned, by=by, way=Way.FORM)
    planned.delete()
    return True


def move_due_branches(*, today: date) -> int:
    """Move the branch offices whose day has come. Returns how many. Safe to run twice, also at once."""
    return sum(_move_if_due(pk, today) for pk in BranchRegion.objects.due(today).values_list("pk", flat=True))


def _move_if_due(pk: int, today: date) -> bool:
    """One branch office in a transaction of its own: one that cannot move does not hold up the others."""
    try:
        with transaction.atomic():
            branch = _locked(BranchRegion.objects.select_related("branch").get(pk=pk).branch)
            due = BranchRegion.objects.due(today).filter(pk=pk).select_related("region").first()
            if due is None:
                return False
            _carry_out(branch, due.region, due.from_on, None, Way.JOB)
    except (MoveRefused, IntegrityError, OperationalError) as refusal:
        _log.warning("A branch office is due to move and cannot: %s", refusal)
        return False
    return True


def _locked(branch: Branch) -> Branch:
    return Branch.objects.select_for_update().get(pk=branch.pk)


def _plan(branch: Branch, region: Region, from_on: date, by: User | None, way: Way) -> None:
    planned = BranchRegion.objects.filter(branch=branch, from_on=from_on).first()
    before = snapshot(planned) if planned else None
    planned = planned or BranchRegion(branch=branch, from_on=from_on)
    planned.region = region
    planned.save()
    record_change(planned, before=before, by=by, way=way)


def _carry_out(branch: Branch, region: Region, from_on: date, by: User | None, way: Way) -> None:
    _refuse_clashes(branch, region)
    before, batch = snapshot(branch), uuid4()
    branch.region = region
    branch.version += 1
    branch.save(update_fields=["region", "version"])
    move = Move(by, way, _("the branch office moved"), batch)
    record_change(branch, before=before, by=by, way=way, batch=batch)
    people = _move_people(branch, from_on, move)
    customers = list(_customers_of(branch).values_list("pk", flat=True))
    for some in batches(customers, _AT_ONCE):
        _move_customers(some, region, from_on, move)
    end_ties_of_customers(customers, move)
    end_ties_of_people([person.pk for person in people], move)


def _customers_of(branch: Branch) -> QuerySet[Customer]:
    return Customer.objects.filter(branch=branch, deleted_at=None).order_by("pk")


def _refuse_clashes(branch: Branch, region: Region) -> None:
    """Codes are unique within a region. The sentences name no customer: who moves need not see them."""
    if _has_clash(branch, region, "credit_code"):
        raise MoveRefused(
            _("A customer of the new region has the credit code of one that would come. Settle that first.")
        )
    if _has_clash(branch, region, "code"):
        raise MoveRefused(_("A customer of the new region has the code of one that would come. Settle that first."))


def _has_clash(branch: Branch, region: Region, name: str) -> bool:
    """Whether two customers would have the same code there."""
    codes = _customers_of(branch).exclude(**{name: ""}).order_by().values(name)
    there = Customer.objects.filter(Q(region=region) | Q(branch=branch), deleted_at=None, **{f"{name}__in": codes})
    doubled: QuerySet[Any, Any] = there.order_by().values(name).annotate(number=Count("pk")).filter(number__gt=1)
    return doubled.exists()


def _move_people(branch: Branch, from_on: date, move: Move) -> list[User]:
    people = list(User.objects.filter(branch=branch).order_by("pk").select_for_update(no_key=True))
    before = [snapshot(person) for person in people]
    for person in people:
        person.region = branch.region
        person.version += 1
        person.session_version += 1
    update_all(User, people, ["region", "version", "session_version"])
    move.record([Edit(person, was) for person, was in zip(people, before, strict=True)])
    note_places(people, from_on=from_on)
    revoke_tokens_of(people, by=move.by, way=move.way, reason=move.reason)
    return people


def _move_customers(ids: list[int], region: Region, from_on: date, move: Move) -> None:
    customers = list(Customer.objects.filter(pk__in=ids).order_by("pk").select_for_update())
    before = [snapshot(customer) for customer in customers]
    for customer in customers:
        customer.region = region
        customer.version += 1
    update_all(Customer, customers, ["region", "version"])
    date_customers(customers, from_on=from_on)
    move.record([Edit(customer, was) for customer, was in zip(customers, before, strict=True)])
