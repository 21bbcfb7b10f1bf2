"""The template that people fill in: columns in their language, what belongs in each, text that stays text."""

from io import BytesIO

import pytest
from django.utils import translation
from python_calamine import CalamineWorkbook

from crm.actions.imports import import_kinds
from crm.import_templates import blank_cell_means, column_label, write_template
from crm.lib.spreadsheets import inspect_file

KINDS = sorted(import_kinds())


def sheets_of(content: bytes) -> list[list[list]]:
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    return [book.get_sheet_by_index(place).to_python() for place in range(len(book.sheet_names))]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("name", KINDS)
def test_every_header_of_a_template_is_found_again(client_of, head_office, name, language):
    kind = import_kinds()[name]
    with translation.override(language):
        headers, *rows = inspect_file(write_template(kind, head_office), "template.xlsx")[0].rows
    known = {column.name: {word.lower() for word in (column.name, *column.headers)} for column in kind.columns}
    assert len(headers[1]) == len(kind.columns)
    assert all(header.lower() in known[column.name] for header, column in zip(headers[1], kind.columns, strict=True))
    assert rows == []


def test_headers_are_in_the_readers_language(head_office):
    kind = import_kinds()["customers"]
    with translation.override("zh-hans"):
        chinese = [column_label(column) for column in kind.columns]
    with translation.override("en"):
        english = [column_label(column) for column in kind.columns]
    assert chinese[:2] == ["客户编码", "客户名称"]
    assert english[:2] == ["Customer code", "Customer"]
    assert all(not label.isascii() for label in chinese)
    assert all(label.isascii() for label in english)


def test_the_second_sheet_says_what_belongs_in_each_column_and_what_a_blank_cell_means(head_office, north_region):
    _table, notes = sheets_of(write_template(import_kinds()["customers"], head_office))
    words = {row[0]: row[1:] for row in notes}
    assert notes[0][0] == blank_cell_means()
    assert "North" in words["Region"][2]
    assert "(clear)" in notes[0][0]


def test_a_region_offers_its_own_words_only(north, north_region, south_region):
    _table, notes = sheets_of(write_template(import_kinds()["customers"], north))
    offered = {row[0]: row[3] for row in notes if len(row) > 3}
    assert offered["Region"] == "North"


def test_the_words_that_a_column_takes_are_labels_in_the_readers_language(head_office):
    allowed = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            notes = sheets_of(write_template(import_kinds()["customers"], head_office))[1]
        allowed[language] = next(row[3] for row in notes if row[0] in ("Type", "客户类型"))
    assert allowed == {"en": "Customer, Agent, Government relation", "zh-hans": "客户、代理、政府关系人"}
