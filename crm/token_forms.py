"""The form of a new API token, and what its scopes mean in words."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.actions.tokens import LONGEST_LIFE, scopes_for
from crm.forms import DayInput
from crm.models import User

_USUAL_LIFE = timedelta(days=90)
SCOPE_WORDS: dict[str, Promise] = {
    "read": _("Read everything that I may see"),
    "grades:read": _("Read grades, policies and cycles"),
    "assessments:write": _("Add and change assessments"),
    "write": _("Add and change everything that I may change"),
}


class TokenForm(forms.Form):
    """What a token is for, what it may do and until when."""

    name = forms.CharField(
        label=_("Token name"),
        max_length=60,
        help_text=_("What it is for, so that you know it again: “BI, nightly pull”."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("No more than your role allows. Give it as little as it needs."),
    )
    expires_on = forms.DateField(
        label=_("Last day"), widget=DayInput, help_text=_("A year from today at most."), input_formats=["%Y-%m-%d"]
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today, scopes, day = timezone.localdate(), self.fields["scopes"], self.fields["expires_on"]
        scopes.choices = [(scope, SCOPE_WORDS[scope]) for scope in scopes_for(user)]  # type: ignore[attr-defined]
        scopes.initial = ["read"]
        day.initial = today + _USUAL_LIFE
        day.widget.attrs |= {"min": today.isoformat(), "max": (today + LONGEST_LIFE).isoformat()}
