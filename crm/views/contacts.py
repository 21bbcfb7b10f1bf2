"""The people at a customer: added, changed and removed on its page."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.actions import contacts as actions
from crm.actions.changes import EditedMeanwhile
from crm.clashes import Clash, put_together
from crm.customer_forms import ContactForm
from crm.models import Contact, Customer
from crm.permissions import Permission, requires
from crm.requests import PageRequest


@requires(Permission.EDIT_CUSTOMER)
@require_http_methods(["GET", "POST"])
def create_contact(request: PageRequest, pk: int) -> HttpResponse:
    """Enter a person at a customer."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    return _save(request, Contact(customer=customer))


@requires(Permission.EDIT_CUSTOMER)
@require_http_methods(["GET", "POST"])
def edit_contact(request: PageRequest, pk: int) -> HttpResponse:
    """Change a person at a customer; what somebody else changed meanwhile is shown and kept."""
    return _save(request, _get_contact(request, pk))


@requires(Permission.EDIT_CUSTOMER)
@require_http_methods(["GET", "POST"])
def remove_contact(request: PageRequest, pk: int) -> HttpResponse:
    """Ask, then take a person out of the customer's page; the change log keeps him."""
    contact = _get_contact(request, pk)
    is_changed = False
    if request.method == "POST":
        read = request.POST.get("version", "")
        try:
            version = int(read) if read.isascii() and read.isdigit() else 0
            actions.remove_contact(contact=contact, version=version, by=request.user)
            messages.success(request, _("{name} is removed.").format(name=contact.name))
            return redirect("crm:view-customer", contact.customer_id)
        except EditedMeanwhile:
            is_changed, contact = True, _get_contact(request, pk)
    context = {"contact": contact, "is_changed": is_changed}
    return render(request, "crm/customers/remove_contact.html", context, status=409 if is_changed else 200)


def _get_contact(request: PageRequest, pk: int) -> Contact:
    return get_object_or_404(Contact.objects.visible_to(request.user).select_related("customer"), pk=pk)


def _save(request: PageRequest, contact: Contact) -> HttpResponse:
    customer = contact.customer
    form: Any = ContactForm(request.POST or None, instance=contact)
    clashes: list[Clash] = []
    if form.is_valid():
        try:
            saved = actions.save_contact(contact=contact, version=form.cleaned_data["version"], by=request.user)
        except EditedMeanwhile:
            latest = _get_contact(request, contact.pk)
            form, clashes = put_together(
                request.POST, latest, lambda typed, one: ContactForm(typed, instance=one), request.user
            )
        else:
            messages.success(request, _("“{name}” is saved.").format(name=saved.name))
            return redirect("crm:view-customer", customer.pk)
    context = {"form": form, "customer": customer, "contact": contact, "clashes": clashes}
    status = 409 if clashes else 422 if form.errors else 200
    return render(request, "crm/customers/save_contact.html", context, status=status)
