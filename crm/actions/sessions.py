"""Ending what people are signed in with: browser sessions by a counter that each session knows, and API tokens."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from crm.actions.changes import Edit, record_changes, snapshot
from crm.actions.tokens import revoke_tokens_of
from crm.lib.bulk import update_all
from crm.models import User, Way


def ends_access(before: Mapping[str, Any], person: User) -> bool:
    """Whether a person who was `before` (a snapshot) must sign in again: he left, or is something or somewhere else."""
    has_left = before["is_active"] and not person.is_active
    return has_left or before["role"] != person.role or before["region_id"] != person.region_id


@transaction.atomic
def end_sessions(
    *, users: Iterable[User], by: User | None, way: Way = Way.FORM, reason: str = "", batch: UUID | None = None
) -> None:
    """End every browser session of these people at once, whoever's browser it is in. API tokens go on working.

    A session carries the counter as it was at sign-in: with another one it is nobody's, and is deleted when it is used.
    """
    found = {user.pk: user for user in users}
    locked = list(User.objects.filter(pk__in=found).order_by("pk").select_for_update())
    before = [snapshot(person) for person in locked]
    for person in locked:
        person.session_version += 1
        person.version += 1
        found[person.pk].session_version, found[person.pk].version = person.session_version, person.version
    update_all(User, locked, ["session_version", "version"])
    edits = [Edit(person, was) for person, was in zip(locked, before, strict=True)]
    record_changes(edits, by=by, way=way, reason=reason, batch=batch)


@transaction.atomic
def end_access(
    *, users: Iterable[User], by: User | None, way: Way = Way.FORM, reason: str = "", batch: UUID | None = None
) -> None:
    """End every session and every API token of these people at once."""
    people = list(users)
    end_sessions(users=people, by=by, way=way, reason=reason, batch=batch)
    revoke_tokens_of(people, by=by, way=way, reason=reason)
