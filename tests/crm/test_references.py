"""What a word in a file means: a code always, a name where one alone is called so."""

import pytest

from crm.actions.imports import import_kinds, import_table
from crm.actions.references import product_lines_by_word, regions_by_word
from crm.lib.spreadsheets import Table, TableRow
from crm.models import ProductLine
from tests.factories import (
    BranchFactory,
    CustomerLineFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def rejected(kind: str, headers: str, *rows: str) -> dict[int, str]:
    """Why each row of a file is rejected."""
    names = headers.split(",")
    filled = [TableRow(at, dict(zip(names, row.split(","), strict=True))) for at, row in enumerate(rows, start=2)]
    report = import_table(kind=import_kinds()[kind], table=Table(tuple(names), filled), by=None)
    return {row.number: report.reasons_of(row) for row in report.rejected}


def test_a_name_that_two_regions_have_means_none_of_them():
    east, west = RegionFactory(code="east", name="华东", name_en="Coast"), RegionFactory(code="west", name_en="coast")
    known = regions_by_word(None)
    assert (known["east"], known["华东"], known["west"], known.get("coast")) == (east, east, west, None)


def test_a_code_means_its_own_region_whatever_others_are_called():
    east, west = RegionFactory(code="east", name="west"), RegionFactory(code="west", name="east", is_active=False)
    assert regions_by_word(None) == {"east": east, "west": west}


def test_of_two_lines_of_one_name_the_one_that_is_still_sold_is_meant():
    sold, old, older = (
        ProductLine.objects.create(code=code, name=name, is_active=is_active)
        for code, name, is_active in (("gtx2", "GTX", True), ("gtx1", "GTX", False), ("gtx0", "旧", False))
    )
    known = product_lines_by_word()
    assert [known[word] for word in ("gtx", "gtx1", "旧")] == [sold, old, older]


def test_files_say_which_word_may_mean_several(north_region, south_region):
    line = CustomerLineFactory(customer__code="C1", customer__region=north_region)
    for region in (north_region, south_region):
        BranchFactory(region=region, name="分部")
        ProductLine.objects.create(code=f"new-{region.code}", name="新线")
    RegionFactory(code="a", name="新区")
    RegionFactory(code="b", name="新区")
    UserFactory(username="wang", role="consultant")
    assert rejected("customers", "客户编码,分公司,产品线", "C1,分部,", "C1,,新线") == {
        2: "分公司: there is more than one branch office “分部”",
        3: "产品线: there is more than one product line “新线”",
    }
    sales = rejected("sales", "客户,大区,产品线,签订日期,金额", "C1,新区,公安,2026-01-05,1", "C1,,新线,2026-01-05,1")
    assert sales == {
        2: "大区: there is more than one region “新区”",
        3: "产品线: there is more than one product line “新线”",
    }
    assert rejected("people", "用户名,大区", "wang,新区") == {2: "大区: there is more than one region “新区”"}
    assert list(line.customer.lines.all()) == [line]
