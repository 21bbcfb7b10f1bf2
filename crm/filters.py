"""What the lists of customers, their lines and sales can be narrowed by: on the page and in the API alike.

Regions, branches and product lines are named by their codes, people and customers by their ids.
"""

from collections.abc import Iterable

import django_filters
from django import forms
from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from crm.lib.filtering import (
    DayFilter,
    KnownRecordsFilter,
    ListFilters,
    SearchFilter,
    WordsFilter,
    YearsFilter,
    YesNoFilter,
)
from crm.models import (
    Branch,
    Customer,
    CustomerKind,
    CustomerLine,
    GradeLetter,
    GradeState,
    ProductLine,
    Region,
    Role,
    User,
)


def regions(request) -> QuerySet[Region]:
    """The regions that exist for whoever asks."""
    return Region.objects.visible_to(request.user).order_by("position", "code")


def branches(request) -> QuerySet[Branch]:
    """The branch offices of those regions."""
    return Branch.objects.visible_to(request.user).order_by("position", "code")


def product_lines(request) -> QuerySet[ProductLine]:
    """Product lines, the same for everyone."""
    return ProductLine.objects.order_by("position", "code")


def people(request) -> QuerySet[User]:
    """The people who exist for whoever asks."""
    return User.objects.visible_to(request.user).order_by("name", "username").only("name", "username")


def customers(request) -> QuerySet[Customer]:
    """The customers that exist for whoever asks."""
    return Customer.objects.visible_to(request.user).order_by("pk")


def customer_lines(request) -> QuerySet[CustomerLine]:
    """The customer lines that exist for whoever asks."""
    return CustomerLine.objects.visible_to(request.user).order_by("pk")


def region_filter(column: str) -> KnownRecordsFilter:
    """Of one or more regions, by code."""
    return KnownRecordsFilter(column, label=_("Region"), queryset=regions, to_field_name="code")


def product_line_filter(column: str, **kwargs) -> KnownRecordsFilter:
    """Of one or more product lines, by code."""
    return KnownRecordsFilter(column, label=_("Product line"), queryset=product_lines, to_field_name="code", **kwargs)


def customer_filter(column: str) -> KnownRecordsFilter:
    """Of one or more customers, by id; no page offers them all as choices."""
    return KnownRecordsFilter(column, label=_("Customer"), queryset=customers, widget=forms.MultipleHiddenInput)


def customer_line_filter(column: str) -> KnownRecordsFilter:
    """Of one or more customer lines, by id."""
    return KnownRecordsFilter(
        column, label=_("Customer line"), queryset=customer_lines, widget=forms.MultipleHiddenInput
    )


class CustomerFilter(ListFilters):
    """Customers. Product line, grade, state and lead must hold in the same customer line."""

    orderings = {
        "id": "pk",
        "name": "pinyin",
        "code": "code",
        "region": "region__position",
        "created_at": "created_at",
    }
    default_ordering = "name"

    search = SearchFilter("search_text")
    region = region_filter("region")
    branch = KnownRecordsFilter("branch", label=_("Branch office"), queryset=branches, to_field_name="code")
    kind = WordsFilter("kind", label=_("Kind"), choices=CustomerKind.choices)
    line = product_line_filter("product_line", method="want_of_line")
    grade = WordsFilter("grade", label=_("Grade"), choices=GradeLetter.choices, method="want_of_line")
    state = WordsFilter("state", label=_("State"), choices=GradeState.choices, method="want_of_line")
    lead = KnownRecordsFilter("lead", label=_("Lead"), queryset=people, method="want_of_line")

    def want_of_line(self, queryset: QuerySet, column: str, values: Iterable) -> QuerySet:
        """Keep what one and the same line must have; `filter_queryset` asks for it."""
        self.wanted_of_line[f"{column}__in"] = values
        return queryset

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Narrow and sort; what is wanted of a line must hold in one active line."""
        self.wanted_of_line: dict[str, Iterable] = {}
        found = super().filter_queryset(queryset)
        if not self.wanted_of_line:
            return found
        lines = CustomerLine.objects.filter(customer=OuterRef("pk"), is_active=True, **self.wanted_of_line)
        return found.filter(Exists(lines))


class ContactFilter(ListFilters):
    """People at customers."""

    orderings = {"id": "pk", "name": "name", "customer": "customer__pinyin"}

    search = django_filters.CharFilter(label=_("Search"), max_length=100, method="of_words")
    region = region_filter("customer__region")
    customer = customer_filter("customer")
    is_key_person = YesNoFilter("is_key_person", label=_("Key person"))

    def of_words(self, queryset: QuerySet, _column: str, words: str) -> QuerySet:
        """Every word occurs in the person's name, or in what finds the customer."""
        for word in words.lower().split():
            queryset = queryset.filter(Q(name__icontains=word) | Q(customer__search_text__contains=word))
        return queryset


