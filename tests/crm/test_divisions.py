"""The administrative divisions that every installation starts with."""

import pytest

from crm.data.divisions import FILE, parent_of, read_divisions
from crm.models import Division


@pytest.mark.django_db
def test_a_county_lies_in_its_prefecture_and_province():
    west_lake = Division.objects.get(code="330106")
    assert (west_lake.name, west_lake.parent.name, west_lake.parent.parent.name) == ("西湖区", "杭州市", "浙江省")


@pytest.mark.django_db
def test_every_level_is_there_once():
    assert Division.objects.filter(parent=None).count() == 34
    assert Division.objects.count() == len({code for code, _, _ in read_divisions()}) == 3875


def test_each_parent_comes_before_its_children():
    seen = {None}
    for code, _, parent in read_divisions():
        assert parent in seen, code
        seen.add(code)


def test_the_code_says_what_lies_above():
    assert [parent_of(code) for code in ("330000", "330100", "330106")] == [None, "330000", "330100"]


def test_the_list_is_small_and_names_its_source():
    assert FILE.stat().st_size < 200_000
    assert "MIT License" in FILE.with_name("divisions.LICENSE.txt").read_text()
    assert "@vant/area-data` 2.1.0" in FILE.with_name("README.md").read_text()
