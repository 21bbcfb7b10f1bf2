"""Customers: the list, and one of them."""

from collections.abc import Iterable

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.bulk_pages import bulk_bar
from crm.family import family_of
from crm.lib.listing import Address, neighbours
from crm.list_pages import elsewhere, list_context, render_list
from crm.lists import CUSTOMERS
from crm.models import Contact, Customer, CustomerMerge
from crm.panels import customer_panels
from crm.permissions import Permission, can, requires
from crm.requests import PageRequest
from crm.timeline import timeline_of

PICKED = ("region", "line", "grade", "state", "kind", "lead")


@requires(Permission.VIEW_CUSTOMERS)
@require_safe
def list_customers(request: PageRequest) -> HttpResponse:
    """The customers of one's scope; of one product line with that line's figures."""
    if there := elsewhere(request):
        return there
    context = list_context(request, CUSTOMERS, picked=PICKED, search_label=_("Name / pinyin / initials / code"))
    listing = context["list"]
    context |= {
        "bulk": None if listing.errors else bulk_bar(CUSTOMERS, request.user, listing),
        "line": getattr(context["filters"], "shown_line", None),
    }
    return render_list(request, "crm/list_customers.html", context)


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
