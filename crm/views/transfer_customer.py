"""A customer that goes to another region: where, what that ends, and who leads it there."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.actions import transfer_customer as actions
from crm.actions.changes import EditedMeanwhile
from crm.conflicts import count_again
from crm.merge_forms import TransferForm
from crm.models import Customer, Region
from crm.permissions import Permission, requires
from crm.requests import PageRequest


@requires(Permission.TRANSFER_CUSTOMER)
@require_http_methods(["GET", "POST"])
def transfer_customer(request: PageRequest, pk: int) -> HttpResponse:
    """Choose a region, look at what the transfer ends, do it."""
    seen = Customer.objects.visible_to(request.user).select_related("region", "branch")
    customer = get_object_or_404(seen, pk=pk)
    old_region = customer.region
    region = _region(request, customer)
    form = TransferForm(request.POST or None, user=request.user, customer=customer, region=region)
    other = actions.other_of_region(customer, region) if region else None
    ending = actions.consequences_of(customer, region) if region else None
    if form.is_valid():
        try:
            moved = actions.transfer_customer(customer=customer, by=request.user, **form.cleaned_data)
        except actions.TransferRefused as refusal:
            form.add_error(None, str(refusal))
            other = refusal.other
        except EditedMeanwhile:
            form.add_error(None, _("Someone else changed this customer meanwhile. Open the page again."))
        else:
            count_again()
            said = _("“{name}” belongs to {region} from today on.")
            messages.success(request, said.format(name=moved.name, region=moved.region))
            return redirect("crm:view-customer", moved.pk)
    context = {
        "customer": customer,
        "old_region": old_region,
        "region": region,
        "form": form,
        "other": other,
        "ending": ending,
    }
    return render(request, "crm/customers/transfer_customer.html", context, status=422 if form.errors else 200)


def _region(request: PageRequest, customer: Customer) -> Region | None:
    """The region that was chosen, in the address or in the form."""
    chosen = request.POST.get("region") or request.GET.get("region") or ""
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 18):
        return None
    regions = Region.objects.visible_to(request.user).filter(is_active=True)
    return regions.exclude(pk=customer.region_id).filter(pk=int(chosen)).first()
