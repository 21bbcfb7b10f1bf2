"""What grades, assessments, policies and cycles look like in the API and what may be written."""

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from crm import filters
from crm.api.fields import CodeField, IdField, MoneyField, RateField, ScoreField
from crm.api.serializers import CustomerNameSerializer, RecordSerializer, StrictSerializer
from crm.lib import money
from crm.models import CustomerLine, GradeLetter, GradeState, ProductLine, Region
from grading.api.fields import BudgetField
from grading.models import Assessment, BandKind, Cycle, GradingPolicy, GradingRun, PolicyBand, Scheme
from grading.policy import BudgetState, Facts


class ReasonSerializer(serializers.Serializer):
    """Why there is no grade."""

    code = serializers.CharField()
    element = serializers.CharField()
    message = serializers.CharField()


class InputsSerializer(serializers.Serializer):
    """What was known when the grade was made."""

    expected_margin = RateField(allow_null=True)
    potential_sales = MoneyField(allow_null=True)
    history_sales = MoneyField(help_text="The line's sales in the 24 months before the grading date.")
    need = serializers.BooleanField()
    budget = BudgetField()
    timetable = serializers.BooleanField()
    decision_makers = serializers.BooleanField()
    expected_close_on = serializers.DateField(allow_null=True)
    selection_begun = serializers.BooleanField()


class PartSerializer(serializers.Serializer):
    """One factor: figure, band, points, weight, subtotal. The bonus has no weight; its points are percents."""

    factor = serializers.ChoiceField(choices=["expected_margin", "potential_sales", "history_sales"])
    label: Any = serializers.CharField()
    unit = serializers.ChoiceField(choices=["yuan", "percent"])
    value = serializers.CharField(allow_null=True)
    compared = serializers.CharField(allow_null=True, help_text="What the bands measure: the margin gap, the sales.")
    band_from = serializers.CharField(allow_null=True)
    band_below = serializers.CharField(allow_null=True)
    points = serializers.IntegerField()
    weight = serializers.IntegerField(allow_null=True)
    subtotal = ScoreField()


class LimitSerializer(serializers.Serializer):
    """The lowest score of a grade."""

    grade = serializers.ChoiceField(choices=GradeLetter.choices)
    at_least = ScoreField()


class ChangeSerializer(serializers.Serializer):
    """A figure that would have to change."""

    field = serializers.CharField()
    now = serializers.CharField()
    needed = serializers.CharField()


class LiftSerializer(serializers.Serializer):
    """What would earn the next better grade."""

    grade = serializers.ChoiceField(choices=GradeLetter.choices)
    short_by = ScoreField()
    changes = ChangeSerializer(many=True)
    message = serializers.CharField()


class BreakdownSerializer(serializers.Serializer):
    """How the score came about."""

    scheme = serializers.ChoiceField(choices=Scheme.choices)
    required_margin = RateField()
    inputs = InputsSerializer()
    parts = PartSerializer(many=True)
    base = ScoreField(allow_null=True)
    bonus = serializers.IntegerField(allow_null=True, help_text="Percent.")
    score = ScoreField(allow_null=True)
    limits = LimitSerializer(many=True)
    lifts = LiftSerializer(many=True)


class GradeSerializer(serializers.Serializer):
    """The grade of a customer line in a fiscal year; `grade` and `score` are null outside the state `graded`."""

    id = serializers.IntegerField(allow_null=True)
    customer = CustomerNameSerializer(allow_null=True)
    customer_line = serializers.IntegerField(allow_null=True)
    line = serializers.CharField()
    fiscal_year = serializers.IntegerField()
    state = serializers.ChoiceField(choices=GradeState.choices)
    grade = serializers.ChoiceField(choices=GradeLetter.choices, allow_null=True)
    score = ScoreField(allow_null=True)
    reasons = ReasonSerializer(many=True)
    policy_version = serializers.IntegerField()
    required_margin = RateField()
    breakdown = BreakdownSerializer()
    graded_at = serializers.DateTimeField(allow_null=True)
    effective_on = serializers.DateField(allow_null=True)
    overridden = serializers.BooleanField()


