"""Policy versions: drafted from the one before, edited as drafts, published; from then on in force and never edited.

Publishing regrades only when asked.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.changes import EditedMeanwhile, record_change, record_removal, snapshot
from crm.actions.versions import lock_record, state_of
from crm.models import PolicyState, User, Way
from grading.models import BandKind, GradingPolicy, PolicyBand, PolicyLineRule, RequiredMargin

Part = PolicyBand | PolicyLineRule | RequiredMargin


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


@transaction.atomic
def draft_next_version(*, policy: GradingPolicy, by: User | None, way: Way = Way.FORM) -> GradingPolicy:
    """Make the next version as a draft with all that `policy` says."""
    last = GradingPolicy.objects.aggregate(last=Max("number"))["last"]
    parts = [*policy.bands.all(), *policy.line_rules.all(), *policy.required_margins.all()]
    draft: GradingPolicy = _copy(
        policy, number=last + 1, state=PolicyState.DRAFT, published_at=None, published_by=None, note=""
    )
    record_change(draft, before=None, by=by, way=way, reason=f"from {policy}")
    for part in parts:
        _copy(part, policy=draft)
    return draft


@transaction.atomic
def save_draft(*, policy: GradingPolicy, by: User | None, way: Way = Way.FORM, read: str = "") -> GradingPolicy:
    """Save the weights, limits and months of a draft.

    Raises PolicyAlreadyPublished, and EditedMeanwhile where the draft with its parts is not in the state that was
    `read` (`draft_state`).
    """
    draft = _lock_draft(policy)
    if read and read != draft_state(draft):
        raise EditedMeanwhile(draft)
    before = lock_record(policy)
    policy.save()
    record_change(policy, before=before, by=by, way=way)
    return policy


@transaction.atomic
def save_draft_parts(
    *, policy: GradingPolicy, parts: Iterable[Part], removed: Iterable[Part], by: User | None, way: Way = Way.FORM
) -> None:
    """Save and take out bands, line rules and required margins of a draft. Raises PolicyAlreadyPublished, PartTwice."""
    _lock_draft(policy)
    for part in removed:
        record_removal(part, by=by, way=way)
        part.delete()
    for part in parts:
        before = lock_record(part)
        _store(part)
        record_change(part, before=before, by=by, way=way)


class PartTwice(Exception):
    """Two parts of a draft say something of the same; nothing was saved."""


def draft_state(draft: GradingPolicy) -> str:
    """A draft with its parts, put so that two moments can be compared."""
    parts = [*draft.bands.order_by("pk"), *draft.line_rules.order_by("pk"), *draft.required_margins.order_by("pk")]
    return blake2b("".join(map(state_of, [draft, *parts])).encode(), digest_size=12).hexdigest()


def _lock_draft(policy: GradingPolicy) -> GradingPolicy:
    stored = GradingPolicy.objects.select_for_update().get(pk=policy.pk)
    if stored.state == PolicyState.PUBLISHED:
        raise PolicyAlreadyPublished(f"Policy {stored} is published; make the next version.")
    return stored


def _store(part: Part) -> None:
    try:
        with transaction.atomic():
            part.save()
    except IntegrityError as error:
        raise PartTwice(_("Two rows say something of the same: {row}.").format(row=part)) from error


def _copy(record: Any, **changes: object) -> Any:
    values = {field.name: getattr(record, field.name) for field in record._meta.concrete_fields if field.name != "id"}
    return type(record).objects.create(**values | changes)


def _check_bands(policy: GradingPolicy) -> None:
    floors = {kind: [band.floor for band in policy.bands.all() if band.kind == kind] for kind in BandKind.values}
    for kind, of_kind in floors.items():
        if None not in of_kind:
            raise PolicyNotReady(f"Policy {policy} has no lowest {kind} band: add one without a lower end.")
