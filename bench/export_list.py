"""An xlsx file of 100,000 customers × 12 columns against the bare XlsxWriter with the same values.

    python -m bench.export_list [--rows 100000] [--rounds 3]

Each round writes, one after the other: the bare writer (constant memory, one typed call per cell, values ready as
strings, floats and days), our writer (values as the product keeps them: fen, ten-thousandths of a point), and the whole
export from the database (SQLite, made and dropped): scope, filters, rows in chunks, our writer. The sheets of the first
two are the same, byte for byte but for widths, filters and the frozen head.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import date
from statistics import median
from typing import IO, Any

import django
from xlsxwriter import Workbook

LIMIT = 0.8
COLUMNS = "name,code,region,grade,score,potential_sales,expected_close_on,lead,branch,kind,industry,address"


def main() -> int:
    """Measure in a process of its own. Returns how many limits were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        django.setup()
        return _measure(options.rows, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "SECRET_KEY": "a benchmark signs nothing that anybody would want to forge",
            "REDIS_URL": "",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], env=env, check=True)
        words = ["--measure", "--rows", str(options.rows), "--rounds", str(options.rounds)]
        return subprocess.run([sys.executable, "-m", "bench.export_list", *words], env=env, check=False).returncode


def _measure(rows: int, rounds: int) -> int:
    from django.http import QueryDict  # noqa: PLC0415
    from django.utils import translation  # noqa: PLC0415

    from crm.actions.exports import Wish, columns_of, open_wish, rows_of  # noqa: PLC0415
    from crm.lib.exports import write_xlsx  # noqa: PLC0415
    from crm.lists import CUSTOMERS  # noqa: PLC0415

    person = _fill(rows)
    translation.activate("zh-hans")
    wish = Wish(CUSTOMERS, QueryDict(f"line=police&columns={COLUMNS}"), "xlsx", "zh-hans", person)
    opened = open_wish(wish)
    columns = columns_of(opened)
    kept = list(rows_of(opened))
    heads, plain = [column.header for column in columns], [_plain(row) for row in kept]
    seconds: dict[str, list[float]] = {"bare writer": [], "our writer": [], "whole export": []}
    for _ in range(rounds):
        with tempfile.TemporaryFile() as bare, tempfile.TemporaryFile() as ours, tempfile.TemporaryFile() as whole:
            seconds["bare writer"].append(_timed(_write_bare, bare, heads, plain))
            seconds["our writer"].append(_timed(lambda file: write_xlsx(columns, kept, file), ours))
            seconds["whole export"].append(
                _timed(lambda file: write_xlsx(columns, rows_of(open_wish(wish)), file), whole)
            )
            assert _cells(bare) == _cells(ours) == _cells(whole)
    return _report(rows, len(columns), seconds)


def _report(rows: int, columns: int, seconds: dict[str, list[float]]) -> int:
    bare = median(seconds["bare writer"])
    print(f"{rows:,} rows × {columns} columns")
    for name, taken in seconds.items():
        ratio = bare / median(taken)
        print(f"{name:14} {median(taken):7.2f} s {rows / median(taken):9,.0f} rows/s   ratio {ratio:.2f}")
    is_missed = bare / median(seconds["our writer"]) < LIMIT
    print(f"our writer ≥ {LIMIT} of the bare writer's rows/s: {'missed' if is_missed else 'kept'}")
    return int(is_missed)


def _fill(rows: int) -> Any:
    from crm.lib.pinyin import full_pinyin  # noqa: PLC0415
    from crm.models import Branch, Customer, CustomerLine, ProductLine, Region, User  # noqa: PLC0415

    region = Region.objects.create(code="east", name="华东大区")
    branch = Branch.objects.create(code="hangzhou", name="杭州分公司", region=region)
    person = User.objects.create(username="head", name="销售管理", role="sales_management")
    police = ProductLine.objects.get(code="police")
    pinyin = full_pinyin("杭州市公安局")
    customers = [
        Customer(
            code=f"C{number:06}",
            name=f"杭州市公安局第{number}分局",
            industry="公共安全",
            address=f"杭州市西湖区文三路 {number} 号",
            region=region,
            branch=branch,
            pinyin=f"{pinyin}{number:06}",
            search_text=f"杭州市公安局第{number}分局",
        )
        for number in range(rows)
    ]
    Customer.objects.bulk_create(customers, batch_size=2000)
    CustomerLine.objects.bulk_create(
        [
            CustomerLine(
                customer=customer,
                product_line=police,
                lead=person,
                state="graded",
                grade="ABCD"[number % 4],
                score=number * 7919 % 1_200_000,
                potential_sales=number * 104_729 % 1_000_000_000,
                expected_close_on=date(2026, 1 + number % 12, 1 + number % 28),
            )
            for number, customer in enumerate(customers)
        ],
        batch_size=2000,
    )
    return person


def _plain(row: list[Any]) -> list[Any]:
    """A row as a bare writer takes it; the fifth column is a score, the sixth an amount."""
    values = list(row)
    values[4], values[5] = values[4] / 10_000, values[5] / 100
    return values


def _write_bare(file: IO[bytes], heads: list[str], rows: list[list[Any]]) -> None:
    with Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF1F5"})
        points = book.add_format({"num_format": "0.00##"})
        amount, day = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "yyyy-mm-dd"})
        for index, head in enumerate(heads):
            sheet.write_string(0, index, head, bold)
        for number, row in enumerate(rows, start=1):
            for index, value in enumerate(row):
                if index == 4:
                    sheet.write_number(number, index, value, points)
                elif index == 5:
                    sheet.write_number(number, index, value, amount)
                elif index == 6:
                    sheet.write_datetime(number, index, value, day)
                else:
                    sheet.write_string(number, index, value)


def _timed(write: Callable[..., Any], file: IO[bytes], *arguments: Any) -> float:
    start = time.process_time()
    write(file, *arguments)
    return time.process_time() - start


def _cells(file: IO[bytes]) -> str:
    """The cells of a sheet with their values; formats are numbered in the order in which they were made."""
    with zipfile.ZipFile(file) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    return re.sub(r' s="\d+"', "", sheet.partition("<sheetData>")[2].partition("</sheetData>")[0])


if __name__ == "__main__":
    raise SystemExit(main())
