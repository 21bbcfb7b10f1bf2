"""Numbers of transactions: what lets a reader miss nothing while others write.

PostgreSQL numbers its own transactions; a smaller number may commit later, so a reader goes back to the oldest one that
is still open. SQLite writes one at a time: a counter in the database serves, and no number is ever open for a reader.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection, transaction

_COUNT = """INSERT INTO crm_transactionnumber (id, number) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET number = crm_transactionnumber.number + 1 RETURNING number"""

# A transaction that reads what it has written itself counts as begun.
_SNAPSHOT = """SELECT txid_snapshot_xmin(s), GREATEST(txid_snapshot_xmax(s), txid_current_if_assigned() + 1)
    FROM txid_current_snapshot() s"""


class Horizon(NamedTuple):
    """Every transaction below `oldest_open` has ended; none at or above `beyond` had begun."""

    oldest_open: int
    beyond: int


def transaction_number() -> int:
    """The number of the transaction under way, for the rows that it writes."""
    return _one("SELECT txid_current()" if connection.vendor == "postgresql" else _COUNT)[0]


def horizon() -> Horizon:
    """Where reading stands now. Ask before reading the rows themselves."""
    if connection.vendor == "postgresql":
        return Horizon(*_one(_SNAPSHOT))
    following = _one("SELECT COALESCE(MAX(number), 0) + 1 FROM crm_transactionnumber")[0]
    return Horizon(following, following)


@contextmanager
def one_moment() -> Iterator[None]:
    """All that the block reads is as of one moment, and it writes nothing; inside a transaction nothing changes."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def try_to_lock(name: str) -> bool:
    """Lock a name to the transaction's end; False where another transaction holds it.

    On SQLite the transaction is the only writer and has waited already.
    """
    if connection.vendor != "postgresql":
        return True
    return bool(_one("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", name)[0])


def _one(sql: str, *params: str) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()
