"""The crm app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    """The ground floor: what every app speaks about."""

    name = "crm"
    verbose_name = _("Customers and people")
