"""The kinds of records whose changes people read: each app declares its own, pages and actions ask by name or table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.permissions import Permission, can


class Topic(models.TextChoices):
    """What a change is about, as a customer's timeline and the page of all changes sort it."""

    EDITS = "edits", _("Edits")
    PEOPLE = "people", _("Who serves it")
    SALES = "sales", _("Signed sales")
    ASSESSMENTS = "assessments", _("Assessments")
    SETTINGS = "settings", _("Settings and people")


@dataclass(frozen=True)
class Restoring:
    """How a field goes back to an older value: who may, in which records, which fields, and by which action.

    `save(record, version=…, by=…, reason=…)` is the action that pages use too; `refusals` are its errors, with a
    sentence where their own words are not meant for people.
    """

    permission: Permission
    writable: Callable[[User], models.QuerySet]
    fields: tuple[str, ...]
    save: Callable[..., Any]
    refusals: Mapping[type[Exception], Promise | None] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordKind:
    """A kind of record with a history.

    `seen` gives the records whose history exists for a person, parts that were removed included. `columns` lead to
    the texts that `named` makes a name of. `words` say fields that need more than their type, `labels` name those
    without a name of their own; `silent` are left out.
    """

    name: str
    model: type[models.Model]
    topic: Topic
    permission: Permission
    seen: Callable[[User], models.QuerySet]
    columns: tuple[str, ...]
    named: Callable[[Sequence[str]], str]
    restoring: Restoring | None = None
    words: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    labels: Mapping[str, Promise] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    is_changed: bool = True  # else its records are only linked to

    @property
    def label(self) -> str:
        """What people call such a record."""
        return capfirst(str(self.model._meta.verbose_name))

    def label_of(self, named: models.Field) -> str:
        """What people call a field of such a record."""
        return str(self.labels.get(named.name) or named.verbose_name)

    @property
    def table(self) -> str:
        """What the change log calls it."""
        return self.model._meta.db_table

    def is_open_to(self, user: User) -> bool:
        """Whether a person may read about such records at all; which ones is `seen`."""
        return can(user, self.permission)


@cache
def record_kinds() -> dict[str, RecordKind]:
    """Every kind by its name in addresses."""
    return {kind.name: kind for name in settings.RECORD_KINDS for kind in import_string(name)}


@cache
def kinds_by_table() -> dict[str, RecordKind]:
    """Every kind by its table."""
    return {kind.table: kind for kind in record_kinds().values()}


@cache
def kinds_by_model() -> dict[type[models.Model], RecordKind]:
    """Every kind by its model."""
    return {kind.model: kind for kind in record_kinds().values()}
