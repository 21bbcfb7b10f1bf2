"""The annual grading cycle and its runs."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, When
from django.utils.translation import gettext_lazy as _

from crm.lib.dates import fiscal_year_start
from crm.lib.moments import day_end
from crm.models import Job, ProductLine, Region
from grading.models.policy import GradingPolicy


class CycleState(models.TextChoices):
    """draft → open → published → closed."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    PUBLISHED = "published", _("Published")
    CLOSED = "closed", _("Closed")


IN_FORCE = (CycleState.PUBLISHED, CycleState.CLOSED)


class CycleQuerySet(models.QuerySet):
    """Cycles in the words of the business."""

    def open(self) -> "CycleQuerySet":
        """Cycles whose assessments are being made."""
        return self.filter(state=CycleState.OPEN)

    def visible_grades(self) -> "CycleQuerySet":
        """Cycles whose grades everyone in scope may see."""
        return self.filter(state__in=IN_FORCE)

    def effective(self, today: date) -> "CycleQuerySet":
        """Published cycles whose fiscal year has begun, the latest first: its first one rules the labels."""
        return self.visible_grades().filter(starts_on__lte=today).order_by("-fiscal_year")

    def effective_then(self, day: date) -> "CycleQuerySet":
        """As on a past day: what was published by its end comes before what was published later."""
        is_late = Case(When(published_at__lt=day_end(day), then=0), default=1)
        return self.effective(day).order_by(is_late, "-fiscal_year")


class Cycle(models.Model):
    """The grading of one fiscal year."""

    fiscal_year = models.SmallIntegerField(_("fiscal year"), unique=True)
    starts_on = models.DateField(_("first day of the fiscal year"), editable=False)
    state = models.CharField(_("state"), max_length=10, choices=CycleState, default=CycleState.DRAFT, editable=False)
    opened_at = models.DateTimeField(_("opened at"), null=True, editable=False)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+")
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)

    objects = CycleQuerySet.as_manager()

    class Meta:
        verbose_name = _("grading cycle")
        verbose_name_plural = _("grading cycles")
        constraints = [
            models.CheckConstraint(
                name="cycle_published_has_its_moment", condition=~Q(state__in=IN_FORCE) | Q(published_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.fiscal_year}"

    @classmethod
    def first_day(cls, fiscal_year: int) -> date:
        """The first day of a fiscal year in this company."""
        return fiscal_year_start(fiscal_year, settings.FISCAL_YEAR_START_MONTH)

    @property
    def is_visible(self) -> bool:
        """Whether its grades are seen outside the cycle."""
        return self.state in IN_FORCE


class RunState(models.TextChoices):
    """Where a run stands."""

    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class GradingRun(models.Model):
    """One pass over all customer lines of a fiscal year, under one policy and one grading date."""

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="runs", verbose_name=_("cycle"))
    policy = models.ForeignKey(GradingPolicy, models.PROTECT, related_name="+", verbose_name=_("policy"))
    as_of = models.DateField(_("grading date"))
    product_line = models.ForeignKey(
        ProductLine, models.PROTECT, null=True, related_name="+", verbose_name=_("product line")
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", verbose_name=_("region"))
    publishes = models.BooleanField(_("publishes the cycle at its end"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.RUNNING)
    job = models.OneToOneField(Job, models.PROTECT, related_name="grading_run")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    report = models.JSONField(_("report"), default=dict)

    class Meta:
        verbose_name = _("grading run")
        verbose_name_plural = _("grading runs")

    def __str__(self) -> str:
        return f"{self.cycle} · {self.as_of}"


class ChunkState(models.TextChoices):
    """A chunk is done or it is not: the lease is the row lock of whoever works on it."""

    PENDING = "pending", _("Pending")
    DONE = "done", _("Done")


class RunChunk(models.Model):
    """A range of customer lines that one worker grades in one transaction.

    The lease is the lock on this row: it ends with the worker's transaction, so a killed worker's chunk is free
    at once. `counts` is the chunk's part of the report, counted when it was graded.
    """

    run = models.ForeignKey(GradingRun, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    first_line = models.BigIntegerField()
    last_line = models.BigIntegerField()
    size = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=ChunkState, default=ChunkState.PENDING)
    worker = models.CharField(max_length=100, blank=True)
    written = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="chunk_number_once_per_run", fields=["run", "number"])]

    def __str__(self) -> str:
        return f"{self.run} · {self.number}"
