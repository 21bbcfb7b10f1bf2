"""What the page of all changes can be narrowed by; never by what the person does not see."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from crm.actions.record_kinds import RecordKind, Topic, record_kinds
from crm.change_words import fields_of
from crm.filters import customer_filter, people, region_filter
from crm.lib.filtering import DayFilter, KnownRecordsFilter, ListFilters, WordsFilter
from crm.lib.moments import day_end, day_start
from crm.models import Customer, User, Way

CUSTOMERS, SETTINGS = "customers", "settings"


def kinds_for(user: User) -> list[RecordKind]:
    """The kinds of records whose changes a person can find: administrators have no eye for customers."""
    offered = [kind for kind in record_kinds().values() if kind.is_changed and kind.is_open_to(user)]
    if user.is_administrator:
        return [kind for kind in offered if kind.topic == Topic.SETTINGS]
    return offered


class ChangeFilter(ListFilters):
    """Changes, the latest first. A field belongs to a kind of record: choose that first."""

    orderings = {"at": "pk"}
    default_ordering = "-at"

    search = django_filters.CharFilter(label=_("Search"), max_length=100, method="of_customers")
    about = WordsFilter(
        label=_("About"),
        choices=[(CUSTOMERS, _("Customers")), (SETTINGS, _("Settings and people"))],
        method="about_any",
    )
    kind = WordsFilter(label=_("Kind of record"), method="of_kinds")
    field = WordsFilter(label=_("Field"), method="of_fields")
    by = KnownRecordsFilter("by", label=_("Who"), queryset=people)
    way = WordsFilter("way", label=_("By way of"), choices=Way.choices)
    made_from = DayFilter(label=_("From"), method="from_day")
    made_until = DayFilter(label=_("Until"), method="until_day")
    region = region_filter("region")
    customer = customer_filter("customer")
    batch = django_filters.UUIDFilter("batch", label=_("Import or bulk change"))

    def __init__(self, data: Any, queryset: QuerySet, *, request: Any) -> None:
        super().__init__(data, queryset, request=request)
        self.offered = {kind.name: kind for kind in kinds_for(request.user)}
        self.filters["kind"].extra["choices"] = [(kind.name, kind.label) for kind in self.offered.values()]
        chosen = [self.offered[name] for name in self.data.getlist("kind") if name in self.offered] if data else []
        fields = {name: label for kind in chosen for name, label in fields_of(kind)}
        self.filters["field"].extra["choices"] = sorted(fields.items(), key=lambda field: field[1])

    def of_customers(self, queryset: QuerySet, _column: str, words: str) -> QuerySet:
        """Of the customers that the person sees and that the words find."""
        return queryset.filter(customer__in=Customer.objects.visible_to(self.request.user).search(words))

    def about_any(self, queryset: QuerySet, _column: str, values: Iterable[str]) -> QuerySet:
        """Of customers, or of everything else."""
        wanted = Q()
        for value in values:
            wanted |= Q(customer__isnull=value == SETTINGS)
        return queryset.filter(wanted)

    def of_kinds(self, queryset: QuerySet, _column: str, names: Iterable[str]) -> QuerySet:
        """Of records of these kinds."""
        tables = [self.offered[name].table for name in names]
        return queryset.filter(table__in=tables) if tables else queryset

    def of_fields(self, queryset: QuerySet, _column: str, names: Iterable[str]) -> QuerySet:
        """Those in which one of these fields became another; a new record has changed nothing."""
        columns = {
            field.attname
            for name in self.form.cleaned_data["kind"]
            for field in self.offered[name].model._meta.concrete_fields
            if field.name in set(names)
        }
        changed = queryset.filter(before__isnull=False, after__isnull=False)
        return changed.filter(before__has_any_keys=sorted(columns)) if columns else queryset

    def from_day(self, queryset: QuerySet, _column: str, day: date) -> QuerySet:
        """From the day's first moment on."""
        return queryset.filter(at__gte=day_start(day))

    def until_day(self, queryset: QuerySet, _column: str, day: date) -> QuerySet:
        """To the day's last moment."""
        return queryset.filter(at__lt=day_end(day))
