"""Saving people: who they are, what they are and where; leaving is `is_active`, nobody is deleted."""

from django.db import transaction
from django.utils.translation import gettext as _

from crm.actions.changes import record_change
from crm.actions.versions import lock_record
from crm.models import User, Way
from crm.permissions import Permission, can


class LocksOneselfOut(Exception):
    """After this change the person could not undo it."""


@transaction.atomic
def save_person(*, person: User, by: User | None, way: Way = Way.FORM, password: str = "") -> User:
    """Save a person, new or changed, and set the password where one is given. Raises LocksOneselfOut."""
    if person == by and not can(person, Permission.EDIT_USERS):
        raise LocksOneselfOut(_("You cannot take your own access to people away. Ask a colleague who has it too."))
    before = lock_record(person)
    if password:
        person.set_password(password)
    elif before is None:
        person.set_unusable_password()
    person.save()
    record_change(person, before=before, by=by, way=way)
    return person
