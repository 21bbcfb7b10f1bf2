"""Which form the answer takes: `?format=` or `Accept`."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.utils.mediatypes import _MediaType


class Wish(NamedTuple):
    """How much a form is wanted: its weight in `Accept`, and how precisely that names it."""

    weight: float
    precision: int


class StrictNegotiation(DefaultContentNegotiation):
    """A form that the address does not have is a 406 that says which it has. `format` outweighs `Accept`."""

    def select_renderer(self, request, renderers, format_suffix=None):
        asked = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if asked is not None:
            chosen = self.filter_renderers(renderers, asked)[0]
            return chosen, chosen.media_type
        accepted = [_MediaType(token) for token in self.get_accept_list(request)]
        wishes = [_wish(accepted, renderer) for renderer in renderers]
        best = max(wishes)
        if not best.weight:
            raise self._refusal(renderers)
        chosen = renderers[wishes.index(best)]
        return chosen, chosen.media_type

    def filter_renderers(self, renderers, format):
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            raise self._refusal(renderers)
        return found

    def _refusal(self, renderers):
        forms = ", ".join(renderer.format for renderer in renderers)
        return NotAcceptable(_("The formats here are: {forms}.").format(forms=forms))


def _wish(accepted, renderer) -> Wish:
    """What the range that names the form most precisely says of it (RFC 9110, 12.5.1); of two such, the better."""
    form = _MediaType(renderer.media_type)
    named = [Wish(_weight(one), one.precedence) for one in accepted if form.match(one)]
    return max(named, key=lambda wish: (wish.precision, wish.weight), default=Wish(0, 0))


def _weight(accepted) -> float:
    """From 0, not at all, to 1, which it is where nothing or nonsense is written."""
    try:
        weight = float(accepted.params.get("q", 1))
    except ValueError:
        return 1
    return weight if 0 <= weight <= 1 else 1
