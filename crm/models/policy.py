"""What all policies share: they are data, numbered, and never edited once published."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PolicyState(models.TextChoices):
    """A draft may be edited and simulated; a published version never changes."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")


class PolicyVersionQuerySet(models.QuerySet):
    """Policy versions in the words of the business."""

    def published(self) -> Self:
        """Those that have ever been in force."""
        return self.filter(state=PolicyState.PUBLISHED)

    def current(self) -> Any:
        """The version in force: the one published last. Raises DoesNotExist where none is."""
        return self.published().order_by("published_at", "number").reverse()[:1].get()


class PolicyVersion(models.Model):
    """The abstract version of a policy."""

    number = models.PositiveIntegerField(_("version"), unique=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=PolicyState, default=PolicyState.DRAFT, editable=False)
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("published by"),
    )

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_published_has_its_moment",
                condition=Q(state=PolicyState.DRAFT, published_at=None)
                | Q(state=PolicyState.PUBLISHED, published_at__isnull=False),
            )
        ]
