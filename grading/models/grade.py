"""The grade of a customer line in a fiscal year: a head that stays, and records that are never edited."""

from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from crm.lib.moments import day_end
from crm.models import CustomerLine, GradeLetter, GradeState, ProductLine, User, of_customers_visible_to
from crm.models.fields import FenField, RateField, ScoreField
from grading import policy as rules
from grading.models.assessment import BudgetState
from grading.models.cycle import Cycle, GradingRun
from grading.models.policy import GradingPolicy, Scheme


class GradeQuerySet(models.QuerySet):
    """Grades in the words of the business."""

    def recorded(self) -> "GradeQuerySet":
        """Those with a record: the head is there from the opening of its cycle on, its first record later."""
        return self.filter(record__state__isnull=False)

    def visible_to(self, user: User) -> "GradeQuerySet":
        """The published grades of the customer lines a person sees."""
        return self.recorded().filter(
            of_customers_visible_to(user, "line__customer"),
            fiscal_year__in=Cycle.objects.visible_grades().values("fiscal_year"),
        )

    def for_list(self) -> "GradeQuerySet":
        """What one row of a list shows, in a constant number of queries."""
        return self.select_related("record__policy", "line__customer__region", "line__product_line")


class Grade(models.Model):
    """A customer line's grade in a fiscal year: the stable id and the pointer to the latest record.

    Before the first record `record` holds the number reserved for it, or nothing.
    """

    line = models.ForeignKey(CustomerLine, models.PROTECT, related_name="grades", db_index=False, db_constraint=False)
    fiscal_year = models.SmallIntegerField(_("fiscal year"))
    record = models.ForeignKey(
        "grading.GradeRecord", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )

    objects = GradeQuerySet.as_manager()

    class Meta:
        verbose_name = _("grade")
        verbose_name_plural = _("grades")
        constraints = [models.UniqueConstraint(name="grade_once_per_line_and_year", fields=["line", "fiscal_year"])]

    def __str__(self) -> str:
        return f"{self.line} · {self.fiscal_year}"


class Cause(models.TextChoices):
    """Why a record was written."""

    RUN = "run", _("grading run")
    ASSESSMENT = "assessment", _("assessment saved")
    FACTS = "facts", _("facts changed")


class GradeRecordQuerySet(models.QuerySet):
    """Grade records in the words of the business."""

    def visible_to(self, user: User) -> "GradeRecordQuerySet":
        """The records of the grades a person sees."""
        return self.filter(
            of_customers_visible_to(user, "grade__line__customer"),
            grade__fiscal_year__in=Cycle.objects.visible_grades().values("fiscal_year"),
        )

    def effective(self, day: date) -> "GradeRecordQuerySet":
        """Those that count on a day."""
        return self.filter(effective_on__lte=day)

    def known_on(self, day: date) -> "GradeRecordQuerySet":
        """Of each grade the record that counted on a day, as it was known by the day's end."""
        records: Any = self.model._default_manager.all()
        known = records.filter(recorded_at__lt=day_end(day)).effective(day)
        later = known.filter(grade=OuterRef("grade")).filter(
            Q(recorded_at__gt=OuterRef("recorded_at")) | Q(recorded_at=OuterRef("recorded_at"), pk__gt=OuterRef("pk"))
        )
        return self.filter(recorded_at__lt=day_end(day)).effective(day).exclude(Exists(later))

    def for_list(self) -> "GradeRecordQuerySet":
        """What one row of a list shows, in a constant number of queries."""
        return self.select_related("policy", "grade__line__customer__region", "grade__line__product_line")


class GradeRecord(models.Model):
    """One verdict with its inputs and parts, as of its moment. Immutable: a change is a new record."""

    grade = models.ForeignKey(Grade, models.PROTECT, related_name="records", db_constraint=False)
    run = models.ForeignKey(
        GradingRun, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    policy = models.ForeignKey(GradingPolicy, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    cause = models.CharField(max_length=10, choices=Cause)
    as_of = models.DateField(_("grading date"))
    recorded_at = models.DateTimeField(_("recorded at"))
    transaction_number = models.BigIntegerField(
        default=0, db_default=0, help_text="As in the change log: who follows grades reads on from it."
    )
    effective_on = models.DateField(_("counts from"))
    product_line = models.ForeignKey(ProductLine, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    before = models.CharField(_("before"), max_length=12, help_text="What the line was labelled: a letter, or a state.")
    # the verdict
    state = models.CharField(_("state"), max_length=12, choices=GradeState)
    letter = models.CharField(_("grade"), max_length=1, choices=GradeLetter, null=True)  # noqa: DJ001
    score = ScoreField(_("score"), null=True)
    missing = models.SmallIntegerField(_("what is missing"), default=0)
    scheme = models.CharField(_("scheme"), max_length=16, choices=Scheme)
    required_margin = RateField(_("required margin"), null=True)
    margin_points = models.SmallIntegerField(null=True)
    potential_points = models.SmallIntegerField(null=True)
    bonus = models.SmallIntegerField(null=True)
    # the inputs
    expected_margin = RateField(null=True)
    potential_sales = FenField(null=True)
    history_sales = FenField()
    has_need = models.BooleanField()
    budget_state = models.CharField(max_length=10, choices=BudgetState)
    budget_amount = FenField(null=True)
    budget_fits_pricing = models.BooleanField()
    has_timetable = models.BooleanField()
    knows_decision_makers = models.BooleanField()
    expected_close_on = models.DateField(null=True)
    has_begun_selection = models.BooleanField()

    objects = GradeRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("grade record")
        verbose_name_plural = _("grade records")
        constraints = [
            models.CheckConstraint(
                name="record_letter_only_when_graded",
                condition=Q(state=GradeState.GRADED, letter__isnull=False, missing=0)
                | Q(~Q(state=GradeState.GRADED), letter__isnull=True, score__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.grade} · {self.letter or self.state}"

    def grading(self) -> rules.Grading:
        """The verdict as it was recorded; nothing is computed again."""
        return rules.Grading(
            state=rules.State(self.state),
            scheme=rules.Scheme(self.scheme),
            missing=rules.Missing(self.missing),
            letter=self.letter,
            score=self.score,
            required_margin=self.required_margin,
            margin_points=self.margin_points,
            potential_points=self.potential_points,
            bonus=self.bonus,
        )

    def facts(self, line_code: str) -> rules.Facts:
        """The inputs as they were recorded."""
        return rules.Facts(
            line=line_code,
            is_assessed=self.state != GradeState.NOT_ASSESSED,
            expected_margin=self.expected_margin,
            potential_sales=self.potential_sales,
            history_sales=self.history_sales,
            has_need=self.has_need,
            budget_state=self.budget_state,
            budget_amount=self.budget_amount,
            budget_fits_pricing=self.budget_fits_pricing,
            has_timetable=self.has_timetable,
            knows_decision_makers=self.knows_decision_makers,
            expected_close_on=self.expected_close_on,
            has_begun_selection=self.has_begun_selection,
        )
