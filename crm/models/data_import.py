"""A file that somebody imports: what it is taken for, what checking it found, and what it changed."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.job import Job
from crm.models.stored_file import StoredFile
from crm.models.user import Role, User


class ImportMode(models.TextChoices):
    """Which rows are wanted."""

    CREATE = "create", _("only new records")
    UPDATE = "update", _("only records that are there")
    BOTH = "both", _("new records and those that are there")


class ImportState(models.TextChoices):
    """Where an import stands."""

    UPLOADED = "uploaded", _("Uploaded")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    IMPORTING = "importing", _("Being imported")
    DONE = "done", _("Imported")
    FAILED = "failed", _("Failed")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")
    CANCELLED = "cancelled", _("Cancelled")


# What of the file was accepted has been applied, and is there until it has been undone.
APPLIED_STATES = (ImportState.DONE, ImportState.UNDOING, ImportState.UNDONE)
# What may still be set up, checked and started: nothing of the file has been applied.
OPEN_STATES = (ImportState.UPLOADED, ImportState.CHECKED, ImportState.FAILED)


class DataImportQuerySet(models.QuerySet):
    """Imports in the words of the business."""

    def visible_to(self, user: User) -> "DataImportQuerySet":
        """One's own; sales management, who keeps every region's data and every person, sees all."""
        return self if user.role == Role.SALES_MANAGEMENT else self.filter(by=user)

    def like(self, *, kind: str, shape: str, user: User) -> "DataImportQuerySet":
        """Set-up imports of files with these headers, the latest first: their mapping will fit again.

        Those of people whom the person knows; what he may take over of one says `mapping_for`.
        """
        known = self.filter(kind=kind, shape=shape, by__in=User.objects.visible_to(user))
        return known.exclude(mapping={}).select_related("by").order_by("-pk")


class DataImport(models.Model):
    """One file on its way in. The job that applies it acts for `by`, with what that person may do by then."""

    kind = models.SlugField(_("kind"), max_length=40)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("file"))
    sheet = models.CharField(_("sheet"), max_length=100, blank=True)
    header_row = models.PositiveIntegerField(_("row of the headers"), default=1)
    mode = models.CharField(_("rows wanted"), max_length=10, choices=ImportMode, default=ImportMode.BOTH)
    is_strict = models.BooleanField(_("nothing if any row is rejected"), default=False)
    mapping = models.JSONField(default=dict, blank=True)
    shape = models.CharField(max_length=64, blank=True, help_text="A hash of the headers.")
    state = models.CharField(_("state"), max_length=10, choices=ImportState, default=ImportState.UPLOADED)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+", verbose_name=_("job"))
    report = models.JSONField(default=dict, blank=True)
    rejected_file = models.ForeignKey(
        StoredFile, models.PROTECT, null=True, related_name="+", verbose_name=_("rejected rows")
    )
    batch = models.UUIDField(null=True, help_text="The number that its changes share in the change log.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("imported by"))
    language = models.CharField(max_length=10, blank=True, help_text="In which its reasons are written.")
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    undo_batch = models.UUIDField(null=True, help_text="The number that the changes of its undo share.")
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("undone by")
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects = DataImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [
            models.Index(fields=["kind", "shape", "-id"], name="import_kind_shape"),
            models.Index(fields=["by", "-id"], name="import_by"),
        ]
        constraints = [
            models.CheckConstraint(
                name="import_applied_has_its_batch",
                condition=~Q(state__in=APPLIED_STATES) | Q(batch__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.file.name}"

    def mapping_for(self, user: User) -> dict[str, Any]:
        """The mapping; of an import that does not exist for the person only which column is which.

        Words, constants and the rows that were wanted are what somebody else typed of his own records.
        """
        mapping: dict[str, Any] = self.mapping
        if self.by_id == user.pk or user.role == Role.SALES_MANAGEMENT:
            return mapping
        columns = mapping.get("columns", {})
        plain = {name: _without_words(said) for name, said in columns.items()}
        return {"kind": self.kind, "columns": {name: said for name, said in plain.items() if said}}

    @property
    def is_open(self) -> bool:
        """Whether it may still be set up, checked and started."""
        return self.state in OPEN_STATES


def _without_words(said: str | dict[str, str]) -> str | dict[str, str]:
    """Where a column comes from and how its figures are read."""
    return said if isinstance(said, str) else {name: said[name] for name in ("header", "factor") if name in said}
