"""Locking what is about to be saved; with a version, who saves says which one was read."""

from hashlib import blake2b
from typing import Any

from django.conf import settings

from crm.actions.changes import EditedMeanwhile, snapshot

_NOBODYS = frozenset({"password", "last_login"})  # set by signing in, or by a field of its own


def lock_version(record: Any, version: int) -> dict[str, Any] | None:
    """Lock the stored record to the transaction's end and return its snapshot; None where it is new.

    Raises EditedMeanwhile if `version` is not the latest. The caller saves `version + 1`.
    """
    if record.pk is None:
        return None
    stored = type(record)._base_manager.select_for_update().get(pk=record.pk)
    if stored.version != version:
        raise EditedMeanwhile(stored)
    return snapshot(stored)


def lock_record(record: Any, *, read: str = "") -> dict[str, Any] | None:
    """Lock a stored record that carries no version to the transaction's end; its snapshot, None where it is new.

    `read` is the state (`state_of`) that whoever saves has seen. Raises EditedMeanwhile if it is another by now.
    """
    if record.pk is None:
        return None
    stored = type(record)._base_manager.select_for_update().get(pk=record.pk)
    if read and read != state_of(stored):
        raise EditedMeanwhile(stored)
    return snapshot(stored)


def state_of(record: Any) -> str:
    """What people edit of a record that carries no version, put so that two moments can be compared.

    Keyed with the installation's secret: nobody finds out by trying what stands in a field that he is not shown.
    """
    edited = {field.attname for field in record._meta.concrete_fields if field.editable} - _NOBODYS
    values = [(name, value) for name, value in sorted(snapshot(record).items()) if name in edited]
    key = settings.SECRET_KEY.encode()[: blake2b.MAX_KEY_SIZE]
    return blake2b(repr(values).encode(), digest_size=12, key=key).hexdigest()
