"""What the lists of assessments and grades can be narrowed by: on the page and in the API alike."""

from datetime import date

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.filters import customer_filter, customer_line_filter, people, product_line_filter, region_filter
from crm.lib.filtering import (
    DayFilter,
    KnownRecordsFilter,
    ListFilters,
    SearchFilter,
    WordsFilter,
    YearsFilter,
    YesNoFilter,
)
from crm.models import GradeLetter, GradeState
from grading.explain import SENTENCES
from grading.models import Cycle, CycleState
from grading.policy import Missing


class YearInEffectFilter(YearsFilter):
    """Of one or more fiscal years; unless told, of the one in effect today or on the day asked for, if there is one."""

    def filter(self, qs: QuerySet, value: list[str]) -> QuerySet:
        if value:
            return super().filter(qs, value)
        day = self.parent.form.cleaned_data.get("as_of")
        cycles = Cycle.objects.effective_then(day) if day else Cycle.objects.effective(timezone.localdate())
        return qs.filter(**{self.field_name: cycles.values("fiscal_year")[:1]})


class MissingFilter(WordsFilter):
    """What lacks one or more things that a grade needs; the column holds the sum of their flags."""

    def filter(self, qs: QuerySet, value: list[str]) -> QuerySet:
        wanted = sum(Missing[code.upper()] for code in value or ())
        return qs.alias(wanted_missing=F(self.field_name).bitand(wanted)).filter(wanted_missing__gt=0) if wanted else qs


def missing_choices() -> list[tuple[str, Promise]]:
    """What may be missing, in sentences."""
    return [(flag.code, SENTENCES[flag]) for flag in Missing]


UNGRADED = [choice for choice in GradeState.choices if choice[0] != GradeState.GRADED]


class AssessmentFilter(ListFilters):
    """Assessments by customer, line, region and fiscal year."""

    orderings = {
        "id": "pk",
        "name": "line__customer__pinyin",
        "fiscal_year": "fiscal_year",
        "potential_sales": "potential_sales",
        "expected_margin": "expected_margin",
        "expected_close_on": "expected_close_on",
        "updated_at": "updated_at",
    }
    default_ordering = "name"

    search = SearchFilter("line__customer__search_text")
    region = region_filter("line__customer__region")
    customer = customer_filter("line__customer")
    customer_line = customer_line_filter("line")
    line = product_line_filter("line__product_line")
    fiscal_year = YearsFilter("fiscal_year", label=_("Fiscal year"))
    is_carried_over = YesNoFilter("is_carried_over", label=_("Carried over, not confirmed"))


class GradeFilter(ListFilters):
    """Grades by customer, line, region and verdict; of the fiscal year in effect unless told."""

    orderings = {
        "id": "pk",
        "name": "line__customer__pinyin",
        "code": "line__customer__code",
        "grade": "record__letter",
        "score": "record__score",
        "graded_at": "record__recorded_at",
    }
    default_ordering = "name"

    search = SearchFilter("line__customer__search_text")
    region = region_filter("line__customer__region")
    customer = customer_filter("line__customer")
    line = product_line_filter("line__product_line")
    grade = WordsFilter("record__letter", label=_("Grade"), choices=GradeLetter.choices)
    state = WordsFilter("record__state", label=_("State"), choices=GradeState.choices)
    fiscal_year = YearInEffectFilter("fiscal_year", label=_("Fiscal year"))
    as_of = DayFilter(label=_("As recorded by the end of this day, and effective on it"), method="on_day")

    def on_day(self, queryset: QuerySet, name: str, day: date) -> QuerySet:
        """The records of a day are another list: `PastGradeFilter` narrows it."""
        return queryset


class PastGradeFilter(GradeFilter):
    """Grades as they were recorded by the end of a day: records, each the last of its grade."""

    orderings = {
        "id": "grade_id",
        "name": "grade__line__customer__pinyin",
        "code": "grade__line__customer__code",
        "grade": "letter",
        "score": "score",
        "graded_at": "recorded_at",
    }

    search = SearchFilter("grade__line__customer__search_text")
    region = region_filter("grade__line__customer__region")
    customer = customer_filter("grade__line__customer")
    line = product_line_filter("grade__line__product_line")
    grade = WordsFilter("letter", label=_("Grade"), choices=GradeLetter.choices)
    state = WordsFilter("state", label=_("State"), choices=GradeState.choices)
    fiscal_year = YearInEffectFilter("grade__fiscal_year", label=_("Fiscal year"))

    def on_day(self, queryset: QuerySet, name: str, day: date) -> QuerySet:
        """The last record of each grade that was there by the end of the day and counted on it."""
        return queryset.known_on(day)  # type: ignore[attr-defined]


class CycleLineFilter(ListFilters):
    """The customer lines of a cycle (`grading.counts.lines_of_cycle`), by what the cycle made of them."""

    orderings = {
        "name": "customer__pinyin",
        "code": "customer__code",
        "line": "product_line__position",
        "grade": "cycle_letter",
        "score": "cycle_score",
        "potential_sales": "cycle_potential_sales",
        "expected_close_on": "cycle_expected_close_on",
    }
    default_ordering = "name"

    search = SearchFilter("customer__search_text")
    region = region_filter("customer__region")
    line = product_line_filter("product_line")
    grade = WordsFilter("cycle_letter", label=_("Grade"), choices=GradeLetter.choices)
    state = WordsFilter("cycle_state", label=_("State"), choices=GradeState.choices)
    missing = MissingFilter("cycle_missing", label=_("What is missing"), choices=missing_choices)
    lead = KnownRecordsFilter("lead", label=_("Lead"), queryset=people)
    before = WordsFilter(label=_("Before"), choices=(*GradeLetter.choices, *UNGRADED), method="was")

    def was(self, queryset: QuerySet, name: str, values: list[str]) -> QuerySet:
        """What the labels in force say: a letter, or an ungraded state."""
        return queryset.filter(Q(grade__in=values) | Q(state__in=values))


class PolicyFilter(ListFilters):
    """Policies have no filters."""

    orderings = {"number": "number"}
    default_ordering = "-number"


class CycleFilter(ListFilters):
    """Cycles by fiscal year and state."""

    orderings = {"fiscal_year": "fiscal_year"}
    default_ordering = "-fiscal_year"

    fiscal_year = YearsFilter("fiscal_year", label=_("Fiscal year"))
    state = WordsFilter("state", label=_("State"), choices=CycleState.choices)
