"""What people write in cells: read exactly or refused, never guessed."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from crm.lib.cells import (
    CellError,
    amount,
    choice,
    code,
    day,
    guarded,
    is_blank,
    margin,
    not_negative,
    rate,
    text,
    whole,
    without_guard,
    year,
    yes_no,
)


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("4000000", 4_000_000_00),
        ("4,000,000", 4_000_000_00),
        ("¥4,000,000.00", 4_000_000_00),
        ("￥４００万", 4_000_000_00),
        ("400万", 4_000_000_00),
        ("400 万元", 4_000_000_00),
        ("1.2亿", 120_000_000_00),
        ("0.000001亿元", 100_00),
        ("12.5元", 12_50),
        ("3千元", 3_000_00),
        ("人民币 88.80", 88_80),
        ("-5000", -5_000_00),
        ("(5,000.00)", -5_000_00),
        (4_000_000, 4_000_000_00),
        (4514.1, 4_514_10),
        (0.1 + 0.2, 30),
        ("7,999,999.99", 7_999_999_99),
        ("４，０００，０００．００", 4_000_000_00),
        ("¥ 4,000,000.00 元", 4_000_000_00),
        ("￥400", 400_00),
        ("0.5千元", 500_00),
        (4_000_000.0, 4_000_000_00),
    ],
)
def test_an_amount_is_read_to_the_fen(cell, fen):
    assert amount(cell) == fen


@pytest.mark.parametrize(
    "cell",
    [
        "四百万",
        "1e6",
        "1,23",
        "400,0000",
        "12.345",
        "0.0001万元1",
        "=1+1",
        "9" * 20,
        float("nan"),
        True,
        "1.2.3",
        "$4000",
        "US$5",
    ],
)
def test_an_amount_that_is_none_is_refused(cell):
    with pytest.raises(CellError):
        amount(cell)


def test_an_amount_is_refused_rather_than_rounded():
    with pytest.raises(CellError, match="more than two decimals"):
        amount("12.345")
    with pytest.raises(CellError, match="more than two decimals"):
        amount("0.00000000001亿元")
    assert amount("0.000123万") == 1_23


def test_potential_sales_cannot_be_negative():
    assert not_negative("0") == 0
    with pytest.raises(CellError, match="negative"):
        not_negative("-1")


@pytest.mark.parametrize(
    "cell",
    [
        "2026-11-21",
        "2026/11/21",
        "2026.11.21",
        "2026年11月21日",
        "2026年11月21",
        "２０２６－１１－２１",
        " 2026-11-21 ",
        "2026-11-21T08:30",
        "20261121",
        "2026-11-21 00:00:00",
        46347,
        46347.0,
        46347.75,
        "46347",
        date(2026, 11, 21),
        datetime(2026, 11, 21, 8, 30),  # noqa: DTZ001
    ],
)
def test_a_day_is_read_in_every_usual_form(cell):
    assert day(cell) == date(2026, 11, 21)


@pytest.mark.parametrize("cell", ["2026-02-30", "21/11/2026", "11月21日", "2026-11", "soon", 5, 12.0, "99999999"])
def test_a_day_that_is_none_is_refused(cell):
    with pytest.raises(CellError, match="is not a day"):
        day(cell)


@pytest.mark.parametrize("cell", ["是", "有", "Yes", "TRUE", True, 1, 1.0, "1", "√"])
def test_yes(cell):
    assert yes_no(cell) is True


@pytest.mark.parametrize("cell", ["否", "无", "no", False, 0, "×"])
def test_no(cell):
    assert yes_no(cell) is False


def test_neither_yes_nor_no_is_refused():
    with pytest.raises(CellError, match="neither yes nor no"):
        yes_no("maybe")


@pytest.mark.parametrize(("cell", "hundredths"), [("12.5", 12_50), ("12.5%", 12_50), (18, 18_00), ("-3 %", -3_00)])
def test_a_rate_is_percent_with_or_without_its_sign(cell, hundredths):
    assert rate(cell) == hundredths


def test_a_margin_over_100_percent_is_refused():
    assert margin("100") == 100_00
    with pytest.raises(CellError, match="between -1000 % and 100 %"):
        margin("100.01")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (123.0, "123"),
        (123, "123"),
        ("  ＡＢ－１  ", "AB-1"),
        (True, "true"),
        (date(2026, 1, 2), "2026-01-02"),
        (None, ""),
        (0.1, "0.1"),
        (1e15, "1000000000000000"),
        ("=1+1", "=1+1"),
    ],
)
def test_text_has_one_form(cell, expected):
    assert text(cell) == expected


@pytest.mark.parametrize("cell", [1e28, 9.99e307, -9.99e307, 10**28, 1e-300])
@pytest.mark.parametrize("parse", [amount, margin, day, yes_no, year, whole])
def test_a_number_out_of_all_measure_is_refused_like_any_other(parse, cell):
    assert Decimal(text(cell)) == Decimal(f"{cell:.15g}")
    with pytest.raises(CellError):
        parse(cell)


def test_a_code_that_lost_its_last_digits_as_a_number_is_refused():
    with pytest.raises(CellError, match="format the column as text"):
        code(330106199001011234.0)
    assert (code(123.0), code(" ＫＨ－１ "), code("330106199001011234")) == ("123", "KH-1", "330106199001011234")


@pytest.mark.parametrize("cell", ["9.1130E+17", "1.23457e+17", "1E+10", " 1.38E+10 "])
def test_a_code_that_a_spreadsheet_has_written_shorter_is_refused(cell):
    with pytest.raises(CellError, match="has lost its last digits"):
        code(cell)


@pytest.mark.parametrize("cell", ["1E2", "1E+02", "1E-7", "E+10", "12E+5", "ZJ-1E+10", "+8613800000000"])
def test_a_code_that_only_resembles_it_is_one(cell):
    assert code(cell) == cell


def test_a_year_and_a_whole_number():
    assert (year("2026"), year(2026.0), year("2026年"), whole("7")) == (2026, 2026, 2026, 7)
    with pytest.raises(CellError, match="is not a year"):
        year("26")
    with pytest.raises(CellError, match="is not a whole number"):
        whole("1.5")


def test_a_choice_knows_its_words_only():
    state = choice({"已确认": "confirmed", "confirmed": "confirmed"})
    assert state("Confirmed") == state("已确认") == "confirmed"
    with pytest.raises(CellError, match="none of: 已确认, confirmed"):
        state("perhaps")


SIGNED = ("-2800", "+5", "+8613800000000", "+1,000", "-5%")


@pytest.mark.parametrize("written", ["=1+1", "+A1", "-A1", "@SUM(A1)", "＝1+1", "\tx", "'=1", "''-a", *SIGNED])
def test_what_looks_like_a_formula_is_guarded_and_comes_back_as_it_was(written):
    assert guarded(written) == f"'{written}"
    assert without_guard(guarded(written)) == written


@pytest.mark.parametrize("written", ["2800", "1,000.00", "12%", "plain", "", "'quoted"])
def test_other_text_is_left_alone(written):
    assert guarded(written) == written


def test_spaces_are_blank_and_nought_is_not():
    assert [is_blank(cell) for cell in (None, "", "  ", 0, False, "0")] == [True, True, True, False, False, False]
