"""The grading app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GradingConfig(AppConfig):
    """Policies, assessments, cycles and grades."""

    name = "grading"
    verbose_name = _("Grading")
