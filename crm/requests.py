"""What a page's request carries."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from crm.models import User


class PageRequest(HttpRequest):
    """The request of someone who has signed in, as every view behind `requires` and `signed_in` gets it."""

    user: User
    htmx: HtmxDetails
