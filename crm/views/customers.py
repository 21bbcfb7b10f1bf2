"""Customers: the list, and one of them."""

from collections.abc import Iterable

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.bulk_pages import bulk_bar
from crm.family import family_of
from crm.lib.listing import Address, chips, hidden, neighbours, page_of, pickers
from crm.lists import CUSTOMERS, list_menu, written_once
from crm.models import Contact, Customer, CustomerMerge
from crm.panels import customer_panels
from crm.permissions import Permission, can, requires
from crm.requests import PageRequest
from crm.scope import offered_filters, scope_of
from crm.timeline import timeline_of

PICKED = ("region", "line", "grade", "state", "kind", "lead")


@requires(Permission.VIEW_CUSTOMERS)
@require_safe
def list_customers(request: PageRequest) -> HttpResponse:
    """The customers of one's scope; of one product line with that line's figures."""
    if (region := scope_of(request).region) and "region" not in request.GET:
        return redirect(Address(request.path, request.GET).having(region=region.code))
    if address := written_once(Address(request.path, request.GET)):
        return redirect(address)
    opened = CUSTOMERS.open(request, request.GET)
    filters = opened.filters
    listing = page_of(request, filters, opened.choice.heads)
    context = {
        "list": listing,
        "choice": opened.choice,
        "menu": None if listing.errors else list_menu(CUSTOMERS, opened, request.GET, listing.address),
        "bulk": None if listing.errors else bulk_bar(CUSTOMERS, request.user, listing),
        "filters": filters,
        "chips": chips(filters, listing.address, all_is_explicit=("region",)),
        "pickers": pickers(filters, offered_filters(request, PICKED)),
        "hidden": hidden(request.GET),
        "search": request.GET.get("search", ""),
        "search_label": _("Name / pinyin / initials / code"),
        "clear_url": listing.address.cleared(keep=("ordering", "page_size", "columns"), region=""),
        "line": getattr(filters, "shown_line", None),
    }
    return render(request, "crm/list_customers.html", context, status=400 if listing.errors else 200)


@requires(Permission.VIEW_CUSTOMERS)
@require_safe
def view_customer(request: PageRequest, pk: int) -> HttpResponse:
    """A customer with what every app knows of it."""
    seen = Customer.objects.visible_to(request.user)
    customer = seen.for_page().filter(pk=pk).first()
    if customer is None:  # it may have gone into another one
        return redirect("crm:view-customer", get_object_or_404(seen, merged=pk).pk)
    panels = customer_panels(request, customer)
    events = [event for panel in panels for event in panel.events]
    context = {
        "customer": customer,
        "family": family_of(customer, seen),
        "merges": _merges(request, customer) if customer.is_survivor else (),
        "contacts": Contact.objects.visible_to(request.user).filter(customer=customer).order_by("-is_key_person", "pk"),
        "panels": panels,
        "has_chart": any(panel.has_chart for panel in panels),
        "timeline": timeline_of(customer, request.user, events, is_survivor=customer.is_survivor),
        **_place(request, pk),
    }
    return render(request, "crm/view_customer.html", context)


def _merges(request: PageRequest, customer: Customer) -> Iterable[CustomerMerge]:
    """What went into a customer, for those who may take it back."""
    if not can(request.user, Permission.MERGE_CUSTOMERS):
        return ()
    standing = CustomerMerge.objects.visible_to(request.user).standing()
    return standing.filter(survivor=customer).select_related("loser")


def _place(request: PageRequest, pk: int) -> dict:
    """The way back to the list one came from, and to the customers beside this one in it."""
    params: QueryDict = request.GET.copy()
    at = params.pop("at", [""])[-1]
    place = {"list_url": Address(reverse("crm:list-customers"), params).having(), "previous_url": "", "next_url": ""}
    if not (at.isascii() and at.isdigit() and len(at) < 8):
        return place
    position = int(at)
    around = neighbours(CUSTOMERS.open(request, request.GET).filters, position)
    here = min(position, 1)
    if len(around) > here and around[here] == pk:
        beside = {"previous_url": (here - 1, position - 1), "next_url": (here + 1, position + 1)}
        for name, (index, there) in beside.items():
            if 0 <= index < len(around):
                path = reverse("crm:view-customer", args=[around[index]])
                place[name] = Address(path, params).having(at=str(there))
    return place
