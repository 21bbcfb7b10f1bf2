"""What happened: the change log, background jobs, and who holds tokens; to read."""

from django.contrib import admin
from django.db.models import QuerySet

from crm.administration.scoped import ReadOnlyAdmin, ScopedFilter
from crm.models import ApiToken, Change, Export, Job, User
from crm.permissions import Permission


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
