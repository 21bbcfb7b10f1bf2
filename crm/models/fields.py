"""Texts kept as they are written; exact quantities as whole numbers: fen, 1/100 percent, 1/10,000 point."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from crm.lib.texts import refuse_unkept_signs


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


class _AsWritten(models.Field):
    """A text that is stored byte for byte or refused, by forms, the API and imports alike: nothing is stripped."""

    plain: str
    default_validators = [refuse_unkept_signs]

    def validate(self, value: Any, model_instance: Any) -> None:
        """A text of spaces alone is nothing where something is needed."""
        super().validate(value, model_instance)
        if not self.blank and isinstance(value, str) and not value.strip():
            raise ValidationError(self.error_messages["blank"], code="blank")

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"strip": False, **kwargs})

    def deconstruct(self) -> Any:
        """To the database it is the field that Django has: migrations need not know of it."""
        name, _path, args, kwargs = super().deconstruct()
        return name, f"django.db.models.{self.plain}", args, kwargs


class LineField(_AsWritten, models.CharField):
    """A short text: a name, a code, an address."""

    plain = "CharField"


class ProseField(_AsWritten, models.TextField):
    """A text of any length: a note."""

    plain = "TextField"
