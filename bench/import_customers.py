"""An import of customers by xlsx against the bare work: calamine, type checks and COPY of the same file.

    python -m bench.import_customers [--rows 100000] [--rounds 3] [--profile]

Makes and drops a database of its own on PostgreSQL (HENGKE_BENCH_DATABASE_URL names a server where it may). Every
round times, one after the other: the bare work into a like table (same columns, indexes and checks), our import into
an empty base (read in a child, checked, matched, written, with change log and dated regions), and our import of the
same file again, which changes nothing. Count and sums of what was written are held equal each time.
"""

import argparse
import cProfile
import io
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import django

SERVER = os.environ.get("HENGKE_BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
DATABASE = "hengke_bench_import"
LIMIT = 5.0
HEADERS = ("客户编码", "客户名称", "统一社会信用代码", "行业", "大区", "客户类型")
MOST = {"code": 40, "name": 200, "credit_code": 18, "industry": 60, "region": 40, "kind": 20}


def main() -> int:
    """Measure in a process of its own, with a database of its own. Returns how many limits were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="show where one import spends its time instead")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        django.setup()
        with tempfile.TemporaryDirectory() as folder:
            file = _write_file(Path(folder) / "customers.xlsx", options.rows)
            return _profile(file) if options.profile else _measure(file, options.rows, options.rounds)
    _administer(f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}")
    env = {
        **os.environ,
        "DATABASE_URL": urlsplit(SERVER)._replace(path=f"/{DATABASE}").geturl(),
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": "a benchmark signs nothing that anybody would want to forge",
        "REDIS_URL": "",
    }
    try:
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], env=env, check=True)
        words = [sys.executable, "-m", "bench.import_customers", *sys.argv[1:], "--measure"]
        return subprocess.run(words, env=env, check=False).returncode
    finally:
        _administer(f"DROP DATABASE IF EXISTS {DATABASE}")


def _write_file(file: Path, rows: int) -> Path:
    import xlsxwriter  # noqa: PLC0415

    from crm.models import Division  # noqa: PLC0415

    names = [f"{one.parent.name if one.parent else ''}{one.name}" for one in Division.objects.select_related("parent")]
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADERS)
        for at in range(1, rows + 1):
            number, place = divmod(at, len(names))
            name = f"{names[place]}{_BODIES[number % 10]}{_UNITS[number // 10 % 10]}"
            cells = (f"C{at:07}", name, f"91330100MA{at:08}", _TRADES[at % 5], "north", "客户")
            for column, cell in enumerate(cells):
                sheet.write_string(at, column, cell)
    return file


_BODIES = ["公安局", "交通运输局", "应急管理局", "城管局", "水利局", "财政局", "大数据局", "卫健委", "教育局", "资源局"]
_UNITS = [
    "",
    "第一支队",
    "指挥中心",
    "信息中心",
    "第二支队",
    "机关服务中心",
    "培训中心",
    "第三支队",
    "检测站",
    "档案馆",
]
_TRADES = ["公安", "交通", "应急", "城管", "水利"]


def _measure(file: Path, rows: int, rounds: int) -> int:
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        _clear()
        times.setdefault("bare", []).append(_timed(lambda: _bare(file)))
        _check("bench_customer", rows)
        _clear()
        times.setdefault("import", []).append(_timed(lambda: _import(file, "created", rows)))
        _check("crm_customer", rows)
        times.setdefault("again", []).append(_timed(lambda: _import(file, "unchanged", rows)))
    base, ours = median(times["bare"]), median(times["import"])
    print(f"{rows:,} customers of {len(HEADERS)} columns by xlsx, median of {rounds} rounds")
    print(f"  calamine, type checks, COPY  {base:8.2f} s   {rows / base:>9,.0f} rows/s")
    verdict = "ok" if ours / base <= LIMIT else "MISSED"
    print(f"  our import                   {ours:8.2f} s   {rows / ours:>9,.0f} rows/s   ", end="")
    print(f"ratio {ours / base:.2f} (limit {LIMIT}) {verdict}")
    again = median(times["again"])
    print(f"  our import again, unchanged  {again:8.2f} s   {rows / again:>9,.0f} rows/s   ratio {again / base:.2f}")
    return int(ours / base > LIMIT)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _profile(file: Path) -> int:
    _clear()
    profile = cProfile.Profile(time.process_time)
    profile.runcall(_import, file, "created", None)
    for order in ("cumulative", "tottime"):
        pstats.Stats(profile).sort_stats(order).print_stats(45)
    return 0


def _clear() -> None:
    """An empty base with one region, and an empty table like that of customers for the bare work."""
    from django.db import connection  # noqa: PLC0415

    from crm.models import Region  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE crm_customer, crm_change CASCADE")
        cursor.execute("DROP TABLE IF EXISTS bench_customer")
        cursor.execute("CREATE TABLE bench_customer (LIKE crm_customer INCLUDING ALL)")
    Region.objects.get_or_create(code="north", defaults={"name": "华北大区"})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _bare(file: Path) -> None:
    """The least that a loader could do: every cell is checked for what it is and how long, every region is known."""
    from django.db import connection, transaction  # noqa: PLC0415
    from python_calamine import CalamineWorkbook  # noqa: PLC0415

    from crm.models import Region  # noqa: PLC0415

    regions = dict(Region.objects.values_list("code", "pk"))
    kinds = {"客户": "customer"}
    names = list(MOST)
    lines = io.StringIO()
    rows = iter(CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).iter_rows())
    next(rows)
    for row in rows:
        for name, cell in zip(names, row, strict=True):
            if not isinstance(cell, str) or not 0 < len(cell) <= MOST[name]:
                raise SystemExit(f"{name}: {cell!r}")
        code, name, credit_code, industry, region, kind = row
        lines.write(f"{code}\t{name}\t{credit_code}\t{industry}\t{regions[region]}\t{kinds[kind]}\t{name}\t{name}\n")
    lines.seek(0)
    columns = "code, name, credit_code, industry, region_id, kind, pinyin, search_text"
    with transaction.atomic(), connection.cursor() as cursor:
        for column, value in _CONSTANTS.items():
            cursor.execute(f"ALTER TABLE bench_customer ALTER {column} SET DEFAULT {value}")
        cursor.copy_expert(f"COPY bench_customer ({columns}) FROM STDIN", lines)


_CONSTANTS = {"short_name": "''", "address": "''", "website": "''", "note": "''", "version": "1", "created_at": "now()"}


def _import(file: Path, outcome: str, rows: int | None) -> None:
    from crm.actions.imports import import_kinds, import_table  # noqa: PLC0415
    from crm.lib.spreadsheets import read_table  # noqa: PLC0415

    report = import_table(kind=import_kinds()["customers"], table=read_table(file), by=None)
    if rows is not None and report.count(outcome) != rows:
        raise SystemExit(f"not all {outcome}: {[row.reasons for row in report.rejected[:3]]}")


def _check(table: str, rows: int) -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        sums = "count(*), sum(length(name)), sum(right(code, 7)::bigint), count(distinct credit_code)"
        cursor.execute(f"SELECT {sums} FROM {table}")
        count, letters, numbers, codes = cursor.fetchone()
        if (count, numbers, codes) != (rows, rows * (rows + 1) // 2, rows) or not letters:
            raise SystemExit(f"{table} holds {count} rows")
        if table == "crm_customer":
            cursor.execute("SELECT (SELECT count(*) FROM crm_change), (SELECT count(*) FROM crm_customerregion)")
            if cursor.fetchone() != (rows, rows):
                raise SystemExit("changes or dated regions are missing")


def _administer(*statements: str) -> None:
    import psycopg2  # noqa: PLC0415

    connection = psycopg2.connect(SERVER)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
