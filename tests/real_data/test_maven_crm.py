"""Maven's CRM data, imported by mapping and graded: against ten customers reckoned by hand, all by arithmetic.

The files are not shipped: HENGKE_REAL_DATA names the folder that holds maven_crm (docs/guides/real-data.md).
"""

import csv
import os
import runpy
from collections import Counter, defaultdict
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from crm.models import Customer, CustomerLine, Sale
from grading.models import Grade

pytestmark = [pytest.mark.real_data, pytest.mark.django_db]

SHIPPED = settings.BASE_DIR / "docs" / "real_data" / "maven_crm"
PREPARE = settings.BASE_DIR / "scripts" / "prepare_maven_crm.py"

# Read off the raw files by hand: account, series, list prices of its open deals, won deals, score, grade.
BY_HAND = (
    ("Kan-code", "gtx", 2 * 4821 + 2 * 550 + 2 * 1096 + 2 * 5482, 246_117, "108", "A"),
    ("Isdom", "gtx", 2 * 1096 + 5482 + 2 * 4821, 115_222, "93.5", "A"),
    ("Acme Corporation", "gtx", 5482 + 4821 + 550 + 2 * 1096, 84_308, "89.25", "B"),
    ("Warephase", "gtk", 26_768, 0, "90", "A"),
    ("Lexiqvolax", "gtk", 26_768, 23_746, "94.5", "A"),
    ("Konex", "gtx", 2 * 1096 + 2 * 4821 + 550 + 5482, 194_203, "93.5", "A"),
    ("Rangreen", "gtx", 2 * 1096 + 2 * 5482 + 550, 90_908, "89.25", "B"),
    ("Iselectrics", "gtx", 2 * 4821 + 5 * 550 + 1096, 61_542, "89.25", "B"),
    ("Cancity", "mg", 3 * 55 + 3393, 20_298, "78.75", "C"),
    ("Hottechi", "mg", 3 * 55, 48_735, "78.75", "C"),
)


@pytest.fixture(scope="module")
def raw() -> Path:
    folder = Path(os.environ.get("HENGKE_REAL_DATA", settings.BASE_DIR.parent / "shared" / "data")) / "maven_crm"
    assert folder.is_dir(), f"{folder} is missing: HENGKE_REAL_DATA names the folder that holds maven_crm"
    return folder


@pytest.fixture
def files(raw, tmp_path) -> Path:
    runpy.run_path(str(PREPARE))["main"](raw, tmp_path)
    return tmp_path


@pytest.fixture
def graded(files):
    """Imported and graded as the guide says; what each command printed."""
    printed = {
        "regions": run("import_file", "regions", SHIPPED / "regions.csv"),
        "product-lines": run("import_file", "product-lines", SHIPPED / "product_lines.csv"),
        "customers": imported("customers", files / "accounts.csv"),
        "sales": imported("sales", files / "sales_pipeline.csv"),
        "assessments": imported("assessments", files / "sales_pipeline.csv"),
        "policy": run("publish_policy", SHIPPED / "policy.json"),
        "grades": run("grade_year", "2018", "--as-of", "2018-01-01", "--publish"),
    }
    return printed


def imported(kind, file):
    return run("import_file", kind, file, "--mapping", SHIPPED / f"{kind}.json")


def run(command, *arguments):
    out = StringIO()
    try:
        call_command(command, *map(str, arguments), stdout=out, stderr=StringIO())
    except SystemExit:
        out.write("exit 1")
    return out.getvalue()


def test_every_row_is_accounted_for(graded, files):
    assert "created 85, updated 0, unchanged 0, rejected 0" in graded["customers"]
    assert "created 4,238, updated 0, unchanged 0, rejected 0" in graded["sales"]
    assert "Left out by the mapping: 4,562 rows" in graded["sales"]
    assert "created 172, updated 0, unchanged 0, rejected 1,425" in graded["assessments"]
    assert "Added to an earlier row of the same record: 492 rows" in graded["assessments"]
    assert "Left out by the mapping: 6,711 rows" in graded["assessments"]
    assert "Assumed: The expected margin equals the required one" in graded["assessments"]