class PersonFilter(ListFilters):
    """People who work with the product."""

    orderings = {"id": "pk", "name": "name"}

    search = django_filters.CharFilter("name", lookup_expr="icontains", label=_("Search"), max_length=100)
    region = region_filter("region")
    role = WordsFilter("role", label=_("Role"), choices=Role.choices)
    is_active = YesNoFilter("is_active", label=_("Works here"))


class PeopleOfPageFilter(PersonFilter):
    """People as their page shows them: with the name to sign in with."""

    orderings = {**PersonFilter.orderings, "username": "username", "region": "region__position"}

    search = django_filters.CharFilter(label=_("Search"), max_length=100, method="of_words")

    def of_words(self, queryset: QuerySet, _column: str, words: str) -> QuerySet:
        """Every word occurs in the name, or in the one to sign in with."""
        for word in words.split():
            queryset = queryset.filter(Q(name__icontains=word) | Q(username__icontains=word))
        return queryset


class CustomersOfLineFilter(CustomerFilter):
    """Customers of one product line: sorted by that line's figures too."""

    orderings = {
        **CustomerFilter.orderings,
        "grade": "shown_line__grade",
        "score": "shown_line__score",
        "potential_sales": "shown_line__potential_sales",
        "expected_close_on": "shown_line__expected_close_on",
    }

    def __init__(self, data, queryset: QuerySet, *, request, line: ProductLine) -> None:
        shown = FilteredRelation("lines", condition=Q(lines__product_line=line, lines__is_active=True))
        super().__init__(data, queryset.alias(shown_line=shown), request=request)
        self.shown_line = line


class CustomerLineFilter(ListFilters):
    """Customers in their product lines, with the labels in force."""

    orderings = {
        "id": "pk",
        "name": "customer__pinyin",
        "grade": "grade",
        "score": "score",
        "potential_sales": "potential_sales",
        "expected_close_on": "expected_close_on",
        "last_contact_on": "last_contact_on",
    }
    default_ordering = "name"

    search = SearchFilter("customer__search_text")
    region = region_filter("customer__region")
    kind = WordsFilter("customer__kind", label=_("Kind"), choices=CustomerKind.choices)
    customer = customer_filter("customer")
    line = product_line_filter("product_line")
    grade = WordsFilter("grade", label=_("Grade"), choices=GradeLetter.choices)
    state = WordsFilter("state", label=_("State"), choices=GradeState.choices)
    fiscal_year = YearsFilter("fiscal_year", label=_("Fiscal year"))
    lead = KnownRecordsFilter("lead", label=_("Lead"), queryset=people)
    is_active = YesNoFilter("is_active", label=_("Active"))


class SaleFilter(ListFilters):
    """Sales by customer, line, region and signed date; both days are included."""

    orderings = {"id": "pk", "signed_on": "signed_on", "amount": "amount", "contract_no": "contract_no"}
    default_ordering = "-signed_on"

    search = SearchFilter("line__customer__search_text")
    region = region_filter("line__customer__region")
    customer = customer_filter("line__customer")
    customer_line = customer_line_filter("line")
    line = product_line_filter("line__product_line")
    contract_no = django_filters.CharFilter("contract_no", label=_("Contract number"), max_length=60)
    signed_from = DayFilter("signed_on", lookup_expr="gte", label=_("Signed from"))
    signed_until = DayFilter("signed_on", lookup_expr="lte", label=_("Signed until"))
