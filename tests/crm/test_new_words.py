"""Words that no record has yet, in columns where records share a few: named by row, and mended by the mapping."""

import pytest

from crm.actions import new_words
from crm.models import Customer
from tests.crm.test_import_pages import checked, counts_on, csv_file, opened_once, said, set_up, web, worked
from tests.factories import CustomerFactory

__all__ = ["opened_once", "web"]  # fixtures

pytestmark = pytest.mark.django_db
HEADER = "客户编码,客户名称,大区,行业"


def rows(*industries: str) -> list[str]:
    return [f"C{number},客户{number},north,{industry}" for number, industry in enumerate(industries)]


def new_on(web, one) -> list[tuple]:
    shown = web.get(f"/imports/{one.pk}/").context["new_words"]
    return [(told["word"], told["like"], told["rows"]) for told in shown]


def offered(web, one) -> dict[str, str]:
    form = web.get(f"/imports/{one.pk}/set-up/").context["form"]
    return {field.label: field.help_text for _column, field in form.word_rows}


def test_a_word_nearly_like_one_that_is_there_is_named_by_row_and_mended(web, north_region):
    CustomerFactory(region=north_region, industry="technology")
    one = checked(web, csv_file(HEADER, *rows("technolgy", "technology", "technolgy")))
    assert counts_on(web, one)["created"] == 3
    assert new_on(web, one) == [("technolgy", "technology", [2, 4])]
    assert "Words that no record has yet" in said(web.get(f"/imports/{one.pk}/"))
    assert offered(web, one) == {"“technolgy” means": "Nearly the same as “technology”."}
    set_up(web, one, word_0="technology")
    assert new_on(web, worked(one)) == []
    web.post(f"/imports/{one.pk}/start/")
    worked(one)
    assert Customer.objects.filter(industry="technology").count() == 4


def test_in_an_empty_base_the_rarer_word_is_nearly_the_more_frequent_one(web, north_region):
    one = checked(web, csv_file(HEADER, *rows(*["technology"] * 5, "technolgy", "retail")))
    assert new_on(web, one) == [
        ("technology", "", [2, 3, 4, 5, 6]),
        ("technolgy", "technology", [7]),
        ("retail", "", [8]),
    ]


def test_of_many_new_words_only_those_nearly_like_another_are_told(web, north_region, monkeypatch):
    monkeypatch.setattr(new_words, "FEW", 2)
    one = checked(web, csv_file(HEADER, *rows(*["technology"] * 5, "technolgy", "retail", "finance")))
    assert new_on(web, one) == [("technolgy", "technology", [7])]
    monkeypatch.setattr(new_words, "MOST", 3)
    set_up(web, one)
    assert new_on(web, worked(one)) == []


def test_words_of_records_out_of_sight_are_not_known(client_of, north, north_region, south_region):
    CustomerFactory(region=south_region, industry="technology")
    client = client_of(north)
    one = checked(client, csv_file(HEADER, *rows("technolgy")))
    assert new_on(client, one) == [("technolgy", "", [2])]


def test_rejected_rows_and_words_that_are_there_are_not_told(web, north_region):
    CustomerFactory(region=north_region, industry="retail")
    one = checked(web, csv_file(HEADER, *rows("retail", ""), "C9,九,nowhere,technology"))
    assert new_on(web, one) == []
    assert offered(web, one) == {"“nowhere” means": ""}
