"""For whoever watches the servers: alive, and ready."""

from collections.abc import Callable, Iterator

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm.permissions import public

_SECONDS = 2


@public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of anybody."""
    return HttpResponse("alive\n", content_type="text/plain")


@public
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The parts that a page needs; 503 where one of them fails, and which. Says nothing of why: it is public."""
    parts = {name: "ok" if is_ready() else "failed" for name, is_ready in _parts()}
    is_ready = "failed" not in parts.values()
    return JsonResponse({"ready": is_ready, "parts": parts}, status=200 if is_ready else 503)


def _parts() -> Iterator[tuple[str, Callable[[], bool]]]:
    yield "database", _database_answers
    yield "migrations", _migrations_are_applied
    if settings.REDIS_URL:
        yield "broker", _broker_answers


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _migrations_are_applied() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _broker_answers() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
