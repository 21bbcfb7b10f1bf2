"""The grading policy: bands, weights, bonus, limits and what each product line requires; versioned data."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models import PolicyVersion, PolicyVersionQuerySet, ProductLine
from crm.models.fields import FenField, RateField, ScoreField
from grading import policy as rules


class Scheme(models.TextChoices):
    """What the grade of a product line's customers measures."""

    CUSTOMER_VALUE = rules.Scheme.CUSTOMER_VALUE.value, _("Value of the customer")
    CLOSE_HORIZON = rules.Scheme.CLOSE_HORIZON.value, _("Close horizon of the opportunity")


class GradingPolicyQuerySet(PolicyVersionQuerySet):
    """Grading policies in the words of the business."""

    def for_list(self) -> "GradingPolicyQuerySet":
        """All parts of each version, in a constant number of queries."""
        return self.select_related("published_by").prefetch_related(
            models.Prefetch("bands", queryset=PolicyBand.objects.order_by("kind", "-points", "pk")),
            models.Prefetch("line_rules", queryset=PolicyLineRule.objects.select_related("product_line")),
            models.Prefetch(
                "required_margins",
                queryset=RequiredMargin.objects.select_related("product_line").order_by(
                    "product_line__position", "from_year"
                ),
            ),
        )


class GradingPolicy(PolicyVersion):
    """One version of the grading policy. Published versions are never edited: a change is the next version."""

    margin_weight = models.PositiveSmallIntegerField(_("weight of the margin, %"), default=50)
    potential_weight = models.PositiveSmallIntegerField(_("weight of the potential sales, %"), default=50)
    a_from = ScoreField(_("A from"), default=90_0000)
    b_from = ScoreField(_("B from"), default=80_0000)
    c_from = ScoreField(_("C from"), default=70_0000)
    required_margin = RateField(_("required margin where a line has none of its own, %"), default=30_00)
    near_months = models.PositiveSmallIntegerField(_("months of horizon A"), default=3)
    middle_months = models.PositiveSmallIntegerField(_("months of horizon B"), default=6)
    far_months = models.PositiveSmallIntegerField(_("months of horizon C"), default=12)
    lead_days = models.PositiveSmallIntegerField(_("days before the fiscal year when its cycle opens"), default=45)

    objects = GradingPolicyQuerySet.as_manager()  # type: ignore[misc]

    class Meta(PolicyVersion.Meta):
        abstract = False
        verbose_name = _("grading policy")
        verbose_name_plural = _("grading policies")
        constraints = [
            *PolicyVersion.Meta.constraints,
            models.CheckConstraint(
                name="gradingpolicy_weights_sum_to_100", condition=Q(margin_weight=100 - F("potential_weight"))
            ),
            models.CheckConstraint(
                name="gradingpolicy_limits_fall",
                condition=Q(a_from__gt=F("b_from"), b_from__gt=F("c_from"), c_from__gt=0),
            ),
            models.CheckConstraint(
                name="gradingpolicy_horizons_rise",
                condition=Q(near_months__lt=F("middle_months"), middle_months__lt=F("far_months"), near_months__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    def as_rules(self) -> rules.Policy:
        """The version as the pure policy reads it."""
        bands = list(self.bands.all())
        return rules.Policy(
            number=self.number,
            margin=_bands(bands, BandKind.MARGIN),
            potential=_bands(bands, BandKind.POTENTIAL),
            bonus=_bands(bands, BandKind.BONUS),
            margin_weight=self.margin_weight,
            potential_weight=self.potential_weight,
            a_from=self.a_from,
            b_from=self.b_from,
            c_from=self.c_from,
            required_margin=self.required_margin,
            horizon_months=(self.near_months, self.middle_months, self.far_months),
            lines=self._line_rules(),
        )

    def published_rules(self) -> rules.Policy:
        """As `as_rules`; a published version never changes, so each process reads it once."""
        return self.as_rules() if self.published_at is None else rules_of(self.pk)

    def _line_rules(self) -> dict[str, rules.LineRule]:
        margins: dict[str, list[tuple[int, int]]] = {}
        for row in self.required_margins.all():
            margins.setdefault(row.product_line.code, []).append((row.from_year, row.margin))
        own = {row.product_line.code: row for row in self.line_rules.all()}
        return {
            code: rules.LineRule(
                scheme=rules.Scheme(own[code].scheme) if code in own else rules.Scheme.CUSTOMER_VALUE,
                smallest_budget=own[code].smallest_budget if code in own else None,
                required_margins=tuple(sorted(margins.get(code, ()))),
            )
            for code in own.keys() | margins.keys()
        }


_published: dict[int, rules.Policy] = {}  # what this process has read


def rules_of(pk: int) -> rules.Policy:
    """The rules of a version that a record names; a published one is read once per process."""
    if pk not in _published:
        version: GradingPolicy = GradingPolicy.objects.for_list().get(pk=pk)
        if version.published_at is None:
            return version.as_rules()
        _published[pk] = version.as_rules()
    return _published[pk]


class BandKind(models.TextChoices):
    """What a band measures."""

    MARGIN = "margin", _("Margin against the required, pp")
    POTENTIAL = "potential", _("Potential sales in the year")
    BONUS = "bonus", _("Sales of the last two years")


class PolicyBand(models.Model):
    """What a value earns from `floor` on: fen for sales, 1/100 pp for margins; empty is the lowest band."""

    policy = models.ForeignKey(GradingPolicy, models.CASCADE, related_name="bands")
    kind = models.CharField(_("measures"), max_length=10, choices=BandKind)
    floor = models.BigIntegerField(
        _("from"),
        null=True,
        blank=True,
        help_text=_("Fen for sales, hundredths of a point for margins; empty: no lower end."),
    )
    points = models.PositiveSmallIntegerField(_("points, or per cent of the bonus"))

    class Meta:
        verbose_name = _("band")
        verbose_name_plural = _("bands")
        constraints = [
            models.UniqueConstraint(name="band_floor_once_per_kind", fields=["policy", "kind", "floor"]),
            models.UniqueConstraint(
                name="band_one_lowest_per_kind", fields=["policy", "kind"], condition=Q(floor__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.floor}: {self.points}"


class PolicyLineRule(models.Model):
    """Which scheme a product line uses, and its smallest budget."""

    policy = models.ForeignKey(GradingPolicy, models.CASCADE, related_name="line_rules")
    product_line = models.ForeignKey(ProductLine, models.PROTECT, related_name="+", verbose_name=_("product line"))
    scheme = models.CharField(_("scheme"), max_length=16, choices=Scheme, default=Scheme.CUSTOMER_VALUE)
    smallest_budget = FenField(_("smallest budget"), null=True, blank=True)

    class Meta:
        verbose_name = _("rule of a line")
        verbose_name_plural = _("rules of lines")
        constraints = [models.UniqueConstraint(name="line_rule_once_per_policy", fields=["policy", "product_line"])]

    def __str__(self) -> str:
        return f"{self.product_line}"


class RequiredMargin(models.Model):
    """The margin the company requires of a line from a fiscal year on; a later year without its own takes it too."""

    policy = models.ForeignKey(GradingPolicy, models.CASCADE, related_name="required_margins")
    product_line = models.ForeignKey(ProductLine, models.PROTECT, related_name="+", verbose_name=_("product line"))
    from_year = models.SmallIntegerField(_("from fiscal year"))
    margin = RateField(_("required margin, %"))

    class Meta:
        verbose_name = _("required margin")
        verbose_name_plural = _("required margins")
        constraints = [
            models.UniqueConstraint(
                name="required_margin_once_per_year", fields=["policy", "product_line", "from_year"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_line} {self.from_year}"


def _bands(rows: list[PolicyBand], kind: BandKind) -> tuple[rules.Band, ...]:
    return tuple(rules.Band(row.points, row.floor) for row in rows if row.kind == kind)
