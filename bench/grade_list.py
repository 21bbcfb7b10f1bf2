"""Pulling the list of grades by REST, against COPY to nowhere and against a bare values() endpoint.

    python -m bench.grade_list [--rows 100000] [--rounds 5] [--pages 200] [--small 10000] [--large 1000000]

Makes and drops PostgreSQL databases of its own (HENGKE_BENCH_DATABASE_URL names a server where it may), fills them by
arithmetic (bench.grade_year_data), grades them and serves each with gunicorn, two workers, to the token of a regional
general manager whose region has them all. Every round takes, one after the other: COPY of the columns that a grade's
object is made of, without scope and order; csv; ndjson; the whole list in pages of 1,000, ours and the bare one's
(bench.bare_grades); pages of 50, both. Requests are timed to the last byte; nothing of them is parsed meanwhile.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

import django

from bench.grade_year import _administer, _begin, _url_of

DATABASE = "hengke_bench_grades_{}"
LIST = "/api/v1/grades/?fiscal_year=2026"
GOALS = {
    "csv": ("rows/s of COPY", 0.5),
    "ndjson": ("rows/s of COPY", 0.25),
    "pages of 1000": ("rows/s of the bare endpoint", 0.6),
}
MOST_TIMES_THE_BARE, MOST_QUERIES, MOST_TIMES_THE_SMALL, MOST_MEBIBYTES = 3.0, 6, 1.25, 32

Times = dict[str, list[float]]


def main() -> int:
    """Fill, serve and measure. Returns how many goals were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"rows": 100_000, "rounds": 5, "pages": 200, "small": 10_000, "large": 1_000_000}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--count-queries", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill or options.count_queries:
        django.setup()
        print(json.dumps(_fill(options.fill) if options.fill else _count_queries(options.count_queries)))
        return 0
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    missed = _measure_rates(options.rows, options.rounds)
    missed += _measure_growth(options.small, options.large, options.pages)
    print(f"load of the machine after: {os.getloadavg()[0]:.1f}")
    return missed


def _measure_rates(rows: int, rounds: int) -> int:
    times: Times = defaultdict(list)
    with _served(rows) as server:
        server.warm_up()
        before = server.memory("VmRSS")
        for _ in range(rounds):
            times["COPY"].append(_timed(server.copy))
            times["csv"].append(_timed(lambda: server.take(f"{LIST}&format=csv")))
            times["ndjson"].append(_timed(lambda: server.take(f"{LIST}&format=ndjson")))
            times["pages of 1000"].append(sum(server.walk(f"{LIST}&page_size=1000")))
            times["bare pages of 1000"].append(sum(server.walk("/bare/?page_size=1000")))
            for ours, bare in zip(
                server.walk(f"{LIST}&page_size=50", 40), server.walk("/bare/?page_size=50", 40), strict=True
            ):
                times["page of 50"].append(ours)
                times["bare page of 50"].append(bare)
        grown = [peak - was for peak, was in zip(server.memory("VmHWM"), before, strict=True)]
        counts = server.run("--count-queries", server.token)
    print(f"postgresql: {rows:,} grades, median of {rounds} rounds")
    missed = _report_rates(rows, times)
    ratio = median(times["page of 50"]) / median(times["bare page of 50"])
    said = f"{median(times['page of 50']) * 1000:.1f} ms against {median(times['bare page of 50']) * 1000:.1f} ms"
    missed += _said("page of 50", said, f"ratio {ratio:.2f}", MOST_TIMES_THE_BARE, ratio <= MOST_TIMES_THE_BARE)
    queries = max(counts.values())
    said = ", ".join(f"{count} for {size}" for size, count in counts.items())
    missed += _said("queries", said, f"most {queries}", MOST_QUERIES, queries <= MOST_QUERIES)
    said = ", ".join(f"{one:.1f} MiB" for one in grown)
    return missed + _said(
        "memory of workers", said, f"most {max(grown):.1f}", MOST_MEBIBYTES, max(grown) <= MOST_MEBIBYTES
    )


def _report_rates(rows: int, times: Times) -> int:
    rates = {name: rows / median(seconds) for name, seconds in times.items() if "50" not in name}
    for name in ("COPY", "bare pages of 1000"):
        print(f"  {name:20} {rates[name]:>10,.0f} rows/s")
    missed = 0
    for name, (against, goal) in GOALS.items():
        ratio = rates[name] / rates["COPY" if "COPY" in against else "bare pages of 1000"]
        missed += _said(name, f"{rates[name]:>10,.0f} rows/s", f"{ratio:.2f} of {against}", goal, ratio >= goal)
    return missed


def _measure_growth(small: int, large: int, pages: int) -> int:
    """Pages of 50 of a short and a long list in turn: the slowest of twenty must not be much slower."""
    with _served(small) as first, _served(large) as second:
        for server in (first, second):
            server.warm_up()
        walks = zip(*(server.walk(f"{LIST}&page_size=50", pages) for server in (first, second)), strict=False)
        short, long = zip(*walks, strict=True)
    quick, slow = (quantiles(times, n=20)[-1] for times in (short, long))
    said = f"p95 {quick * 1000:.1f} ms of {small:,}, {slow * 1000:.1f} ms of {large:,}"
    return _said(
        "page of 50", said, f"ratio {slow / quick:.2f}", MOST_TIMES_THE_SMALL, slow / quick <= MOST_TIMES_THE_SMALL
    )


