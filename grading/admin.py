"""Grading's records: assessments, drafts of policies; and to read: cycles, runs, grades and their records."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.administration.scoped import (
    ComparedForm,
    ReadOnlyAdmin,
    ScopedAdmin,
    ScopedFilter,
    ScopedLinks,
    VersionedForm,
    exact,
    person_of,
)
from crm.models import PolicyState, User, Way
from crm.models.fields import YuanFormField
from crm.permissions import Permission, can
from grading.actions.assessments import save_assessment
from grading.actions.policies import (
    PartTwice,
    PolicyAlreadyPublished,
    PolicyNotReady,
    draft_next_version,
    draft_state,
    publish_policy,
    save_draft,
    save_draft_parts,
)
from grading.actions.runs import CycleClosed
from grading.models import (
    Assessment,
    Cycle,
    Grade,
    GradeRecord,
    GradingPolicy,
    GradingRun,
    PolicyBand,
    PolicyLineRule,
    RequiredMargin,
)

PUBLISHED_ALREADY = _("This version is published and never edited. Make the next version from it.")


@admin.register(Assessment)
class AssessmentAdmin(ScopedAdmin):
    """Assessments; saving one grades the customer line at once."""

    view_permission = Permission.VIEW_GRADES
    edit_permission = Permission.SAVE_ASSESSMENT
    form = VersionedForm
    fields = (
        "line",
        "fiscal_year",
        "is_carried_over",
        "expected_margin",
        "potential_sales",
        "has_need",
        "budget_state",
        "budget_amount",
        "budget_fits_pricing",
        "has_timetable",
        "knows_decision_makers",
        "expected_close_on",
        "has_begun_selection",
        "has_system",
        "note",
    )
    readonly_fields = ("is_carried_over",)
    fixed = ("line", "fiscal_year")
    list_display = ("line", "fiscal_year", "expected_margin", "potential_sales", "is_carried_over", "updated_at")
    list_filter = (
        "fiscal_year",
        ("line__product_line", ScopedFilter),
        ("line__customer__region", ScopedFilter),
        "is_carried_over",
    )
    search_fields = ("line__customer__search_text",)
    autocomplete_fields = ("line",)
    ordering = ("-fiscal_year", "pk")
    related = ("line__customer", "line__product_line")
    refusals = {**ScopedAdmin.refusals, CycleClosed: _("The cycle of this year is closed: its grades are history.")}

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the assessment and grade the line."""
        save_assessment(assessment=record, version=version, by=by, way=Way.ADMIN)


# --- policies


class PartInline(ScopedLinks, admin.TabularInline):
    """Parts of a policy version: editable as long as it is a draft."""

    view_permission = Permission.VIEW_POLICIES
    edit_permission = Permission.EDIT_POLICY
    extra = 0
    columns: tuple[str, ...]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the version is a draft."""
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the version is a draft."""
        return obj is not None and obj.state == PolicyState.DRAFT and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A draft is not a fact yet: its parts may be taken out."""
        return self.has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list:
        """All columns of a published version, exact figures in people's units."""
        return [] if self.has_change_permission(request, obj) else [self.shown(name) for name in self.columns]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list:
        """The columns."""
        return self.get_readonly_fields(request, obj) or list(self.columns)

    def shown(self, name: str) -> Any:
        """A column that cannot be edited."""
        return exact(self.model, name)


@admin.display(description=_("from"))
def shown_floor(band: PolicyBand) -> str | None:
    """Where a band begins, in yuan or points."""
    return None if band.floor is None else f"{band.floor / 100:,.2f}"


class BandInline(PartInline):
    """What a value earns."""

    model = PolicyBand
    columns = ("kind", "floor", "points")
    ordering = ("kind", "-points")

    def shown(self, name: str) -> Any:
        """A column that cannot be edited, the limit in people's units."""
        return shown_floor if name == "floor" else super().shown(name)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Enter a limit in yuan or in points: both have two decimals."""
        if db_field.name == "floor":
            help_text = _("Yuan for sales, points for margins; empty: no lower end.")
            return YuanFormField(label=db_field.verbose_name, required=False, help_text=help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class LineRuleInline(PartInline):
    """What a product line does otherwise."""

    model = PolicyLineRule
    columns = ("product_line", "scheme", "smallest_budget")


class RequiredMarginInline(PartInline):
    """What the company requires of a line from a year on."""

    model = RequiredMargin
    columns = ("product_line", "from_year", "margin")
    ordering = ("product_line__position", "from_year")


class PolicyForm(ComparedForm):
    """A draft; says in words what the database would refuse."""

    def state_read(self) -> str:
        """The draft's with its parts."""
        return draft_state(self.instance)

    def clean(self) -> dict[str, Any]:
        """Check what belongs together."""
        values = super().clean()
        if values.get("margin_weight", 0) + values.get("potential_weight", 0) != 100:
            self.add_error("potential_weight", _("The two weights sum to 100."))
        if not _falls(values, "a_from", "b_from", "c_from"):
            self.add_error("c_from", _("The limits fall from A to C and stay above 0."))
        if not _falls(values, "far_months", "middle_months", "near_months"):
            self.add_error("far_months", _("The horizons rise from A to C."))
        return values


