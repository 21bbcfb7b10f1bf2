"""People: made by those who may, never by signing up."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from crm.actions.people import LocksOneselfOut, save_person
from crm.administration.scoped import ScopedAdmin, ScopedFilter, VersionedForm
from crm.models import User, Way
from crm.permissions import Permission
from crm.person_forms import PersonRules
from crm.reauthentication import confirm_before_password


class PersonForm(VersionedForm, PersonRules):
    """What a person's page checks, in the administration."""

    class Meta(PersonRules.Meta):
        """The same fields."""


@admin.register(User)
class PersonAdmin(ScopedAdmin):
    """People with their role, where they are, and who guides them."""

    view_permission = Permission.EDIT_USERS
    edit_permission = Permission.EDIT_USERS
    form = PersonForm
    fields = (*PersonRules.Meta.fields, "new_password")
    list_display = ("username", "name", "role", "region", "branch", "is_active", "last_login")
    list_filter = ("role", ("region", ScopedFilter), "is_active")
    search_fields = ("username", "name")
    ordering = ("username",)
    related = ("region", "branch")
    refusals = {**ScopedAdmin.refusals, LocksOneselfOut: None}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever sets a password confirms first who he is; what was typed does not wait meanwhile in his session."""
        if to_confirm := confirm_before_password(request):
            return to_confirm
        return super().changeform_view(request, *args, **kwargs)

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the person, the password and the change."""
        password = form.cleaned_data["new_password"]
        save_person(person=record, version=version, by=by, way=Way.ADMIN, password=password)
