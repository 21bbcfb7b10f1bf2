"""Locking what is about to be saved; with a version, who saves says which one was read."""

from typing import Any

from crm.actions.changes import EditedMeanwhile, snapshot


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


def lock_record(record: Any) -> dict[str, Any] | None:
    """Lock a stored record that carries no version to the transaction's end; its snapshot, None where it is new."""
    if record.pk is None:
        return None
    return snapshot(type(record)._base_manager.select_for_update().get(pk=record.pk))
