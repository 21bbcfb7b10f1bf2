"""Rows that move a customer: who may do that, and what it ends."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from crm.actions.import_rows import Occasion, Row
from crm.actions.ties import Move, end_ties_of_customers
from crm.models import Branch, Customer, LineMember, User, Way
from crm.permissions import Permission, can


def match_moves(rows: Sequence[Row], user: User | None) -> None:
    """Refuse moves to another region where the person may not transfer; of others the old branch office goes."""
    moving = [row for row in rows if row.record and _region(row) != row.record.region_id]
    if user is not None and not can(user, Permission.TRANSFER_CUSTOMER):
        for row in moving:
            sentence = _("the customer belongs to another region; only who may transfer customers moves it")
            row.reject(sentence, "region")
    elif moving:
        region_of = dict(Branch.objects.values_list("pk", "region"))
        for row in [row for row in moving if "branch" not in row.fields and not row.is_wrong("branch")]:
            if region_of.get(row.record.branch_id) != _region(row):
                row.emptied["branch"] = None
    _refuse_out_of_reach(rows, user)


def _refuse_out_of_reach(rows: Sequence[Row], user: User | None) -> None:
    """Nobody puts a customer out of his own sight by its branch office."""
    if user is None or user.sees_all_regions:
        return
    reach = user.reach
    leaving = [
        row
        for row in rows
        if row.record
        and not row.is_wrong("region", "branch")
        and _branch(row) not in (row.record.branch_id, *reach.branches)
        and row.record.region_id not in reach.regions
    ]
    members = LineMember.objects.current().of_people(reach.people) if leaving else LineMember.objects.none()
    kept = set(members.values_list("line__customer", flat=True))
    for row in leaving:
        if row.record.pk not in kept:
            sentence = _("You would not see this customer. Choose your own region, branch and product lines.")
            row.reject(sentence, "branch")


def end_ties_of_moved(customers: Sequence[Customer], occasion: Occasion) -> None:
    """Leads and memberships of people who do not belong to the region of then end with the import, and come back so."""
    move = Move(occasion.by, Way.IMPORT, batch=occasion.batch)
    end_ties_of_customers([one.pk for one in customers], move)


def _branch(row: Row) -> int | None:
    if "branch" in row.emptied:
        return None
    return row.fields["branch"].pk if "branch" in row.fields else row.record.branch_id


def _region(row: Row) -> int:
    return row.fields["region"].pk if "region" in row.fields else row.record.region_id
