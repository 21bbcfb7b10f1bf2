"""Keeping what was answered to requests that carry an Idempotency-Key, in the transaction of what they did."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from crm.lib.transactions import try_to_lock
from crm.models import IdempotentAnswer, User


class AnswerUnderWay(Exception):
    """Another request with this key is being answered just now."""


def kept_answer(*, by: User, key: str) -> IdempotentAnswer | None:
    """The answer that a key was given, if any. Holds the key to the transaction's end. Raises AnswerUnderWay."""
    if not try_to_lock(f"answer {by.pk} {key}"):
        raise AnswerUnderWay
    return IdempotentAnswer.objects.kept(timezone.now()).filter(user=by, key=key).first()


def keep_answer(*, by: User, key: str, request: str, status: int, headers: dict[str, Any], body: str) -> None:
    """Keep an answer in place of an expired one of the same key."""
    now = timezone.now()
    IdempotentAnswer.objects.expired(now).filter(user=by, key=key).delete()
    IdempotentAnswer.objects.create(
        user=by, key=key, request=request, status=status, headers=headers, body=body, at=now
    )


def forget_old_answers(*, now: datetime) -> int:
    """Delete what is not repeated any more. Returns how many."""
    return IdempotentAnswer.objects.expired(now).delete()[0]
