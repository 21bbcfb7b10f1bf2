"""Accounts: who signed in, who was refused, and whose company account is whose."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.actions.company_accounts import remove_company_account, save_company_account
from crm.admin.audit import AuditAdmin
from crm.administration.scoped import ScopedAdmin, person_of
from crm.lib.devices import device_in_words
from crm.models import CompanyAccount, SecurityEvent, User, Way
from crm.permissions import Permission, can


@admin.register(SecurityEvent)
class SecurityEventAdmin(AuditAdmin):
    """The log of sign-ins and security."""

    list_display = ("at", "what", "user", "name", "way", "address", "device_words", "by")
    fields = ("at", "what", "user", "name", "way", "address", "device", "by")
    list_filter = ("what", "way")
    search_fields = ("user__username", "user__name", "name", "address")
    ordering = ("-at", "-pk")
    related = ("user", "by")

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """Everyone's, to those who keep an eye on it."""
        return records.visible_to(user)  # type: ignore[attr-defined]

    @admin.display(description=SecurityEvent._meta.get_field("device").verbose_name)
    def device_words(self, event: SecurityEvent) -> str:
        """The device as people know it."""
        return device_in_words(event.device)


@admin.register(CompanyAccount)
class CompanyAccountAdmin(ScopedAdmin):
    """Whose company account is whose: without a link, and without an e-mail that both know, nobody gets in by it."""

    view_permission = Permission.EDIT_USERS
    edit_permission = Permission.EDIT_USERS
    fields = ("user", "provider", "subject")
    list_display = ("user", "provider", "subject")
    list_filter = ("provider",)
    search_fields = ("user__username", "user__name", "subject")
    ordering = ("user__username", "provider")
    related = ("user",)
    actions = ("unlink",)

    def has_unlink_permission(self, request: HttpRequest) -> bool:
        """Whether the person may take such a way in away."""
        return can(person_of(request), Permission.EDIT_USERS)

    @admin.action(description=_("Unlink the chosen accounts"), permissions=["unlink"])
    def unlink(self, request: HttpRequest, accounts: QuerySet) -> None:
        """They open nothing from then on; they can be linked again."""
        for account in accounts:
            remove_company_account(account=account, by=person_of(request), way=Way.ADMIN)

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save whose it is."""
        save_company_account(account=record, by=by, way=Way.ADMIN)
