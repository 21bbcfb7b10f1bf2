"""Saving sales; what was bought in two years decides grades."""

from django.db import transaction
from django.utils import timezone

from crm.actions.changes import record_change
from crm.actions.facts import facts_changed
from crm.actions.versions import lock_version
from crm.models import CustomerLine, Sale, User, Way


@transaction.atomic
def save_sale(*, sale: Sale, version: int, by: User | None, way: Way = Way.FORM, reason: str = "") -> Sale:
    """Save a sale, new (version 0) or changed, and mark its line for regrading. Raises EditedMeanwhile."""
    before = lock_version(sale, version)
    sale.version = version + 1
    sale.save()
    record_change(sale, before=before, by=by, way=way, reason=reason)
    _mark_lines(sale, before)
    return sale


@transaction.atomic
def delete_sale(*, sale: Sale, version: int, by: User | None, way: Way = Way.FORM, reason: str = "") -> None:
    """Take a sale out of every list and sum; the row stays. Raises EditedMeanwhile."""
    sale.deleted_at = timezone.now()
    save_sale(sale=sale, version=version, by=by, way=way, reason=reason)


def _mark_lines(sale: Sale, before: dict | None) -> None:
    lines = {sale.line_id} | ({before["line_id"]} if before else set())
    facts_changed(CustomerLine.objects.filter(pk__in=lines))
