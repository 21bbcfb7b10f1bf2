"""Every address of the product: which record it names, what it asks of a person, and what it answers where all is well.

A new route needs one line here; until it has one, the matrix fails. `record` is a kind of tests.scope.company.KINDS.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from crm.permissions import Permission
from tests.scope.company import NEXT_YEAR, NOWHERE, YEAR

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SIGNED_IN, PUBLIC = "signed in", "public"
PAGE, API, ADMIN, ACCOUNT = "page", "api", "admin", "account"
ABSENT = {"GET": (404,), "POST": (404,)}
ANY = frozenset({200, 302, 400, 403, 404, 405, 409, 422})


@dataclass(frozen=True)
class Route:
    """A route of the table.

    `answers` says for each verb with which statuses it answers who may; a verb that is not there is not served: 405.
    `edits` are the verbs that need `edit_permission` besides, and a record that the person may write.
    """

    name: str
    group: str
    permission: Permission | str
    record: str = ""
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)
    edits: tuple[str, ...] = ()
    edit_permission: Permission | str = ""
    asks_itself: bool = False  # the view lets everybody in who has signed in, and asks the permission by itself
    is_editable: bool = True  # whether anybody writes such records here at all
    key: str = "pk"


def page(name: str, permission: Permission | str, record: str = "", *, key: str = "pk", **options: Any) -> Route:
    """A page that is read: GET alone, unless `answers` says more."""
    return Route(name, PAGE, permission, record, **{"answers": {"GET": (200,)}, "key": key} | options)


def form(name: str, permission: Permission | str, record: str = "", *, refused: int = 422, **options: Any) -> Route:
    """A page with a form: an empty one is refused."""
    return page(name, permission, record, answers={"GET": (200,), "POST": (refused,)}, **options)


def step(name: str, permission: Permission | str, record: str = "", *, then: int = 302, **options: Any) -> Route:
    """A button: POST alone."""
    return page(name, permission, record, answers={"POST": (then,)}, **options)


def resource(
    prefix: str,
    view: Permission,
    record: str = "",
    *,
    edit: Permission | None = None,
    adds: bool = True,
    **options: Any,
) -> Iterator[Route]:
    """The list of a resource and its records; with `edit` they are added and changed. An empty body is refused."""
    may_add = {"POST": (400,)} if edit and adds else {}
    may_change = {"PATCH": (400,)} if edit and options.pop("changes", True) else {}
    yield Route(
        f"api:{prefix}-list",
        API,
        view,
        answers={"GET": (200,)} | may_add,
        edits=tuple(may_add),
        edit_permission=edit or "",
    )
    yield Route(
        f"api:{prefix}-detail", API, view, record, answers={"GET": (200,)} | may_change, edits=tuple(may_change),
        edit_permission=edit or "", **options,
    )  # fmt: skip


def administered(table: str, view: Permission, record: str, *, edit: Permission | None = None) -> Iterator[Route]:
    """The six addresses of a table in the administration; nobody deletes anything there."""
    read = dict.fromkeys(VERBS, (200,))
    one = {"edits": ("POST",), "edit_permission": edit or "", "is_editable": edit is not None, "key": "object_id"}
    app = table.replace("_", "/", 1)
    yield Route(f"admin:{table}_changelist", ADMIN, view, answers=read | {"POST": (200, 302)})
    yield Route(
        f"admin:{table}_add",
        ADMIN,
        view,
        answers=read,
        edits=VERBS,
        edit_permission=edit or "",
        is_editable=edit is not None,
    )
    yield Route(f"admin:{table}_change", ADMIN, view, record, answers=read | {"POST": (200, 302)}, **one)
    yield Route(f"admin:{table}_history", ADMIN, view, record, answers=read, key="object_id")
    yield Route(
        f"admin:{table}_delete", ADMIN, view, record, answers=read, edits=VERBS, is_editable=False, key="object_id"
    )
    short = f"admin/{app}/<path:object_id>/"
    yield Route(short, ADMIN, SIGNED_IN, answers=dict.fromkeys(VERBS, (302,)), args={"object_id": 1})


def account(*names: str, **args: str) -> Iterator[Route]:
    """Pages of signing in: they name no record, and what they answer is their package's own."""
    for name in names:
        yield Route(name, ACCOUNT, PUBLIC, answers=dict.fromkeys(VERBS, tuple(ANY)), args=args)


