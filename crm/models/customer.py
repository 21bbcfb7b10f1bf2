"""Customers, where they belonged since when, and their product lines."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import connections, models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models.division import Division
from crm.models.fields import LineField, ProseField
from crm.models.region import Branch, Region
from crm.models.user import Reach, User, people_seen_by


class CustomerKind(models.TextChoices):
    """Only customers are graded; the others influence but do not buy."""

    CUSTOMER = "customer", _("Customer")
    AGENT = "agent", _("Agent")
    GOVERNMENT_RELATION = "government_relation", _("Government relation")


FAMILY_DEPTH = 3  # generations below a customer that its page shows
_HIGHEST = 20  # above it: ends the way up even where rows stand in a circle
_STEPS = """
    WITH RECURSIVE above(id, depth) AS (
        SELECT parent_id, 1 FROM crm_customer WHERE id = %s UNION ALL
        SELECT c.parent_id, depth + 1 FROM crm_customer c JOIN above ON c.id = above.id WHERE depth < %s
    ), below(id, depth) AS (
        SELECT id, 1 FROM crm_customer WHERE parent_id = %s UNION ALL
        SELECT c.id, depth + 1 FROM crm_customer c JOIN below ON c.parent_id = below.id WHERE depth < %s
    ) SELECT id FROM above WHERE id IS NOT NULL
"""
_FAMILY = f"{_STEPS} UNION SELECT id FROM below"


class CustomerQuerySet(models.QuerySet):
    """Customers in the words of the business."""

    def visible_to(self, user: User) -> "CustomerQuerySet":
        """The customers that exist for a person (DOMAIN §9). Every fetch goes through here."""
        alive = self.filter(deleted_at=None)
        if user.sees_all_regions:
            return alive
        if user.is_administrator:
            return alive.none()
        reach = user.reach
        if reach.is_one_region:
            return alive.filter(region_id=reach.regions[0])
        members = LineMember.objects.current().of_people(reach.people)
        return alive.filter(Q(pk__in=members.values("line__customer")) | _places_of(reach))

    def family_of(self, customer: "Customer") -> "CustomerQuerySet":
        """Those above a customer, and those below it as far down as FAMILY_DEPTH; `is_above` tells them apart."""
        steps = [customer.pk, _HIGHEST, customer.pk, FAMILY_DEPTH]
        if connections[self.db].vendor == "postgresql":  # an array it takes for short, a list for long
            is_one: Any = RawSQL(f"crm_customer.id = ANY(ARRAY({_FAMILY}))", steps, models.BooleanField())
        else:
            is_one = Q(pk__in=RawSQL(_FAMILY, steps))
        is_above = RawSQL(f"crm_customer.id IN ({_STEPS})", steps, models.BooleanField())
        return self.filter(is_one).annotate(is_above=is_above)

    def search(self, text: str) -> "CustomerQuerySet":
        """Those whose name, short name, pinyin, initials or code contain every word of `text`."""
        found = self
        for word in text.lower().split():
            found = found.filter(search_text__contains=word)
        return found

    def for_list(self) -> "CustomerQuerySet":
        """What one row of a list shows, in a constant number of queries."""
        return self._with_lines("product_line")

    def for_page(self) -> "CustomerQuerySet":
        """The same for a customer's page, with its lines' leads (ask `exists_for`) and whether others went into it."""
        merged = self.model._default_manager.filter(merged_into=models.OuterRef("pk"))
        return self._with_lines("product_line", "lead").annotate(is_survivor=models.Exists(merged))

    def _with_lines(self, *joined: str) -> "CustomerQuerySet":
        lines = CustomerLine.objects.filter(is_active=True).select_related(*joined)
        return self.select_related("region", "branch", "division").prefetch_related(
            models.Prefetch("lines", queryset=lines.order_by("product_line__position"), to_attr="active_lines")
        )

    def for_file(self) -> "CustomerQuerySet":
        """The same for thousands of rows: the few regions and product lines that they share are made once a chunk."""
        lines = CustomerLine.objects.filter(is_active=True).prefetch_related("product_line")
        found = models.Prefetch("lines", queryset=lines.order_by("product_line__position"), to_attr="active_lines")
        plain = self.select_related(None).prefetch_related(None).defer("pinyin", "search_text", "note")
        return plain.prefetch_related("region", "branch", "division", found)

    def with_leads(self, user: User) -> "CustomerQuerySet":
        """Of the lines of a list or file also who leads them, as far as the reader knows of that person."""
        return self.prefetch_related(people_seen_by(user, "active_lines__lead"))


class Customer(models.Model):
    """A customer 客户: the final user that can bring a deal directly; or one who influences and never buys."""

    code = LineField(_("code"), max_length=40)
    name = LineField(_("name"), max_length=200)
    short_name = LineField(_("short name"), max_length=60, blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=CustomerKind, default=CustomerKind.CUSTOMER)
    credit_code = LineField(_("credit code"), max_length=18, blank=True)
    industry = LineField(_("industry"), max_length=60, blank=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )
    region = models.ForeignKey(
        Region, models.PROTECT, related_name="customers", verbose_name=_("region"), db_index=False
    )
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, verbose_name=_("branch office"))
    division = models.ForeignKey(Division, models.PROTECT, null=True, blank=True, verbose_name=_("division"))
    address = LineField(_("address"), max_length=200, blank=True)
    website = LineField(_("website"), max_length=200, blank=True)
    note = ProseField(_("note"), blank=True)
    pinyin = models.CharField(max_length=600, editable=False, db_index=True)
    search_text = models.TextField(editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, editable=False)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="merged", verbose_name=_("merged into")
    )

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            models.Index(fields=["region", "pinyin"], name="customer_region_pinyin"),
            # A list counts to ten thousand on this small index alone.
            models.Index(fields=["region"], name="customer_alive_in_region", condition=Q(deleted_at__isnull=True)),
            # Who else has a credit code, in whatever region: the queue of conflicts.
            models.Index(
                fields=["credit_code"],
                name="customer_credit_code_alive",
                condition=Q(deleted_at__isnull=True) & ~Q(credit_code=""),
            ),
            # The few that are never graded: a run looks them up instead of reading all customers.
            models.Index(
                fields=["id"],
                name="customer_never_graded",
                condition=Q(deleted_at__isnull=False) | ~Q(kind=CustomerKind.CUSTOMER),
            ),
        ]
        constraints = [
            # Within the region and never company-wide: "already used" must not tell one region of another's customers
            # (docs/adr/0012). By code first, since customers are looked up by it alone as well.
            models.UniqueConstraint(
                name="customer_code_unique_in_region",
                fields=["code", "region"],
                condition=Q(deleted_at=None),
                violation_error_message=_("Another customer of the region has this code."),
            ),
            models.UniqueConstraint(
                name="customer_credit_code_unique_in_region",
                fields=["region", "credit_code"],
                condition=Q(deleted_at=None) & ~Q(credit_code=""),
                violation_error_message=_("Another customer of the region has this credit code."),
            ),
            models.CheckConstraint(name="customer_is_not_its_own_parent", condition=~Q(parent=F("id"))),
            models.CheckConstraint(
                name="customer_merged_is_deleted",
                condition=Q(merged_into=None) | (Q(deleted_at__isnull=False) & ~Q(merged_into=F("id"))),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CustomerRegion(models.Model):
    """Since when a customer belongs to a region; past figures stay with the region of then."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="regions", db_index=False)
    region = models.ForeignKey(Region, models.PROTECT)
    from_on = models.DateField(_("from"))

    class Meta:
        constraints = [models.UniqueConstraint(name="customer_region_one_a_day", fields=["customer", "from_on"])]

    def __str__(self) -> str:
        return f"{self.customer} · {self.region} · {self.from_on}"


