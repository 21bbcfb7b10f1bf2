"""The names of records that a log or a list only knows by number: those that exist for the reader, in one query."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from crm.actions.record_kinds import RecordKind, kinds_by_model, record_kinds
from crm.models import User

_COLUMNS = 4  # of the longest name
ABSENT = "–"  # a linked record that does not exist for the reader, or for nobody any more: both look the same

Names = Mapping[tuple[type[Model], str], str]


def names_of(wanted: Mapping[type[Model], Collection[Any]], user: User) -> dict[tuple[type[Model], str], str]:
    """The names by model and number; a record out of the person's scope has none."""
    selects = list(_selects(wanted, user))
    if not selects:
        return {}
    rows = selects[0].union(*selects[1:], all=True) if len(selects) > 1 else selects[0]
    kinds = record_kinds()
    return {
        (kinds[name].model, key): kinds[name].named(parts[: len(kinds[name].columns)]) for name, key, *parts in rows
    }


def _selects(wanted: Mapping[type[Model], Collection[Any]], user: User) -> Iterator[QuerySet[Any, Any]]:
    for model, keys in wanted.items():
        kind = kinds_by_model().get(model)
        if kind is not None and keys and kind.columns:
            yield _select(kind, keys, user)


def _select(kind: RecordKind, keys: Collection[Any], user: User) -> QuerySet[Any, Any]:
    texts = [Cast(column, TextField()) for column in kind.columns]
    blank = [Value("", TextField())] * (_COLUMNS - len(texts))
    found = kind.seen(user).filter(pk__in=sorted(keys, key=str)).order_by()
    return found.values_list(Value(kind.name, TextField()), Cast("pk", TextField()), *texts, *blank)
