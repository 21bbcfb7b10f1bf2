"""Taking a list along from its page: what the file holds is what the page shows."""

import io
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from tests.browser.test_every_page import LANGUAGES, assert_sound_on_both


def taken_along(page: Page, button: str = "Excel (xlsx)"):
    """The file that the Export menu gives: its name and its bytes."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def sheet(content: bytes) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def shown(page: Page) -> list[list[str]]:
    """The cells of the page's table, without the boxes by which rows are ticked and what is drawn only for phones."""
    return page.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].filter(one => !one.querySelector('input')).map(one => one.innerText))"
    )


def test_the_filtered_list_is_the_same_in_the_file_and_on_the_page(page_of):
    page = page_of("head")
    page.goto("/customers/?line=police&grade=B&ordering=-score&page_size=200")
    page.locator("thead th").nth(3).wait_for()
    rows = shown(page)
    name, content = taken_along(page)
    assert name.startswith("Customers ")
    head, *written = sheet(content)
    assert head == ["Customer", "Code", "Region", "Grade", "Score", "Potential sales", "Expected close", "Lead"]
    assert len(written) == len(rows) > 0
    for cells, row in zip(rows, written, strict=True):
        customer, code, region, _grade, score, wan, close_on, lead = (cell.strip() for cell in cells)
        assert [customer, code, region, lead] == [row[0], row[1], row[2], row[7]]
        assert (float(score), row[3], close_on) == (row[4], "B", str(row[6]))
        assert float(wan.split()[0].replace(",", "")) * 10_000 == row[5]


def test_columns_are_chosen_and_taken_along(page_of):
    page = page_of("north")
    page.goto("/customers/")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Branch office").uncheck()
    page.get_by_role("checkbox", name="Grade per product line").uncheck()
    page.get_by_role("checkbox", name="Industry").check()
    page.get_by_role("button", name="Show these columns").click()
    expect(page.locator("thead th")).to_have_text(["Customer", "Code", "Region", "Industry"])
    assert unquote(page.url).endswith("/customers/?columns=name,code,region,industry")
    _, content = taken_along(page, "CSV")
    assert content.decode().splitlines()[0] == "\ufeffCustomer,Code,Region,Industry"
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("link", name="Usual columns").click()
    expect(page.locator("thead th")).to_have_count(5)


def test_what_was_taken_along_stands_among_my_exports(page_of):
    page = page_of("north")
    page.goto("/grading/board/?line=police")
    taken_along(page)
    page.get_by_role("button", name="Export").click()
    page.get_by_role("link", name="My exports").last.click()
    expect(page.locator("tbody tr").first).to_contain_text("Grade board")
    expect(page.locator("tbody tr").first).to_contain_text("Sent at once")


@pytest.mark.parametrize("language", LANGUAGES)
def test_my_exports_and_the_menus_are_sound(page_of, language):
    page = page_of("head")
    page.goto("/exports/")
    assert_sound_on_both(page)
    for address in ("/customers/?columns=name,code,credit_code,website", "/customers/?columns=salary"):
        page.goto(address)
        for button in page.locator(".page-actions [data-bs-toggle=dropdown]").all():
            button.click()
            expect(page.locator(".page-actions .dropdown-menu.show")).to_be_visible()
            assert_sound_on_both(page)
