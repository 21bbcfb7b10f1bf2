"""SQLite as the product sets it up: many processes write at once, and none is told that the database is locked."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_eight_processes_that_read_and_write_are_never_told_that_the_database_is_locked(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.services.sqlite_writers", "8", "200"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "DATABASE_URL": f"sqlite:///{tmp_path}/writers.sqlite3",
            "REDIS_URL": "",
            "SECRET_KEY": "a test signs nothing that anybody would want to forge",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "database is locked" not in done.stderr
    assert (done.returncode, done.stdout) == (0, "1600"), done.stderr
