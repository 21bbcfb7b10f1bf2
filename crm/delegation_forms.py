"""The form of a delegation."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.forms import DayInput
from crm.models import Role, User
from crm.models.fields import LineField


class ColleagueField(forms.ModelChoiceField):
    """A colleague, with role and region, since names are not unique."""

    def label_from_instance(self, obj: Any) -> str:
        place = obj.region or obj.department
        return " · ".join(str(part) for part in (obj, obj.get_role_display(), place) if part)


def colleagues(by: User, but: User) -> Any:
    """The people at work who exist for a person, without administrators."""
    seen = User.objects.visible_to(by).filter(is_active=True).exclude(pk=but.pk).exclude(role=Role.ADMINISTRATOR)
    return seen.select_related("region", "department").order_by("region__position", "name", "username")


class DelegationForm(forms.Form):
    """To whom, from which day to which, and why."""

    receiver = ColleagueField(label=_("To whom"), queryset=User.objects.none())
    from_on = forms.DateField(label=_("First day"), widget=DayInput, input_formats=["%Y-%m-%d"])
    until_on = forms.DateField(
        label=_("Last day"),
        widget=DayInput,
        input_formats=["%Y-%m-%d"],
        help_text=_("On the day after it has ended by itself."),
    )
    reason = LineField(_("Reason"), max_length=200, blank=True).formfield()

    def __init__(self, *args: Any, giver: User, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.fields["receiver"].queryset = colleagues(by, giver)  # type: ignore[attr-defined]
        self.fields["from_on"].initial = today
        for name in ("from_on", "until_on"):
            self.fields[name].widget.attrs["min"] = today.isoformat()