def of_customers_visible_to(user: User, path: str = "customer") -> Q:
    """The scope of what leads to customers by `path`: it joins what a list joins anyway."""
    if user.sees_all_regions:
        return Q(**{f"{path}__deleted_at": None})
    reach = user.reach
    if reach.is_one_region:
        return Q(**{f"{path}__deleted_at": None, f"{path}__region_id": reach.regions[0]})
    return Q(**{f"{path}__in": Customer.objects.visible_to(user)})


class GradeLetter(models.TextChoices):
    """The grades; a label that every app may read and only grading.actions writes."""

    A = "A", "A"
    B = "B", "B"
    C = "C", "C"
    D = "D", "D"


class GradeState(models.TextChoices):
    """Whether a customer line could be graded; the page's and the API's word for it."""

    GRADED = "graded", _("Graded")
    NOT_GRADABLE = "not_gradable", _("Not gradable")
    NOT_ASSESSED = "not_assessed", _("Not assessed")


def _places_of(reach: Reach, path: str = "") -> Q:
    """The regions and branch offices of a reach, for customers or for what leads to them by `path`."""
    places = Q()
    if reach.branches:
        places |= Q(**{f"{path}branch_id__in": reach.branches})
    if reach.regions:
        places |= Q(**{f"{path}region_id__in": reach.regions})
    return places


class CustomerLineQuerySet(models.QuerySet):
    """Customer lines in the words of the business."""

    def visible_to(self, user: User) -> "CustomerLineQuerySet":
        """Who sees a customer sees all its lines."""
        return self.filter(of_customers_visible_to(user))

    def writable_by(self, user: User) -> "CustomerLineQuerySet":
        """The lines a person may change: all of the region for its staff, else only those he is a member of."""
        if user.writes_all_he_sees:
            return self.visible_to(user)
        reach = user.reach
        members = LineMember.objects.current().of_people(reach.people)
        return self.visible_to(user).filter(Q(pk__in=members.values("line")) | _places_of(reach, "customer__"))

    def led_by(self, person: User) -> "CustomerLineQuerySet":
        """Those that a person leads, whether active or not."""
        return self.filter(lead=person, customer__deleted_at=None)

    def led_from_elsewhere(self) -> "CustomerLineQuerySet":
        """Those whose lead belongs to another region than the customer; head office belongs everywhere."""
        led = self.filter(customer__deleted_at=None, lead__region__isnull=False)
        return led.exclude(lead__region=F("customer__region"))

    def gradable(self) -> "CustomerLineQuerySet":
        """Active lines of customers that buy; agents and government relations are never graded."""
        return self.filter(is_active=True, customer__deleted_at=None, customer__kind=CustomerKind.CUSTOMER)

    def for_list(self) -> "CustomerLineQuerySet":
        """What one row of a list shows, in a constant number of queries."""
        return self.select_related("customer__region", "product_line", "lead")


