"""People: who they are, what they are and where."""

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.fields import LineField
from crm.models.region import Branch, Department, Region


class Role(models.TextChoices):
    """The roles of DOMAIN §1 and §9; what each may do stands in crm.permissions.ROLES."""

    EXECUTIVE = "executive", _("Executive")
    SALES_MANAGEMENT = "sales_management", _("Sales management")
    TECH_SERVICE = "tech_service", _("Technical service")
    MARKETING = "marketing", _("Marketing")
    SERVICE = "service", _("Service department")
    REGIONAL_GM = "regional_gm", _("Regional general manager")
    REGIONAL_STAFF = "regional_staff", _("Regional staff")
    BRANCH_GM = "branch_gm", _("Branch general manager")
    SENIOR_SALES_MANAGER = "senior_sales_manager", _("Senior sales manager")
    ACCOUNT_MANAGER = "account_manager", _("Account manager")
    SALES_MANAGER = "sales_manager", _("Sales manager")
    ACCOUNT_DIRECTOR = "account_director", _("Account director")
    DIRECTOR = "director", _("Director")
    CONSULTANT = "consultant", _("Consultant")
    IMPLEMENTATION_MANAGER = "implementation_manager", _("Implementation manager")
    ADMINISTRATOR = "administrator", _("Administrator")


ALL_REGIONS = frozenset({Role.EXECUTIVE, Role.SALES_MANAGEMENT, Role.TECH_SERVICE, Role.MARKETING, Role.SERVICE})
WHOLE_REGION = frozenset({Role.REGIONAL_GM, Role.REGIONAL_STAFF})

OF_A_REGION = WHOLE_REGION | {Role.SENIOR_SALES_MANAGER, Role.ACCOUNT_MANAGER, Role.SALES_MANAGER}


class UserQuerySet(models.QuerySet):
    """People in the words of the business."""

    def visible_to(self, user: "User") -> "UserQuerySet":
        """Head office and administrators see everyone; others see head office and their own region."""
        if user.sees_all_regions or user.is_administrator:
            return self
        return self.filter(Q(region=None) | Q(region_id=user.region_id))


class PeopleManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes and finds people."""

    use_in_migrations = False


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """A person who works with Hengke."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = LineField(_("name"), max_length=60, blank=True)
    role = models.CharField(_("role"), max_length=30, choices=Role)
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, verbose_name=_("region"))
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, verbose_name=_("branch office"))
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True, verbose_name=_("department"))
    guided_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="guided", verbose_name=_("guided by")
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        choices=[("", _("as the browser")), ("zh-hans", "简体中文"), ("en", "English")],
    )

    objects = PeopleManager()  # type: ignore[misc]
    REQUIRED_FIELDS = ["role"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(
                name="user_regional_role_has_region",
                condition=~Q(role__in=sorted(role.value for role in OF_A_REGION)) | Q(region__isnull=False),
            ),
            models.CheckConstraint(
                name="user_branch_gm_has_branch", condition=~Q(role=Role.BRANCH_GM.value) | Q(branch__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)

    @property
    def sees_all_regions(self) -> bool:
        """Whether every region's records exist for this person."""
        return self.role in ALL_REGIONS

    @property
    def sees_whole_region(self) -> bool:
        """Whether all of one region's records exist for this person."""
        return self.role in WHOLE_REGION

    @property
    def is_administrator(self) -> bool:
        """Whether this person keeps the system and takes no business decisions."""
        return self.role == Role.ADMINISTRATOR
