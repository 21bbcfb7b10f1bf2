"""Names that are nearly the same."""

import pytest

from crm.lib.similar import Names, core, pieces, slips

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


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("杭州公安局", "杭州市公安局"),
        ("石家庄市数据局 一处", "石家庄数据局一处"),
        ("杭州恒科科技股份有限公司", "杭州恒科科技集团"),
        ("ACME  Trading Company Limited", "Acme Trading Co., Ltd."),
        ("浙江省杭州市西湖区城市管理和综合行政执法局", "浙江省杭州市西湖区城管和综合行政执法局"),
        ("恒科", "恒科有限公司"),
    ],
)
def test_the_sieve_lets_every_close_name_through(name, other):
    assert Names([(1, other)]).most_like(name)
    assert any(piece in other.lower() for piece in pieces(name))


def test_a_name_of_signs_has_no_pieces():
    assert pieces("！—") == []


@pytest.mark.parametrize(
    ("words", "known", "found"),
    [
        ({"technolgy": 12}, {"technology"}, {"technolgy": "technology"}),
        ({"technolgy": 1, "technology": 5}, set(), {"technolgy": "technology"}),
        ({"technolgy": 1, "technology": 4}, set(), {}),
        ({"Retail": 3}, {"retail"}, {"Retail": "retail"}),
        ({"technolgy": 12}, {"technology", "technolgy"}, {}),
        ({"industry sector 1": 1, "industry sector 2": 9}, set(), {}),
        ({"retail": 1}, {"finance"}, {}),
        ({}, set(), {}),
    ],
)
def test_a_slip_of_the_pen_is_nearly_what_is_known_or_said_much_oftener(words, known, found):
    assert slips(words, known) == found
