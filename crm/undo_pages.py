"""What is in the way of an undo or ended some other work on many records, as pages say it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.actions.undo_batch import with_customers
from crm.models import User


def named_conflicts(conflicts: Iterable[Mapping[str, Any]], user: User) -> list[dict[str, Any]]:
    """Each record named and with its page where it exists for the person; table, object_id, row and reason go in."""
    kept = list(conflicts)
    named = {
        (table, record.pk): str(record)
        for table in {one["table"] for one in kept}
        for record in _seen(table, [one["object_id"] for one in kept if one["table"] == table], user)
    }
    places = [(one, (one["table"], one["object_id"])) for one in kept]
    return [
        {
            "name": named.get(place, ""),
            "row": one["row"],
            "reason": one["reason"],
            "url": record_url(*place) if place in named else "",
        }
        for one, place in places
    ]


def reason_of(report: Mapping[str, Any]) -> str:
    """Why some work was refused; what broke it is for the log and the job alone."""
    return report.get("error") or _("Something went wrong here. It has been noted.")


def record_url(table: str, pk: int) -> str:
    """The page of a record, where it has one."""
    return reverse("crm:view-customer", args=[pk]) if table == "crm_customer" else ""


def _seen(table: str, pks: Sequence[int], user: User) -> QuerySet[Any]:
    """The records of a table that exist for the person."""
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    manager: Any = model._default_manager
    found = manager.visible_to(user) if hasattr(manager, "visible_to") else manager.all()
    return with_customers(found.filter(pk__in=pks))
