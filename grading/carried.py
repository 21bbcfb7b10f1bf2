"""What a person carries in grading."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from crm.carried import Carried
from crm.models import User
from grading.models import Assessment


def assessments(person: User) -> Iterable[Carried]:
    """Assessments that wait for the lead's confirmation follow the lead."""
    waiting = Assessment.objects.waiting_for(person).count()
    yield Carried("assessments", _("Assessments that wait for him"), waiting, _("goes to whoever leads the customer"))
