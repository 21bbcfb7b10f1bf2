"""The header's region switch: kept in the session, and offered only to those who see more than one region."""

from collections.abc import Iterable
from dataclasses import dataclass

from crm.models import Region
from crm.requests import PageRequest

_SESSION_KEY = "region"
_ATTRIBUTE = "scope_of_regions"


@dataclass(frozen=True)
class Scope:
    """What the switch offers and what it stands at; no region: all that the person sees."""

    regions: tuple[Region, ...] = ()
    region: Region | None = None


def scope_of(request: PageRequest) -> Scope:
    """The switch as this request finds it; asked of the database once."""
    if _ATTRIBUTE not in vars(request):
        vars(request)[_ATTRIBUTE] = _read(request)
    return vars(request)[_ATTRIBUTE]


def switch_scope(request: PageRequest, region: Region | None) -> None:
    """Keep the region for the pages to come."""
    if region is None:
        request.session.pop(_SESSION_KEY, None)
    else:
        request.session[_SESSION_KEY] = region.pk


def offered_filters(request: PageRequest, names: Iterable[str]) -> list[str]:
    """The filters that make sense for a person: who sees one region only has no use for a choice of regions."""
    return [name for name in names if name != "region" or scope_of(request).regions]


def _read(request: PageRequest) -> Scope:
    user = request.user
    if not (user.is_authenticated and user.sees_all_regions):
        return Scope()
    regions = tuple(Region.objects.visible_to(user).filter(is_active=True).order_by("position", "code"))
    kept = request.session.get(_SESSION_KEY)
    return Scope(regions, next((region for region in regions if region.pk == kept), None))
