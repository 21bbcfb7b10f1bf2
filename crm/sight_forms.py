"""What is asked on “Why can this person (not) see this?”: who, and which record."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.sight import sight_kinds


class ExplainSightForm(forms.Form):
    """A person and a record, the record by its kind and number alone."""

    person = forms.ModelChoiceField(label=_("Person"), queryset=User.objects.none())
    kind = forms.ChoiceField(label=_("Kind of record"))
    number = forms.IntegerField(
        label=_("Record number"),
        min_value=1,
        max_value=10**18,
        help_text=_("The number that the address of its page ends with."),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = self.fields["person"]
        people.queryset = User.objects.visible_to(user).order_by("name", "username")
        people.label_from_instance = lambda person: f"{person} ({person.username})"
        self.fields["kind"].choices = [(kind.name, kind.label) for kind in sight_kinds().values()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Find the record: whoever may ask may know that it is there, though not what it says."""
        kind = sight_kinds().get(self.cleaned_data.get("kind", ""))
        if kind is not None and "number" in self.cleaned_data:
            # Any record there is: its name is shown only to those who see it themselves.
            self.cleaned_data["record"] = record = kind.model._base_manager.filter(
                pk=self.cleaned_data["number"]
            ).first()
            if record is None:
                self.add_error("number", ValidationError(gettext("There is no such record.")))
        return self.cleaned_data
