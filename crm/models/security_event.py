"""What happened to people's accounts: sign-ins, refusals, passwords, second factors. Kept for half a year."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.export import AUDITORS
from crm.models.user import User


class SecurityMatter(models.TextChoices):
    """What happened."""

    SIGNED_IN = "signed_in", _("Signed in")
    WRONG_PASSWORD = "wrong_password", _("Wrong password")
    WRONG_CODE = "wrong_code", _("Wrong code")
    LOCKED = "locked", _("Refused: too many tries")
    CLOSED = "closed", _("Refused: the account is closed")
    UNKNOWN = "unknown", _("Refused: not known here")
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    PASSWORD_RESET = "password_reset", _("Password set anew by e-mail")
    SECOND_FACTOR_ON = "second_factor_on", _("Two-step sign-in switched on")
    SECOND_FACTOR_OFF = "second_factor_off", _("Two-step sign-in switched off")
    RECOVERY_CODES = "recovery_codes", _("New recovery codes made")
    SESSIONS_ENDED = "sessions_ended", _("Sessions ended")


class SignInWay(models.TextChoices):
    """How somebody proves who he is."""

    PASSWORD = "password", _("password")
    APP_CODE = "app_code", _("password and code from the app")
    RECOVERY_CODE = "recovery_code", _("password and recovery code")
    OIDC = "oidc", _("company account")
    WECOM = "wecom", _("WeCom")
    DINGTALK = "dingtalk", _("DingTalk")
    FEISHU = "feishu", _("Feishu")


REFUSALS = frozenset(
    {
        SecurityMatter.WRONG_PASSWORD,
        SecurityMatter.WRONG_CODE,
        SecurityMatter.LOCKED,
        SecurityMatter.CLOSED,
        SecurityMatter.UNKNOWN,
    }
)


class SecurityEventQuerySet(models.QuerySet):
    """Events in the words of the business."""

    def visible_to(self, user: User) -> "SecurityEventQuerySet":
        """One's own; auditors read everyone's."""
        return self if user.role in AUDITORS else self.filter(user=user)

    def of(self, user: User) -> "SecurityEventQuerySet":
        """What happened to one account, the latest first."""
        return self.filter(user=user).select_related("by").order_by("-at", "-pk")

    def before(self, moment: datetime) -> "SecurityEventQuerySet":
        """What is older than a moment."""
        return self.filter(at__lt=moment)


class SecurityEvent(models.Model):
    """One thing that happened: appended by crm.actions.security_events, never edited."""

    at = models.DateTimeField(_("at"))
    what = models.CharField(_("what"), max_length=20, choices=SecurityMatter)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("person")
    )
    name = models.CharField(
        _("name given"),
        max_length=150,
        blank=True,
        help_text=_("Of names that belong to nobody the beginning alone: it may be a password in the wrong box."),
    )
    way = models.CharField(_("way"), max_length=20, choices=SignInWay, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("done by")
    )
    address = models.GenericIPAddressField(_("address"), null=True)
    device = models.CharField(_("device"), max_length=200, blank=True, help_text=_("As the browser calls itself."))

    objects = SecurityEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("sign-ins and security")
        indexes = [
            models.Index(fields=["user", "-at"], name="security_event_of_whom"),
            models.Index(fields=["at"], name="security_event_when"),
        ]
        constraints = [
            models.CheckConstraint(
                name="security_event_signed_in_is_somebody",
                condition=~Q(what=SecurityMatter.SIGNED_IN.value) | Q(user__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} · {self.user or self.name}"

    @property
    def is_refusal(self) -> bool:
        """Whether somebody was kept out."""
        return self.what in REFUSALS
