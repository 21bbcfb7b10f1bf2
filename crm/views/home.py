"""The page that the day starts on."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.panels import home_panels
from crm.permissions import Permission, requires
from crm.requests import PageRequest


@requires(Permission.VIEW_HOME)
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """What each app has to say today."""
    panels = home_panels(request)
    return render(request, "crm/home.html", {"panels": panels, "has_chart": any(panel.has_chart for panel in panels)})
