"""The crm app."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.environment import refuse_unknown

ALL_ROLES = "all"


class CrmConfig(AppConfig):
    """The ground floor: what every app speaks about."""

    name = "crm"
    verbose_name = _("Customers and people")

    def ready(self) -> None:
        """Look whether the environment names roles that exist: the settings themselves know no models."""
        roles = [code for code, _name in apps.get_model("crm", "User")._meta.get_field("role").flatchoices]
        refuse_unknown("MFA_REQUIRED_ROLES", settings.MFA_REQUIRED_ROLES, [ALL_ROLES, *roles])
