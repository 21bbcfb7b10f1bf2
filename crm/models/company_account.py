"""Whose account at the company's own sign-in is whose here."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.fields import LineField
from crm.models.user import User


class AccountProvider(models.TextChoices):
    """Where a company keeps its people's accounts; each is switched on by the environment (docs/settings.md)."""

    OIDC = "oidc", _("Company account (OpenID Connect)")
    WECOM = "wecom", _("WeCom")
    DINGTALK = "dingtalk", _("DingTalk")
    FEISHU = "feishu", _("Feishu")


class CompanyAccountQuerySet(models.QuerySet):
    """Company accounts in the words of the business."""

    def visible_to(self, user: User) -> "CompanyAccountQuerySet":
        """Those of the people who exist for the person."""
        return self.filter(user__in=User.objects.visible_to(user))

    def of(self, user: User) -> "CompanyAccountQuerySet":
        """One person's."""
        return self.filter(user=user).order_by("provider")


class CompanyAccount(models.Model):
    """Somebody's account at the company's sign-in: with it he signs in here."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    provider = models.CharField(_("sign-in"), max_length=20, choices=AccountProvider)
    subject = LineField(
        _("account there"), max_length=200, help_text=_("The account's ID there: a refused sign-in shows it.")
    )

    objects = CompanyAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("company account")
        verbose_name_plural = _("company accounts")
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="company_account_belongs_to_one"),
            models.UniqueConstraint(fields=["user", "provider"], name="company_account_one_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.subject}"
