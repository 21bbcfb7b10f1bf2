"""The queue of credit codes that several regions use, as a file: one row for each customer of a conflict."""

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.conflicts import conflicts_of
from crm.lib.columns import ListColumn, choose
from crm.lib.exports import Type
from crm.lib.filtering import ListFilters
from crm.lib.listing import filter_params
from crm.lists import CODE, LINES, NAME, REGION, address_of
from crm.models import Customer
from crm.permissions import Permission


class ConflictFilter(ListFilters):
    """Customers whose credit code a customer of another region has, those of one code together."""

    orderings = {"credit_code": "credit_code"}
    default_ordering = "credit_code"


COLUMNS = (
    ListColumn("credit_code", _("Credit code"), lambda one: one.credit_code),
    NAME,
    CODE,
    REGION,
    LINES,
    ListColumn("created_at", _("Added on"), lambda one: one.created_at, Type.MOMENT),
)


def open_conflicts(request: Any, params: QueryDict) -> Opened:
    """The customers of the conflicts that nobody has settled."""
    seen = Customer.objects.visible_to(request.user)
    waiting = [one.pk for conflict in conflicts_of(request.user) for one in conflict.customers]
    filters = ConflictFilter(filter_params(params), seen.filter(pk__in=waiting).for_list(), request=request)
    return Opened(filters, choose(COLUMNS, params), lambda customers: customers.for_file())


CONFLICTS = Listed(
    "conflicts",
    _("Credit codes used in several regions"),
    Permission.RESOLVE_CONFLICTS,
    open_conflicts,
    address_of("crm:list-conflicts"),
)

LISTS = (CONFLICTS,)
