"""The queue of credit codes that customers of several regions share; for those who may resolve them alone."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Count, QuerySet

from crm.models import Customer, DifferentCustomers, User
from crm.permissions import Permission, can
from crm.waiting import forget, remember, remembered

_KEY = "waiting-conflicts"


@dataclass(frozen=True)
class Conflict:
    """Customers of several regions with one credit code."""

    credit_code: str
    customers: Sequence[Customer]


def conflicts_of(user: User, credit_code: str = "") -> list[Conflict]:
    """The conflicts that nobody has settled, by credit code; or that of one code."""
    alive = Customer.objects.visible_to(user).exclude(credit_code="")
    shared = _shared(alive.filter(credit_code=credit_code) if credit_code else alive)
    found: dict[str, list[Customer]] = defaultdict(list)
    named = alive.filter(credit_code__in=shared).for_list()
    for customer in named.order_by("credit_code", "created_at", "pk"):
        found[customer.credit_code].append(customer)
    different = _told_apart(found)
    return [Conflict(code, some) for code, some in found.items() if not _pairs(some) <= different[code]]


def waiting_conflicts(user: User) -> int:
    """How many conflicts wait, for the menu: counted once a minute."""
    return remembered(_KEY, "credit codes", lambda: len(conflicts_of(user))) if may_see(user) else 0


def remember_count(number: int) -> None:
    """Have the menu show what the queue itself has just counted."""
    remember(_KEY, "credit codes", number)


def count_again() -> None:
    """Have the menu count anew: one has been settled."""
    forget(_KEY)


def may_see(user: User) -> bool:
    """Whether a person learns of conflicts at all."""
    return can(user, Permission.RESOLVE_CONFLICTS)


def _shared(customers: QuerySet[Customer]) -> QuerySet:
    codes = customers.order_by().values("credit_code").annotate(holders=Count("pk"))
    return codes.filter(holders__gt=1).values("credit_code")


def _told_apart(codes: Iterable[str]) -> dict[str, set[tuple[int, int]]]:
    different: dict[str, set[tuple[int, int]]] = defaultdict(set)
    verdicts = DifferentCustomers.objects.standing().filter(credit_code__in=codes)
    for code, first, second in verdicts.values_list("credit_code", "first", "second"):
        different[code].add((first, second))
    return different


def _pairs(customers: Sequence[Customer]) -> set[tuple[int, int]]:
    return set(combinations(sorted(one.pk for one in customers), 2))
