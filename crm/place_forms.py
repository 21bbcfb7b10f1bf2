"""The forms of regions and branch offices."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.forms import DayInput
from crm.models import Branch, Region, User

_FIELDS = ("code", "name", "name_en", "position", "is_active")


class VersionedPlaceForm(forms.ModelForm):
    """A reference row; it says which version the reader saw."""

    read_version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["read_version"] = self.instance.version if self.instance.pk else 0
        self.fields["position"].help_text = _("Where it stands in lists; the smallest first.")


class RegionForm(VersionedPlaceForm):
    """A region."""

    class Meta:
        model = Region
        fields = _FIELDS


class BranchForm(VersionedPlaceForm):
    """A branch office; once it is there, another region is a move with a day."""

    class Meta:
        model = Branch
        fields = ("region", *_FIELDS)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["region"]
        else:
            self.fields["region"].queryset = open_regions(by)  # type: ignore[attr-defined]


class MoveForm(forms.Form):
    """Where a branch office goes, and from which day on."""

    region = forms.ModelChoiceField(label=_("New region"), queryset=Region.objects.none())
    from_on = forms.DateField(
        label=_("From which day on"),
        widget=DayInput,
        input_formats=["%Y-%m-%d"],
        help_text=_("Today: at once. Later: by itself, in the night before that day's work."),
    )

    def __init__(self, *args: Any, branch: Branch, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.fields["region"].queryset = open_regions(by).exclude(pk=branch.region_id)  # type: ignore[attr-defined]
        self.fields["from_on"].initial = today
        self.fields["from_on"].widget.attrs["min"] = today.isoformat()


def open_regions(by: User) -> Any:
    """The regions in use."""
    return Region.objects.visible_to(by).filter(is_active=True).order_by("position", "code")