def _said(name: str, figures: str, ratio: str, goal: float, is_met: bool) -> bool:
    print(f"  {name:20} {figures}   {ratio} (goal {goal}) {'ok' if is_met else 'MISSED'}", flush=True)
    return not is_met


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextlib.contextmanager
def _served(rows: int) -> Iterator["Server"]:
    """A database with so many grades behind a running gunicorn; both are gone afterwards."""
    database = DATABASE.format(rows)
    _administer(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", f"CREATE DATABASE {database}")
    server = Server(database)
    try:
        subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], env=server.env, check=True)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=server.env, check=True)
        server.token, server.statement = server.run("--fill", str(rows))
        server.start()
        yield server
    finally:
        server.stop()
        _administer(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


class Server:
    """gunicorn on a database of the bench, and the one client that asks it."""

    token = statement = ""
    process: subprocess.Popen | None = None

    def __init__(self, database: str) -> None:
        self.database_url = _url_of(database)
        self.env = {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "SECRET_KEY": "a benchmark signs nothing that anybody would want to forge",
            "ALLOWED_HOSTS": "127.0.0.1",
            "REDIS_URL": "",
            "HTTPS": "0",
            "API_RATE": "0",
        }

    def run(self, *words: str):
        """What this module answers in a process of its own with this database."""
        words = (sys.executable, "-m", "bench.grade_list", *words)
        return json.loads(subprocess.run(words, env=self.env, check=True, stdout=subprocess.PIPE).stdout)

    def start(self) -> None:
        """Start two workers on a free port and wait until they answer."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        words = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--workers", "2"]
        words += [
            "--bind",
            f"127.0.0.1:{self.port}",
            "--graceful-timeout",
            "2",
            "--access-logfile",
            "/dev/null",
            "--log-level",
            "warning",
        ]
        self.process = subprocess.Popen([*words, "bench.bare_grades:application"], env=self.env)
        self.client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        for _ in range(600):
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.take("/healthz")
                return
            self.client.close()
            time.sleep(0.1)
        raise SystemExit("gunicorn does not answer")

    def stop(self) -> None:
        """End it, if it was started."""
        if self.process is not None:
            self.client.close()
            self.process.terminate()
            self.process.wait()

    def warm_up(self) -> None:
        """Have both workers load what they load once: every new connection may meet another one."""
        self.client.close()  # the server has closed what was idle while another one was filled
        for _ in range(20):
            self.take(f"{LIST}&page_size=50")
            self.take("/bare/?page_size=50")
            self.client.close()

    def take(self, address: str) -> bytes:
        """Ask for something and read it to its end; of a stream nothing is kept."""
        self.client.request("GET", address, headers={"Authorization": f"Bearer {self.token}"})
        answer = self.client.getresponse()
        if "format=" not in address:
            body = answer.read()
        else:
            body = b""
            while answer.read(1 << 20):
                pass
        if answer.status != 200:
            raise SystemExit(f"{address} answered {answer.status}: {body[:300]!r}")
        return body

    def walk(self, address: str, most: int = 1 << 30) -> Iterator[float]:
        """Follow a list page by page; the seconds of each request."""
        while address and most:
            began = time.perf_counter()
            body = self.take(address)
            yield time.perf_counter() - began
            found = re.match(rb'\{"next":(null|"[^"]*")', body)
            link = urlsplit(json.loads(found[1]) or "")
            address, most = link.path and f"{link.path}?{link.query}", most - 1

    def copy(self) -> None:
        """COPY of the same columns to nowhere."""
        import psycopg2  # noqa: PLC0415

        with contextlib.closing(psycopg2.connect(self.database_url)) as connection, connection.cursor() as cursor:
            cursor.copy_expert(f"COPY ({self.statement}) TO STDOUT (FORMAT csv)", _Nowhere())

    def memory(self, name: str) -> list[float]:
        """The memory of each worker in MiB: as it is (VmRSS), or as it was at most (VmHWM)."""
        parent = self.process.pid
        workers = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in workers]
        return [int(re.search(rf"{name}:\s+(\d+)", text)[1]) / 1024 for text in texts]


class _Nowhere:
    def write(self, data: bytes) -> None:
        pass


def _fill(rows: int) -> tuple[str, str]:
    """A region with its grades; the token of its general manager, and the statement that COPY is given."""
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from bench.grade_year_data import clear, fill, settle  # noqa: PLC0415
    from crm.actions.tokens import issue_token  # noqa: PLC0415
    from crm.models import Region, Role, User  # noqa: PLC0415
    from grading.actions.runs import work_on  # noqa: PLC0415
    from grading.api.templates import COLUMNS  # noqa: PLC0415
    from grading.models import Cycle, CycleState, Grade  # noqa: PLC0415

    fill(rows)
    clear()
    work_on(_begin())
    Cycle.objects.update(state=CycleState.PUBLISHED, published_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_customer SET name = '第' || id || '公安局', pinyin = 'di' || id * 7919 % 1000003")
    settle()
    user = User.objects.create(username="gm", role=Role.REGIONAL_GM, region=Region.objects.get(code="one"))
    query = Grade.objects.filter(fiscal_year=2026).order_by().values_list(*COLUMNS).query
    with connection.cursor() as cursor:
        return issue_token(user=user, scopes=["grades:read"]), cursor.mogrify(*query.sql_with_params()).decode()


def _count_queries(token: str) -> dict[str, int]:
    """How many queries a page takes by its size; COPY, which goes past Django's log of queries, is one more."""
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext, setup_test_environment  # noqa: PLC0415

    setup_test_environment()
    client, counts = Client(headers={"authorization": f"Bearer {token}"}), {}
    for size in (1, 50, 1000):
        client.get(f"{LIST}&page_size={size}")
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{LIST}&page_size={size}").status_code == 200
        counts[str(size)] = len(captured) + 1
    return counts


if __name__ == "__main__":
    sys.exit(main())
