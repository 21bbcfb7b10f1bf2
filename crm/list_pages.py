"""A list as its page shows it: its filters, a page of its rows in the chosen columns, and taking it along."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render

from crm.actions.exports import Listed
from crm.lib.listing import Address, chips, hidden, orders, page_of, pickers
from crm.lists import list_menu, written_once
from crm.requests import PageRequest
from crm.scope import offered_filters, scope_of

KEPT = ("ordering", "page_size", "columns")  # what stays where all filters are cleared


def elsewhere(request: PageRequest, *, in_region: bool = True) -> HttpResponse | None:
    """Where the address is written first: with the region of one's choice, with its columns in one parameter."""
    address = Address(request.path, request.GET)
    if in_region and (region := scope_of(request).region) and "region" not in request.GET:
        return redirect(address.having(region=region.code))
    rewritten = written_once(address)
    return redirect(rewritten) if rewritten else None


def list_context(
    request: PageRequest,
    listed: Listed,
    *,
    params: QueryDict | None = None,
    picked: Sequence[str] = (),
    search_label: str = "",
    silent: Collection[str] = (),
) -> dict[str, Any]:
    """The context of `list_page.html`; `params` are the address's with what stands in its path."""
    params = request.GET if params is None else params
    opened = listed.open(request, params)
    filters = opened.filters
    listing = page_of(request, filters, opened.choice.heads)
    listing.rows = list(opened.rows(listing.rows))
    is_empty = not (listing.errors or listing.rows or listing.is_beyond or filters.data)
    sortings = [] if is_empty else orders(filters, [column.head() for column in opened.choice.offered])
    all_regions = ("region",) if "region" in filters.form.fields else ()
    return {
        "list": listing,
        "choice": opened.choice,
        "is_empty": is_empty,
        "menu": None if listing.errors or is_empty else list_menu(listed, opened, params, listing.address),
        "filters": filters,
        "chips": chips(filters, listing.address, all_is_explicit=all_regions, silent=silent),
        "pickers": pickers(filters, offered_filters(request, picked)),
        "orders": sortings,
        "hidden": hidden(request.GET, but=("search", "page", "ordering") if sortings else ("search", "page")),
        "search": request.GET.get("search", ""),
        "search_label": search_label,
        "clear_url": listing.address.cleared(keep=KEPT, **dict.fromkeys(all_regions, "")),
    }


def render_list(request: PageRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page of a list; 400 where its address makes no sense."""
    return render(request, template, context, status=400 if context["list"].errors else 200)


def plain_list(
    request: PageRequest, listed: Listed, template: str, *, picked: Sequence[str] = (), more: Mapping[str, Any] = {}
) -> HttpResponse:
    """The page of a list that is of no region; `more` is what its template shows besides."""
    there = elsewhere(request, in_region=False)
    return there or render_list(request, template, {**list_context(request, listed, picked=picked), **more})
