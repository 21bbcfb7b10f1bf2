"""Saving the people at a customer."""

from django.db import transaction
from django.utils import timezone

from crm.actions.changes import record_change
from crm.actions.versions import lock_version
from crm.models import Contact, User, Way


@transaction.atomic
def save_contact(*, contact: Contact, version: int, by: User | None, way: Way = Way.FORM, reason: str = "") -> Contact:
    """Save a contact, new (version 0) or changed. Raises EditedMeanwhile."""
    before = lock_version(contact, version)
    contact.version = version + 1
    contact.save()
    record_change(contact, before=before, by=by, way=way, reason=reason)
    return contact


@transaction.atomic
def remove_contact(*, contact: Contact, version: int, by: User | None, way: Way = Way.FORM) -> None:
    """Take a contact out of every list; the row stays. Raises EditedMeanwhile."""
    contact.deleted_at = timezone.now()
    save_contact(contact=contact, version=version, by=by, way=way)
