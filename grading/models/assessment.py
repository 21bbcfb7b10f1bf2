"""What a person entered about a customer line for a fiscal year: the grade's inputs."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models import CustomerLine, User, of_customers_visible_to
from crm.models.fields import FenField, ProseField, RateField
from grading import policy as rules
from grading.models.cycle import Cycle


class BudgetState(models.TextChoices):
    """How far the customer's budget for the year has come."""

    NONE = rules.BudgetState.NONE.value, _("None")
    PLANNED = rules.BudgetState.PLANNED.value, _("Planned")
    CONFIRMED = rules.BudgetState.CONFIRMED.value, _("Confirmed")


class AssessmentQuerySet(models.QuerySet):
    """Assessments in the words of the business."""

    def visible_to(self, user: User) -> "AssessmentQuerySet":
        """Who sees a customer line sees its assessments."""
        return self.filter(of_customers_visible_to(user, "line__customer"), deleted_at=None)

    def writable_by(self, user: User) -> "AssessmentQuerySet":
        """Those of the lines a person may change."""
        return self.filter(deleted_at=None, line__in=CustomerLine.objects.writable_by(user))

    def of_year(self, year: int) -> "AssessmentQuerySet":
        """Those of one fiscal year."""
        return self.filter(deleted_at=None, fiscal_year=year)

    def unconfirmed(self) -> "AssessmentQuerySet":
        """Carried over from last year and not looked at since: nobody has assessed these."""
        return self.filter(deleted_at=None, is_carried_over=True)

    def waiting_for(self, user: User) -> "AssessmentQuerySet":
        """Unconfirmed ones of open cycles, of the active lines that a person leads."""
        years = Cycle.objects.open().values("fiscal_year")
        return self.unconfirmed().filter(line__lead=user, line__is_active=True, fiscal_year__in=years)

    def for_list(self) -> "AssessmentQuerySet":
        """What one row of a list shows, in a constant number of queries."""
        return self.select_related("line__customer__region", "line__product_line")


class Assessment(models.Model):
    """The assessment of a customer line for a fiscal year; "this year" in its four elements is that year."""

    line = models.ForeignKey(CustomerLine, models.PROTECT, related_name="assessments", verbose_name=_("customer line"))
    fiscal_year = models.SmallIntegerField(_("fiscal year"))
    is_carried_over = models.BooleanField(_("carried over, not confirmed"), default=False, editable=False)
    expected_margin = RateField(_("expected gross margin"), null=True, blank=True)
    potential_sales = FenField(_("potential sales in the year"), null=True, blank=True)
    has_need = models.BooleanField(_("potential need for the product"), default=False)
    budget_state = models.CharField(
        _("budget of the year"), max_length=10, choices=BudgetState, default=BudgetState.NONE
    )
    budget_amount = FenField(_("budget amount"), null=True, blank=True)
    budget_fits_pricing = models.BooleanField(_("the budget fits our pricing policy"), default=False)
    has_timetable = models.BooleanField(_("clear timetable within the year"), default=False)
    knows_decision_makers = models.BooleanField(_("decision maker and influencers are known"), default=False)
    expected_close_on = models.DateField(_("expected close"), null=True, blank=True)
    has_begun_selection = models.BooleanField(_("has begun or will soon begin its selection"), default=False)
    has_system = models.BooleanField(_("replaces or extends a system"), default=False)
    note = ProseField(_("note"), blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        constraints = [
            models.UniqueConstraint(
                name="assessment_once_per_line_and_year",
                fields=["line", "fiscal_year"],
                condition=Q(deleted_at=None),
                violation_error_message=_("The customer line already has an assessment of this year."),
            ),
            models.CheckConstraint(
                name="assessment_potential_not_negative",
                condition=Q(potential_sales=None) | Q(potential_sales__gte=0),
                violation_error_message=_("Potential sales cannot be negative."),
            ),
            models.CheckConstraint(
                name="assessment_budget_not_negative",
                condition=Q(budget_amount=None) | Q(budget_amount__gte=0),
                violation_error_message=_("A budget cannot be negative."),
            ),
            models.CheckConstraint(
                name="assessment_margin_at_most_100",
                condition=Q(expected_margin=None) | Q(expected_margin__gte=-1000_00, expected_margin__lte=100_00),
                violation_error_message=_("A gross margin lies between -1000 and 100 percent."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line} · {self.fiscal_year}"

    def facts(self, history_sales: int) -> rules.Facts:
        """The assessment with the sales of the last two years (fen), as the pure policy reads them."""
        return rules.Facts(
            line=self.line.product_line.code,
            is_assessed=not self.is_carried_over,
            expected_margin=self.expected_margin,
            potential_sales=self.potential_sales,
            history_sales=history_sales,
            has_need=self.has_need,
            budget_state=self.budget_state,
            budget_amount=self.budget_amount,
            budget_fits_pricing=self.budget_fits_pricing,
            has_timetable=self.has_timetable,
            knows_decision_makers=self.knows_decision_makers,
            expected_close_on=self.expected_close_on,
            has_begun_selection=self.has_begun_selection,
        )
