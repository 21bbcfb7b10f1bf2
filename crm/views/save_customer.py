"""Customers entered and changed by hand, and what helps with that: suggestions, and who is called nearly so."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.actions.changes import EditedMeanwhile
from crm.actions.customers import OutOfReach, save_customer
from crm.actions.hierarchy import StandsAboveItself
from crm.clashes import Clash, put_together
from crm.customer_forms import CustomerForm, coded
from crm.duplicates import lookalikes
from crm.models import Customer, Division
from crm.permissions import Permission, requires
from crm.requests import PageRequest

SUGGESTED = 10


@requires(Permission.EDIT_CUSTOMER)
@require_http_methods(["GET", "POST"])
def create_customer(request: PageRequest) -> HttpResponse:
    """Enter a customer; those called nearly so are shown before it is saved."""
    return _save(request, Customer())


@requires(Permission.EDIT_CUSTOMER)
@require_http_methods(["GET", "POST"])
def edit_customer(request: PageRequest, pk: int) -> HttpResponse:
    """Change a customer's facts; what somebody else changed meanwhile is shown and kept."""
    seen = Customer.objects.visible_to(request.user).select_related("region", "branch", "division", "parent")
    return _save(request, get_object_or_404(seen, pk=pk))


@requires(Permission.EDIT_CUSTOMER)
@require_safe
def find_customers(request: PageRequest) -> HttpResponse:
    """Suggestions for a box that names a customer."""
    words = request.GET.get("parent", "")[:100]
    found = Customer.objects.visible_to(request.user).search(words).order_by("pinyin", "pk")[:SUGGESTED]
    return _suggest(request, found if words.strip() else ())


@requires(Permission.EDIT_CUSTOMER)
@require_safe
def find_divisions(request: PageRequest) -> HttpResponse:
    """Suggestions for a box that names a division."""
    words = request.GET.get("division", "").strip()[:60]
    found = Division.objects.filter(Q(code__startswith=words) | Q(name__contains=words)).order_by("code")[:SUGGESTED]
    return _suggest(request, found if words else ())


def _suggest(request: PageRequest, records: Any) -> HttpResponse:
    return render(request, "crm/customers/_suggestions.html", {"suggestions": [coded(record) for record in records]})


def _save(request: PageRequest, customer: Customer) -> HttpResponse:
    is_new = customer.pk is None
    form = CustomerForm(request.POST or None, instance=customer, user=request.user)
    clashes: list[Clash] = []
    similar: list[Customer] = []
    if form.is_valid():
        similar = _similar(form)
        if not similar:
            try:
                return _saved(request, form)
            except EditedMeanwhile:
                form, clashes = _after_clash(request, customer.pk)
            except StandsAboveItself as refusal:
                form.add_error("parent", str(refusal))
            except OutOfReach as refusal:
                form.add_error(None, str(refusal))
                customer.pk = None if is_new else customer.pk
    context = {"form": form, "customer": customer, "clashes": clashes, "similar": similar}
    status = 409 if clashes else 422 if form.errors or similar else 200
    return render(request, "crm/customers/save_customer.html", context, status=status)


def _saved(request: PageRequest, form: CustomerForm) -> HttpResponse:
    saved = save_customer(
        customer=form.instance,
        version=form.cleaned_data["version"],
        by=request.user,
        product_lines=form.cleaned_data.get("product_lines", ()),
    )
    messages.success(request, _("“{name}” is saved.").format(name=saved.name))
    return redirect("crm:view-customer", saved.pk)


def _similar(form: CustomerForm) -> list[Customer]:
    """Those that a new or renamed customer may be, unless the person has said that it is another one."""
    is_asked = form.instance.pk is None or {"name", "credit_code"} & set(form.changed_data)
    if not is_asked or form.cleaned_data["is_confirmed"]:
        return []
    return lookalikes(form.instance, Customer.objects.visible_to(form.user))


def _after_clash(request: PageRequest, pk: int) -> tuple[Any, list[Clash]]:
    latest = get_object_or_404(Customer.objects.visible_to(request.user).select_related("region", "parent"), pk=pk)
    user = request.user
    return put_together(
        request.POST, latest, lambda typed, record: CustomerForm(typed, instance=record, user=user), user
    )
