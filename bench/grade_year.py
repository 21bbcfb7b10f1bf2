"""The annual run against the one SQL statement that writes the same rows into a like table, on both databases.

    python -m bench.grade_year [--rows 1000000] [--rounds 3]

Makes and drops databases of its own: on PostgreSQL (HENGKE_BENCH_DATABASE_URL names a server where it may) and on
SQLite. Every round times, one after the other: the statement, our run on one connection, our run again with nothing
changed, our run with two workers. The rows are the same each time, asserted by count and sums.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from statistics import median
from urllib.parse import urlsplit

import django

SERVER = os.environ.get("HENGKE_BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
LIMITS = {"run": 1.3, "repeat": 1.3, "two workers": 0.9}
YEAR, AS_OF = 2026, date(2026, 1, 1)


def main() -> int:
    """Measure on PostgreSQL and on SQLite, each in a process of its own. Returns how many limits were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["postgresql", "sqlite"])
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work or options.measure:
        django.setup()
        return _share() if options.work else _measure(options.rows, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        urls = {"postgresql": _url_of("hengke_bench"), "sqlite": f"sqlite:///{folder}/bench.sqlite3"}
        chosen = [name for name in urls if options.only in (None, name)]
        return sum(_start(urls[name], options) for name in chosen)


def _start(url: str, options: argparse.Namespace) -> int:
    is_postgresql = url.startswith("postgres")
    if is_postgresql:
        _administer("DROP DATABASE IF EXISTS hengke_bench", "CREATE DATABASE hengke_bench")
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": "a benchmark signs nothing that anybody would want to forge",
        "REDIS_URL": "",
    }
    words = ["--measure", "--rows", str(options.rows), "--rounds", str(options.rounds)]
    try:
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], env=env, check=True)
        return subprocess.run([sys.executable, "-m", "bench.grade_year", *words], env=env, check=False).returncode
    finally:
        if is_postgresql:
            _administer("DROP DATABASE IF EXISTS hengke_bench")


def _measure(rows: int, rounds: int) -> int:
    from django.db import connection  # noqa: PLC0415

    from bench.grade_year_data import check_same, clear, fill, settle, time_statement  # noqa: PLC0415

    vendor = connection.vendor
    fill(rows)
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        clear()
        times.setdefault("statement", []).append(time_statement(YEAR, AS_OF))
        settle()
        times.setdefault("run", []).append(_timed(_run_alone))
        check_same(rows)
        settle()
        times.setdefault("repeat", []).append(_timed(_run_alone))
        check_same(rows)
        if vendor == "postgresql":
            clear()
            workers = _start_workers()
            times.setdefault("two workers", []).append(_timed(partial(_run_shared, workers)))
            _end_workers(workers)
            check_same(rows)
    return _report(vendor, rows, times)


def _report(vendor: str, rows: int, times: dict[str, list[float]]) -> int:
    base, missed = median(times["statement"]), 0
    print(f"{vendor}: {rows:,} assessments, {3 * rows:,} sales, median of {len(times['run'])} rounds")
    print(f"  one statement {base:8.2f} s   {rows / base:>10,.0f} rows/s")
    for name, limit in LIMITS.items():
        if name in times:
            ratio = median(times[name]) / base
            missed += ratio > limit
            verdict = "ok" if ratio <= limit else "MISSED"
            print(f"  {name:13} {median(times[name]):8.2f} s   ratio {ratio:.2f} (limit {limit}) {verdict}")
    sys.stdout.flush()
    return missed


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _run_alone() -> None:
    from grading.actions.runs import work_on  # noqa: PLC0415

    work_on(_begin())


def _run_shared(workers: list[subprocess.Popen]) -> None:
    """The run in two processes, each with its own connection, as two workers on two machines would."""
    run = _begin()
    for worker in workers:
        worker.stdin.write(f"{run.pk}\n")
        worker.stdin.flush()
    if any(worker.stdout.readline() != "done\n" for worker in workers):
        raise SystemExit("a worker failed")


def _start_workers() -> list[subprocess.Popen]:
    """Two workers that are up and wait for the number of a run, as workers do."""
    words = [sys.executable, "-m", "bench.grade_year", "--work"]
    workers = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(2)
    ]
    for worker in workers:
        worker.stdout.readline()
    return workers


def _end_workers(workers: list[subprocess.Popen]) -> None:
    """Workers live on after a run; that these end takes nobody's time."""
    for worker in workers:
        worker.communicate()


def _share() -> int:
    from django.db import connection  # noqa: PLC0415

    from grading.actions.runs import work_on  # noqa: PLC0415
    from grading.models import GradingRun  # noqa: PLC0415

    connection.ensure_connection()
    print("ready", flush=True)
    work_on(GradingRun.objects.get(pk=int(sys.stdin.readline())))
    print("done", flush=True)
    return 0


def _begin():
    from grading.actions.cycles import ensure_cycle  # noqa: PLC0415
    from grading.actions.runs import start_run  # noqa: PLC0415

    return start_run(cycle=ensure_cycle(YEAR), by=None, as_of=AS_OF, is_nudged=False)


def _administer(*statements: str) -> None:
    import psycopg2  # noqa: PLC0415

    connection = psycopg2.connect(SERVER)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def _url_of(database: str) -> str:
    return urlsplit(SERVER)._replace(path=f"/{database}").geturl()


if __name__ == "__main__":
    sys.exit(main())
