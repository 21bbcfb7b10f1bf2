"""Serializer fields: exact quantities as strings, records by code or id within the reader's scope."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.relations import MANY_RELATION_KWARGS, PKOnlyObject

from crm.lib import money


class ScaledField(serializers.Field):
    """A decimal string over a whole number in the database's unit; never rounded."""

    places = 2
    digits = 13
    default_error_messages = {
        "invalid": _("Write a number such as “1500000.00”."),
        "too_precise": _("At most {places} decimals."),
        "too_large": _("At most {digits} digits before the point."),
    }

    def to_internal_value(self, data: Any) -> int:
        text = self._as_text(data)
        match = re.fullmatch(r"-?([0-9]+)(?:\.([0-9]+))?", text)
        if match is None:
            self.fail("invalid")
        whole, decimals = match.group(1), match.group(2) or ""
        if len(decimals) > self.places:
            self.fail("too_precise", places=self.places)
        if len(whole.lstrip("0")) > self.digits:
            self.fail("too_large", digits=self.digits)
        return int(Decimal(text).scaleb(self.places))

    def to_representation(self, value: int) -> str:
        return str(Decimal(value).scaleb(-self.places))

    def _as_text(self, data: Any) -> str:
        """JSON numbers are taken as they are written."""
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        return data if isinstance(data, str) else format(Decimal(repr(data)), "f")


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d{1,2})?$", "example": "1500000.00"})
class MoneyField(ScaledField):
    """Yuan with two decimals over fen."""


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d{1,2})?$", "example": "18.00"})
class RateField(ScaledField):
    """Percent with two decimals over hundredths of a percent."""

    digits = 6
    default_error_messages = {"invalid": _("Write percent such as “18.00”.")}


@extend_schema_field({"type": "string", "example": "84.00", "readOnly": True})
class ScoreField(serializers.Field):
    """Points: two decimals, or four where they matter; never rounded."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**{**kwargs, "read_only": True})

    def to_representation(self, value: int) -> str:
        return str(money.score(value))


class ListOfRecords(serializers.ManyRelatedField):
    """A list and nothing else: of an object the names would be taken for the records."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        return super().to_internal_value(data)


class Records:
    """What a related field may name: `records(request)`, so that other people's records do not exist."""

    context: Any

    def __init__(self, records: Callable[..., QuerySet], *, model: type[Model] | None = None, **kwargs) -> None:
        self.records = records
        if not kwargs.get("read_only"):
            kwargs["queryset"] = model._base_manager.all() if model else None
        super().__init__(**kwargs)

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> ListOfRecords:
        one: Any = cls(*args, **kwargs)
        return ListOfRecords(one, **{name: kwargs[name] for name in MANY_RELATION_KWARGS if name in kwargs})

    def get_queryset(self) -> QuerySet:
        return self.records(self.context["request"])


class CodeField(Records, serializers.SlugRelatedField):
    """A reference row, named by its code."""

    default_error_messages = {"does_not_exist": _("There is no “{value}” here.")}

    def __init__(self, records: Callable[..., QuerySet], **kwargs) -> None:
        super().__init__(records, slug_field="code", **kwargs)

    def to_internal_value(self, data: Any) -> Model:
        if not isinstance(data, str):
            self.fail("invalid")
        if "\x00" in data:
            self.fail("does_not_exist", slug_name="code", value=data)
        return super().to_internal_value(data)


class IdField(Records, serializers.PrimaryKeyRelatedField):
    """A record, named by its id. With `shown_as`, the id that the query found within the reader's scope is shown."""

    default_error_messages = {"does_not_exist": _("There is no record {pk_value} here.")}

    def __init__(self, records: Callable[..., QuerySet], *, shown_as: str = "", **kwargs) -> None:
        self.shown_as = shown_as
        super().__init__(records, **kwargs)

    def to_internal_value(self, data: Any) -> Model:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("incorrect_type", data_type=type(data).__name__)
        return super().to_internal_value(data)

    def get_attribute(self, instance: Model) -> Any:
        if not self.shown_as:
            return super().get_attribute(instance)
        key = getattr(instance, self.shown_as)
        return None if key is None else PKOnlyObject(pk=key)


class EmbeddedField(IdField):
    """A record named by its id and shown with its main facts."""

    def __init__(self, records: Callable[..., QuerySet], *, shown_by: type[serializers.Serializer], **kwargs) -> None:
        self.shown_by = shown_by
        super().__init__(records, **kwargs)

    def use_pk_only_optimization(self) -> bool:
        return False

    def to_representation(self, value: Any) -> dict[str, Any]:
        return self._serializer.to_representation(value)

    @cached_property
    def _serializer(self) -> serializers.Serializer:
        return self.shown_by(context=self.context)


class EmbeddedSchema(OpenApiSerializerFieldExtension):
    """An embedded record is an id in a request and an object in an answer."""

    target_class = EmbeddedField

    def map_serializer_field(self, auto_schema, direction):
        """The field in OpenAPI."""
        if direction == "request":
            return {"type": "integer"}
        return auto_schema.resolve_serializer(self.target.shown_by, direction).ref
