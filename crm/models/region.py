"""Regions with their branch offices, and the departments of head office."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.named import Named

if TYPE_CHECKING:
    from crm.models.user import User


class RegionQuerySet(models.QuerySet):
    """Regions in the words of the business."""

    def visible_to(self, user: "User") -> "RegionQuerySet":
        """The regions whose customers a person may see, or his own; nothing for an administrator's business eyes."""
        if user.sees_all_regions or user.is_administrator:
            return self
        return self.filter(pk__in={user.region_id, *user.reach.regions} - {None})


class Region(Named):
    """A region 大区: it keeps its customers' grades current and reports each month."""

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")


class BranchQuerySet(models.QuerySet):
    """Branch offices in the words of the business."""

    def visible_to(self, user: "User") -> "BranchQuerySet":
        """The branch offices of the regions a person may see."""
        return self.filter(region__in=Region.objects.visible_to(user))


class Branch(Named):
    """A branch office 分公司 of a region."""

    region = models.ForeignKey(Region, models.PROTECT, related_name="branches", verbose_name=_("region"))

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = _("branch office")
        verbose_name_plural = _("branch offices")


class Department(Named):
    """A department of head office; three of them are the marketing centre 营销中心."""

    is_marketing_centre = models.BooleanField(_("part of the marketing centre"), default=False)

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
