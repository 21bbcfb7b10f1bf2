"""The list of people: what narrows it and which columns it has, on the page and in the file made of it."""

from typing import Any

from django.db.models import Prefetch
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.filters import PeopleOfPageFilter
from crm.lib.columns import ListColumn, Place, choose
from crm.lib.listing import Address, filter_params
from crm.lists import text
from crm.models import User
from crm.permissions import Permission


def person_link(person: User, _place: Place) -> SafeString:
    """The person's name as a link; who does not work here any more is marked."""
    address = reverse("crm:view-person", args=[person.pk])
    if person.is_active:
        return format_html('<a href="{}">{}</a>', address, person)
    return format_html('<a href="{}">{}</a> <span class="pill">{}</span>', address, person, gettext("left"))


COLUMNS = (
    ListColumn("name", _("Name"), str, file_value=lambda one: one.name, draw=person_link, is_sortable=True),
    ListColumn("username", _("User name"), lambda one: one.username, is_sortable=True),
    ListColumn("role", _("Role"), lambda one: str(one.get_role_display())),
    ListColumn("region", _("Region"), lambda one: text(one.region), is_sortable=True),
    ListColumn("branch", _("Branch office"), lambda one: text(one.branch)),
    ListColumn("department", _("Department"), lambda one: text(one.department)),
    ListColumn(  # files name who guides by what finds that person again
        "guided_by",
        _("Guided by"),
        lambda one: text(one.guided_by),
        file_value=lambda one: one.guided_by.username if one.guided_by else "",
    ),
    ListColumn("email", _("E-mail"), lambda one: one.email, is_shown=False),
    ListColumn(
        "is_active", _("Works here"), lambda one: gettext("yes") if one.is_active else gettext("no"), is_shown=False
    ),
)


def people_with_guides(user: User) -> Any:
    """The people who exist for a person, and of their guides those who do."""
    guides = Prefetch("guided_by", queryset=User.objects.visible_to(user))
    return User.objects.visible_to(user).select_related("region", "branch", "department").prefetch_related(guides)


def open_people(request: Any, params: QueryDict) -> Opened:
    """The people who exist for whoever asks."""
    people = people_with_guides(request.user)
    filters = PeopleOfPageFilter(filter_params(params), people, request=request, default_ordering="name")
    return Opened(filters, choose(COLUMNS, params))


def _people_address(params: QueryDict) -> str:
    return Address(reverse("crm:list-people"), params).having()


PEOPLE = Listed("people", _("People"), Permission.VIEW_REFERENCE, open_people, _people_address)

LISTS = (PEOPLE,)