def _falls(values: dict[str, Any], *names: str) -> bool:
    first, second, third = (values.get(name) or 0 for name in names)
    return first > second > third > 0


@admin.register(GradingPolicy)
class PolicyAdmin(ScopedAdmin):
    """Policy versions: a draft is edited and published here, a published version only read."""

    view_permission = Permission.VIEW_POLICIES
    edit_permission = Permission.EDIT_POLICY
    form = PolicyForm
    inlines = (BandInline, LineRuleInline, RequiredMarginInline)
    fields = (
        "number",
        "state",
        "note",
        "margin_weight",
        "potential_weight",
        "a_from",
        "b_from",
        "c_from",
        "required_margin",
        "near_months",
        "middle_months",
        "far_months",
        "lead_days",
        "published_at",
        "published_by",
    )
    readonly_fields = ("number", "state", "published_at", "published_by")
    list_display = ("number", "state", "note", "published_at", "published_by")
    ordering = ("-number",)
    related = ("published_by",)
    actions = ("publish_version", "draft_next")
    refusals = {**ScopedAdmin.refusals, PolicyAlreadyPublished: PUBLISHED_ALREADY, PartTwice: None}

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """Published versions; drafts for those who edit them."""
        return records if can(user, Permission.EDIT_POLICY) else records.filter(state=PolicyState.PUBLISHED)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A draft begins as the next version of one there is."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the version is a draft, and the person edits drafts."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == PolicyState.DRAFT)

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the draft and its change."""
        save_draft(policy=record, by=by, way=Way.ADMIN, read=form.cleaned_data["read_state"])

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the draft's parts and their changes."""
        parts = formset.save(commit=False)
        save_draft_parts(
            policy=form.instance, parts=parts, removed=formset.deleted_objects, by=person_of(request), way=Way.ADMIN
        )

    @admin.action(description=_("Publish this version"), permissions=["change"])
    def publish_version(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Put one draft in force."""
        if (policy := self._the_one(request, queryset)) is None:
            return
        try:
            publish_policy(policy=policy, by=person_of(request), way=Way.ADMIN)
        except PolicyAlreadyPublished:
            self.message_user(request, PUBLISHED_ALREADY, messages.ERROR)
        except PolicyNotReady as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, _("Policy {policy} is in force.").format(policy=policy))

    @admin.action(description=_("Draft the next version from this one"), permissions=["change"])
    def draft_next(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Make the next version with all that one says."""
        if (policy := self._the_one(request, queryset)) is None:
            return
        draft = draft_next_version(policy=policy, by=person_of(request), way=Way.ADMIN)
        self.message_user(request, _("Policy {policy} is ready to be edited.").format(policy=draft))

    def _the_one(self, request: HttpRequest, queryset: QuerySet) -> GradingPolicy | None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Choose one version."), messages.ERROR)
            return None
        return chosen[0]


# --- to read


@admin.register(Cycle)
class CycleAdmin(ReadOnlyAdmin):
    """Cycles: opened and published on their own pages."""

    view_permission = Permission.VIEW_CYCLES
    fields = (
        "fiscal_year",
        "starts_on",
        "state",
        "opened_at",
        "opened_by",
        "published_at",
        "published_by",
        "closed_at",
    )
    list_display = ("fiscal_year", "starts_on", "state", "opened_at", "published_at", "closed_at")
    ordering = ("-fiscal_year",)

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """All of them: a cycle is the company's."""
        return records


@admin.register(GradingRun)
class RunAdmin(ReadOnlyAdmin):
    """Runs with their reports."""

    view_permission = Permission.VIEW_CYCLES
    fields = (
        "cycle",
        "policy",
        "as_of",
        "product_line",
        "region",
        "publishes",
        "state",
        "by",
        "started_at",
        "finished_at",
        "report",
    )
    list_display = ("cycle", "as_of", "policy", "product_line", "region", "publishes", "state", "started_at", "by")
    list_filter = ("state", ("cycle", ScopedFilter))
    ordering = ("-started_at",)
    related = ("cycle", "policy", "product_line", "region", "by")

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """Those who see every region: a run counts all customers."""
        return records if user.sees_all_regions else records.none()


class VerdictAdmin(ReadOnlyAdmin):
    """Grades are written by grading's actions only."""

    view_permission = Permission.VIEW_GRADES


@admin.register(Grade)
class GradeAdmin(VerdictAdmin):
    """The published grades: which record counts."""

    fields = ("line", "fiscal_year", "record")
    list_display = ("line", "fiscal_year", "record")
    list_filter = ("fiscal_year", ("line__product_line", ScopedFilter))
    search_fields = ("line__customer__search_text",)
    ordering = ("-pk",)
    related = ("line__customer", "line__product_line", "record__grade__line__customer")


@admin.register(GradeRecord)
class GradeRecordAdmin(VerdictAdmin):
    """The records behind them, with inputs and parts as they were."""

    fields = tuple(field.name for field in GradeRecord._meta.concrete_fields if field.name not in ("id", "run"))
    list_display = ("grade", "recorded_at", "effective_on", "state", "letter", "score", "cause", "by")
    list_filter = ("state", "letter", "cause")
    search_fields = ("grade__line__customer__search_text",)
    ordering = ("-pk",)
    related = ("grade__line__customer", "grade__line__product_line", "by", "policy")
