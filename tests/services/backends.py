"""The test database seen from outside: its address, and who else is connected to it."""

import time
from collections.abc import Callable, Collection

from django.db import connection

PATIENCE = 120  # seconds for anything to happen


def database_url() -> str:
    """The address of the test database, for another process."""
    parts = connection.settings_dict
    secret = f":{parts['PASSWORD']}" if parts["PASSWORD"] else ""
    return f"postgres://{parts['USER']}{secret}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"


def wait_until_gone(known: Collection[int]) -> None:
    """PostgreSQL notices late that a killed process is gone: until then what it did may still be stored.

    Those who were connected before it began are known by their number, and stay.
    """
    until(lambda: connected() <= {*known}, tell=lambda: [one for one in others_connected() if one[0] not in known])


def see_others_off(seconds: float = 20) -> None:
    """A database is dropped when nobody is connected to it any more.

    The threads that served a browser let go of theirs a moment after the browser is closed. Who has not done so
    after some seconds is disconnected.
    """
    deadline = time.monotonic() + seconds
    while connected() and time.monotonic() < deadline:
        time.sleep(0.05)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(number) FROM unnest(%s::int[]) AS number", [[*connected()]])


def connected() -> set[int]:
    """The numbers of the others who are connected."""
    return {number for number, *_what in others_connected()}


def others_connected() -> list[tuple]:
    """Who else is connected: number, what it does, what it waits for, since when, and its latest statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pid, state, wait_event, age(now(), state_change)::text, LEFT(query, 200) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
        )
        return cursor.fetchall()


def until(is_so: Callable[[], bool], *, tell: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"it did not happen {tell()}"
        time.sleep(0.005)