class PreviewSerializer(StrictSerializer):
    """Facts to grade without storing anything. An element that is left out is not met."""

    line = CodeField(filters.product_lines, model=ProductLine)
    fiscal_year = serializers.IntegerField(min_value=1990, max_value=2200)
    expected_margin = RateField(allow_null=True, required=False)
    potential_sales = MoneyField(allow_null=True, required=False)
    history_sales = MoneyField(required=False, default=0)
    need = serializers.BooleanField(required=False, default=False)
    budget = BudgetField(required=False)
    timetable = serializers.BooleanField(required=False, default=False)
    decision_makers = serializers.BooleanField(required=False, default=False)
    expected_close_on = serializers.DateField(allow_null=True, required=False)
    selection_begun = serializers.BooleanField(required=False, default=False)
    as_of = serializers.DateField(required=False, help_text="The grading date; today unless told.")

    def validate_expected_margin(self, value: int | None) -> int | None:
        """A gross margin as an assessment may hold it."""
        if value is not None and not -1000_00 <= value <= 100_00:
            raise serializers.ValidationError(_("A gross margin lies between -1000 and 100 percent."), "out_of_range")
        return value

    def validate_potential_sales(self, value: int | None) -> int | None:
        """Potential sales are not negative."""
        if value is not None and value < 0:
            raise serializers.ValidationError(_("Potential sales cannot be negative."), "out_of_range")
        return value

    def validate_as_of(self, value: date) -> date:
        """A day of our time."""
        if not 1990 <= value.year <= 2200:
            raise serializers.ValidationError(_("The grading date lies between 1990 and 2200."), "out_of_range")
        return value

    def facts(self) -> Facts:
        """What was sent, as the policy reads it."""
        sent = self.validated_data
        return Facts(
            line=sent["line"].code,
            expected_margin=sent.get("expected_margin"),
            potential_sales=sent.get("potential_sales"),
            history_sales=sent["history_sales"],
            has_need=sent["need"],
            budget_state=sent.get("budget_state", BudgetState.NONE),
            budget_amount=sent.get("budget_amount"),
            budget_fits_pricing=sent.get("budget_fits_pricing", False),
            has_timetable=sent["timetable"],
            knows_decision_makers=sent["decision_makers"],
            expected_close_on=sent.get("expected_close_on"),
            has_begun_selection=sent["selection_begun"],
        )


class AssessmentSerializer(RecordSerializer):
    """The inputs of a grade for a customer line and fiscal year. Saving it grades the line at once."""

    fixed = ("customer_line", "fiscal_year")

    customer = CustomerNameSerializer(source="line.customer", read_only=True)
    customer_line = IdField(filters.customer_lines, model=CustomerLine, source="line")
    line = serializers.CharField(source="line.product_line.code", read_only=True)
    fiscal_year = serializers.IntegerField(min_value=1990, max_value=2200)
    need = serializers.BooleanField(source="has_need", required=False)
    budget = BudgetField(required=False)
    timetable = serializers.BooleanField(source="has_timetable", required=False)
    decision_makers = serializers.BooleanField(source="knows_decision_makers", required=False)
    selection_begun = serializers.BooleanField(source="has_begun_selection", required=False)

    class Meta:
        model = Assessment
        fields = (
            "id",
            "customer",
            "customer_line",
            "line",
            "fiscal_year",
            "is_carried_over",
            "expected_margin",
            "potential_sales",
            "need",
            "budget",
            "timetable",
            "decision_makers",
            "expected_close_on",
            "selection_begun",
            "has_system",
            "note",
            "updated_at",
            "version",
        )


class RateBandSerializer(serializers.Serializer):
    """Points from a margin gap on, in percentage points; null: no lower end."""

    at_least = RateField(source="floor", allow_null=True)
    points = serializers.IntegerField()


class SalesBandSerializer(serializers.Serializer):
    """Points (of the bonus: percent) from an amount on; null: no lower end."""

    at_least = MoneyField(source="floor", allow_null=True)
    points = serializers.IntegerField()


class RequiredMarginSerializer(serializers.Serializer):
    """The margin required of a product line from a fiscal year on."""

    line = serializers.CharField(source="product_line.code")
    from_year = serializers.IntegerField()
    margin = RateField()


class LineRuleSerializer(serializers.Serializer):
    """What the policy says of a product line; lines without a rule are graded by customer value."""

    line = serializers.CharField(source="product_line.code")
    scheme = serializers.ChoiceField(choices=Scheme.choices)
    smallest_budget = MoneyField(allow_null=True)


