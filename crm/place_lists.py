"""The list of regions, each followed by its branch offices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.lib.columns import ListColumn, Place, choose
from crm.lib.drawing import link, marked, small_button
from crm.lib.exports import Type
from crm.lib.filtering import ListFilters
from crm.lib.listing import filter_params
from crm.lib.pace import whole
from crm.lists import address_of
from crm.models import Branch, Customer, Region, User
from crm.permissions import Permission, can

_AT_WORK = Count("user", filter=Q(user__is_active=True))


@dataclass(frozen=True)
class PlaceRow:
    """A region or a branch office, with how many work there; `customers` are those of a region."""

    place: Region | Branch
    region: Region
    people: int
    customers: int | None = None

    @property
    def is_branch(self) -> bool:
        """Whether it is a branch office."""
        return isinstance(self.place, Branch)


class RegionFilter(ListFilters):
    """Regions, as they stand in every choice."""

    orderings = {"position": "position"}
    default_ordering = "position"

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        found = super().filter_queryset(queryset)
        return found if self.order.is_descending else found.order_by("position", "code")


def _name(row: PlaceRow, _place: Place) -> SafeString:
    page = "crm:edit-branch" if row.is_branch else "crm:edit-region"
    name = link(reverse(page, args=[row.place.pk]), row.place)
    if not row.place.is_active:
        name = marked(name, gettext("switched off"))
    return format_html('<span class="ps-4">{}</span>', name) if row.is_branch else name


def _people(row: PlaceRow, _place: Place) -> SafeString | str:
    if row.is_branch:
        return whole(row.people)
    return link(f"{reverse('crm:list-people')}?region={row.region.code}&is_active=true", whole(row.people))


def _change(row: PlaceRow, _place: Place) -> SafeString:
    if row.is_branch:
        name = gettext("Move {name}").format(name=row.place)
        return small_button(reverse("crm:move-branch", args=[row.place.pk]), gettext("Move"), name)
    name = gettext("Add branch office: {name}").format(name=row.place)
    return small_button(f"{reverse('crm:create-branch')}?region={row.place.pk}", gettext("Add branch office"), name)


def _kind(row: PlaceRow) -> str:
    return gettext("Branch office") if row.is_branch else gettext("Region")


NAME = ListColumn("name", _("Region or branch office"), lambda row: str(row.place), draw=_name)
CUSTOMERS = ListColumn("customers", _("Customers"), lambda row: row.customers, Type.WHOLE)
FIRST = (
    NAME,
    ListColumn("kind", _("Kind"), _kind, is_shown=False, is_added=True),
    ListColumn("code", _("Code"), lambda row: row.place.code, css="tabular"),
    ListColumn("region", _("Region"), lambda row: str(row.region), is_shown=False, is_added=True),
    ListColumn("people", _("People"), lambda row: row.people, Type.WHOLE, draw=_people),
)
LAST = (
    ListColumn(
        "is_active",
        _("Active"),
        lambda row: gettext("yes") if row.place.is_active else gettext("no"),
        is_shown=False,
        is_added=True,
    ),
    ListColumn("change", _("What can be done"), lambda row: "", draw=_change, is_in_file=False, is_silent=True),
)


def open_regions(request: Any, params: QueryDict) -> Opened:
    """The regions with their branch offices; how many customers, for those who see customers."""
    user = request.user
    regions = Region.objects.visible_to(user).annotate(people=_AT_WORK)
    filters = RegionFilter(filter_params(params), regions, request=request)
    sees_customers = can(user, Permission.VIEW_CUSTOMERS)
    columns = (*FIRST, CUSTOMERS, *LAST) if sees_customers else (*FIRST, *LAST)
    return Opened(
        filters, choose(columns, params), rows=lambda found: _rows(found, user, sees_customers=sees_customers)
    )


def _rows(regions: Sequence[Any], user: User, *, sees_customers: bool) -> Iterator[PlaceRow]:
    branches = Branch.objects.visible_to(user).filter(region__in=regions).annotate(people=_AT_WORK)
    found = list(branches.order_by("position", "code")) if regions else []
    customers = _customers_by_region(user) if sees_customers and regions else {}
    for region in regions:
        yield PlaceRow(region, region, region.people, customers.get(region.pk, 0))
        yield from (PlaceRow(one, region, one.people) for one in found if one.region_id == region.pk)


def _customers_by_region(user: User) -> dict[int, int]:
    seen = Customer.objects.visible_to(user)
    return dict(seen.order_by().values_list("region").annotate(n=Count("pk")))


REGIONS = Listed(
    "regions", _("Regions and branch offices"), Permission.EDIT_REFERENCE, open_regions, address_of("crm:list-regions")
)

LISTS = (REGIONS,)
