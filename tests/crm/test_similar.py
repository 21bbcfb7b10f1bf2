"""Names that are nearly the same."""

import pytest

from crm.lib.similar import Names, core

KNOWN = {
    1: "杭州恒科科技有限公司",
    2: "杭州市公安局",
    3: "Acme Trading Co., Ltd.",
    4: "宁波市第一中学",
    5: "浙江省交通运输厅",
}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("杭州恒科科技股份有限公司", "杭州恒科科技"),
        ("杭州恒科科技有限公司上海分公司", "杭州恒科科技"),
        ("恒科（集团）有限公司", "恒科"),
        ("ACME  Trading Company Limited", "acmetrading"),
        ("有限公司", "有限公司"),
        ("", ""),
    ],
)
def test_the_form_of_a_company_distinguishes_nothing(name, said):
    assert core(name) == said


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("杭州恒科科技股份有限公司", 1),
        ("杭州恒科科技集团", 1),
        ("杭州公安局", 2),
        ("杭州市公安局", 2),
        ("ACME TRADING INC", 3),
        ("浙江交通运输厅", 5),
        ("宁波市第二中学", None),
        ("温州市公安局", None),
        ("局", None),
        ("", None),
    ],
)
def test_the_name_most_like_another_is_found(name, known):
    found = Names(KNOWN.items()).most_like(name)
    assert (found and found.key) == known


def test_without_known_names_nothing_is_like_anything():
    assert Names([]).most_like("杭州市公安局") is None
