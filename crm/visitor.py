"""From where somebody comes: the address behind one's own proxies, and what the browser calls itself."""

from dataclasses import dataclass

from allauth.core.internal.httpkit import get_client_ip
from django.http import HttpRequest

LONGEST_DEVICE = 200


@dataclass(frozen=True)
class Visitor:
    """Address and browser of a request."""

    address: str | None = None
    device: str = ""


def visitor_of(request: HttpRequest) -> Visitor:
    """Who asks, seen from outside."""
    device = request.headers.get("user-agent", "").replace("\x00", "")[:LONGEST_DEVICE]
    return Visitor(address=get_client_ip(request), device=device)
