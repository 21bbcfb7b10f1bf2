"""Forms and form fields that every app shares."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from crm.models.fields import YuanFormField


class WholeRecordForm(forms.ModelForm):
    """A record's form that checks its constraints with all columns: they may read what nobody edits.

    Django leaves a constraint out that names a column which is not in the form, as `deleted_at` never is.
    """

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.instance.validate_constraints()
        except ValidationError as refusal:
            self._update_errors(refusal)  # type: ignore[attr-defined]


class VersionedRecordForm(forms.ModelForm):
    """The form of a record with a version; `version` is the one that the person started from."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("version", self.instance.version if self.instance.pk else 0)


class WanFormField(YuanFormField):
    """万元 over fen: six decimals, so that every fen can be entered and shown."""

    unit_places = 6

    def prepare_value(self, value):
        shown = super().prepare_value(value)
        return f"{shown.normalize():f}" if isinstance(shown, Decimal) else shown

    def to_python(self, value):
        return super().to_python(value.replace(",", "").replace("，", "") if isinstance(value, str) else value)


class FigureInput(forms.TextInput):
    """A figure: a number box would drop what it cannot read, so this is text with a number pad."""

    def __init__(self, attrs=None):
        super().__init__({"inputmode": "decimal", "class": "num", "autocomplete": "off", **(attrs or {})})


class DayInput(forms.DateInput):
    """A day, picked in the browser's own calendar and written as ISO 8601 says."""

    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)
