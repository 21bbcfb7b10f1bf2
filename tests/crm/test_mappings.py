"""Mapping files: where each column of an import comes from."""

import json
from decimal import Decimal

import pytest

from crm.lib.cells import CellError, amount
from crm.lib.mappings import MappingUnreadable, Source, read_mapping
from crm.lib.spreadsheets import Table, TableRow, read_table


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "products.csv").write_text("product,series\nGTX Pro,GTX\n")
    return tmp_path


def mapping_of(folder, content):
    file = folder / "mapping.json"
    file.write_text(json.dumps(content))
    return read_mapping(file, tables_in=folder)


def test_a_value_is_translated_and_then_looked_up(folder):
    said = {
        "header": "product",
        "values": {"GTXPro": "GTX Pro"},
        "lookup": {"file": "products.csv", "key": "product", "value": "series"},
    }
    source = mapping_of(folder, {"columns": {"product_line": said}}).columns["product_line"]
    assert source.cell_of({"product": "GTXPro"}) == "GTX"
    with pytest.raises(CellError, match="products.csv does not know “GTX Ultra”"):
        source.cell_of({"product": "GTX Ultra"})


def test_a_header_a_constant_a_default_and_a_factor():
    assert Source(header="a").cell_of({"a": "1"}) == "1"
    assert Source(constant="2018").cell_of({}) == "2018"
    assert Source(header="a", default="no").cell_of({"a": " "}) == "no"
    assert Source(header="a", factor=100).cell_of({"a": 0.3}) == "30.0"
    with pytest.raises(CellError, match="not a plain number"):
        Source(header="a", factor=2).cell_of({"a": "400万"})


@pytest.mark.parametrize(
    ("cell", "times_ten_thousand"),
    [
        ("1,200", 12_000_000),
        ("¥5", 50_000),
        ("￥ 0.5", 5_000),
        ("(3.25)", -32_500),
        (0.1 + 0.2, 3_000),
        ("400,000.0001", 4_000_000_001),
    ],
)
def test_figures_are_scaled_as_an_amount_writes_them(cell, times_ten_thousand):
    scaled = Source(header="a", factor=Decimal(10_000)).cell_of({"a": cell})
    assert Decimal(scaled) == times_ten_thousand
    assert amount(scaled) == times_ten_thousand * 100


@pytest.mark.parametrize("cell", ["1e999999", "1e999990", "1e6", "400万", "1,23", "18%", "$5", "NaN", "1" * 500, "-"])
def test_what_is_no_plain_number_is_not_scaled(cell):
    with pytest.raises(CellError, match="not a plain number"):
        Source(header="a", factor=Decimal("10000.01")).cell_of({"a": cell})


@pytest.mark.parametrize("factor", ["1e999999", "1e-999999", "sNaN"])
def test_a_factor_out_of_all_measure_scales_nothing(factor):
    with pytest.raises(CellError, match="not a plain number"):
        Source(header="a", factor=Decimal(factor)).cell_of({"a": "15"})


def test_only_some_rows_are_taken(folder):
    chosen = mapping_of(folder, {"columns": {"name": "n"}, "only": {"stage": ["Won"]}})
    assert chosen.takes(TableRow(2, {"stage": "Won"}))
    assert not chosen.takes(TableRow(3, {"stage": "Lost"}))


def test_headers_and_words_are_found_whatever_the_width_of_their_signs(folder):
    (folder / "sectors.csv").write_text("行业（旧）,行业\n公安（一）,police\n", encoding="utf-8")
    (folder / "sales.csv").write_text("金额（万元）,类别,行业\n3,公安（一）,公安（一）\n", encoding="utf-8")
    said = {
        "only": {"类别": ["公安（一）"]},
        "columns": {
            "amount": "金额（万元）",
            "kind": {"header": "类别", "values": {"公安（一）": "police"}},
            "line": {"header": "行业", "lookup": {"file": "sectors.csv", "key": "行业（旧）", "value": "行业"}},
        },
    }
    table, chosen = read_table(folder / "sales.csv"), mapping_of(folder, said)
    chosen.require_headers(table)
    [row] = table.rows
    assert chosen.takes(row)
    assert [source.cell_of(row.cells) for source in chosen.columns.values()] == ["3", "police", "police"]


def test_rows_are_chosen_by_a_header_whatever_the_width_of_its_signs(folder):
    chosen = mapping_of(
        folder, {"columns": {"name": {"header": "n"}}, "only": {"阶段（终）": ["Won"]}, "sum": ["amount "]}
    )
    assert chosen.takes(TableRow(2, {"阶段(终)": "Won"}))
    assert chosen.sums == {"amount"}


def test_toml_says_the_same(folder):
    (folder / "m.toml").write_text('kind = "sales"\n[columns]\namount = {header = "sum", factor = "1"}\n')
    chosen = read_mapping(folder / "m.toml", tables_in=folder)
    assert (chosen.kind, chosen.columns["amount"].header) == ("sales", "sum")


def test_a_header_that_the_file_lacks_is_named(folder):
    with pytest.raises(MappingUnreadable, match="the file has no column b; it has a"):
        mapping_of(folder, {"columns": {"name": "b"}}).require_headers(Table(("a",), []))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"column": {}}, "mapping.json knows no column"),
        (None, "mapping.json must be an object"),
        ([{"columns": {}}], "mapping.json must be an object"),
        ({"kind": "sales"}, "mapping.json: columns must be an object"),
        ({"kind": 5, "columns": {}}, "mapping.json: kind must be a text"),
        ({"columns": {"name": 5}}, "mapping.json: name must be an object"),
        ({"columns": {"name": {"header": 5}}}, "mapping.json: name.header must be a text"),
        ({"columns": {"name": {"header": "a", "values": ["a"]}}}, "mapping.json: name.values must be an object"),
        ({"columns": {"name": {"header": "a", "lookup": "b.csv"}}}, "mapping.json: name.lookup must be an object"),
        (
            {"columns": {"name": {"header": "a", "lookup": {"file": "b"}}}},
            "mapping.json: name.lookup.key must be a text",
        ),
        ({"columns": {}, "only": ["Won"]}, "mapping.json: only must be an object"),
        ({"columns": {}, "only": {"stage": "Won"}}, "mapping.json: only.stage must be a list"),
        ({"columns": {}, "sum": "amount"}, "mapping.json: sum must be a list"),
        ({"columns": {}, "assumptions": "all is well"}, "mapping.json: assumptions must be a list"),
        ({"columns": {"name": {}}}, "either a header or a constant"),
        ({"columns": {"name": {"heading": "a"}}}, "name knows no heading"),
        ({"columns": {"name": {"header": "a", "factor": "x"}}}, "mapping.json: name.factor is no number: “x”"),
        ({"columns": {"name": {"header": "a", "factor": "NaN"}}}, "mapping.json: name.factor is no number: “NaN”"),
        ({"columns": {"name": {"header": "a", "factor": "Infinity"}}}, "name.factor is no number: “Infinity”"),
        (
            {"columns": {"name": {"header": "a", "lookup": {"file": "products.csv", "key": "sku", "value": "series"}}}},
            "products.csv has no column sku",
        ),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(folder, content, reason):
    with pytest.raises(MappingUnreadable, match=reason):
        mapping_of(folder, content)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(MappingUnreadable, match="cannot be read"):
        read_mapping(tmp_path / "m.json", tables_in=tmp_path)
