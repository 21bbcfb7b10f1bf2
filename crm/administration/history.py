"""A record's history as the administration shows it: rows of the change log, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from crm.models import Change, User
from crm.timeline import field_words

_SILENT = frozenset({"version", "updated_at", "pinyin", "search_text"})


@dataclass(frozen=True)
class FieldChange:
    """A field that changed, with what it was and what it became; a link or a secret only by its name."""

    label: str
    before: str | None = None
    after: str | None = None


def changes_of(record: Model, user: User) -> list[dict[str, Any]]:
    """The changes of a record that a person may see, the latest first."""
    changes = Change.objects.visible_to(user).of(record).select_related("by").reverse()
    return [{"change": change, "fields": list(_fields(type(record), change))} for change in changes]


def _fields(model: type[Model], change: Change) -> Iterator[FieldChange]:
    before, after = change.before or {}, change.after or {}
    for field in model._meta.concrete_fields:
        name = field.attname
        if change.before is None or name not in after or name in _SILENT:
            continue
        label = str(field.verbose_name)
        if field.is_relation or name == "password":
            yield FieldChange(label)
        else:
            yield FieldChange(
                label, field_words(model, field.name, before.get(name)), field_words(model, field.name, after[name])
            )
