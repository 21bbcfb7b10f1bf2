"""Signed contracts: what a customer bought in a line, and what was taken back."""

from datetime import date

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.customer import CustomerLine, of_customers_visible_to
from crm.models.fields import FenField, LineField
from crm.models.user import User


class SaleQuerySet(models.QuerySet):
    """Sales in the words of the business."""

    def visible_to(self, user: User) -> "SaleQuerySet":
        """Who sees a customer line sees its sales."""
        return self.filter(of_customers_visible_to(user, "line__customer"), deleted_at=None)

    def writable_by(self, user: User) -> "SaleQuerySet":
        """Those of the lines a person may change."""
        return self.filter(deleted_at=None, line__in=CustomerLine.objects.writable_by(user))

    def signed_between(self, first_day: date, day_after: date) -> "SaleQuerySet":
        """Signed from the first day on and before the other; the signed date counts."""
        return self.filter(deleted_at=None, signed_on__gte=first_day, signed_on__lt=day_after)

    def for_list(self) -> "SaleQuerySet":
        """What one row of a list shows, in a constant number of queries."""
        return self.select_related("line__customer__region", "line__product_line")


class Sale(models.Model):
    """A sale in a customer line; a negative amount takes something back."""

    line = models.ForeignKey(
        CustomerLine, models.PROTECT, related_name="sales", db_index=False, verbose_name=_("customer line")
    )
    contract_no = LineField(_("contract number"), max_length=60, blank=True)
    signed_on = models.DateField(_("signed on"))
    amount = FenField(_("amount"))
    note = LineField(_("note"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = SaleQuerySet.as_manager()

    class Meta:
        verbose_name = _("sale")
        verbose_name_plural = _("sales")
        indexes = [models.Index(fields=["line", "signed_on"], name="sale_line_signed", condition=Q(deleted_at=None))]
        constraints = [
            models.UniqueConstraint(
                name="sale_contract_no_unique_in_line",
                fields=["line", "contract_no"],
                condition=Q(deleted_at=None) & ~Q(contract_no=""),
                violation_error_message=_("The customer line already has a sale with this contract number."),
            )
        ]

    def __str__(self) -> str:
        return self.contract_no or f"{self.signed_on}"
