"""What of customers can be changed in bulk. Their region cannot: moving a customer is a decision of its own."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.actions.bulk_kinds import BulkField, BulkKind
from crm.customer_forms import CustomerForm
from crm.lists import CUSTOMERS
from crm.models import Customer, User
from crm.permissions import Permission


class FieldOfCustomersForm(CustomerForm):
    """One field of many customers, with the checks that the form of one has."""

    version = None  # type: ignore[assignment]
    is_confirmed = None  # type: ignore[assignment]

    def __init__(self, data: Any = None, *, field: str, shared: Mapping[str, Any], user: User) -> None:
        super().__init__(data, instance=Customer(**shared), user=user)
        branches: Any = self.fields["branch"]
        branches.queryset = branches.queryset.filter(region=self.instance.region_id)
        self.fields = {field: self.fields[field]}
        self.initial = {}


def _customers(user: User) -> QuerySet[Customer]:
    return Customer.objects.visible_to(user)


def _counted(count: int) -> str:
    shown = number_format(count, use_l10n=True, force_grouping=True)
    return ngettext("{count} customer", "{count} customers", count).format(count=shown)


KINDS = (
    BulkKind(
        name=CUSTOMERS.name,
        model=Customer,
        permission=Permission.EDIT_CUSTOMER,
        writable=_customers,
        form=FieldOfCustomersForm,
        fields=(
            BulkField("industry"),
            BulkField("kind"),
            BulkField(
                "branch",
                shared="region_id",
                unshared=_(
                    "These customers belong to several regions, and a branch office to one: filter the list by region."
                ),
            ),
            BulkField("division"),
        ),
        counted=_counted,
    ),
)
