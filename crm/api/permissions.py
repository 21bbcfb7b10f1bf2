"""May they: the roles table for the person, the scopes for the token."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm.permissions import can

READ = ("read",)
WRITE = ("write",)


class RequiresPermission(BasePermission):
    """Each resource says per action which permission it needs (`permissions`) and which scopes do (`scopes`)."""

    def has_permission(self, request: Request, view) -> bool:
        if request.user is None:
            return False  # no token, no session: 401
        if view.action in (None, "metadata"):
            return True  # no such method: 405 follows
        person: Any = request.user
        token: Any = request.auth
        if not can(person, view.permissions[view.action]):
            raise PermissionDenied(_("Your role does not allow this."))
        wanted = view.scopes_of(view.action)
        if token is not None and not token.has_scope(*wanted):
            sentence = _("This token does not have the scope: {scopes}.")
            raise PermissionDenied(sentence.format(scopes=" / ".join(wanted)), "missing_scope")
        return True