def test_deals_without_account_are_reported_and_not_guessed(graded, files):
    with (files / "sales_pipeline.rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        rejected = list(csv.DictReader(file))
    assert len(rejected) == 1425
    assert {(row["account"], row["why it was rejected"]) for row in rejected} == {
        ("", "account: there must be something here")
    }


def test_a_second_import_changes_nothing(graded, files):
    assert "created 0, updated 0, unchanged 85, rejected 0" in imported("customers", files / "accounts.csv")
    assert "created 0, updated 0, unchanged 4,238" in imported("sales", files / "sales_pipeline.csv")
    assert "created 0, updated 0, unchanged 172" in imported("assessments", files / "sales_pipeline.csv")


def test_dirt_is_cleaned_as_the_mapping_states(graded):
    assert not Customer.objects.filter(industry="technolgy").exists()
    assert Customer.objects.filter(industry="technology").count() == 12
    assert Customer.objects.get(name="Bluth Company").parent.name == "Acme Corporation"
    assert Sale.objects.filter(note="GTXPro", line__product_line__code="gtx").exists()


def test_the_grades_per_line_are_those_of_the_guide(graded):
    guide = (settings.BASE_DIR / "docs" / "guides" / "real-data.md").read_text(encoding="utf-8")
    table = [line.split() for line in graded["grades"].splitlines() if line[:3] in ("gtx", "mg ", "gtk", "tot")]
    assert [(row[0], *map(int, row[1:])) for row in table] == [
        ("gtx", 25, 52, 7, 0, 0, 1),
        ("mg", 0, 25, 56, 0, 0, 4),
        ("gtk", 7, 0, 0, 0, 0, 11),
        ("total", 32, 77, 63, 0, 0, 16),
    ]
    for line in graded["grades"].splitlines()[:5]:
        assert line in guide


def test_ten_customers_are_graded_as_reckoned_by_hand(graded):
    found = {
        (grade.line.customer.name, grade.line.product_line.code): grade.record
        for grade in Grade.objects.select_related("line__customer", "line__product_line", "record")
    }
    for account, series, potential, history, score, letter in BY_HAND:
        record = found[account, series]
        assert (record.potential_sales, record.history_sales) == (potential * 100, history * 100), account
        assert (record.score, record.letter) == (int(Decimal(score) * 10_000), letter), account


def test_every_grade_agrees_with_plain_arithmetic_on_the_raw_files(graded, raw):
    expected = reckoned(raw)
    found = {
        (record.line.customer.name, record.line.product_line.name): (record.line.grade, record.line.score)
        for record in Grade.objects.select_related("line__customer", "line__product_line").filter(fiscal_year=2018)
    }
    assert {key: value for key, value in found.items() if value[0]} == expected
    assert Counter(line.state for line in CustomerLine.objects.all()) == {"graded": 172, "not_assessed": 16}


def reckoned(raw: Path) -> dict:
    """Letters and scores from the raw rows, with nothing of the product's code."""
    prices = {row["product"]: row for row in read(raw / "products.csv")}
    won, potential = defaultdict(int), defaultdict(int)
    for deal in read(raw / "sales_pipeline.csv"):
        product = prices["GTX Pro" if deal["product"] == "GTXPro" else deal["product"]]
        key = (deal["account"], product["series"])
        if deal["deal_stage"] == "Won":
            won[key] += int(deal["close_value"])
        elif deal["deal_stage"] != "Lost" and deal["account"]:
            potential[key] += int(product["sales_price"])
    return {key: verdict(total, won[key]) for key, total in potential.items()}


def verdict(potential: int, history: int) -> tuple[str, int]:
    points = 60 + 10 * sum(potential >= limit for limit in (5_000, 10_000, 20_000, 50_000))
    bonus = 120 if history >= 200_000 else 110 if history >= 100_000 else 105 if history > 0 else 100
    score = (90 * 50 + points * 50) * bonus
    return ("A" if score >= 900_000 else "B" if score >= 800_000 else "C" if score >= 700_000 else "D", score)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
