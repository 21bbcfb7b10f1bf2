"""Customers: the list, and one of them."""

from django.db.models import Case, Q, QuerySet, When
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.lib.listing import Address, chips, hidden, neighbours, page_of, pickers
from crm.lists import CUSTOMERS, list_menu, written_once
from crm.models import Contact, Customer
from crm.panels import customer_panels
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from crm.scope import offered_filters, scope_of
from crm.timeline import events_of

CHILDREN_SHOWN = 50
PICKED = ("region", "line", "grade", "state", "kind", "lead")


@requires(Permission.VIEW_CUSTOMERS)
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
def view_customer(request: PageRequest, pk: int) -> HttpResponse:
    """A customer with what every app knows of it."""
    seen = Customer.objects.visible_to(request.user)
    customer = get_object_or_404(seen.for_list(), pk=pk)
    panels = customer_panels(request, customer)
    parent, children = _family(seen, customer)
    context = {
        "customer": customer,
        "parent": parent,
        "children": children,
        "contacts": Contact.objects.visible_to(request.user).filter(customer=customer).order_by("-is_key_person", "pk"),
        "panels": panels,
        "has_chart": any(panel.has_chart for panel in panels),
        "events": events_of(customer, request.user, [event for panel in panels for event in panel.events]),
        **_place(request, pk),
    }
    return render(request, "crm/view_customer.html", context)


def _family(seen: QuerySet[Customer], customer: Customer) -> tuple[Customer | None, list[Customer]]:
    """The customer above this one and those below it, as far as they exist for the person."""
    is_child = Q(parent=customer)
    ordered = seen.filter(is_child | Q(pk=customer.parent_id)).order_by(Case(When(is_child, 1), default=0), "pinyin")
    found = list(ordered[: CHILDREN_SHOWN + 1])
    parent = found.pop(0) if found and found[0].pk == customer.parent_id else None
    return parent, found[:CHILDREN_SHOWN]


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
