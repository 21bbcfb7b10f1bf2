"""Grading policies, to read: which versions there are, and what one of them says."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from crm.list_pages import plain_list
from crm.models import ProductLine
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from grading.cycle_lists import POLICIES, policies_seen_by
from grading.models import BandKind, GradingPolicy
from grading.templatetags.explanations import limits_of


@requires(Permission.VIEW_POLICIES)
@require_safe
def list_policies(request: PageRequest) -> HttpResponse:
    """The versions, the latest first; drafts only for those who may edit them."""
    return plain_list(request, POLICIES, "grading/list_policies.html")


@requires(Permission.VIEW_POLICIES)
@require_safe
def view_policy(request: PageRequest, number: int) -> HttpResponse:
    """One version: bands, weights, bonus, limits, and what it says of each product line."""
    policy = get_object_or_404(policies_seen_by(request.user).for_list(), number=number)
    rules = policy.as_rules()
    own = {rule.product_line_id: rule for rule in policy.line_rules.all()}
    lines = ProductLine.objects.filter(is_active=True).order_by("position", "code")
    context = {
        "policy": policy,
        "margin_bands": _bands(policy, BandKind.MARGIN),
        "potential_bands": _bands(policy, BandKind.POTENTIAL),
        "bonus_bands": _bands(policy, BandKind.BONUS),
        "limits": limits_of(rules.limits),
        "lines": [
            {
                "product_line": line,
                "rule": own.get(line.pk),
                "margins": sorted(rules.rule(line.code).required_margins, reverse=True),
            }
            for line in lines
        ],
    }
    return render(request, "grading/view_policy.html", context)


def _bands(policy: GradingPolicy, kind: BandKind) -> list[dict]:
    """The bands of one kind, the best first, each with the value it ends below."""
    rows = [band for band in policy.bands.all() if band.kind == kind]
    rows.sort(key=lambda band: (band.floor is not None, band.floor or 0), reverse=True)
    ends = [None, *(band.floor for band in rows)]
    return [{"from": band.floor, "below": end, "points": band.points} for band, end in zip(rows, ends, strict=False)]