class CustomerLine(models.Model):
    """A customer in a product line, with the labels that every app may read. Deciding them is higher apps' work."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="lines", verbose_name=_("customer"))
    product_line = models.ForeignKey(
        "crm.ProductLine", models.PROTECT, related_name="+", verbose_name=_("product line")
    )
    is_active = models.BooleanField(_("active"), default=True)
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lead")
    )
    # labels written by grading.actions only
    state = models.CharField(
        _("state"), max_length=12, choices=GradeState, default=GradeState.NOT_ASSESSED, editable=False
    )
    grade = models.CharField(_("grade"), max_length=1, choices=GradeLetter, null=True, editable=False)  # noqa: DJ001
    score = models.IntegerField(_("score"), null=True, editable=False)
    fiscal_year = models.SmallIntegerField(_("fiscal year"), null=True, editable=False)
    expected_close_on = models.DateField(_("expected close"), null=True, editable=False)
    potential_sales = models.BigIntegerField(_("potential sales"), null=True, editable=False)
    last_contact_on = models.DateField(_("last contact"), null=True, editable=False)
    labels_transaction = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="The transaction that moved the labels last."
    )
    facts_changed_at = models.DateTimeField(null=True, editable=False)

    objects = CustomerLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer line")
        verbose_name_plural = _("customer lines")
        indexes = [
            models.Index(fields=["product_line", "state", "grade"], name="line_product_state_grade"),
            models.Index(
                fields=["facts_changed_at"], name="line_facts_changed", condition=Q(facts_changed_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="line_once_per_customer", fields=["customer", "product_line"]),
            models.CheckConstraint(
                name="line_grade_and_score_only_when_graded",
                condition=Q(state=GradeState.GRADED, grade__isnull=False)
                | Q(~Q(state=GradeState.GRADED), grade__isnull=True, score__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.product_line}"


class LineMemberQuerySet(models.QuerySet):
    """Memberships in the words of the business."""

    def current(self) -> "LineMemberQuerySet":
        """Memberships that have begun and not ended; `until_on` is the first day without."""
        return self.not_over().filter(from_on__lte=timezone.localdate())

    def not_over(self) -> "LineMemberQuerySet":
        """Memberships that have not ended, and those to come; one that ended before it began never comes."""
        goes_on = Q(until_on__gt=timezone.localdate()) & Q(until_on__gt=F("from_on"))
        return self.filter(Q(until_on=None) | goes_on)

    def from_elsewhere(self) -> "LineMemberQuerySet":
        """Memberships of people who belong to another region than the customer; head office belongs everywhere."""
        known = self.filter(line__customer__deleted_at=None, user__region__isnull=False)
        return known.exclude(user__region=F("line__customer__region"))

    def of_person(self, person: User) -> "LineMemberQuerySet":
        """A person's own memberships, and nobody else's."""
        return self.filter(user=person, line__customer__deleted_at=None)

    def dated_ahead(self) -> "LineMemberQuerySet":
        """Memberships that the calendar will begin or end."""
        today = timezone.localdate()
        return self.filter(Q(from_on__gt=today) | Q(until_on__gt=today))

    def of(self, user: User) -> "LineMemberQuerySet":
        """A person's own memberships, those of the people he guides, and those delegated to him today."""
        return self.of_people((user.pk, *user.reach.people))

    def of_people(self, people: Iterable[int]) -> "LineMemberQuerySet":
        """The memberships of people and of those whom they guide."""
        ids = sorted(set(people))
        return self.filter(Q(user__in=ids) | Q(user__guided_by__in=ids))

    def visible_to(self, user: User) -> "LineMemberQuerySet":
        """Who sees a customer line sees who else does, and why."""
        return self.filter(of_customers_visible_to(user, "line__customer"))


class LineMember(models.Model):
    """Who may see a customer line besides its region, and why: a label written by the actions that decide it."""

    line = models.ForeignKey(CustomerLine, models.PROTECT, related_name="members", verbose_name=_("customer line"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="line_memberships", verbose_name=_("person")
    )
    why = models.CharField(_("why"), max_length=100)
    from_on = models.DateField(_("from"))
    until_on = models.DateField(
        _("until"), null=True, blank=True, help_text=_("The first day on which it holds no more.")
    )

    objects = LineMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("line member")
        verbose_name_plural = _("line members")
        indexes = [models.Index(fields=["user", "line"], name="member_of_user")]
        constraints = [
            models.UniqueConstraint(
                name="member_once_at_a_time", fields=["line", "user", "why"], condition=Q(until_on=None)
            ),
            models.CheckConstraint(
                name="member_ends_after_it_starts", condition=Q(until_on=None) | Q(until_on__gte=F("from_on"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.line}"
