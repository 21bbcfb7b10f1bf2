"""A customer's past: all of its timeline, and the customer as it was on a day."""

from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.as_of import NotKnown, look_back, past_panels
from crm.models import Customer
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from crm.timeline import FURTHEST, TOPICS, events_of_other_apps, timeline_of


@requires(Permission.VIEW_CUSTOMERS)
@require_safe
def view_timeline(request: PageRequest, pk: int) -> HttpResponse:
    """A stretch of a customer's timeline: a page, or the part of one that asks for more of it."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    topic, start = request.GET.get("topic", ""), request.GET.get("start", "0")
    if topic not in ("", *TOPICS) or not (start.isascii() and start.isdigit() and len(start) < 6):
        raise Http404
    if int(start) > FURTHEST:
        raise Http404
    others = events_of_other_apps(customer, request.user)
    timeline = timeline_of(customer, request.user, others, topic=topic, start=int(start))
    template = "crm/view_timeline.html"
    if request.htmx:
        template = "crm/_timeline_days.html" if timeline.start else "crm/_timeline.html"
    return render(request, template, {"customer": customer, "timeline": timeline})


@requires(Permission.VIEW_CUSTOMERS)
@require_safe
def pick_as_of(request: PageRequest, pk: int) -> HttpResponse:
    """Ask for the day to look back to."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    written = request.GET.get("day", "")
    if _day(written) is not None:
        return redirect("crm:view-customer-as-of", customer.pk, written)
    error = _("Write the day as 2026-01-31.") if written else ""
    context = {"customer": customer, "day": written, "today": timezone.localdate(), "error": error}
    return render(request, "crm/view_customer_as_of.html", context, status=422 if error else 200)


@requires(Permission.VIEW_CUSTOMERS)
@require_safe
def view_customer_as_of(request: PageRequest, pk: int, day: str) -> HttpResponse:
    """A customer as it was known by the end of a day."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    wanted = _day(day)
    if wanted is None:
        raise Http404
    context = {"customer": customer, "day": day, "today": timezone.localdate(), "shown_day": wanted}
    try:
        past = look_back(customer, wanted, request.user)
    except NotKnown as unknown:
        return render(request, "crm/view_customer_as_of.html", {**context, "unknown": str(unknown)})
    panels = past_panels(request, customer, wanted, past.lines)
    return render(request, "crm/view_customer_as_of.html", {**context, "past": past, "panels": panels})


def _day(written: str) -> date | None:
    """A day written as 2026-01-31, and no other way."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if day.isoformat() == written else None
