"""Exact quantities as whole numbers: fen, hundredths of a percent, ten-thousandths of a point."""

from decimal import Decimal
from typing import Any

from django import forms
from django.db import models


class _ScaledFormField(forms.DecimalField):
    """A decimal in a person's unit over a whole number in the database's."""

    unit_places = 2

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {name: value for name, value in kwargs.items() if name not in ("min_value", "max_value")}
        super().__init__(**{"max_digits": 17, "decimal_places": self.unit_places, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return Decimal(value).scaleb(-self.unit_places) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        return None if cleaned is None else int(cleaned.scaleb(self.unit_places))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class YuanFormField(_ScaledFormField):
    """Yuan with two decimals over fen."""


class PercentFormField(_ScaledFormField):
    """Percent with two decimals over hundredths of a percent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 7, **kwargs})


class ScoreFormField(_ScaledFormField):
    """Points with four decimals over ten-thousandths."""

    unit_places = 4


class FenField(models.BigIntegerField):
    """An amount of money in fen."""

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": YuanFormField, **kwargs})


class RateField(models.IntegerField):
    """A rate in hundredths of a percent."""

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PercentFormField, **kwargs})


class ScoreField(models.IntegerField):
    """A score in ten-thousandths of a point."""

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": ScoreFormField, **kwargs})
