"""Grading's pages in the menu."""

from django.urls import reverse
from django.utils.translation import gettext as _

from crm.models import User
from crm.navigation import Entry
from crm.permissions import Permission
from crm.waiting import remembered_count
from grading.models import Assessment


def entries() -> list[Entry]:
    """The group 分级."""
    return [
        Entry(
            _("Grading"),
            icon="scale",
            children=(
                Entry(_("Grade board"), reverse("grading:view-board"), permission=Permission.VIEW_GRADES),
                Entry(
                    _("Assessments"),
                    reverse("grading:list-assessments"),
                    permission=Permission.VIEW_CYCLES,
                    waiting=my_unconfirmed,
                ),
                Entry(_("Cycles"), reverse("grading:list-cycles"), permission=Permission.VIEW_CYCLES),
                Entry(_("Policies"), reverse("grading:list-policies"), permission=Permission.VIEW_POLICIES),
            ),
        )
    ]


def my_unconfirmed(user: User) -> int:
    """How many assessments of the lines a person leads wait for his confirmation in an open cycle."""
    return remembered_count(user, "assessments", lambda: Assessment.objects.waiting_for(user).count())
