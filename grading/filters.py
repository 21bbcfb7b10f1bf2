"""What the lists of assessments and grades can be narrowed by: on the page and in the API alike."""

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.filters import customer_filter, customer_line_filter, product_line_filter, region_filter
from crm.lib.filtering import ListFilters, SearchFilter, WordsFilter, YearsFilter, YesNoFilter
from crm.models import GradeLetter, GradeState
from grading.models import Cycle


class YearInEffectFilter(YearsFilter):
    """Of one or more fiscal years; of the one in effect today unless told, of none where none is."""

    def filter(self, qs: QuerySet, value: list[str]) -> QuerySet:
        if value:
            return super().filter(qs, value)
        in_effect = Cycle.objects.effective(timezone.localdate()).values("fiscal_year")[:1]
        return qs.filter(**{self.field_name: in_effect})


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
