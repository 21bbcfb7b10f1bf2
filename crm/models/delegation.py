"""Delegation: somebody looks after another's customer lines for some days."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.fields import LineField
from crm.models.user import User


class DelegationQuerySet(models.QuerySet):
    """Delegations in the words of the business."""

    def not_over(self, today: date) -> "DelegationQuerySet":
        """In force or to come."""
        return self.filter(ended_at=None, until_on__gte=today)

    def in_force(self, today: date) -> "DelegationQuerySet":
        """Those that hold today: nobody need end them, and what somebody delegated who has left holds no more."""
        return self.not_over(today).filter(from_on__lte=today, giver__is_active=True)

    def visible_to(self, user: User) -> "DelegationQuerySet":
        """One's own, given and received, and those between people who both exist for the person."""
        seen = User.objects.visible_to(user)
        return self.filter(Q(giver=user) | Q(receiver=user) | Q(giver__in=seen, receiver__in=seen))


class Delegation(models.Model):
    """From one day to another the receiver sees and writes what the giver's own customer lines are.

    It widens the receiver's scope (`User.reach`), never what his role may do, and is not passed on.
    """

    giver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="delegations_given", verbose_name=_("delegated by")
    )
    receiver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="delegations_received", verbose_name=_("delegated to")
    )
    from_on = models.DateField(_("first day"))
    until_on = models.DateField(_("last day"))
    reason = LineField(_("reason"), max_length=200, blank=True)
    ended_at = models.DateTimeField(_("ended early"), null=True, editable=False)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        constraints = [
            models.CheckConstraint(
                name="delegation_ends_after_it_starts",
                condition=Q(until_on__gte=F("from_on")),
                violation_error_message=_("The last day lies before the first."),
            ),
            models.CheckConstraint(
                name="delegation_is_not_to_oneself",
                condition=~Q(giver=F("receiver")),
                violation_error_message=_("Nobody delegates to himself."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.giver} → {self.receiver} · {self.from_on} – {self.until_on}"
