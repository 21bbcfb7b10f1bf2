"""Saving people: who they are, what they are and where; leaving is `is_active`, nobody is deleted."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm.actions.changes import record_change
from crm.actions.places import note_places
from crm.actions.sessions import ends_access
from crm.actions.ties import Move, end_ties_of_people
from crm.actions.tokens import revoke_tokens_of
from crm.actions.versions import lock_record, lock_version
from crm.models import User, Way
from crm.permissions import Permission, can

# Written by others while somebody may be looking at a form.
_NOT_SAVED = ("last_login", "delegated_until")


class LocksOneselfOut(Exception):
    """After this change the person could not undo it."""


@transaction.atomic
def save_person(
    *,
    person: User,
    by: User | None,
    way: Way = Way.FORM,
    password: str = "",
    version: int | None = None,
    reason: str = "",
    batch: UUID | None = None,
) -> User:
    """Save a person, new (version 0) or changed, and set the password where one is given.

    Who leaves, or gets another role or region, must sign in again: sessions and API tokens end at once. Where the
    person is from today on is kept with the date. With another region he leads and sees customers of the old one no
    more. Raises LocksOneselfOut, and EditedMeanwhile if `version` is not the
    latest; None is whatever there is.
    """
    if person == by and not can(person, Permission.EDIT_USERS):
        raise LocksOneselfOut(_("You cannot take your own access to people away. Ask a colleague who has it too."))
    before = lock_record(person) if version is None else lock_version(person, version)
    if password:
        person.set_password(password)
    elif before is None:
        person.set_unusable_password()
    must_sign_in_again = before is not None and ends_access(before, person)
    _write(person, before, session_version=1 if must_sign_in_again else 0)
    record_change(person, before=before, by=by, way=way, reason=reason, batch=batch)
    if must_sign_in_again:
        revoke_tokens_of([person], by=by, way=way, reason=reason)
    if before is None or (before["region_id"], before["branch_id"]) != (person.region_id, person.branch_id):
        note_places([person])
    if before is not None and before["region_id"] != person.region_id:
        end_ties_of_people([person.pk], Move(by, way, reason, batch))
    return person


def _write(person: User, before: dict[str, Any] | None, *, session_version: int) -> None:
    if before is None:
        person.save()
        return
    person.refresh_from_db(fields=_NOT_SAVED)
    person.version = before["version"] + 1
    person.session_version = before["session_version"] + session_version
    names = (field.name for field in person._meta.concrete_fields if not field.primary_key)
    person.save(update_fields=[name for name in names if name not in _NOT_SAVED])
