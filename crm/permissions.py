"""Who may do what (DOMAIN §9): one table, asked by every door."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseNotAllowed

from crm.models.user import Role, User


class Permission(StrEnum):
    """What a person may do; each is named like the action it allows."""

    VIEW_HOME = "view_home"
    VIEW_CUSTOMERS = "view_customers"
    EDIT_CUSTOMER = "edit_customer"
    MERGE_CUSTOMERS = "merge_customers"
    TRANSFER_CUSTOMER = "transfer_customer"
    RESOLVE_CONFLICTS = "resolve_conflicts"  # credit codes used in two regions: nobody else learns of them
    VIEW_SALES = "view_sales"
    EDIT_SALE = "edit_sale"
    VIEW_GRADES = "view_grades"
    PREVIEW_GRADE = "preview_grade"
    SAVE_ASSESSMENT = "save_assessment"
    VIEW_POLICIES = "view_policies"
    EDIT_POLICY = "edit_policy"
    VIEW_CYCLES = "view_cycles"
    OPEN_CYCLE = "open_cycle"
    START_RUN = "start_run"
    PUBLISH_CYCLE = "publish_cycle"
    VIEW_REFERENCE = "view_reference"
    EDIT_REFERENCE = "edit_reference"
    EDIT_USERS = "edit_users"
    VIEW_AUDIT = "view_audit"
    LIST_CHANGES = "list_changes"  # the page over all changes; a record's own history needs only sight of the record
    EXPLAIN_SIGHT = "explain_sight"
    IMPORT_DATA = "import_data"  # which kinds: those whose records the person may change
    CHANGE_IN_BULK = "change_in_bulk"  # which lists: those whose records the person may change
    USE_ADMIN = "use_admin"


_READ = frozenset(
    {
        Permission.VIEW_HOME,
        Permission.VIEW_CUSTOMERS,
        Permission.VIEW_SALES,
        Permission.VIEW_GRADES,
        Permission.PREVIEW_GRADE,
        Permission.VIEW_POLICIES,
        Permission.VIEW_CYCLES,
        Permission.VIEW_REFERENCE,
    }
)
_KEEP_CUSTOMERS = frozenset(
    {
        Permission.EDIT_CUSTOMER,
        Permission.EDIT_SALE,
        Permission.SAVE_ASSESSMENT,
        Permission.IMPORT_DATA,
        Permission.CHANGE_IN_BULK,
    }
)
_MANAGE_SALES = frozenset(
    {
        Permission.MERGE_CUSTOMERS,
        Permission.TRANSFER_CUSTOMER,
        Permission.RESOLVE_CONFLICTS,
        Permission.EDIT_POLICY,
        Permission.OPEN_CYCLE,
        Permission.START_RUN,
        Permission.PUBLISH_CYCLE,
        Permission.EDIT_USERS,
        Permission.VIEW_AUDIT,
        Permission.LIST_CHANGES,
        Permission.EXPLAIN_SIGHT,
        Permission.USE_ADMIN,
    }
)
_ADMINISTER = frozenset(
    {
        Permission.VIEW_HOME,
        Permission.VIEW_REFERENCE,
        Permission.EDIT_REFERENCE,
        Permission.EDIT_USERS,
        Permission.VIEW_AUDIT,
        Permission.LIST_CHANGES,
        Permission.EXPLAIN_SIGHT,
        Permission.USE_ADMIN,
        Permission.IMPORT_DATA,
    }
)

ROLES: dict[Role, frozenset[Permission]] = {
    Role.EXECUTIVE: _READ,
    Role.SALES_MANAGEMENT: _READ | _KEEP_CUSTOMERS | _MANAGE_SALES,
    Role.TECH_SERVICE: _READ,
    Role.MARKETING: _READ,
    Role.SERVICE: _READ,
    Role.REGIONAL_GM: _READ | _KEEP_CUSTOMERS | {Permission.LIST_CHANGES},
    Role.REGIONAL_STAFF: _READ | _KEEP_CUSTOMERS | {Permission.LIST_CHANGES, Permission.USE_ADMIN},
    Role.BRANCH_GM: _READ | _KEEP_CUSTOMERS,
    Role.SENIOR_SALES_MANAGER: _READ | _KEEP_CUSTOMERS,
    Role.ACCOUNT_MANAGER: _READ | _KEEP_CUSTOMERS,
    Role.SALES_MANAGER: _READ | _KEEP_CUSTOMERS,
    Role.ACCOUNT_DIRECTOR: _READ,
    Role.DIRECTOR: _READ,
    Role.CONSULTANT: _READ,
    Role.IMPLEMENTATION_MANAGER: _READ,
    Role.ADMINISTRATOR: _ADMINISTER,
}


def can(user: User, permission: Permission) -> bool:
    """Whether a person may do this at all; which records it reaches is scope, `visible_to(user)`."""
    return user.is_authenticated and user.is_active and permission in ROLES[Role(user.role)]


View = Callable[..., HttpResponse]
_OF_PAGES = frozenset({"GET", "HEAD", "POST"})


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare that a view needs a permission; without it the page is forbidden, without sign-in it asks for that."""

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if not can(request.user, permission):
                raise PermissionDenied
            return _answered(view, request, *args, **kwargs)

        declared: Any = login_required(guarded)
        declared.access = permission
        return declared

    return declare


def signed_in(view: View) -> View:
    """Declare that a view is open to everyone who has signed in."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        return _answered(view, request, *args, **kwargs)

    declared: Any = login_required(guarded)
    declared.access = "signed in"
    return declared


def _answered(view: View, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """A page reads or takes a form; no other verb reaches any."""
    if request.method not in _OF_PAGES:
        return HttpResponseNotAllowed(sorted(_OF_PAGES))
    return view(request, *args, **kwargs)


def public(view: View) -> View:
    """Declare that a view is open to everybody, signed in or not."""
    declared: Any = view
    declared.access = "public"
    return declared
