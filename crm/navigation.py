"""The menu: each app's entries, by the jobs people come to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from crm.export_states import waiting_exports
from crm.models import User
from crm.permissions import Permission, can
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
        Entry(_("Imports"), reverse("crm:list-imports"), "upload", Permission.IMPORT_DATA),
    ]


def closing_entries() -> list[Entry]:
    """What stands at the menu's end."""
    administration = Entry(_("Administration"), reverse("admin:index"), permission=Permission.USE_ADMIN)
    api = Entry(_("API documentation"), reverse("api:docs"))
    exports = Entry(_("My exports"), reverse("crm:list-exports"), waiting=waiting_exports)
    return [Entry(_("Settings"), icon="settings", children=(exports, administration, api))]


def menu(request: PageRequest) -> list[dict]:
    """The menu of the person who asks, with the page he is on marked."""
    offered = [entry for name in settings.NAVIGATION for entry in import_string(name)()]
    shown = list(_shown(offered, request.user))
    current = max((url for entry in shown for url in _urls(entry) if _leads_to(url, request.path)), key=len, default="")
    return [_as_dict(entry, request.user, current) for entry in shown]


def _shown(offered: list[Entry], user: User) -> Iterator[Entry]:
    for entry in offered:
        children = tuple(_shown(list(entry.children), user))
        may_open = entry.permission is None or can(user, entry.permission)
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
