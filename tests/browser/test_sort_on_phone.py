"""A list is sorted on a phone, where its rows are cards without heads."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_every_page import DESK, LANGUAGES, PHONE, assert_sound_on_both

WIDE = "/customers/?line=police&columns=name,code,region,grade,score,potential_sales,expected_close_on,lead,branch,kind"


def test_a_phone_sorts_a_list_by_a_choice_and_keeps_its_filters(page_of):
    page = page_of("head")
    page.set_viewport_size(PHONE)
    page.goto("/customers/?line=police&page_size=25&page=2")
    order = page.get_by_role("combobox", name="Sort by")
    expect(order.locator("option:checked")).to_have_text("Customer, ascending")
    order.select_option(label="Code, descending")
    expect(page).to_have_url("/customers/?line=police&page_size=25&ordering=-code")
    expect(order.locator("option:checked")).to_have_text("Code, descending")
    codes = page.locator("tbody td[data-label=Code]").all_inner_texts()
    assert codes == sorted(codes, reverse=True)
    assert len(codes) > 1
    order.select_option(label="Customer, ascending")
    expect(page).to_have_url("/customers/?line=police&page_size=25")


def test_a_list_without_filters_is_sorted_on_a_phone_and_on_a_desk_by_its_heads_alone(page_of):
    page = page_of("head")
    page.set_viewport_size(PHONE)
    page.goto("/grading/policies/")
    page.get_by_role("combobox", name="Sort by").select_option(label="Version, ascending")
    expect(page).to_have_url("/grading/policies/?ordering=number")
    page.set_viewport_size(DESK)
    expect(page.locator("select[name=ordering]")).to_be_hidden()
    expect(page.get_by_role("button", name="Sort", exact=True)).to_be_hidden()
    expect(page.get_by_role("columnheader", name="Version")).to_have_attribute("aria-sort", "ascending")


def test_tab_passes_no_head_that_a_phone_does_not_show(page_of):
    page = page_of("head")
    page.set_viewport_size(PHONE)
    page.goto("/customers/?line=police")
    page.get_by_role("combobox", name="Sort by").focus()
    passed = []
    for _ in range(8):
        page.keyboard.press("Tab")
        passed.append(page.evaluate("document.activeElement.className"))
    assert "table-wrap" in passed
    assert "sort-link" not in passed


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "address", ["/customers/?line=police", "/imports/", "/history/", "/grading/cycles/{year}/grades/"]
)
def test_no_filter_cuts_off_what_it_filters_by(page_of, company, language, address):
    page = page_of("head")
    page.goto(address.format(year=company.year))
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert cut_off(page) == []


def cut_off(page) -> list[str]:
    """The filters whose words are wider than their room."""
    return page.locator(".list-tools select:visible").evaluate_all(
        """(every) => every.filter((select) => {
            const style = getComputedStyle(select);
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
            const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            return pen.measureText(select.selectedOptions[0].text).width > room + 1;
        }).map((select) => select.selectedOptions[0].text)"""
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_columns_break_neither_codes_nor_names(page_of, language):
    page = page_of("head")
    page.goto(WIDE)
    lines = page.locator("tbody td.tabular").evaluate_all(
        "every => every.map((cell) => { const text = document.createRange(); text.selectNodeContents(cell);"
        " return text.getClientRects().length; })"
    )
    assert set(lines) == {1}
    assert page.locator("tbody th").first.bounding_box()["width"] >= 150
    assert_sound_on_both(page)
