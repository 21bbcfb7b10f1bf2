"""The lists of grading cycles and of the versions of the policy, on their pages and in the files made of them."""

from typing import Any

from django.db.models import Case, OuterRef, Subquery, Value, When
from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.lib.columns import ListColumn, Place, choose
from crm.lib.drawing import link, pill
from crm.lib.exports import Type
from crm.lib.listing import filter_params
from crm.lists import address_of, text
from crm.models import User
from crm.permissions import Permission, can
from crm.templatetags.states import state_of
from grading.filters import CycleFilter, PolicyFilter
from grading.models import Cycle, GradingPolicy, GradingPolicyQuerySet, GradingRun, RunState

# --- cycles


def _cycle_link(cycle: Cycle, _place: Place) -> SafeString:
    return link(reverse("grading:view-cycle", args=[cycle.fiscal_year]), cycle.fiscal_year)


CYCLE_COLUMNS = (
    ListColumn(
        "fiscal_year",
        _("Fiscal year"),
        lambda cycle: cycle.fiscal_year,
        Type.WHOLE,
        is_name=True,
        draw=_cycle_link,
        is_sortable=True,
    ),
    ListColumn("state", _("State"), lambda cycle: str(cycle.get_state_display()), draw=state_of),
    ListColumn("starts_on", _("Begins on"), lambda cycle: cycle.starts_on, Type.DAY, css="tabular"),
    ListColumn("opened_at", _("Opened"), lambda cycle: cycle.opened_at, Type.MOMENT, css="tabular"),
    ListColumn("opened_by", _("Opened by"), lambda cycle: text(cycle.opened_by)),
    ListColumn("last_run_at", _("Last run"), lambda cycle: cycle.last_run_at, Type.MOMENT, css="tabular"),
    ListColumn("published_at", _("Published on"), lambda cycle: cycle.published_at, Type.MOMENT, css="tabular"),
    ListColumn("published_by", _("Published by"), lambda cycle: text(cycle.published_by)),
    ListColumn("closed_at", _("Closed on"), lambda cycle: cycle.closed_at, Type.MOMENT, css="tabular", is_shown=False),
)


def open_cycles(request: Any, params: QueryDict) -> Opened:
    """All cycles, the latest first."""
    runs = GradingRun.objects.filter(cycle=OuterRef("pk"), state=RunState.DONE).order_by("-finished_at")
    cycles = Cycle.objects.select_related("opened_by", "published_by").annotate(
        last_run_at=Subquery(runs.values("finished_at")[:1])
    )
    filters = CycleFilter(filter_params(params), cycles, request=request)
    return Opened(filters, choose(CYCLE_COLUMNS, params))


# --- policies


def policies_seen_by(user: User) -> GradingPolicyQuerySet:
    """The versions of the policy; drafts only for those who may edit them."""
    policies: GradingPolicyQuerySet = GradingPolicy.objects.all()
    return policies if can(user, Permission.EDIT_POLICY) else policies.published()


def _version_link(policy: Any, _place: Place) -> SafeString:
    label = gettext("Version {number}").format(number=policy.number)
    return link(reverse("grading:view-policy", args=[policy.number]), label)


def _policy_state(policy: Any) -> str:
    return gettext("in force") if policy.is_current else str(policy.get_state_display())


def _state_pill(policy: Any, _place: Place) -> SafeString:
    return pill(_policy_state(policy), "good" if policy.is_current else "")


POLICY_COLUMNS = (
    ListColumn(
        "number",
        _("Version"),
        lambda policy: policy.number,
        Type.WHOLE,
        is_name=True,
        draw=_version_link,
        is_sortable=True,
    ),
    ListColumn("state", _("State"), _policy_state, draw=_state_pill),
    ListColumn("published_at", _("Published on"), lambda policy: policy.published_at, Type.MOMENT, css="tabular"),
    ListColumn("published_by", _("Published by"), lambda policy: text(policy.published_by)),
    ListColumn("margin_weight", _("Weight of the margin, %"), lambda policy: policy.margin_weight, Type.WHOLE),
    ListColumn(
        "potential_weight", _("Weight of the potential sales, %"), lambda policy: policy.potential_weight, Type.WHOLE
    ),
    ListColumn("a_from", _("A from"), lambda policy: policy.a_from, Type.POINTS),
    ListColumn("b_from", _("B from"), lambda policy: policy.b_from, Type.POINTS),
    ListColumn("c_from", _("C from"), lambda policy: policy.c_from, Type.POINTS),
    ListColumn("note", _("Note"), lambda policy: policy.note),
)


def open_policies(request: Any, params: QueryDict) -> Opened:
    """The versions that exist for a person, the latest first, with the one in force."""
    current = GradingPolicy.objects.published().order_by("-published_at", "-number").values_list("pk", flat=True)
    in_force = Case(When(pk__in=list(current[:1]), then=Value(True)), default=Value(False))
    policies = policies_seen_by(request.user).select_related("published_by").annotate(is_current=in_force)
    filters = PolicyFilter(filter_params(params), policies, request=request)
    return Opened(filters, choose(POLICY_COLUMNS, params))


CYCLES = Listed("cycles", _("Grading cycles"), Permission.VIEW_CYCLES, open_cycles, address_of("grading:list-cycles"))
POLICIES = Listed(
    "policies", _("Grading policies"), Permission.VIEW_POLICIES, open_policies, address_of("grading:list-policies")
)

LISTS = (CYCLES, POLICIES)
