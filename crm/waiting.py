"""How much waits for a person, as the menu says on every page: counted once a minute, and after what he does."""

import logging
from collections.abc import Callable
from contextlib import suppress

from django.core.cache import cache
from redis.exceptions import RedisError

from crm.models import User

_KEPT = 60  # seconds
_log = logging.getLogger(__name__)


def remembered_count(user: User, what: str, count: Callable[[], int]) -> int:
    """The number of `what` that waits for a person, at most a minute old."""
    return remembered(_key(user), what, count)


def count_again(user: User) -> None:
    """Have everything counted anew that waits for a person: he has just done something."""
    forget(_key(user))


def remembered(key: str, what: str, count: Callable[[], int]) -> int:
    """One of a key's numbers, at most a minute old. No page waits for a cache that is away: each counts for itself."""
    try:
        known: dict[str, int] = cache.get(key, {})
        if what not in known:
            known[what] = count()
            cache.set(key, known, _KEPT)
    except RedisError as error:
        _log.warning("The menu counts anew for each page: %s", error)
        return count()
    return known[what]


def remember(key: str, what: str, number: int) -> None:
    """Have the menu show what has just been counted."""
    with suppress(RedisError):
        cache.set(key, {what: number}, _KEPT)


def forget(key: str) -> None:
    """Have a key's numbers counted anew."""
    with suppress(RedisError):
        cache.delete(key)


def _key(user: User) -> str:
    return f"waiting-for-{user.pk}"
