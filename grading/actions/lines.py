"""Which customer lines a statement is about, each table read by its own index."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection

from grading.actions.graded_set import never_graded
from grading.actions.locks import lock_lines, lock_range


@dataclass(frozen=True)
class Lines:
    """Which customer lines: a condition on their ids ({} is the column), and one more on crm_customerline AS l."""

    ids: str
    params: Mapping[str, Any]
    lock: Callable[[], None]
    narrowed: str = ""

    @classmethod
    def between(cls, first: int, last: int, *, product_line: int | None = None, region: int | None = None) -> "Lines":
        """Those with an id from `first` to `last`, of one product line or region where given."""
        narrowed = "" if product_line is None else f" AND l.product_line_id = {product_line:d}"
        if region is not None:
            narrowed += f" AND l.customer_id IN (SELECT id FROM crm_customer WHERE region_id = {region:d})"
        return cls(
            "{} BETWEEN %(first)s AND %(last)s",
            {"first": first, "last": last},
            partial(lock_range, first, last),
            narrowed,
        )

    @classmethod
    def among(cls, ids: Sequence[int]) -> "Lines":
        """Those with one of the ids."""
        return cls(f"{{}} IN ({', '.join(f'{pk:d}' for pk in sorted(ids))})", {}, partial(lock_lines, ids))


def count_lines(lines: Lines) -> int:
    """How many of the customer lines are graded at all: the active ones but for the few of those who never are."""
    active = f"SELECT COUNT(*) FROM crm_customerline l WHERE l.is_active AND {lines.ids.format('l.id')}{lines.narrowed}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({active}) - ({active} AND l.customer_id IN ({never_graded()}))", lines.params)
        return int(cursor.fetchone()[0])
