"""Rows of the change log in words, for one reader: who, what, from, to; never a secret, never what is out of scope."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.actions.changes import SECRETS
from crm.actions.record_kinds import RecordKind, kinds_by_table
from crm.lib import money
from crm.models import Change, Customer, User
from crm.models.fields import FenField, RateField, ScoreField
from crm.record_names import ABSENT, Names, names_of

# What follows from other fields, or counts for nobody.
SILENT = frozenset(
    {
        *("id", "version", "updated_at", "created_at", "deleted_at", "pinyin", "search_text"),
        *("facts_changed_at", "labels_transaction", "last_login", "date_joined", "is_superuser", "is_staff"),
        *("last_used_at", "created", "session_version", "delegated_until"),
    }
)


def _moment(value: datetime | str) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


_WORDS: dict[type[models.Field], Callable[[Any], str]] = {
    FenField: lambda value: _("{amount} (10k CNY)").format(amount=f"{money.wan(value).normalize():f}"),
    RateField: lambda value: f"{money.percent(value)} %",
    ScoreField: lambda value: f"{money.score(value)}",
    models.DateTimeField: _moment,
}


@dataclass(frozen=True)
class FieldChange:
    """A field that changed, with what it was and what it became; a secret only by its name."""

    name: str
    label: str
    before: str = ""
    after: str = ""
    is_secret: bool = False
    has_absent: bool = False  # a link to what does not exist for the reader

    @property
    def sentence(self) -> str:
        """The change in one line."""
        if self.is_secret:
            return self.label
        return _("{field}: {before} → {after}").format(field=self.label, before=self.before, after=self.after)


@dataclass
class Told:
    """A row of the log for one reader."""

    change: Change
    kind: RecordKind | None
    what: str
    record: str
    by: str
    customer: str
    region: str
    fields: list[FieldChange]

    @property
    def is_addition(self) -> bool:
        """Whether the record was new."""
        return self.change.before is None

    @property
    def deed(self) -> str:
        """What happened to the record, in a word."""
        before, after = self.change.before, self.change.after
        if before is None:
            return _("Added")
        if after is None or after.get("deleted_at"):
            return _("Removed")
        return _("Brought back") if before.get("deleted_at") else _("Edited")

    @property
    def deed_alone(self) -> str:
        """The same where the fields do not say it."""
        values = self.change.after
        is_plain = self.change.before is not None and values is not None and "deleted_at" not in values
        return "" if is_plain and self.fields else self.deed

    @property
    def sentences(self) -> list[str]:
        """What became of each field; of a new record only that it is new."""
        told = [] if self.is_addition else [field.sentence for field in self.fields]
        return told or [self.deed]


def tell(changes: Iterable[Change], user: User) -> list[Told]:
    """Rows of the log as a person may read them; all names in one query."""
    rows = list(changes)
    names = names_of(_wanted(rows), user)
    return [_told(change, names) for change in rows]


def field_words(model: type[models.Model], name: str, value: Any) -> str:
    """A stored value as people read it."""
    field = model._meta.get_field(name)
    if value is None or value == "":
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    said = next((words for kind, words in _WORDS.items() if isinstance(field, kind)), None)
    if said is not None:
        return said(value)
    return str(dict(getattr(field, "flatchoices", ())).get(value, value))


def value_words(model: type[models.Model], field: models.Field, value: Any, names: Names) -> str:
    """A value as people read it, a link by the name of what it leads to."""
    kind = kinds_by_table().get(model._meta.db_table)
    if field.is_relation:
        if value is None:
            return _("nothing")
        linked: Any = field.related_model
        return names.get((linked, str(value)), ABSENT)
    if kind is not None and field.name in kind.words and value is not None:
        return kind.words[field.name](value)
    return field_words(model, field.name, value)


def told_fields(change: Change) -> list[models.Field]:
    """The fields that a row tells of: those that changed, of a new record those that are filled in."""
    model = model_of(change.table)
    if model is None or change.after is None:
        return []
    kind = kinds_by_table().get(change.table)
    silent = SILENT | (kind.silent if kind else frozenset())
    empty = ("", None, False) if change.before is None else ()
    return [
        field
        for field in model._meta.concrete_fields
        if field.attname in change.after and field.name not in silent and change.after[field.attname] not in empty
    ]


@cache
def model_of(table: str) -> type[models.Model] | None:
    """The model of a table."""
    return next((model for model in apps.get_models() if model._meta.db_table == table), None)


def what_changed(table: str) -> str:
    """What people call a record of a table."""
    model = model_of(table)
    return capfirst(str(model._meta.verbose_name)) if model else table


def label_of(table: str, field: models.Field) -> str:
    """What people call a field of a table."""
    kind = kinds_by_table().get(table)
    return kind.label_of(field) if kind else str(field.verbose_name)


def fields_of(kind: RecordKind) -> Iterator[tuple[str, str]]:
    """The fields of a kind that a reader may ask for, with their labels."""
    for field in kind.model._meta.concrete_fields:
        if field.name not in SILENT | kind.silent | SECRETS:
            yield field.name, capfirst(kind.label_of(field))


def _wanted(rows: Sequence[Change]) -> dict[type[models.Model], set[Any]]:
    """What the rows link to, by model."""
    found: dict[type[models.Model], set[Any]] = defaultdict(set)
    for change in rows:
        found[User].add(change.by_id)
        found[Customer].add(change.customer_id)
        if kind := kinds_by_table().get(change.table):
            found[kind.model].add(change.object_id)
        region: Any = Change._meta.get_field("region").related_model
        found[region].add(change.region_id)
        for field in told_fields(change):
            if field.is_relation:
                linked: Any = field.related_model
                found[linked] |= {(change.before or {}).get(field.attname), (change.after or {})[field.attname]}
    return {model: keys - {None} for model, keys in found.items()}


def _told(change: Change, names: Names) -> Told:
    kind = kinds_by_table().get(change.table)
    region: Any = Change._meta.get_field("region").related_model
    return Told(
        change=change,
        kind=kind,
        what=what_changed(change.table),
        record=_record_name(change, kind, names),
        by=names.get((User, str(change.by_id)), ""),
        customer=names.get((Customer, str(change.customer_id)), ""),
        region=names.get((region, str(change.region_id)), ""),
        fields=list(_fields(change, names)),
    )


def _record_name(change: Change, kind: RecordKind | None, names: Names) -> str:
    """The record's name; one that is gone has the name that the row itself tells, if it does."""
    found = names.get((kind.model, str(change.object_id)), "") if kind else ""
    values = {**(change.before or {}), **(change.after or {})}
    return found or next((str(values[name]) for name in ("name", "username", "scopes") if values.get(name)), "")


def _fields(change: Change, names: Names) -> Iterator[FieldChange]:
    model: Any = model_of(change.table)
    before, after = change.before or {}, change.after or {}
    for field in told_fields(change):
        label = label_of(change.table, field)
        if field.name in SECRETS:
            yield FieldChange(field.name, label, is_secret=True)
            continue
        was = value_words(model, field, before.get(field.attname), names)
        became = value_words(model, field, after[field.attname], names)
        yield FieldChange(field.name, label, was, became, has_absent=field.is_relation and was == ABSENT)