class PolicySerializer(serializers.ModelSerializer):
    """A version of the grading policy; a published one never changes."""

    number = serializers.IntegerField(read_only=True)
    limits = serializers.SerializerMethodField()
    margin_bands = serializers.SerializerMethodField()
    potential_bands = serializers.SerializerMethodField()
    bonus_bands = serializers.SerializerMethodField()
    line_rules = LineRuleSerializer(many=True)
    required_margin = RateField()
    required_margins = RequiredMarginSerializer(many=True)
    horizon_months = serializers.SerializerMethodField()

    class Meta:
        model = GradingPolicy
        fields = (
            "id",
            "number",
            "note",
            "state",
            "published_at",
            "margin_weight",
            "potential_weight",
            "limits",
            "margin_bands",
            "potential_bands",
            "bonus_bands",
            "required_margin",
            "required_margins",
            "line_rules",
            "horizon_months",
            "lead_days",
        )

    def get_limits(self, policy: GradingPolicy) -> LimitSerializer(many=True):  # type: ignore[valid-type]
        """The lowest score of each grade."""
        limits = (("A", policy.a_from), ("B", policy.b_from), ("C", policy.c_from))
        return [{"grade": letter, "at_least": str(money.score(limit))} for letter, limit in limits]

    def get_margin_bands(self, policy: GradingPolicy) -> RateBandSerializer(many=True):  # type: ignore[valid-type]
        """What the margin gap earns."""
        return RateBandSerializer(_bands(policy, BandKind.MARGIN), many=True).data

    def get_potential_bands(self, policy: GradingPolicy) -> SalesBandSerializer(many=True):  # type: ignore[valid-type]
        """What the potential sales earn."""
        return SalesBandSerializer(_bands(policy, BandKind.POTENTIAL), many=True).data

    def get_bonus_bands(self, policy: GradingPolicy) -> SalesBandSerializer(many=True):  # type: ignore[valid-type]
        """What the sales of the last two years earn, in percent."""
        return SalesBandSerializer(_bands(policy, BandKind.BONUS), many=True).data

    def get_horizon_months(self, policy: GradingPolicy) -> list[int]:
        """The months of the close horizons A, B and C."""
        return [policy.near_months, policy.middle_months, policy.far_months]


class ProgressSerializer(serializers.Serializer):
    """How far a run has come. `rate` is lines a second, `time_left` seconds."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)
    time_left = serializers.IntegerField(allow_null=True)


class RunSerializer(serializers.ModelSerializer):
    """A grading run of a cycle; `report` says what came of it."""

    policy_version = serializers.IntegerField(source="policy.number")
    line = serializers.CharField(source="product_line.code", default=None, allow_null=True)
    region = serializers.CharField(source="region.code", default=None, allow_null=True)
    progress = serializers.SerializerMethodField()
    report = serializers.JSONField()

    class Meta:
        model = GradingRun
        fields = (
            "id",
            "as_of",
            "policy_version",
            "line",
            "region",
            "publishes",
            "state",
            "progress",
            "report",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields

    def get_progress(self, run: GradingRun) -> ProgressSerializer:
        """Done, total, rate and time left."""
        now = timezone.now()
        left = run.job.time_left(now)
        return {  # type: ignore[return-value]
            "done": run.job.done,
            "total": run.job.total,
            "rate": run.job.rate(now),
            "time_left": left and round(left.total_seconds()),
        }


class CycleSerializer(serializers.ModelSerializer):
    """The grading cycle of a fiscal year. `run` is the latest run, for those who see every region."""

    run = serializers.SerializerMethodField()

    class Meta:
        model = Cycle
        fields = ("id", "fiscal_year", "starts_on", "state", "opened_at", "published_at", "closed_at", "run")
        read_only_fields = fields

    def get_run(self, cycle: Cycle) -> RunSerializer(allow_null=True):  # type: ignore[valid-type]
        """The latest run; it counts customers of all regions."""
        runs = self.context.get("runs", {})
        return RunSerializer(runs[cycle.pk]).data if cycle.pk in runs else None


class StartRunSerializer(StrictSerializer):
    """What a run covers; everything unless told."""

    as_of = serializers.DateField(required=False, help_text="The grading date; today unless told.")
    line = CodeField(filters.product_lines, model=ProductLine, required=False)
    region = CodeField(filters.regions, model=Region, required=False)


class NothingSerializer(StrictSerializer):
    """An action that needs no figures: an empty body."""


def _bands(policy: GradingPolicy, kind: BandKind) -> list[PolicyBand]:
    return [band for band in policy.bands.all() if band.kind == kind]