P = Permission
ROUTES: tuple[Route, ...] = (
    # --- crm's pages
    page("crm:home", P.VIEW_HOME),
    step("crm:switch-scope", SIGNED_IN),
    page("crm:list-tokens", SIGNED_IN),
    form("crm:create-token", SIGNED_IN),
    page("crm:revoke-own-token", SIGNED_IN, "own token", key="number", answers={"GET": (200,), "POST": (302,)}),
    page("crm:explain-sight", P.EXPLAIN_SIGHT),
    page("crm:list-customers", P.VIEW_CUSTOMERS),
    page("crm:view-customer", P.VIEW_CUSTOMERS, "customer"),
    page("crm:view-timeline", P.VIEW_CUSTOMERS, "customer"),
    page("crm:pick-as-of", P.VIEW_CUSTOMERS, "customer"),
    page("crm:view-customer-as-of", P.VIEW_CUSTOMERS, "customer", args={"day": "2026-03-01"}),
    form("crm:create-customer", P.EDIT_CUSTOMER),
    form("crm:edit-customer", P.EDIT_CUSTOMER, "customer"),
    page("crm:find-customers", P.EDIT_CUSTOMER),
    page("crm:find-divisions", P.EDIT_CUSTOMER),
    form("crm:create-contact", P.EDIT_CUSTOMER, "customer"),
    form("crm:edit-contact", P.EDIT_CUSTOMER, "contact"),
    page("crm:remove-contact", P.EDIT_CUSTOMER, "contact", answers={"GET": (200,), "POST": (302, 409)}),
    form("crm:transfer-customer", P.TRANSFER_CUSTOMER, "customer"),
    page("crm:choose-duplicate", P.MERGE_CUSTOMERS, "customer"),
    page("crm:merge-customers", P.MERGE_CUSTOMERS, "customer", args={"other": NOWHERE}, answers=ABSENT),
    page("crm:view-merge", P.MERGE_CUSTOMERS, args={"pk": NOWHERE}, answers={"GET": (404,)}),
    page("crm:undo-merge", P.MERGE_CUSTOMERS, args={"pk": NOWHERE}, answers=ABSENT),
    page("crm:list-conflicts", P.RESOLVE_CONFLICTS),
    page("crm:tell-apart", P.RESOLVE_CONFLICTS, answers=ABSENT),
    page("crm:list-changes", P.LIST_CHANGES),
    page("crm:view-history", P.VIEW_CUSTOMERS, "customer", args={"kind": "customer"}, asks_itself=True),
    page(
        "crm:restore-value",
        P.VIEW_CUSTOMERS,
        "customer",
        args={"kind": "customer", "sequence": NOWHERE, "field": "name"},
        answers=ABSENT,
        asks_itself=True,
    ),
    # --- people and places
    page("crm:list-people", P.VIEW_REFERENCE),
    page("crm:view-person", P.VIEW_REFERENCE, "person"),
    form("crm:create-person", P.EDIT_USERS),
    form("crm:edit-person", P.EDIT_USERS, "person"),
    page("crm:hand-over", P.EDIT_USERS, "person", answers={"GET": (200,), "POST": (302, 422)}),  # 302: carries nothing
    form("crm:delegate", SIGNED_IN, "kept person"),
    page("crm:list-delegations", SIGNED_IN),
    page("crm:end-delegation", SIGNED_IN, args={"pk": NOWHERE}, answers=ABSENT),
    page("crm:list-regions", P.EDIT_REFERENCE),
    form("crm:create-region", P.EDIT_REFERENCE),
    form("crm:edit-region", P.EDIT_REFERENCE, "region"),
    form("crm:create-branch", P.EDIT_REFERENCE),
    form("crm:edit-branch", P.EDIT_REFERENCE, "branch"),
    form("crm:move-branch", P.EDIT_REFERENCE, "branch"),
    page("crm:call-off-move", P.EDIT_REFERENCE, args={"pk": NOWHERE}, answers=ABSENT),
    # --- accounts
    page("crm:security", SIGNED_IN),
    page("crm:list-sessions", SIGNED_IN, "kept person"),
    step("crm:end-sessions", SIGNED_IN, "kept person"),
    step("crm:end-session", SIGNED_IN, args={"pk": NOWHERE}, then=404),
    page("crm:remove-second-factor", P.EDIT_USERS, "person", answers={"GET": (200, 302), "POST": (302,)}),
    page("crm:start-sign-in", PUBLIC, args={"provider": "oidc"}, answers={"GET": (404,)}),
    page("crm:finish-sign-in", PUBLIC, args={"provider": "oidc"}, answers={"GET": (404,)}),
    # --- data in and out
    page("crm:list-imports", P.IMPORT_DATA),
    form("crm:upload-import", P.IMPORT_DATA),
    page("crm:download-template", P.IMPORT_DATA, args={"kind": "people"}, answers={"GET": (200, 404)}),
    page("crm:view-import", P.IMPORT_DATA, "import"),
    page("crm:set-up-import", P.IMPORT_DATA, "import", answers={"GET": (302,), "POST": (302,)}),
    page("crm:view-import-progress", P.IMPORT_DATA, "import", answers={"GET": (302,)}),
    step("crm:start-import", P.IMPORT_DATA, "import"),
    step("crm:cancel-import", P.IMPORT_DATA, "import"),
    page("crm:undo-import", P.IMPORT_DATA, "import", answers={"GET": (200,), "POST": (302, 409)}),
    page("crm:download-rejected", P.IMPORT_DATA, "import"),
    page("crm:download-import-file", P.IMPORT_DATA, "import"),
    page("crm:list-bulk-changes", P.CHANGE_IN_BULK),
    step("crm:choose-rows", P.CHANGE_IN_BULK, args={"name": "customers"}),
    page("crm:view-bulk-change", P.CHANGE_IN_BULK, "own bulk change"),
    form("crm:set-up-bulk-change", P.CHANGE_IN_BULK, "own bulk change"),
    page("crm:view-bulk-progress", P.CHANGE_IN_BULK, "own bulk change", answers={"GET": (302,)}),
    step("crm:start-bulk-change", P.CHANGE_IN_BULK, "own bulk change"),
    step("crm:cancel-bulk-change", P.CHANGE_IN_BULK, "own bulk change"),
    page("crm:undo-bulk-change", P.CHANGE_IN_BULK, "own bulk change", answers={"GET": (409,), "POST": (409,)}),
    page("crm:list-exports", SIGNED_IN),
    page("crm:view-export-progress", SIGNED_IN, "own export"),
    step("crm:cancel-export", SIGNED_IN, "own export"),
    page("crm:fetch-export", SIGNED_IN, "own export", answers={"GET": (200, 404)}),  # 404: may see no customers
    step(  # what a list asks for, its export asks for too
        "crm:export-list",
        SIGNED_IN,
        args={"name": "customers"},
        then=400,
        edits=("POST",),
        edit_permission=P.VIEW_CUSTOMERS,
    ),
    # --- grading's pages
    page("grading:view-board", P.VIEW_GRADES, answers={"GET": (302,)}),
    page("grading:list-assessments", P.VIEW_CYCLES, answers={"GET": (302,)}),
    form(
        "grading:save-assessment",
        P.SAVE_ASSESSMENT,
        "assessment",
        refused=200,
        edits=("GET", "POST"),
        edit_permission=P.SAVE_ASSESSMENT,
    ),
    page(
        "grading:assess-line",
        P.SAVE_ASSESSMENT,
        "line",
        args={"year": YEAR},
        answers={"GET": (302,), "POST": (200,)},
        edits=("POST",),
        edit_permission=P.SAVE_ASSESSMENT,
    ),
    step("grading:preview-assessment", P.PREVIEW_GRADE, "line", args={"year": YEAR}, then=200),
    page("grading:list-cycles", P.VIEW_CYCLES),
    page("grading:view-cycle", P.VIEW_CYCLES, "year", key="year"),
    page("grading:list-cycle-grades", P.VIEW_CYCLES, "year", key="year"),
    page("grading:edit-grid", P.SAVE_ASSESSMENT, "year", key="year", answers={"GET": (302,), "POST": (400,)}),
    page("grading:open-cycle", P.OPEN_CYCLE, "year", key="year", answers={"GET": (200,), "POST": (302,)}),
    page("grading:start-run", P.START_RUN, "year", key="year", answers={"GET": (200,), "POST": (200, 302)}),
    page("grading:publish-cycle", P.PUBLISH_CYCLE, "year", key="year", answers={"GET": (200,), "POST": (302,)}),
    page("grading:view-run-progress", P.VIEW_CYCLES, "run"),
    step("grading:cancel-run", P.START_RUN, "run"),
    page("grading:list-policies", P.VIEW_POLICIES),
    page("grading:view-policy", P.VIEW_POLICIES, "policy number", key="number"),
    # --- for everybody
    Route("set_language", PAGE, PUBLIC, answers={"POST": (302,)}),
    Route("healthz", PAGE, PUBLIC, answers={"GET": (200,)}),
    Route("readyz", PAGE, PUBLIC, answers={"GET": (200,)}),
    # --- the API
    Route("api:root", API, PUBLIC, answers={"GET": (302,)}),
    Route("api:schema", API, PUBLIC, answers={"GET": (200,)}),
    Route("api:docs", API, PUBLIC, answers={"GET": (200,)}),
    *resource("customers", P.VIEW_CUSTOMERS, "customer", edit=P.EDIT_CUSTOMER),
    *resource("contacts", P.VIEW_CUSTOMERS, "contact", edit=P.EDIT_CUSTOMER),
    *resource("people", P.VIEW_REFERENCE, "person"),
    *resource("customer-lines", P.VIEW_CUSTOMERS, "line", edit=P.EDIT_CUSTOMER, changes=False),
    *resource("sales", P.VIEW_SALES, "sale", edit=P.EDIT_SALE),
    *resource("regions", P.VIEW_REFERENCE, "region"),
    *resource("product-lines", P.VIEW_REFERENCE, "product line"),
    *resource("grades", P.VIEW_GRADES, "grade"),
    Route("api:grades-preview", API, P.PREVIEW_GRADE, answers={"POST": (400,)}),
    *resource("assessments", P.VIEW_GRADES, "assessment", edit=P.SAVE_ASSESSMENT),
    *resource("policies", P.VIEW_POLICIES, "policy number", key="number"),
    *resource("cycles", P.VIEW_CYCLES, "cycle"),
    Route("api:cycles-open", API, P.OPEN_CYCLE, "cycle", answers={"POST": (200, 409)}),
    Route("api:cycles-publish", API, P.PUBLISH_CYCLE, "cycle", answers={"POST": (202, 409)}),
    Route("api:cycles-start-run", API, P.START_RUN, "cycle", answers={"POST": (202, 409)}),
    # --- the administration
    Route("admin:index", ADMIN, SIGNED_IN, answers=dict.fromkeys(VERBS, (200,))),
    Route("admin:login", ACCOUNT, PUBLIC, answers=dict.fromkeys(VERBS, (302, 403))),
    Route("admin:logout", ACCOUNT, PUBLIC, answers=dict.fromkeys(VERBS, (302, 405))),
    Route("admin:password_change", ADMIN, SIGNED_IN, answers=dict.fromkeys(VERBS, (302,))),
    Route("admin:password_change_done", ADMIN, SIGNED_IN, answers={"GET": (200,)}),
    Route("admin:autocomplete", ADMIN, SIGNED_IN, answers={"GET": (403,)}),  # of no field
    Route("admin:jsi18n", ADMIN, SIGNED_IN, answers={"GET": (200,)}),
    Route("admin:app_list", ADMIN, SIGNED_IN, answers=dict.fromkeys(VERBS, (200,)), args={"app_label": "crm"}),
    Route("admin/(?P<url>.*)$", ADMIN, SIGNED_IN, answers=dict.fromkeys(VERBS, (404,)), args={"url": "nothing"}),
    *administered("crm_customer", P.VIEW_CUSTOMERS, "customer", edit=P.EDIT_CUSTOMER),
    *administered("crm_contact", P.VIEW_CUSTOMERS, "contact", edit=P.EDIT_CUSTOMER),
    *administered("crm_customerline", P.VIEW_CUSTOMERS, "line", edit=P.EDIT_CUSTOMER),
    *administered("crm_linemember", P.VIEW_CUSTOMERS, "member", edit=P.EDIT_CUSTOMER),
    *administered("crm_sale", P.VIEW_SALES, "sale", edit=P.EDIT_SALE),
    *administered("crm_user", P.EDIT_USERS, "person", edit=P.EDIT_USERS),
    *administered("crm_region", P.VIEW_REFERENCE, "region", edit=P.EDIT_REFERENCE),
    *administered("crm_branch", P.VIEW_REFERENCE, "branch", edit=P.EDIT_REFERENCE),
    *administered("crm_department", P.VIEW_REFERENCE, "department", edit=P.EDIT_REFERENCE),
    *administered("crm_productline", P.VIEW_REFERENCE, "product line", edit=P.EDIT_REFERENCE),
    *administered("crm_division", P.VIEW_REFERENCE, "division"),
    *administered("crm_change", P.VIEW_AUDIT, "change"),
    *administered("crm_job", P.VIEW_AUDIT, "job"),
    *administered("crm_export", P.VIEW_AUDIT, "export"),
    *administered("crm_securityevent", P.VIEW_AUDIT, "security event"),
    *administered("crm_companyaccount", P.EDIT_USERS, "company account", edit=P.EDIT_USERS),
    *administered("crm_apitoken", P.EDIT_USERS, "token"),
    *administered("grading_assessment", P.VIEW_GRADES, "assessment", edit=P.SAVE_ASSESSMENT),
    *administered("grading_gradingpolicy", P.VIEW_POLICIES, "policy"),  # a published one: nobody edits it
    *administered("grading_cycle", P.VIEW_CYCLES, "cycle"),
    *administered("grading_gradingrun", P.VIEW_CYCLES, "run with figures"),
    *administered("grading_grade", P.VIEW_GRADES, "grade"),
    *administered("grading_graderecord", P.VIEW_GRADES, "record"),
    # --- signing in: allauth's pages
    *account("account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate"),
    *account("account_set_password"),
    *account("account_reset_password_from_key", uidb36="1", key="none"),
    *account("account_change_password", "account_reset_password", "account_reset_password_done"),
    *account("account_reset_password_from_key_done"),
    page("mfa_index", SIGNED_IN, answers={"GET": (302,), "POST": (302,)}),  # leads to crm:security
    *account("mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp"),
    *account("mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes"),
)
TABLE = {route.name: route for route in ROUTES}
YEARS = (YEAR, NEXT_YEAR)


@dataclass(frozen=True)
class Address:
    """A route as the resolver knows it."""

    name: str
    pattern: str
    view: Any


def addresses(resolver: URLResolver | None = None, namespace: str = "", prefix: str = "") -> Iterator[Address]:
    """Every route of the product; one without a name goes by its pattern."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = str(entry.pattern)
        if isinstance(entry.pattern, RegexPattern):
            pattern = pattern.removeprefix("^")
        if isinstance(entry, URLResolver):
            yield from addresses(entry, entry.namespace or namespace, prefix + pattern)
        elif isinstance(entry, URLPattern):
            name = f"{namespace}:{entry.name}".removeprefix(":") if entry.name else prefix + pattern
            yield Address(name, prefix + pattern, entry.callback)
