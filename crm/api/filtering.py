"""Filters of a list: what is unknown is refused by its name, never ignored."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from crm.api.problems import unknown_parameter
from crm.lib.filtering import DayFilter, KnownRecordsFilter, ListFilters, WordsFilter, YearsFilter, YesNoFilter

OF_THE_LIST = ("cursor", "page_size", "format")
MAY_BE_EMPTY = ("search", "ordering")


class StrictFilters(BaseFilterBackend):
    """Applies the view's `filterset_class`, the same that the page uses, and leaves it as `view.list_filters`."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view) -> QuerySet:
        filters = view.filterset_class(
            request.query_params, queryset, request=request, default_ordering=view.default_ordering
        )
        refuse_unknown(request, {*filters.filters, *OF_THE_LIST, *getattr(view, "list_parameters", ())})
        refuse_repeated(request, filters)
        if not filters.form.is_valid():
            raise ValidationError(_details(filters.form))
        refuse_empty(request, filters)
        view.list_filters = filters
        return filters.qs

    def get_schema_operation_parameters(self, view) -> list[dict[str, Any]]:
        """The filters as OpenAPI parameters."""
        if getattr(view, "action", None) != "list":
            return []
        described = [_parameter(name, item) for name, item in view.filterset_class.base_filters.items()]
        return [*described, _ordering(view.filterset_class, view.default_ordering)]


def refuse_unknown(request: Request, known: set[str]) -> None:
    """Raise for the first query parameter that is not known."""
    for name in request.query_params:
        if name not in known:
            raise unknown_parameter(name)


def refuse_repeated(request: Request, filters: ListFilters) -> None:
    """Raise for a parameter with several values where only one counts."""
    for name, values in request.query_params.lists():
        takes_several = name in filters.filters and isinstance(filters.filters[name], KnownRecordsFilter | WordsFilter)
        if len(values) > 1 and not takes_several:
            raise ValidationError({name: [ErrorDetail(_("Give it once."), "repeated")]})


def refuse_empty(request: Request, filters: ListFilters) -> None:
    """Raise for filters without a value: a page's form sends them, a program that does has lost what it meant."""
    named = [name for name in filters.filters if name in request.query_params and name not in MAY_BE_EMPTY]
    empty = [name for name in named if filters.form.cleaned_data[name] in ("", None, [])]
    if empty:
        sentence = _("Write a value, or leave the filter out.")
        raise ValidationError({name: [ErrorDetail(sentence, "empty")] for name in empty})


def _details(form: forms.Form) -> dict[str, list[ErrorDetail]]:
    return {
        name: [ErrorDetail(message, item.code or "invalid") for item in items for message in item.messages]
        for name, items in form.errors.as_data().items()
    }


def _parameter(name: str, item: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": force_str(item.label),
        "schema": _schema(item),
    }


def _schema(item: Any) -> dict[str, Any]:
    if isinstance(item, YearsFilter):
        return {"type": "array", "items": {"type": "integer"}}
    if isinstance(item, WordsFilter):
        return {"type": "array", "items": {"type": "string", "enum": [word for word, _label in item.extra["choices"]]}}
    if isinstance(item, KnownRecordsFilter):
        return {"type": "array", "items": {"type": "string" if "to_field_name" in item.extra else "integer"}}
    if isinstance(item, YesNoFilter):
        return {"type": "boolean"}
    return {"type": "string", "format": "date"} if isinstance(item, DayFilter) else {"type": "string"}


def _ordering(filters: type[ListFilters], default: str) -> dict[str, Any]:
    words = [sign + name for name in filters.orderings for sign in ("", "-")]
    return {
        "name": "ordering",
        "in": "query",
        "required": False,
        "description": "One of them; a leading minus turns it round. Records without the value come last.",
        "schema": {"type": "string", "enum": words, "default": default},
    }
