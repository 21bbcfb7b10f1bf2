"""The browsers in which people are signed in: what a list of one's own sessions shows, and what can be ended."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.export import AUDITORS
from crm.models.security_event import SignInWay
from crm.models.user import User


class OpenSessionQuerySet(models.QuerySet):
    """Sessions in the words of the business."""

    def visible_to(self, user: User) -> "OpenSessionQuerySet":
        """One's own; those who keep people's accounts see everyone's that exist for them."""
        if user.role in AUDITORS:
            return self.filter(user__in=User.objects.visible_to(user))
        return self.filter(user=user)

    def of(self, user: User) -> "OpenSessionQuerySet":
        """One person's, the last used first."""
        return self.filter(user=user).order_by("-last_seen_at", "-pk")


class OpenSession(models.Model):
    """A browser that somebody has signed in with. The session itself is Django's; this says whose and where it is."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    key = models.CharField(max_length=40, editable=False)
    way = models.CharField(_("way"), max_length=20, choices=SignInWay, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    device = models.CharField(_("device"), max_length=200, blank=True)
    signed_in_at = models.DateTimeField(_("signed in at"))
    last_seen_at = models.DateTimeField(_("last seen at"))

    objects = OpenSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        constraints = [models.UniqueConstraint(fields=["key"], name="open_session_key_unique")]

    def __str__(self) -> str:
        return f"{self.user} · {self.signed_in_at}"
