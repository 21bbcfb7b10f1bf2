"""What every page's frame shows. All of it is lazy: a fragment that shows no frame asks nothing."""

from django.utils.functional import SimpleLazyObject

from crm.models import Role
from crm.navigation import menu
from crm.permissions import ROLES
from crm.requests import PageRequest
from crm.scope import scope_of


def frame(request: PageRequest) -> dict:
    """`nav` the menu, `scope` the region switch, `may` what the person may do (`{% if may.save_assessment %}`)."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": [], "scope": None, "may": {}}
    return {
        "nav": SimpleLazyObject(lambda: menu(request)),
        "scope": SimpleLazyObject(lambda: scope_of(request)),
        "may": {permission.value: True for permission in ROLES[Role(user.role)]},
    }
