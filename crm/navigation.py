"""The menu: each app's entries, by the jobs people come to do."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.conflicts import waiting_conflicts
from crm.export_states import waiting_exports
from crm.models import Role, User
from crm.permissions import ROLES, Permission
from crm.requests import PageRequest


@dataclass(frozen=True)
class Entry:
    """A page of the menu, or a group of pages; shown to those who may open it."""

    label: str
    url: str = ""
    icon: str = ""
    permission: Permission | None = None
    waiting: Callable[[User], int] | None = None  # how much of it waits for this person
    children: tuple["Entry", ...] = ()


def entries() -> list[Entry]:
    """What crm itself brings."""
    return [
        Entry(_("Home"), reverse("crm:home"), "home", Permission.VIEW_HOME),
        Entry(_("Customers"), reverse("crm:list-customers"), "building", Permission.VIEW_CUSTOMERS),
        Entry(_("People"), reverse("crm:list-people"), "users", Permission.VIEW_REFERENCE),
        Entry(
            _("Conflicts"),
            reverse("crm:list-conflicts"),
            "alert-triangle",
            Permission.RESOLVE_CONFLICTS,
            waiting=waiting_conflicts,
        ),
        Entry(_("Imports"), reverse("crm:list-imports"), "upload", Permission.IMPORT_DATA),
        Entry(_("History"), reverse("crm:list-changes"), "history", Permission.LIST_CHANGES),
    ]


def closing_entries() -> list[Entry]:
    """What stands at the menu's end."""
    administration = Entry(_("Administration"), reverse("admin:index"), permission=Permission.USE_ADMIN)
    api = Entry(_("API documentation"), reverse("api:docs"))
    regions = Entry(_("Regions and branch offices"), reverse("crm:list-regions"), permission=Permission.EDIT_REFERENCE)
    exports = Entry(_("My exports"), reverse("crm:list-exports"), waiting=waiting_exports)
    bulk = Entry(_("My bulk changes"), reverse("crm:list-bulk-changes"), permission=Permission.CHANGE_IN_BULK)
    sight = Entry(_("Who sees what"), reverse("crm:explain-sight"), permission=Permission.EXPLAIN_SIGHT)
    return [Entry(_("Settings"), icon="settings", children=(exports, bulk, regions, sight, administration, api))]


def menu(request: PageRequest) -> list[dict]:
    """The menu of the person who asks, with the page he is on marked."""
    shown = _entries_of(Role(request.user.role), get_language(), get_script_prefix())
    current = max((url for entry in shown for url in _urls(entry) if _leads_to(url, request.path)), key=len, default="")
    return [_as_dict(entry, request.user, current) for entry in shown]


@lru_cache(maxsize=100)
def _entries_of(role: Role, _language: str | None, _prefix: str) -> tuple[Entry, ...]:
    """What a role is offered, in the reader's language: put together once, since every page shows it."""
    offered = [entry for name in settings.NAVIGATION for entry in import_string(name)()]
    return tuple(_shown(offered, role))


def _shown(offered: Iterable[Entry], role: Role) -> Iterator[Entry]:
    for entry in offered:
        children = tuple(_shown(entry.children, role))
        may_open = entry.permission is None or entry.permission in ROLES[role]
        if may_open and (entry.url or children):
            yield Entry(entry.label, entry.url, entry.icon, entry.permission, entry.waiting, children)


def _urls(entry: Entry) -> list[str]:
    return [entry.url, *(child.url for child in entry.children)]


def _leads_to(url: str, path: str) -> bool:
    return bool(url) and (path == url or (url != "/" and path.startswith(url)))


def _as_dict(entry: Entry, user: User, current: str) -> dict:
    return {
        "label": entry.label,
        "url": entry.url,
        "icon": entry.icon,
        "active": bool(current) and current in _urls(entry),
        "count": entry.waiting(user) if entry.waiting else 0,
        "children": [_as_dict(child, user, current) for child in entry.children],
    }
