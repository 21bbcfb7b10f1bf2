"""Why somebody is a member of a customer line, in the reader's language."""

from django.utils.translation import gettext_lazy as _

from crm.actions.lines import ADDED, LEAD
from crm.actions.merge_members import LED_BEFORE
from crm.models import Role

_WHY = {
    LEAD: _("leads"),
    ADDED: _("has added the product line"),
    LED_BEFORE: _("led it before two customers were merged"),
}


def why_in_words(why: str) -> str:
    """Why somebody is a member; what people wrote stays as it is."""
    return str(_WHY.get(why) or (Role(why).label if why in Role.values else why))
