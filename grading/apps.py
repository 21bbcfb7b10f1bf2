"""The grading app."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _

from grading.checks import check_fiscal_year_start


class GradingConfig(AppConfig):
    """Policies, assessments, cycles and grades."""

    name = "grading"
    verbose_name = _("Grading")

    def ready(self) -> None:
        """Have the start checked."""
        register(check_fiscal_year_start, Tags.database)
