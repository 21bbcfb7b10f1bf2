"""“Why can this person (not) see this?”: the rule or the tie that shows a record, or what is missing."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.models import User
from crm.permissions import Permission, can, requires
from crm.requests import PageRequest
from crm.sight import SightKind, sight_kinds
from crm.sight_forms import ExplainSightForm


@requires(Permission.EXPLAIN_SIGHT)
@require_safe
def explain_sight(request: PageRequest) -> HttpResponse:
    """Ask about a person and a record; everything stands in the address."""
    is_asked = "person" in request.GET and "number" in request.GET
    form = ExplainSightForm(request.GET if is_asked else None, user=request.user, initial=request.GET.dict())
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        context |= _answer(request.user, **form.cleaned_data)
    return render(request, "crm/explain_sight.html", context, status=422 if form.errors else 200)


def _answer(asker: User, person: User, kind: str, number: int, record: Any) -> dict[str, Any]:
    chosen = sight_kinds()[kind]
    found = chosen.explain(person, record)
    may_read = chosen.permission is None or can(person, chosen.permission)
    return {
        "person": person,
        "kind": chosen,
        "number": number,
        "name": str(record) if _is_seen_by(asker, chosen, record) else "",
        "grounds": [reason for reason in found.reasons if reason.shows],
        "missing": [reason for reason in found.reasons if not reason.shows],
        "sees": found.sees and may_read and person.is_active,
        "is_in_scope": found.sees,
        "may_read": may_read,
    }


def _is_seen_by(asker: User, kind: SightKind, record: Any) -> bool:
    """Who asks is told the name only of what he sees himself."""
    may_read = kind.permission is None or can(asker, kind.permission)
    return may_read and kind.explain(asker, record).sees
