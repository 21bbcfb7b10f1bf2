"""People: made by those who may, never by signing up."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from crm.actions.people import LocksOneselfOut, save_person
from crm.administration.scoped import ScopedAdmin, ScopedFilter, ScopedForm
from crm.models import Role, User, Way
from crm.models.user import OF_A_REGION
from crm.permissions import Permission


class PersonForm(ScopedForm):
    """A person with a new password, where one is to be set."""

    new_password = forms.CharField(
        label=_("New password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Empty: as it is. A new person without one cannot sign in yet."),
    )

    class Meta:
        model = User
        fields = ("username", "name", "role", "region", "branch", "department", "guided_by", "email", "language")

    def clean(self) -> dict[str, Any]:
        """Check what belongs together."""
        values = super().clean()
        role, region, branch = values.get("role"), values.get("region"), values.get("branch")
        if role in OF_A_REGION and region is None:
            self.add_error("region", _("This role belongs to a region: choose it."))
        if role == Role.BRANCH_GM and branch is None:
            self.add_error("branch", _("This role belongs to a branch office: choose it."))
        if branch is not None and branch.region != region:
            self.add_error("branch", _("This branch office belongs to another region."))
        return values

    def clean_new_password(self) -> str:
        """Check the password as everywhere."""
        password = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


@admin.register(User)
class PersonAdmin(ScopedAdmin):
    """People with their role, where they are, and who guides them."""

    view_permission = Permission.EDIT_USERS
    edit_permission = Permission.EDIT_USERS
    form = PersonForm
    fields = (
        "username",
        "name",
        "role",
        "region",
        "branch",
        "department",
        "guided_by",
        "email",
        "language",
        "is_active",
        "new_password",
    )
    list_display = ("username", "name", "role", "region", "branch", "is_active", "last_login")
    list_filter = ("role", ("region", ScopedFilter), "is_active")
    search_fields = ("username", "name")
    ordering = ("username",)
    related = ("region", "branch")
    refusals = {LocksOneselfOut: None}

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the person, the password and the change."""
        save_person(person=record, by=by, way=Way.ADMIN, password=form.cleaned_data["new_password"])
