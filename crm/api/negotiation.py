"""Which form the answer takes: `?format=` or `Accept`."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation


class StrictNegotiation(DefaultContentNegotiation):
    """An unknown `format` is a 400 that names it."""

    def filter_renderers(self, renderers, format):
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            sentence = _("“{format}” is not one of the formats here.").format(format=format)
            raise ValidationError({"format": [ErrorDetail(sentence, "invalid_choice")]})
        return found
