"""What happened: the change log, background jobs, and who holds tokens; to read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from crm.actions.tokens import revoke_token
from crm.administration.scoped import ReadOnlyAdmin, ScopedFilter, person_of
from crm.models import ApiToken, Change, Export, Job, User, Way
from crm.permissions import Permission, can


class AuditAdmin(ReadOnlyAdmin):
    """Records that tell what happened."""

    view_permission = Permission.VIEW_AUDIT

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """All of them: they say nothing of customers."""
        return records


@admin.register(Change)
class ChangeAdmin(AuditAdmin):
    """The change log."""

    fields = ("at", "by", "way", "table", "object_id", "version", "before", "after", "reason", "batch")
    list_display = ("at", "by", "way", "table", "object_id", "version", "reason")
    list_filter = ("way", "table")
    ordering = ("-sequence",)
    related = ("by",)

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """Those of the customers the person sees; for administrators those of settings and people."""
        return records.visible_to(user)  # type: ignore[attr-defined]


@admin.register(Job)
class JobAdmin(AuditAdmin):
    """Background jobs with their progress."""

    list_display = ("kind", "key", "state", "done", "total", "created_at", "finished_at", "by")
    fields = (
        "kind",
        "key",
        "state",
        "done",
        "total",
        "created_at",
        "started_at",
        "heartbeat_at",
        "finished_at",
        "owner",
        "by",
        "error",
    )
    list_filter = ("kind", "state")
    ordering = ("-created_at",)
    related = ("by",)


@admin.register(Export)
class ExportAdmin(AuditAdmin):
    """Who took which list along; the files are their makers' alone."""

    list_display = ("at", "by", "list_name", "filters", "columns", "format", "rows")
    fields = ("at", "by", "list_name", "filters", "columns", "format", "language", "rows", "refusal", "fetched_at")
    list_filter = ("list_name", "format")
    ordering = ("-at", "-pk")
    related = ("by",)

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """Everyone's, to those who keep an eye on it."""
        return records.visible_to(user)  # type: ignore[attr-defined]


@admin.register(ApiToken)
class ApiTokenAdmin(AuditAdmin):
    """Who holds which API token; the token itself is stored nowhere."""

    view_permission = Permission.EDIT_USERS
    fields = ("user", "name", "scopes", "token_key", "created", "expiry", "last_used_at")
    list_display = ("user", "name", "scopes", "created", "expiry", "last_used_at")
    list_display_links = None
    list_filter = (("user", ScopedFilter),)
    ordering = ("-created",)
    related = ("user",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the person may end other people's tokens."""
        return can(person_of(request), Permission.EDIT_USERS)

    @admin.action(description=_("Revoke the chosen tokens"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet) -> HttpResponse | None:
        """Ask, then end them; their owners' programs are refused from then on."""
        if "confirmed" not in request.POST:
            context = {**self.admin_site.each_context(request), "title": _("Revoke tokens?"), "tokens": tokens}
            return render(request, "admin/revoke_tokens.html", context)
        for token in tokens:
            revoke_token(token=token, by=person_of(request), way=Way.ADMIN)
        return None
