"""The lock that runs, edits, imports and regrading share, so that none of them grades facts of before another's."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Max, Min

from crm.models import CustomerLine

# Customer lines are locked by the bucketful: an annual run takes fifty locks a chunk instead of rewriting every head
# (docs/adr/0006). Whoever edits one line holds up the edits of its bucket for the few milliseconds of a save.
BUCKET = 1024
_CLASS = 0x6771


def lock_lines(line_ids: Iterable[int]) -> None:
    """Lock customer lines against everyone else who grades, to the end of the transaction.

    Take it before anything is read or any row is locked, and for all lines of the transaction at once: the buckets
    are taken in rising order, so that nobody waits in a ring. On SQLite the transaction is the only writer anyway.
    """
    _lock(sorted({pk // BUCKET for pk in line_ids}))


def lock_range(first: int, last: int) -> None:
    """Lock the customer lines with an id from `first` to `last`; only buckets that hold lines are taken."""
    if connection.vendor == "sqlite":
        return
    ends = CustomerLine.objects.filter(pk__range=(first, last)).aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is not None:
        _lock(list(range(ends["first"] // BUCKET, ends["last"] // BUCKET + 1)))


def _lock(buckets: list[int]) -> None:
    if connection.vendor == "postgresql" and buckets:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, bucket) FROM unnest(%s) AS bucket", [_CLASS, buckets])
