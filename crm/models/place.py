"""Where people and branch offices belonged, and since when."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from crm.models.region import Branch, Region
from crm.models.user import User


class PersonPlaceQuerySet(models.QuerySet):
    """Places of people in the words of the business."""

    def visible_to(self, user: User) -> "PersonPlaceQuerySet":
        """Of the people who exist for a person, the places that do too."""
        regions = Region.objects.visible_to(user)
        return self.filter(Q(region=None) | Q(region__in=regions), person__in=User.objects.visible_to(user))


class PersonPlace(models.Model):
    """Since when a person is in a region and branch office, or in none."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="places", db_index=False)
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+")
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="+")
    from_on = models.DateField(_("from"))

    objects = PersonPlaceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="person_place_one_a_day", fields=["person", "from_on"])]

    def __str__(self) -> str:
        return f"{self.person} · {self.region} · {self.from_on}"


class BranchRegionQuerySet(models.QuerySet):
    """Regions of branch offices in the words of the business."""

    def visible_to(self, user: User) -> "BranchRegionQuerySet":
        """Those of the branch offices that exist for a person."""
        return self.filter(branch__in=Branch.objects.visible_to(user))

    def to_come(self, today: date) -> "BranchRegionQuerySet":
        """Moves that are planned."""
        return self.filter(from_on__gt=today)

    def due(self, today: date) -> "BranchRegionQuerySet":
        """The latest row of each branch office whose day has come, where the office is not in that region yet."""
        begun = BranchRegion.objects.filter(branch=OuterRef("branch"), from_on__lte=today).order_by("-from_on")
        latest = self.filter(pk=Subquery(begun.values("pk")[:1]))
        return latest.exclude(branch__region=F("region")).order_by("from_on", "pk")


class BranchRegion(models.Model):
    """Since when, or from which day on, a branch office belongs to a region."""

    branch = models.ForeignKey(
        Branch, models.PROTECT, related_name="regions", verbose_name=_("branch office"), db_index=False
    )
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("region"))
    from_on = models.DateField(_("from"))

    objects = BranchRegionQuerySet.as_manager()

    class Meta:
        verbose_name = _("move of a branch office")
        verbose_name_plural = _("moves of branch offices")
        constraints = [models.UniqueConstraint(name="branch_region_one_a_day", fields=["branch", "from_on"])]

    def __str__(self) -> str:
        return f"{self.branch} · {self.region} · {self.from_on}"
