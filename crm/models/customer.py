"""Customers, where they belonged since when, and the people there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.division import Division
from crm.models.fields import LineField, ProseField
from crm.models.region import Branch, Region
from crm.models.user import Role, User


class CustomerKind(models.TextChoices):
    """Only customers are graded; the others influence but do not buy."""

    CUSTOMER = "customer", _("Customer")
    AGENT = "agent", _("Agent")
    GOVERNMENT_RELATION = "government_relation", _("Government relation")


class CustomerQuerySet(models.QuerySet):
    """Customers in the words of the business."""

    def visible_to(self, user: User) -> "CustomerQuerySet":
        """The customers that exist for a person (DOMAIN §9). Every fetch goes through here."""
        alive = self.filter(deleted_at=None)
        if user.sees_all_regions:
            return alive
        if user.sees_whole_region:
            return alive.filter(region_id=user.region_id)
        if user.is_administrator:
            return alive.none()
        mine = Q(pk__in=LineMember.objects.current().of(user).values("line__customer"))
        if user.role == Role.BRANCH_GM:
            mine |= Q(branch_id=user.branch_id)
        return alive.filter(mine)

    def search(self, text: str) -> "CustomerQuerySet":
        """Those whose name, short name, pinyin, initials or code contain every word of `text`."""
        found = self
        for word in text.lower().split():
            found = found.filter(search_text__contains=word)
        return found

    def for_list(self) -> "CustomerQuerySet":
        """What one row of a list shows, in a constant number of queries."""
        lines = CustomerLine.objects.filter(is_active=True).select_related("product_line", "lead")
        return self.select_related("region", "branch", "division").prefetch_related(
            models.Prefetch("lines", queryset=lines.order_by("product_line__position"), to_attr="active_lines")
        )

    def for_file(self) -> "CustomerQuerySet":
        """The same for thousands of rows: the few regions, lines and people that they share are made once a chunk."""
        lines = CustomerLine.objects.filter(is_active=True).prefetch_related("product_line", "lead")
        found = models.Prefetch("lines", queryset=lines.order_by("product_line__position"), to_attr="active_lines")
        plain = self.select_related(None).prefetch_related(None).defer("pinyin", "search_text", "note")
        return plain.prefetch_related("region", "branch", "division", found)


class Customer(models.Model):
    """A customer 客户: the final user that can bring a deal directly; or one who influences and never buys."""

    code = LineField(_("code"), max_length=40, unique=True)
    name = LineField(_("name"), max_length=200)
    short_name = LineField(_("short name"), max_length=60, blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=CustomerKind, default=CustomerKind.CUSTOMER)
    credit_code = LineField(_("credit code"), max_length=18, blank=True)
    industry = LineField(_("industry"), max_length=60, blank=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )
    region = models.ForeignKey(Region, models.PROTECT, related_name="customers", verbose_name=_("region"))
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

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            models.Index(fields=["region", "pinyin"], name="customer_region_pinyin"),
            # The few that are never graded: a run looks them up instead of reading all customers.
            models.Index(
                fields=["id"],
                name="customer_never_graded",
                condition=Q(deleted_at__isnull=False) | ~Q(kind=CustomerKind.CUSTOMER),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="customer_credit_code_unique_in_region",
                fields=["region", "credit_code"],
                condition=Q(deleted_at=None) & ~Q(credit_code=""),
                violation_error_message=_("Another customer of the region has this credit code."),
            ),
            models.CheckConstraint(name="customer_is_not_its_own_parent", condition=~Q(parent=F("id"))),
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


class ContactQuerySet(models.QuerySet):
    """Contacts in the words of the business."""

    def visible_to(self, user: User) -> "ContactQuerySet":
        """Who sees a customer sees the people there."""
        return self.filter(deleted_at=None, customer__in=Customer.objects.visible_to(user))


class Contact(models.Model):
    """A person at a customer."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contacts", verbose_name=_("customer"))
    name = LineField(_("name"), max_length=60)
    department = LineField(_("department"), max_length=60, blank=True)
    title = LineField(_("title"), max_length=60, blank=True)
    phone = LineField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    is_key_person = models.BooleanField(_("key person"), default=False)
    note = ProseField(_("note"), blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.name


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


def lines_visible_to(user: User, path: str = "") -> Q:
    """The scope of customer lines, for them or for what leads to them by `path`: it joins what a list joins anyway."""
    customer = f"{path}__customer" if path else "customer"
    if user.sees_all_regions:
        return Q(**{f"{customer}__deleted_at": None})
    if user.sees_whole_region:
        return Q(**{f"{customer}__deleted_at": None, f"{customer}__region_id": user.region_id})
    return Q(**{f"{customer}__in": Customer.objects.visible_to(user)})


class CustomerLineQuerySet(models.QuerySet):
    """Customer lines in the words of the business."""

    def visible_to(self, user: User) -> "CustomerLineQuerySet":
        """Who sees a customer sees all its lines."""
        return self.filter(lines_visible_to(user))

    def writable_by(self, user: User) -> "CustomerLineQuerySet":
        """The lines a person may change: all of the region for its staff, else only those he is a member of."""
        if user.sees_all_regions or user.sees_whole_region:
            return self.visible_to(user)
        mine = Q(pk__in=LineMember.objects.current().of(user).values("line"))
        if user.role == Role.BRANCH_GM:
            mine |= Q(customer__branch_id=user.branch_id)
        return self.visible_to(user).filter(mine)

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
        """Memberships that have not ended."""
        return self.filter(until_on=None)

    def of(self, user: User) -> "LineMemberQuerySet":
        """A person's own memberships and those of the people he guides."""
        return self.filter(Q(user=user) | Q(user__guided_by=user))

    def visible_to(self, user: User) -> "LineMemberQuerySet":
        """Who sees a customer line sees who else does, and why."""
        return self.filter(line__in=CustomerLine.objects.visible_to(user))


class LineMember(models.Model):
    """Who may see a customer line besides its region, and why: a label written by the actions that decide it."""

    line = models.ForeignKey(CustomerLine, models.PROTECT, related_name="members", verbose_name=_("customer line"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="line_memberships", verbose_name=_("person")
    )
    why = models.CharField(_("why"), max_length=100)
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"), null=True, blank=True)

    objects = LineMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("line member")
        verbose_name_plural = _("line members")
        indexes = [models.Index(fields=["user", "line"], name="member_user_line", condition=Q(until_on=None))]
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
