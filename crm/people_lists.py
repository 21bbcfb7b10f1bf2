"""The list of people: what narrows it and which columns it has, on the page and in the file made of it."""

from typing import Any

from django.db.models import Prefetch
from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.filters import PeopleOfPageFilter
from crm.lib.columns import ListColumn, Place, choose
from crm.lib.drawing import link, marked, pill, small_button
from crm.lib.exports import Type
from crm.lib.filtering import ListFilters
from crm.lib.listing import filter_params
from crm.lists import address_of, text
from crm.models import Delegation, User
from crm.people_pages import DelegationRow, delegation_rows
from crm.permissions import Permission, can


def person_link(person: User, _place: Place) -> SafeString:
    """The person's name as a link; who does not work here any more is marked."""
    address = reverse("crm:view-person", args=[person.pk])
    name = link(address, person)
    return name if person.is_active else marked(name, gettext("left"))


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


PEOPLE = Listed("people", _("People"), Permission.VIEW_REFERENCE, open_people, address_of("crm:list-people"))


class DelegationFilter(ListFilters):
    """Delegations, the latest first."""

    orderings = {"from_on": "from_on", "until_on": "until_on"}
    default_ordering = "-until_on"


def _state(row: DelegationRow, _place: Place) -> SafeString:
    return pill(row.state_label, row.tone)


def _end(row: DelegationRow, _place: Place) -> SafeString | str:
    if not row.may_end:
        return ""
    name = gettext("End the delegation to {name}").format(name=row.delegation.receiver)
    return small_button(reverse("crm:end-delegation", args=[row.delegation.pk]), gettext("End"), name)


DELEGATION_COLUMNS = (
    ListColumn("giver", _("Delegated by"), lambda row: str(row.delegation.giver)),
    ListColumn("receiver", _("Delegated to"), lambda row: str(row.delegation.receiver)),
    ListColumn(
        "from_on", _("First day"), lambda row: row.delegation.from_on, Type.DAY, css="tabular", is_sortable=True
    ),
    ListColumn(
        "until_on", _("Last day"), lambda row: row.delegation.until_on, Type.DAY, css="tabular", is_sortable=True
    ),
    ListColumn("reason", _("Reason"), lambda row: row.delegation.reason),
    ListColumn("state", _("State"), lambda row: row.state_label, draw=_state),
    ListColumn("end", _("What can be done"), lambda row: "", draw=_end, is_in_file=False, is_silent=True),
)


def open_delegations(request: Any, params: QueryDict) -> Opened:
    """What is delegated from and to oneself; who keeps people sees everyone's."""
    user = request.user
    found = Delegation.objects.visible_to(user)
    if not can(user, Permission.EDIT_USERS):
        found = found.filter(giver=user) | found.filter(receiver=user)
    filters = DelegationFilter(filter_params(params), found.select_related("giver", "receiver"), request=request)
    return Opened(filters, choose(DELEGATION_COLUMNS, params), rows=lambda some: delegation_rows(some, user))


DELEGATIONS = Listed(
    "delegations", _("Delegations"), Permission.VIEW_HOME, open_delegations, address_of("crm:list-delegations")
)

LISTS = (PEOPLE, DELEGATIONS)
