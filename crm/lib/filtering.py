"""The parts of a list's filters: one or more values each, strict about what makes no sense.

Several values of one filter are OR, several filters are AND. A value that makes no sense is an error of the form and
shows nothing; it never shows the unfiltered list.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import django_filters
from django import forms
from django.db.models import F, Model, QuerySet
from django.forms.models import ModelChoiceIterator
from django.utils.translation import gettext_lazy as _


class Order(NamedTuple):
    """What a list is sorted by; the id breaks ties, and records without a value come last both ways."""

    column: str
    is_descending: bool

    def applied_to(self, queryset: QuerySet) -> QuerySet:
        """The queryset in this order."""
        if self.column == "pk":
            return queryset.order_by("-pk" if self.is_descending else "pk")
        if self.is_descending:
            return queryset.order_by(F(self.column).desc(nulls_last=True), "-pk")
        return queryset.order_by(F(self.column).asc(nulls_last=True), "pk")


class _Offered(ModelChoiceIterator):
    """The few records that a page offers, read at once: a cursor of the server takes three ways there and back."""

    def __iter__(self) -> Iterator[Any]:
        return (self.choice(record) for record in self.queryset.all())


class KnownRecords(forms.ModelMultipleChoiceField):
    """Records named by id or code; one that does not exist for the person is no choice at all."""

    queryset: QuerySet
    iterator = _Offered

    def clean(self, value: Any) -> list[Model]:  # type: ignore[override]
        words = list(dict.fromkeys(str(word) for word in value or ()))
        if not words:
            return []
        key = self.to_field_name or "pk"
        plausible = [word for word in words if self._is_plausible(word)]
        known = {str(getattr(record, key)): record for record in self.queryset.filter(**{f"{key}__in": plausible})}
        for word in words:
            if word not in known:
                raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": word})
        return [known[word] for word in words]

    def _is_plausible(self, word: str) -> bool:
        if self.to_field_name:
            return "\x00" not in word
        return word.isascii() and word.isdigit() and len(word) <= 18


class OneOfFilter(django_filters.Filter):
    """Records whose column has one of the values."""

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        return qs.filter(**{f"{self.field_name}__in": value}) if value else qs


class KnownRecordsFilter(django_filters.filters.QuerySetRequestMixin, OneOfFilter):
    """Those of one or more records out of what `queryset(request)` offers."""

    field_class = KnownRecords


class WordsFilter(OneOfFilter):
    """Those with one or more of a few words."""

    field_class = forms.MultipleChoiceField


class Years(forms.MultipleChoiceField):
    """One or more fiscal years."""

    def valid_value(self, value: str) -> bool:
        return len(value) == 4 and value.isascii() and value.isdigit() and value >= "1900"


class YearsFilter(WordsFilter):
    """Those of one or more fiscal years."""

    field_class = Years


class YesNoFilter(django_filters.TypedChoiceFilter):
    """Yes or no, and nothing else."""

    def __init__(self, *args, **kwargs) -> None:
        choices = [("", _("All")), ("true", _("Yes")), ("false", _("No"))]
        super().__init__(*args, choices=choices, coerce=lambda word: word == "true", empty_value=None, **kwargs)


class DayFilter(django_filters.DateFilter):
    """A day, written as 2026-11-21."""

    def __init__(self, *args, **kwargs) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(*args, input_formats=["%Y-%m-%d"], widget=widget, **kwargs)


class SearchFilter(django_filters.CharFilter):
    """A search box: every word must occur in the column."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, max_length=100, label=_("Search"), **kwargs)

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        for word in (value or "").lower().split():
            qs = qs.filter(**{f"{self.field_name}__contains": word})
        return qs


class OrderingFilter(django_filters.Filter):
    """The column that a list is sorted by; a leading minus turns it round."""

    field_class = forms.ChoiceField

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        return self.parent.order.applied_to(qs)


class ListFilters(django_filters.FilterSet):
    """The base of every list's filters. `orderings` says which column a word in `ordering=` means."""

    orderings: dict[str, str] = {"id": "pk"}
    default_ordering = "id"

    def __init__(self, data=None, queryset=None, *, request, default_ordering: str = "") -> None:
        super().__init__({} if data is None else data, queryset, request=request)
        self.default_ordering = default_ordering or self.default_ordering
        words = [sign + name for name in self.orderings for sign in ("", "-")]
        ordering = OrderingFilter(label=_("Sort by"), choices=[("", ""), *((word, word) for word in words)])
        ordering.parent = self
        self.filters["ordering"] = ordering

    @property
    def order(self) -> Order:
        """What the list is sorted by; the default unless told."""
        wish = self.form.cleaned_data.get("ordering") or self.default_ordering
        return Order(self.orderings[wish.removeprefix("-")], wish.startswith("-"))

    @property
    def chosen(self) -> dict[str, Any]:
        """The filters that narrow the list, with their cleaned values; search and ordering are not among them."""
        values = self.form.cleaned_data if self.form.is_valid() else {}
        return {
            name: value
            for name, value in values.items()
            if name not in ("search", "ordering") and value not in ("", None, [])
        }

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Narrow and sort; nothing at all where a value makes no sense."""
        return super().filter_queryset(queryset) if self.form.is_valid() else queryset.none()
