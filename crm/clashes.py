"""Two people saved the same record: what each of them changed, put together without overwriting either."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.http import QueryDict

from crm.actions.restore import leads_out
from crm.change_words import field_words
from crm.models import Change, User
from crm.record_names import ABSENT

MakeForm = Callable[[QueryDict, Any], forms.ModelForm]


@dataclass(frozen=True)
class Clash:
    """A field that someone else changed while this person was typing."""

    label: str
    theirs: str
    by: str
    is_taken_over: bool  # this person had not touched it: the form now shows theirs


def put_together(
    data: QueryDict, latest: models.Model, make_form: MakeForm, reader: User
) -> tuple[forms.ModelForm, list[Clash]]:
    """The form with both edits: what this person left alone follows the other, what both changed stays as typed here.

    `latest` is the record as it is stored now, `data` has the version that the person started from. A link of the
    other's to what does not exist for the reader shows as absent, as on every form.
    """
    typed = make_form(data, copy(latest))
    typed.is_valid()
    base, last = _started_from(latest, int(str(data["version"])), typed)
    by = str(last.by) if last is not None and last.by is not None and last.by.exists_for(reader) else ""
    merged, clashes = data.copy(), []
    field_of: Any = latest._meta.get_field
    merged["version"] = str(latest.version)  # type: ignore[attr-defined]
    for name in base:
        mine, theirs = typed.cleaned_data.get(name), getattr(latest, name)
        if theirs == base[name] or mine == theirs:
            continue
        is_taken_over = mine == base[name]
        is_hidden = isinstance(theirs, models.Model) and leads_out(field_of(name), theirs.pk, reader)
        if is_taken_over:
            _put(merged, name, None if is_hidden else typed.fields[name].prepare_value(theirs))
        words = ABSENT if is_hidden else _words(latest, name, theirs)
        clashes.append(Clash(str(typed[name].label), words, by, is_taken_over))
    return make_form(merged, latest), clashes


def _started_from(latest: Any, version: int, form: forms.ModelForm) -> tuple[dict[str, Any], Change | None]:
    """The values of the form's fields that the person started from, and the last change since."""
    changes = list(Change.objects.of(latest).filter(version__gt=version).select_related("by"))
    started = type(latest)() if version == 0 else copy(latest)
    fields = {field.attname: field for field in latest._meta.concrete_fields}
    for change in reversed(changes):
        for name, value in (change.before or {}).items():
            field = fields[name]
            setattr(started, name, (field.target_field if field.is_relation else field).to_python(value))
    base = {name: getattr(started, name) for name in form.Meta.fields if name in form.fields}  # type: ignore[attr-defined]
    return base, changes[-1] if changes else None


def _words(latest: Any, name: str, value: Any) -> str:
    return str(value) if isinstance(value, models.Model) else field_words(type(latest), name, value)


def _put(data: QueryDict, name: str, value: Any) -> None:
    if value is False or value is None:
        data.pop(name, None)
    else:
        data[name] = "on" if value is True else str(value)
