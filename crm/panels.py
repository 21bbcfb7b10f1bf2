"""What other apps show on crm's pages: collected by dotted names, so that nothing is imported upwards."""

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from crm.models import Customer
from crm.requests import PageRequest


@dataclass(frozen=True)
class Event:
    """One line of a record's timeline."""

    at: datetime
    title: str
    by: str = ""
    details: tuple[str, ...] = ()
    topic: str = ""  # what the timeline can be narrowed to (crm.timeline.TOPICS)
    url: str = ""  # where the rest of it stands


@dataclass(frozen=True)
class Panel:
    """A part of a page: a template with what it shows. It declares what it needs besides."""

    template: str
    context: dict = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    has_chart: bool = False


def customer_panels(request: PageRequest, customer: Customer) -> list[Panel]:
    """The panels of a customer's page that the person may see."""
    found = [import_string(name)(request=request, customer=customer) for name in settings.CUSTOMER_PANELS]
    return [panel for panel in found if panel is not None]


def home_panels(request: PageRequest) -> list[Panel]:
    """The panels of the home page that the person may see."""
    found = [import_string(name)(request=request) for name in settings.HOME_PANELS]
    return [panel for panel in found if panel is not None]
