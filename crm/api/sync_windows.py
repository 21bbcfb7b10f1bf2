"""Which part of the change log one call of a follower reads."""

from datetime import datetime
from typing import Any, NamedTuple, Self

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from crm.api import sync_tokens
from crm.lib.transactions import horizon
from crm.models import Change

FEW = 2000


class Window(NamedTuple):
    """The transactions that a call reads: from a number, or from a moment, to the newest there was when it began."""

    since: int
    moment: datetime | None
    beyond: int
    following: int  # where the next call begins

    @classmethod
    def after(cls, number: int) -> Self:
        """What the transactions from a number on have written."""
        now = horizon()
        if number > now.oldest_open:
            raise sync_tokens.OutOfReach(_("The sync token is of another database. Start again without it."))
        return cls(number, None, now.beyond, now.oldest_open)

    @classmethod
    def from_moment(cls, moment: datetime) -> Self:
        """What was recorded from a moment on."""
        now = horizon()
        before = Change.objects.filter(at__lt=moment).order_by("-sequence").values_list("transaction", flat=True)
        return cls(next(iter(before[:1]), 0), moment, now.beyond, now.oldest_open)

    @property
    def is_everything(self) -> bool:
        """Whether it begins before the log does."""
        return self.since == 0 and self.moment is not None

    def within(self, number: str, moment: str = "") -> Q:
        """A condition on the column that holds the transaction's number, and the one with its moment."""
        bounded = Q(**{f"{number}__lt": self.beyond})
        if self.moment is not None and moment:
            return bounded & Q(**{f"{moment}__gte": self.moment})
        return bounded & Q(**{f"{number}__gte": self.since})

    def changes(self, *models: type[Model]) -> QuerySet[Change]:
        """The rows of the change log of some tables."""
        tables = [model._meta.db_table for model in models]
        return Change.objects.filter(self.within("transaction", "at"), table__in=tables)

    def partings(self, model: type[Model]) -> QuerySet[Change]:
        """Those that may have put a record out of somebody's sight."""
        moved = Q(before__isnull=False, after__has_any_keys=["deleted_at", "region_id", "branch_id"])
        return self.changes(model).filter(Q(is_tombstone=True) | moved)


def few_or_all(records: QuerySet) -> Any:
    """A few ids as they are: asked once, they spare the database from looking at everything that is visible."""
    few = list(records.values_list("pk", flat=True)[: FEW + 1])
    return few if len(few) <= FEW else records
