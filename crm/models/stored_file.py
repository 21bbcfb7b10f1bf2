"""A file that someone sent or fetches: kept in the database, where every machine finds it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.user import User


class StoredFileQuerySet(models.QuerySet):
    """Files in the words of the business."""

    def visible_to(self, user: User) -> "StoredFileQuerySet":
        """One's own files: what stands in them was within the scope of that person alone."""
        return self.filter(by=user)


class StoredFile(models.Model):
    """An uploaded table, or one that a job has written. Its content is read only when it is asked for."""

    name = models.CharField(_("file name"), max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    content = models.BinaryField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")

    def __str__(self) -> str:
        return self.name
