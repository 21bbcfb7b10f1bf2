"""The product's icons, for every template without loading it (TEMPLATES, `builtins`): a page shows thirty of them."""

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

_ICON = '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>'


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """A symbol of static/img/icons.svg, smaller (`icon-sm`) or larger (`icon-lg`): decoration beside words."""
    return _drawn(name, css)


@lru_cache(maxsize=500)
def _drawn(name: str, css: str) -> SafeString:
    return format_html(_ICON, css, static("img/icons.svg"), name)
