"""The test database seen from outside: its address, and who else is connected to it."""

import time
from collections.abc import Callable

from django.db import connection

PATIENCE = 120  # seconds for anything to happen


def database_url() -> str:
    """The address of the test database, for another process."""
    parts = connection.settings_dict
    secret = f":{parts['PASSWORD']}" if parts["PASSWORD"] else ""
    return f"postgres://{parts['USER']}{secret}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"


def wait_until_alone() -> None:
    """PostgreSQL notices late that a killed process is gone: until then what it did may still be stored."""
    until(lambda: others_connected() == 0)


def others_connected() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT COUNT(*) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
        )
        return cursor.fetchone()[0]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
