"""What was exported: the log, and where a file was made in the background, the way to it."""

from django.conf import settings
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crm.models.job import Job
from crm.models.stored_file import StoredFile
from crm.models.user import Role, User

# They read the log of every export; the files are their makers' alone (tests hold this to VIEW_AUDIT).
AUDITORS = frozenset({Role.ADMINISTRATOR, Role.SALES_MANAGEMENT})


class ExportFormat(models.TextChoices):
    """What kind of file."""

    XLSX = "xlsx", _("Excel (xlsx)")
    CSV = "csv", "CSV"


class ExportQuerySet(models.QuerySet):
    """Exports in the words of the business."""

    def visible_to(self, user: User) -> "ExportQuerySet":
        """One's own; auditors read of everyone's that they were made."""
        return self if user.role in AUDITORS else self.filter(by=user)

    def of(self, user: User) -> "ExportQuerySet":
        """One's own: nobody else comes to the file."""
        return self.filter(by=user)

    def in_background(self) -> "ExportQuerySet":
        """Those that a job makes or made."""
        return self.filter(job__isnull=False)

    def ready(self) -> "ExportQuerySet":
        """Those whose file is there and has not been fetched yet."""
        return self.filter(file__isnull=False, fetched_at=None)


class Export(models.Model):
    """A list that somebody took along: which, narrowed how, with which columns, how many rows, when."""

    list_name = models.SlugField(_("list"), max_length=40)
    filters = models.TextField(_("filters"), blank=True, help_text=_("As they stand in the list's address."))
    columns = models.TextField(_("columns"), blank=True)
    format = models.CharField(_("format"), max_length=4, choices=ExportFormat)
    language = models.CharField(_("language"), max_length=10)
    rows = models.PositiveIntegerField(_("rows"), null=True)
    scope = models.CharField(
        max_length=100, blank=True, help_text=_("What the maker saw then: the file is his while he sees the same.")
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("exported by"))
    at = models.DateTimeField(_("exported at"))
    job = models.OneToOneField(Job, models.PROTECT, null=True, related_name="+", verbose_name=_("job"))
    file = models.OneToOneField(StoredFile, models.SET_NULL, null=True, related_name="+", verbose_name=_("file"))
    refusal = models.TextField(_("why there is no file"), blank=True)
    fetched_at = models.DateTimeField(_("fetched at"), null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [models.Index(fields=["by", "-at"], name="export_of_whom")]

    def __str__(self) -> str:
        return f"{self.list_name}.{self.format}"

    @property
    def params(self) -> QueryDict:
        """The list's address again, with the columns."""
        params = QueryDict(self.filters, mutable=True)
        if self.columns:
            params["columns"] = self.columns
        return params
