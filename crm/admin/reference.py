"""Regions, branch offices, departments, product lines and divisions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from crm.actions.named import StillInUse, save_named
from crm.actions.places import MoveRefused
from crm.administration.scoped import ReadOnlyAdmin, ScopedAdmin, ScopedFilter, VersionedForm
from crm.models import Branch, Department, Division, ProductLine, Region, User, Way
from crm.permissions import Permission

_NAMED: tuple[str, ...] = ("code", "name", "name_en", "position", "is_active")


class NamedAdmin(ScopedAdmin):
    """Rows with a code and a name in each language."""

    view_permission = Permission.VIEW_REFERENCE
    edit_permission = Permission.EDIT_REFERENCE
    form = VersionedForm
    fields = _NAMED
    list_display = _NAMED
    search_fields = ("code", "name", "name_en")
    ordering = ("position", "code")
    refusals = {**ScopedAdmin.refusals, StillInUse: None, MoveRefused: None}

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the row and its change."""
        save_named(row=record, version=version, by=by, way=Way.ADMIN)


class ForEveryone(NamedAdmin):
    """Rows that are the same for everyone."""

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """All of them."""
        return records


@admin.register(Region)
class RegionAdmin(NamedAdmin):
    """Regions."""


@admin.register(Branch)
class BranchAdmin(NamedAdmin):
    """Branch offices."""

    fields = ("region", *_NAMED)
    list_display = ("code", "name", "name_en", "region", "is_active")
    list_filter = (("region", ScopedFilter),)
    related = ("region",)


@admin.register(Department)
class DepartmentAdmin(ForEveryone):
    """Departments of head office."""

    fields = (*_NAMED, "is_marketing_centre")


@admin.register(ProductLine)
class ProductLineAdmin(ForEveryone):
    """Product lines. Policies, addresses and clients know a line by its code: it stays what it is."""

    fixed = ("code",)


@admin.register(Division)
class DivisionAdmin(ReadOnlyAdmin):
    """Administrative divisions: they come with the product."""

    view_permission = Permission.VIEW_REFERENCE
    fields = ("code", "name", "parent")
    list_display = ("code", "name", "parent")
    search_fields = ("code", "name")
    ordering = ("code",)
    related = ("parent",)

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """All of them: they are the same for everyone."""
        return records
