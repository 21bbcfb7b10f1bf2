"""The last passwords of people, as hashes: a new one is none of them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.user import User

KEPT = 5


class FormerPasswordQuerySet(models.QuerySet):
    """Passwords in the words of the business."""

    def last_of(self, user: User) -> "FormerPasswordQuerySet":
        """Those that may not come again, the present one among them, the latest first."""
        return self.filter(user=user).order_by("-at", "-pk")[:KEPT]


class FormerPassword(models.Model):
    """A password that somebody has or had, in the form in which Django stores it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    encoded = models.CharField(max_length=128)
    at = models.DateTimeField()

    objects = FormerPasswordQuerySet.as_manager()

    class Meta:
        verbose_name = _("former password")
        verbose_name_plural = _("former passwords")
        indexes = [models.Index(fields=["user", "-at"], name="former_password_of_whom")]

    def __str__(self) -> str:
        return f"{self.user} · {self.at}"
