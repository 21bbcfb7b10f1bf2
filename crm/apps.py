"""The crm app."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.environment import refuse_unknown
from crm.lib.prefetching import ask_sqlite_by_list

ALL_ROLES = "all"


class CrmConfig(AppConfig):
    """The ground floor: what every app speaks about."""

    name = "crm"
    verbose_name = _("Customers and people")

    def ready(self) -> None:
        """What needs the models: SQLite's way of prefetching, and whether the environment names roles that exist."""
        ask_sqlite_by_list()
        roles = [code for code, _name in apps.get_model("crm", "User")._meta.get_field("role").flatchoices]
        refuse_unknown("MFA_REQUIRED_ROLES", settings.MFA_REQUIRED_ROLES, [ALL_ROLES, *roles])
