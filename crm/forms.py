"""Form fields that every app's forms share."""

from decimal import Decimal

from django import forms

from crm.models.fields import YuanFormField


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
