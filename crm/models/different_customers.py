"""Customers of two regions that share a credit code and are not the same: somebody has looked."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from crm.models.change import Change
from crm.models.customer import Customer
from crm.models.fields import LineField


class DifferentCustomersQuerySet(models.QuerySet):
    """Verdicts in the words of the business."""

    def standing(self) -> "DifferentCustomersQuerySet":
        """Those of before any change of either credit code."""
        said_anew = Change.objects.filter(
            table=Customer._meta.db_table, at__gt=OuterRef("at"), after__has_key="credit_code"
        )
        return self.exclude(Exists(said_anew.filter(object_id=OuterRef("first")))).exclude(
            Exists(said_anew.filter(object_id=OuterRef("second")))
        )


class DifferentCustomers(models.Model):
    """Two customers with one credit code that are not one customer, with the reason; it holds for this code only."""

    first = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    second = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    credit_code = models.CharField(max_length=18)
    reason = LineField(_("reason"), max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = DifferentCustomersQuerySet.as_manager()

    class Meta:
        verbose_name = _("different customers")
        verbose_name_plural = _("different customers")
        indexes = [models.Index(fields=["credit_code"], name="different_credit_code")]
        constraints = [
            models.CheckConstraint(name="different_customers_in_order", condition=Q(first__lt=F("second"))),
        ]

    def __str__(self) -> str:
        return f"{self.first} ≠ {self.second}"
