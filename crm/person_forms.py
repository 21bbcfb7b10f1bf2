"""The forms of people: what belongs together is checked once, for the pages and the administration."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from crm.models import Branch, Region, Role, User
from crm.models.user import OF_A_REGION


class PersonRules(forms.ModelForm):
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
        )

    def clean(self) -> dict[str, Any]:
        """Check what belongs together."""
        values = super().clean() or self.cleaned_data
        role, region, branch = values.get("role"), values.get("region"), values.get("branch")
        if role in OF_A_REGION and region is None:
            self.add_error("region", _("This role belongs to a region: choose it."))
        if role == Role.BRANCH_GM and branch is None:
            self.add_error("branch", _("This role belongs to a branch office: choose it."))
        if branch is not None and branch.region != region:
            self.add_error("branch", _("This branch office belongs to another region."))
        if self.instance.pk and values.get("guided_by") == self.instance:
            self.add_error("guided_by", _("Nobody guides himself."))
        return values

    def clean_new_password(self) -> str:
        """Check the password as everywhere."""
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


class PersonForm(PersonRules):
    """A person as a page shows it; it says which version the reader saw."""

    read_version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["read_version"] = self.instance.version if self.instance.pk else 0
        self._offer("region", Region.objects.visible_to(by), ("position", "code"))
        self._offer("branch", Branch.objects.visible_to(by).select_related("region"), ("region__position", "position"))
        self._offer("guided_by", User.objects.visible_to(by).exclude(pk=self.instance.pk), ("name", "username"))
        self.fields["branch"].label_from_instance = lambda branch: f"{branch} · {branch.region}"  # type: ignore[attr-defined]
        self.fields["username"].help_text = _("The name to sign in with.")
        self.fields["name"].label = _("Name")
        self.fields["is_active"].label, self.fields["is_active"].help_text = _("Works here"), ""
        for name in ("region", "branch", "department", "guided_by"):
            self.fields[name].empty_label = "—"  # type: ignore[attr-defined]
        if not self.instance.pk:
            del self.fields["is_active"]

    def _offer(self, name: str, records: Any, ordering: tuple[str, ...]) -> None:
        """Those in use, and the one that stands there now."""
        current = getattr(self.instance, f"{name}_id")
        offered = records.filter(is_active=True) | records.filter(pk=current)
        self.fields[name].queryset = offered.order_by(*ordering)  # type: ignore[attr-defined]
