"""Which customer belongs to which: nobody stands above himself."""

from django.utils.translation import gettext as _

from crm.models import Customer


class StandsAboveItself(Exception):
    """The customer would be its own parent, at whatever depth; nothing was saved."""

    def __init__(self) -> None:
        super().__init__(_("This parent belongs to the customer already: it would stand above itself."))


def refuse_circle(customer: Customer) -> None:
    """Raise StandsAboveItself where the way up from a customer's parent comes back to it."""
    at, passed = customer.parent_id, set()
    while at is not None and at not in passed:
        if at == customer.pk:
            raise StandsAboveItself
        passed.add(at)
        at = Customer.objects.filter(pk=at).values_list("parent", flat=True).first()
