"""Background work: the row is the truth, a broker's message only a nudge."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class JobState(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ACTIVE_STATES = (JobState.QUEUED, JobState.RUNNING)


class JobQuerySet(models.QuerySet):
    """Jobs in the words of the business."""

    def active(self) -> "JobQuerySet":
        """Jobs that are waiting or under way."""
        return self.filter(state__in=ACTIVE_STATES)

    def silent_since(self, moment: datetime) -> "JobQuerySet":
        """Active jobs from which nothing has been heard since `moment`: nobody may be working on them."""
        return self.active().filter(heartbeat_at__lt=moment)


class Job(models.Model):
    """A piece of background work with its progress."""

    kind = models.SlugField(_("kind"), max_length=40)
    key = models.CharField(_("key"), max_length=100, help_text="What it works on: one active job per kind and key.")
    state = models.CharField(_("state"), max_length=10, choices=JobState, default=JobState.QUEUED)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("total"), default=0)
    created_at = models.DateTimeField(_("created at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    owner = models.CharField(_("worker"), max_length=100, blank=True)
    error = models.TextField(_("error"), blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [
            models.UniqueConstraint(
                name="job_one_active_per_key", fields=["kind", "key"], condition=Q(state__in=ACTIVE_STATES)
            ),
            models.CheckConstraint(
                name="job_finished_has_its_moment",
                condition=Q(state__in=ACTIVE_STATES, finished_at=None)
                | (~Q(state__in=ACTIVE_STATES) & Q(finished_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def is_active(self) -> bool:
        """Whether it is waiting or under way."""
        return self.state in ACTIVE_STATES

    def rate(self, now: datetime) -> float | None:
        """Rows per second since it started; None before there is anything to measure."""
        elapsed = ((self.finished_at or now) - self.started_at).total_seconds() if self.started_at else 0
        return self.done / elapsed if elapsed > 0 and self.done else None

    def time_left(self, now: datetime) -> timedelta | None:
        """How long it will go on at the present rate; None where nobody can say."""
        rate = self.rate(now)
        return timedelta(seconds=round((self.total - self.done) / rate)) if rate and self.is_active else None
