"""How often a token, or a person without one, may ask; said in every answer (RateLimit, RateLimit-Policy)."""

import logging
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)
SAID_IN = ("RateLimit", "RateLimit-Policy")


class Rate(BaseThrottle):
    """So many requests in each window of time, counted in the cache that all processes share."""

    seconds_left = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request. Whether it is one too many."""
        allowed, seconds = settings.API_RATE
        if not allowed or request.user is None:
            return True
        number, passed = divmod(int(timezone.now().timestamp()), seconds)
        self.seconds_left = seconds - passed
        count = counted(f"rate:{whose(request)}:{number}", seconds)
        view.headers["RateLimit-Policy"] = f'"default";q={allowed};w={seconds}'
        view.headers["RateLimit"] = f'"default";r={max(allowed - count, 0)};t={self.seconds_left}'
        return count <= allowed

    def wait(self) -> int:
        """Seconds until the next window."""
        return self.seconds_left


def whose(request: Request) -> str:
    """Who is counted: the token, else the person."""
    token: Any = request.auth
    return f"token:{token.digest}" if token is not None else f"person:{request.user.pk}"


def counted(key: str, seconds: int) -> int:
    """How often this was asked, this time included. Without its cache the API goes on and counts nothing."""
    try:
        try:
            return cache.incr(key)
        except ValueError:
            cache.add(key, 0, timeout=2 * seconds)  # whoever comes first; both count after it
            return cache.incr(key)
    except ValueError:  # the cache was emptied between the two
        return 1
    except RedisError as error:
        logger.warning("The API does not count its requests: %s", error)
        return 0
