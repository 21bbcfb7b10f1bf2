"""Which form the answer takes: `?format=` or `Accept`."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation


class StrictNegotiation(DefaultContentNegotiation):
    """A form that the address does not have is a 406 that says which it has. `format` outweighs `Accept`."""

    def select_renderer(self, request, renderers, format_suffix=None):
        asked = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if asked is not None:
            chosen = self.filter_renderers(renderers, asked)[0]
            return chosen, chosen.media_type
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable as error:
            raise self._refusal(renderers) from error

    def filter_renderers(self, renderers, format):
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            raise self._refusal(renderers)
        return found

    def _refusal(self, renderers):
        forms = ", ".join(renderer.format for renderer in renderers)
        return NotAcceptable(_("The formats here are: {forms}.").format(forms=forms))
