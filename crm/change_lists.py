"""The list of all changes: on its page and in the file made of it, in words for whoever asks."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.change_filters import ChangeFilter
from crm.change_words import Told, tell
from crm.lib.batches import batches
from crm.lib.columns import ListColumn, choose
from crm.lib.exports import Type
from crm.lib.listing import Address, filter_params
from crm.models import Change, User
from crm.permissions import Permission
from crm.templatetags.changes import changed_fields, customer_of, moment_of, record_of


def _what(told: Told) -> str:
    return gettext("; ").join(told.sentences)


COLUMNS = (
    ListColumn("at", _("When"), lambda told: told.change.at, Type.MOMENT, draw=moment_of, is_sortable=True),
    ListColumn("by", _("Who"), lambda told: told.by, css="text-nowrap"),
    ListColumn("way", _("By way of"), lambda told: str(told.change.get_way_display()), css="text-nowrap"),
    ListColumn("kind", _("Kind of record"), lambda told: told.what, is_shown=False, is_added=True),
    ListColumn("record", _("Record"), lambda told: told.record, draw=record_of, css="cell-wide"),
    ListColumn("customer", _("Customer"), lambda told: told.customer, draw=customer_of, css="cell-wide"),
    ListColumn("region", _("Region"), lambda told: told.region, is_shown=False, is_added=True),
    ListColumn("changes", _("What changed"), _what, draw=changed_fields),
    ListColumn("reason", _("Why"), lambda told: told.change.reason),
    ListColumn("batch", _("Import or bulk change"), lambda told: str(told.change.batch or ""), is_shown=False),
)


class _InWords:
    """Changes by the thousand, put into words a chunk at a time."""

    def __init__(self, changes: QuerySet[Change], user: User) -> None:
        self.changes, self.user = changes, user

    def iterator(self, *, chunk_size: int) -> Iterator[Told]:
        """The rows, as `QuerySet.iterator` gives records."""
        for some in batches(self.changes.iterator(chunk_size=chunk_size), chunk_size):
            yield from tell(some, self.user)


def open_changes(request: Any, params: QueryDict) -> Opened:
    """The changes that exist for a person."""
    changes = Change.objects.visible_to(request.user).told()
    filters = ChangeFilter(filter_params(params), changes, request=request)
    return Opened(filters, choose(COLUMNS, params), lambda rows: _InWords(rows, request.user))


def _address(params: QueryDict) -> str:
    return Address(reverse("crm:list-changes"), params).having()


CHANGES = Listed("changes", _("History"), Permission.LIST_CHANGES, open_changes, _address)

LISTS = (CHANGES,)
