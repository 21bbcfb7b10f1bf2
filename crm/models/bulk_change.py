"""One field of many records changed at once: what was chosen, what was shown before, what came of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.job import Job
from crm.models.user import User


class BulkState(models.TextChoices):
    """Where a bulk change stands."""

    CHOSEN = "chosen", _("Selected")
    SHOWN = "shown", _("To be confirmed")
    CHANGING = "changing", _("Being changed")
    DONE = "done", _("Carried out")
    FAILED = "failed", _("Failed")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")
    CANCELLED = "cancelled", _("Cancelled")


# What was confirmed has been applied, and is there until it has been undone.
BULK_APPLIED = (BulkState.DONE, BulkState.UNDOING, BulkState.UNDONE)
# What may still be set up and confirmed: nothing has been changed.
BULK_OPEN = (BulkState.CHOSEN, BulkState.SHOWN, BulkState.FAILED)


class BulkChangeQuerySet(models.QuerySet):
    """Bulk changes in the words of the business."""

    def visible_to(self, user: User) -> "BulkChangeQuerySet":
        """One's own and nobody else's."""
        return self.filter(by=user)


class BulkChange(models.Model):
    """Records of a list and what one field of them is to become. The job acts for `by`, as that person may by then."""

    kind = models.SlugField(_("list"), max_length=40)
    query = models.TextField(blank=True, help_text="The address of the list from which the rows were chosen.")
    chosen = models.JSONField(help_text="Number and version of each record, as the confirmation showed it.")
    size = models.PositiveIntegerField(_("rows"))
    field = models.SlugField(_("field"), max_length=40, blank=True)
    value = models.JSONField(_("new value"), null=True)
    version = models.PositiveIntegerField(default=0, help_text="Counts how often it was set up.")
    state = models.CharField(_("state"), max_length=10, choices=BulkState, default=BulkState.CHOSEN)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+", verbose_name=_("job"))
    report = models.JSONField(default=dict)
    batch = models.UUIDField(null=True, help_text="The number that its changes share in the change log.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    language = models.CharField(max_length=10, blank=True, help_text="In which its reasons are written.")
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    undo_batch = models.UUIDField(null=True, help_text="The number that the changes of its undo share.")
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects = BulkChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")
        indexes = [models.Index(fields=["by", "-id"], name="bulk_change_by")]
        constraints = [
            models.CheckConstraint(
                name="bulk_change_applied_has_its_batch",
                condition=~Q(state__in=BULK_APPLIED) | Q(batch__isnull=False),
            ),
            models.CheckConstraint(
                name="bulk_change_shown_names_its_field",
                condition=~Q(state=BulkState.SHOWN) | ~Q(field=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.field} · {self.size}"

    @property
    def is_open(self) -> bool:
        """Whether it may still be set up and confirmed."""
        return self.state in BULK_OPEN
