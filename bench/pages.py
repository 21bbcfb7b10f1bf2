"""The customer list and a customer's page with 100,000 customers, against a bare page of 50 rows.

    python -m bench.pages [--customers 100000] [--rounds 40]

Makes and drops a PostgreSQL database of its own (HENGKE_BENCH_DATABASE_URL names a server where it may) and fills it
with the demo company. Each round asks for the bare page (one query, one table, bench/bare_page.py) and for ours, one
after the other through the same middleware, as head office and as a region; queries are counted on the way.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from statistics import median

import django

from bench.grade_year import _administer, _url_of

DATABASE = "hengke_bench_pages"
MOST_TIMES_THE_BARE, MOST_QUERIES = 2.5, 15
BARE = "bare page"
HAVE_LIMITS = ("customer list", "customer")  # the other pages are shown to be known
PEOPLE = ("head", "north")


def main() -> int:
    """Measure in a process of its own. Returns how many limits were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        django.setup()
        return _measure(options.rounds)
    env = {
        **os.environ,
        "DATABASE_URL": _url_of(DATABASE),
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": "a benchmark signs nothing that anybody would want to forge",
        "REDIS_URL": "",
        "HTTPS": "0",
    }
    _administer(f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}")
    try:
        for words in (
            ["collectstatic", "--noinput"],
            ["migrate"],
            ["load_demo", "--customers", str(options.customers), "--seed", "1"],
        ):
            subprocess.run([sys.executable, "manage.py", *words], env=env, check=True, stdout=subprocess.DEVNULL)
        words = ["--measure", "--rounds", str(options.rounds)]
        return subprocess.run([sys.executable, "-m", "bench.pages", *words], env=env, check=False).returncode
    finally:
        _administer(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _measure(rounds: int) -> int:
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import override_settings  # noqa: PLC0415

    from crm.models import Customer  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"postgresql: {Customer.objects.count():,} customers, median of {rounds} rounds")
    # Not Django's test environment: it copies the context of every template that is rendered.
    with override_settings(ROOT_URLCONF="bench.bare_page", ALLOWED_HOSTS=["testserver"]):
        return sum(_measure_as(username, rounds) for username in PEOPLE)


def _measure_as(username: str, rounds: int) -> int:
    from django.test import Client  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from crm.models import Customer, User  # noqa: PLC0415

    user, client = User.objects.get(username=username), Client()
    client.force_login(user)
    shown = Customer.objects.visible_to(user).order_by("pinyin")[50]
    pages = {
        BARE: "/bare/",
        "customer list": reverse("crm:list-customers"),
        "… of a line": reverse("crm:list-customers") + "?line=police&ordering=-score",
        "… searched": reverse("crm:list-customers") + "?search=gaj",
        "customer": reverse("crm:view-customer", args=[shown.pk]),
    }
    missed = 0
    # The slow ones in rounds of their own: they would leave cold caches to whatever comes after them.
    for names in (HAVE_LIMITS, [name for name in pages if name not in (BARE, *HAVE_LIMITS)]):
        times = _times(client, {name: pages[name] for name in (BARE, *names)}, rounds)
        missed += sum(_said(username, name, times, *_queries(client, pages[name])) for name in times)
    return missed


def _times(client, pages: dict[str, str], rounds: int) -> dict[str, list[float]]:
    """Seconds that each page took, each round one after the other."""
    times: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds + 3):
        for name, address in pages.items():
            began = time.perf_counter()
            answer = client.get(address)
            if answer.status_code != 200:
                raise SystemExit(f"{address} answered {answer.status_code}")
            if turn >= 3:  # the first ones compile templates and fill caches
                times[name].append(time.perf_counter() - began)
    return times


def _queries(client, address: str) -> tuple[int, int]:
    """How many queries a page takes, and how many of them count a table to its end."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    counts = [one["sql"] for one in captured if re.search(r"COUNT\(\*\)", one["sql"]) and "LIMIT" not in one["sql"]]
    return len(captured), sum('FROM "crm_customer"' in sql for sql in counts)


def _said(username: str, name: str, times: dict[str, list[float]], queries: int, counts: int) -> int:
    mine, bare = median(times[name]), median(times[BARE])
    missed = mine > MOST_TIMES_THE_BARE * bare or queries > MOST_QUERIES or counts > 0
    verdict = "" if name not in HAVE_LIMITS else "MISSED" if missed else "ok"
    limits = f"(limits {MOST_TIMES_THE_BARE}, {MOST_QUERIES}, 0)" if verdict else ""
    print(
        f"  {username:6} {name:14} {mine * 1000:7.1f} ms  ratio {mine / bare:5.2f}"
        f"  queries {queries:2}  exact counts {counts}  {limits} {verdict}"
    )
    return verdict == "MISSED"


if __name__ == "__main__":
    sys.exit(main())
