"""The lists whose rows can be changed in bulk, and the fields: declared by each app, found by the list's name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import models
from django.forms import ModelForm
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from crm.models import User
from crm.permissions import Permission


@dataclass(frozen=True)
class BulkField:
    """A field of the model and of its form.

    `shared` is a column in which all records must agree for one value to suit them; `unshared` says so to people.
    """

    name: str
    shared: str = ""
    unshared: str | Promise = ""


@dataclass(frozen=True)
class BulkKind:
    """A list whose rows, records with a version, can be changed in bulk.

    `writable` gives the records that a person may change; `form(data, field=…, shared=…, user=…)` is the record's own
    form with that one field, so that a value passes the same checks by both doors. `counted` says "12 customers".
    """

    name: str
    model: type[models.Model]
    permission: Permission
    writable: Callable[[User], models.QuerySet]
    form: Callable[..., ModelForm]
    fields: tuple[BulkField, ...]
    counted: Callable[[int], str]

    def field(self, name: str) -> BulkField | None:
        """The field of a name, where it can be changed in bulk."""
        return next((field for field in self.fields if field.name == name), None)

    def column(self, field: BulkField) -> Any:
        """The model's own field."""
        return self.model._meta.get_field(field.name)


@cache
def bulk_kinds() -> dict[str, BulkKind]:
    """Every kind by the name of its list."""
    return {kind.name: kind for name in settings.BULK_KINDS for kind in import_string(name)}
