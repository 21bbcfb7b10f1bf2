"""Customers that may be the same as another one: called nearly so, or with its credit code."""

from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from crm.lib.similar import Names, pieces
from crm.models import Customer

_MOST = 5000  # names compared


def lookalikes(customer: Customer, within: QuerySet[Customer], *, most: int = 5) -> list[Customer]:
    """Of some customers those that are probably this one, the likeliest first."""
    others = within.exclude(pk=customer.pk) if customer.pk else within
    held = reduce(or_, (Q(search_text__contains=piece) for piece in pieces(customer.name)), Q(pk=None))
    names = Names(others.filter(held).values_list("pk", "name")[:_MOST])
    order = [like.key for like in names.like(customer.name, most)]
    if customer.credit_code:
        same = others.filter(credit_code=customer.credit_code).values_list("pk", flat=True)[:most]
        order = list(dict.fromkeys([*same, *order]))
    found = others.select_related("region").in_bulk(order[:most])
    return [found[pk] for pk in order[:most]]
