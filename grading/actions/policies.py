"""Publishing a policy version: from then on it is in force and never edited. It regrades only when asked."""

from django.db import transaction
from django.utils import timezone

from crm.actions.changes import record_change, snapshot
from crm.models import PolicyState, User, Way
from grading.models import BandKind, GradingPolicy


class PolicyNotReady(Exception):
    """The draft cannot be published yet; the message says what is missing."""


class PolicyAlreadyPublished(Exception):
    """A published version is never edited or published again: a change is the next version."""


@transaction.atomic
def publish_policy(*, policy: GradingPolicy, by: User | None, way: Way = Way.FORM) -> GradingPolicy:
    """Put a draft in force. Raises PolicyNotReady or PolicyAlreadyPublished."""
    draft = GradingPolicy.objects.select_for_update().get(pk=policy.pk)
    if draft.state == PolicyState.PUBLISHED:
        raise PolicyAlreadyPublished(f"Policy {draft} is published; make the next version.")
    _check_bands(draft)
    before = snapshot(draft)
    draft.state, draft.published_at, draft.published_by = PolicyState.PUBLISHED, timezone.now(), by
    draft.save()
    record_change(draft, before=before, by=by, way=way)
    return draft


def _check_bands(policy: GradingPolicy) -> None:
    floors = {kind: [band.floor for band in policy.bands.all() if band.kind == kind] for kind in BandKind.values}
    for kind, of_kind in floors.items():
        if None not in of_kind:
            raise PolicyNotReady(f"Policy {policy} has no lowest {kind} band: add one without a lower end.")
