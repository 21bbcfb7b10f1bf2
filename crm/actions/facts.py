"""Facts that decide grades have changed: mark the lines, nudge whoever regrades."""

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.models import CustomerLine


def facts_changed(lines: QuerySet[CustomerLine]) -> int:
    """Mark lines whose sales or standing changed; after the commit their grades follow. Returns how many."""
    marked = lines.order_by().update(facts_changed_at=timezone.now())
    if marked:
        transaction.on_commit(lambda: current_app.send_task(settings.FACTS_CHANGED_TASK))
    return marked
