"""How names are spelled for those who type: as pypinyin spells them, only quicker."""

import pytest
from pypinyin import Style, lazy_pinyin

from crm.lib.pinyin import full_pinyin, initials, search_text
from crm.models import Division
from tests.crm.naughty import NAUGHTY


@pytest.mark.parametrize(
    ("name", "full", "first"),
    [
        ("杭州市公安局", "hangzhoushigonganju", "hzsgaj"),
        ("重庆银行", "chongqingyinhang", "cqyh"),
        ("呼和浩特市ABC 12号", "huhehaoteshiabc12hao", "hhhtsabc12h"),
        ("", "", ""),
        ("Acme Inc.", "acmeinc.", "acmeinc."),
    ],
)
def test_a_name_is_spelled(name, full, first):
    assert (full_pinyin(name), initials(name)) == (full, first)


@pytest.mark.django_db
def test_every_division_and_every_odd_string_is_spelled_as_pypinyin_spells_it():
    names = list(Division.objects.values_list("name", flat=True))
    for name in [*names, *("".join(names[at : at + 3]) for at in range(0, len(names), 3)), *NAUGHTY]:
        spelled = "".join(lazy_pinyin(name)).lower().replace(" ", "")
        letters = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower().replace(" ", "")
        assert (full_pinyin(name), initials(name)) == (spelled, letters), name


def test_a_search_finds_the_short_form_too():
    assert "hzga" in search_text(name="杭州市公安局", short_name="", code="K1").split()
