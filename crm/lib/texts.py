"""Which signs a text may hold, whichever door it comes through and whichever database keeps it."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Control characters other than tab and line ends, halves of characters, and what no XML can hold: PostgreSQL refuses
# the first of them, UTF-8 the second, and a spreadsheet with one of the third would not open.
_NOT_KEPT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def refuse_unkept_signs(written: str) -> None:
    """Raise ValidationError for a text with a sign that is not kept; every other text is kept as it is written."""
    found = _NOT_KEPT.search(written)
    if found is not None:
        raise ValidationError(
            _("Character %(place)d (%(sign)s) is a control character: delete it."),
            code="control_character",
            params={"place": found.start() + 1, "sign": f"U+{ord(found.group()):04X}"},
        )
