"""The group that a customer belongs to, as its page shows it: those above, and some generations below."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crm.models import Customer

SHOWN = 100
DEEPEST = 8  # steps that the page can indent


@dataclass(frozen=True)
class Relative:
    """A customer of the group and how deep it stands in it."""

    customer: Customer
    depth: int
    is_self: bool = False


@dataclass(frozen=True)
class Family:
    """A customer's group as far as it exists for the person: nobody is shown whose way up is not."""

    parent: Customer | None
    members: tuple[Relative, ...]
    has_more: bool

    def __bool__(self) -> bool:
        return len(self.members) > 1


def family_of(customer: Customer, seen: Any) -> Family:
    """The group of a customer, of those within sight; asked of the database once."""
    named = seen.family_of(customer).only("name", "parent")
    found = list(named.order_by("-is_above", "pinyin", "pk")[: SHOWN + 1])
    has_more = len(found) > SHOWN
    known = {one.pk: one for one in found[:SHOWN]}
    above = list(_above(customer, known))
    below: dict[int, list[Customer]] = defaultdict(list)
    for one in known.values():
        if not one.is_above and one.parent_id is not None:
            below[one.parent_id].append(one)
    chain = [Relative(one, min(depth, DEEPEST)) for depth, one in enumerate(reversed(above))]
    own = Relative(customer, min(len(chain), DEEPEST), is_self=True)
    members = (*chain, own, *_below(customer.pk, below, own.depth + 1))
    return Family(parent=above[0] if above else None, members=members, has_more=has_more)


def _above(customer: Customer, known: dict[int, Customer]) -> Iterator[Customer]:
    """From the parent upwards, as long as each is within sight."""
    at, passed = customer.parent_id, {customer.pk}
    while at in known and at not in passed:
        passed.add(at)
        yield known[at]
        at = known[at].parent_id


def _below(pk: int, below: dict[int, list[Customer]], depth: int) -> Iterator[Relative]:
    for one in below.pop(pk, ()):
        yield Relative(one, min(depth, DEEPEST))
        yield from _below(one.pk, below, depth + 1)
