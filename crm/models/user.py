"""People: who they are, what they are and where."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone
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
# Who may lead customer lines: the roles that serve customers and keep their assessments.
LEADING = frozenset(
    {
        Role.REGIONAL_GM,
        Role.BRANCH_GM,
        Role.SENIOR_SALES_MANAGER,
        Role.ACCOUNT_MANAGER,
        Role.SALES_MANAGER,
    }
)


@dataclass(frozen=True)
class Reach:
    """What a scope is made of: whole regions, branch offices, and people whose memberships count."""

    regions: tuple[int, ...] = ()
    branches: tuple[int, ...] = ()
    people: tuple[int, ...] = ()

    @property
    def is_one_region(self) -> bool:
        """Whether it is one whole region and nothing besides: the plain case, found by an index."""
        return len(self.regions) == 1 and not self.branches and not self.people

    def __or__(self, other: "Reach") -> "Reach":
        return Reach(
            tuple(sorted({*self.regions, *other.regions})),
            tuple(sorted({*self.branches, *other.branches})),
            tuple(sorted({*self.people, *other.people})),
        )


class UserQuerySet(models.QuerySet):
    """People in the words of the business."""

    def visible_to(self, user: "User") -> "UserQuerySet":
        """Head office and administrators see everyone; others see head office and their own region."""
        if user.sees_all_regions or user.is_administrator:
            return self
        return self.filter(Q(region=None) | Q(region_id=user.region_id))

    def who_may_lead(self, region: int | None = None, *, besides: int | None = None) -> "UserQuerySet":
        """Who may lead customers, of one region where it is named; `besides` is who leads them now."""
        fitting = Q(is_active=True, role__in=LEADING)
        if region is not None:
            fitting &= Q(region=region)
        return self.filter(fitting | Q(pk=besides))


def people_seen_by(user: "User", path: str) -> models.Prefetch:
    """Who is named at `path`, as far as the reader knows of that person; anybody else shows as nobody."""
    return models.Prefetch(path, queryset=User.objects.visible_to(user))


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

    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    session_version = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Part of what a session must know: one more, and every session of the person has ended.",
    )
    delegated_until = models.DateField(
        null=True,
        editable=False,
        help_text="The last day of what is delegated to the person; after it nobody looks for delegations.",
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

    def get_session_auth_hash(self) -> str:
        """What a session must know: it ends with the password, and with `session_version`."""
        return self._with_session_version(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under former secret keys."""
        return map(self._with_session_version, super().get_session_auth_fallback_hash())

    def _with_session_version(self, known: str) -> str:
        return f"{known}.{self.session_version}"

    def exists_for(self, reader: "User") -> bool:
        """As `visible_to`, for somebody who has been read already: a page's line says who without asking again."""
        sees_everyone = reader.sees_all_regions or reader.is_administrator
        return sees_everyone or self.region_id is None or self.region_id == reader.region_id

    @property
    def sees_all_regions(self) -> bool:
        """Whether every region's records exist for this person."""
        return self.role in ALL_REGIONS

    @property
    def sees_whole_region(self) -> bool:
        """Whether all of one region's records exist for this person."""
        return self.role in WHOLE_REGION

    @property
    def writes_all_he_sees(self) -> bool:
        """Whether this person may change every customer line that exists for him, and not only his own."""
        return self.sees_all_regions or self.reach.is_one_region

    @property
    def is_administrator(self) -> bool:
        """Whether this person keeps the system and takes no business decisions."""
        return self.role == Role.ADMINISTRATOR

    @cached_property
    def delegators(self) -> tuple["User", ...]:
        """Who has delegated customer lines to this person for today; most people know without asking the database."""
        today = timezone.localdate()
        if self.is_administrator or self.delegated_until is None or self.delegated_until < today:
            return ()
        received = self.delegations_received.in_force(today).select_related("giver").order_by("giver")
        return tuple(dict.fromkeys(delegation.giver for delegation in received))

    @property
    def own_reach(self) -> Reach:
        """What is this person's by role and place, and what he can delegate: seeing everything stays with its role."""
        if self.is_administrator:
            return Reach()
        if self.sees_whole_region and self.region_id is not None:
            return Reach(regions=(self.region_id,))
        has_branch = self.role == Role.BRANCH_GM and self.branch_id is not None
        return Reach(branches=(self.branch_id,) if has_branch and self.branch_id else (), people=(self.pk,))

    @property
    def reach(self) -> Reach:
        """His own reach and what is delegated to him today; never what was delegated to those who delegate."""
        reach = self.own_reach
        for delegator in self.delegators:
            reach |= delegator.own_reach
        return reach
