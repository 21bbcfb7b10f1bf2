"""Customers of several regions with one credit code: which of them are different, as somebody has found out."""

from collections.abc import Sequence
from itertools import combinations

from django.db import transaction
from django.utils import timezone

from crm.models import Customer, DifferentCustomers, User


@transaction.atomic
def tell_apart(*, customers: Sequence[Customer], reason: str, by: User) -> list[DifferentCustomers]:
    """Remember that customers with the same credit code are different, until one of them changes its code."""
    ordered = sorted(customers, key=lambda one: one.pk)
    return [
        DifferentCustomers.objects.create(
            first=first, second=second, credit_code=first.credit_code, reason=reason, by=by, at=timezone.now()
        )
        for first, second in combinations(ordered, 2)
    ]
