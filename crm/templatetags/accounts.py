"""What the account pages draw: devices in words, and the ways of the company's own to sign in."""

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from crm.identity_providers import configured_providers
from crm.lib.devices import device_in_words

register = template.Library()


@register.filter
def device(user_agent: str) -> str:
    """Browser and system of a User-Agent."""
    return device_in_words(user_agent)


@register.simple_tag
def company_sign_ins(next_page: str = "") -> list[dict]:
    """A button for each provider that is configured; none without configuration."""
    query = f"?{urlencode({'next': next_page})}" if next_page else ""
    return [
        {"label": provider.label, "url": reverse("crm:start-sign-in", args=[code]) + query}
        for code, provider in configured_providers().items()
    ]
