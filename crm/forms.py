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

    def widget_attrs(self, widget):
        return {**super().widget_attrs(widget), "step": "any", "inputmode": "decimal"}


class DayInput(forms.DateInput):
    """A day, picked in the browser's own calendar and written as ISO 8601 says."""

    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)
