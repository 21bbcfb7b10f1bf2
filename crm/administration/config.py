"""Django's administration, entered through our own site."""

from django.contrib.admin.apps import AdminConfig


class Administration(AdminConfig):
    """The administration with the site that asks crm.permissions and shows scoped records only."""

    default = False
    default_site = "crm.administration.site.AdministrationSite"
