"""Two customers that were one: which went into which, and whether that was taken back."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.customer import Customer
from crm.models.user import User


class CustomerMergeQuerySet(models.QuerySet):
    """Merges in the words of the business."""

    def visible_to(self, user: User) -> "CustomerMergeQuerySet":
        """Who sees every region sees what was merged: the other customer may have been of any of them."""
        return self if user.sees_all_regions else self.none()

    def standing(self) -> "CustomerMergeQuerySet":
        """Those that have not been taken back."""
        return self.filter(undone_at=None)


class CustomerMerge(models.Model):
    """A customer that went into another; what it changed stands in the change log under its batch."""

    survivor = models.ForeignKey(Customer, models.PROTECT, related_name="+", verbose_name=_("customer that stays"))
    loser = models.ForeignKey(Customer, models.PROTECT, related_name="+", verbose_name=_("customer that goes"))
    batch = models.UUIDField(unique=True)
    counts = models.JSONField(default=dict, help_text="How much went over, by what it is.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("when"))
    undo_batch = models.UUIDField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    objects = CustomerMergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge of customers")
        verbose_name_plural = _("merges of customers")
        constraints = [
            models.CheckConstraint(name="merge_of_two_customers", condition=~Q(survivor=F("loser"))),
            models.UniqueConstraint(name="merge_stands_once_per_loser", fields=["loser"], condition=Q(undone_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.loser} → {self.survivor}"
