"""An import in the browser: two bad rows, mended in the file that came back, imported again, undone."""

import csv
import io

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import LANGUAGES, assert_sound_on_both

HEADER = ["客户编码", "客户名称", "大区", "产品线"]


def csv_of(*rows: list[str]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([HEADER, *rows])
    return file.getvalue().encode()


def upload(page: Page, name: str, content: bytes) -> None:
    page.goto("/imports/new/")
    page.get_by_role("radio", name="Customers").check()
    page.locator("[name=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Upload the file").click()


def start_test_run(page: Page) -> None:
    page.locator("#set-up-import [type=submit]").click()
    expect(page.locator(".import-figures")).to_be_visible()


def figures(page: Page) -> list[str]:
    return page.locator(".import-figures .value").all_inner_texts()


def test_a_file_with_two_bad_rows_is_imported_mended_imported_again_and_undone(page_of):
    page = page_of("head")
    bad = csv_of(
        ["BR1", "杭州市公安局西湖分局", "north", "公安"],
        ["BR2", "南京市应急管理局", "Nord", "应急"],
        ["BR3", "苏州市公安局", "north", "铁路警察"],
    )
    upload(page, "bad rows.csv", bad)
    start_test_run(page)
    assert figures(page) == ["1", "0", "0", "2"]
    expect(page.get_by_role("row").filter(has_text="Nord")).to_contain_text("3")
    page.get_by_role("button", name="Import 1 row").click()
    expect(page.get_by_role("link", name="Undo the import")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rejected rows").click()
    rejected = download.value.path().read_bytes().decode("utf-8-sig")
    assert rejected.count("BR") == 2
    mended = rejected.replace("Nord", "north").replace("铁路警察", "公安")
    upload(page, download.value.suggested_filename, mended.encode())
    start_test_run(page)
    assert figures(page) == ["2", "0", "0", "0"]
    page.get_by_role("button", name="Import 2 rows").click()
    page.get_by_role("link", name="Undo the import").click()
    page.get_by_role("button", name="Take back 2 rows").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undone")
    page.goto("/customers/?search=BR2")
    expect(page.get_by_text("No customer fits these filters")).to_be_visible()
    page.goto("/customers/?search=BR1")
    expect(page.get_by_role("link", name="杭州市公安局西湖分局")).to_be_visible()


def test_an_import_goes_by_keyboard_alone(page_of):
    page = page_of("head")
    page.goto("/imports/new/")
    page.locator("[name=file]").set_input_files(
        {"name": "keys.csv", "mimeType": "text/csv", "buffer": csv_of(["BK1", "键盘客户", "north", "公安"])}
    )
    page.get_by_role("button", name="Upload the file").press("Enter")
    page.get_by_role("button", name="Start the test run").press("Enter")
    page.get_by_role("button", name="Import 1 row").press("Enter")
    expect(page.get_by_role("link", name="Undo the import")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_an_import_is_sound(page_of, language):
    page = page_of("head")
    page.goto("/imports/")
    assert_sound_on_both(page)
    page.goto("/imports/new/")
    assert_sound_on_both(page)
    name = "一个名字特别长的客户名单文件_来自华北大区_2026年第四季度_最终版_再也不改了.csv"
    content = csv_of(
        [f"BS{language}", "一个名字特别特别长的客户单位名称用来检查版面的测试有限责任公司", "Nord", "公安"]
    )
    page.locator("[name=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.locator("#upload-import [type=submit]").click()
    page.locator("#set-up-import details").evaluate("(folded) => { folded.open = true; }")
    assert_sound_on_both(page)
    start_test_run(page)
    assert_sound_on_both(page)
    page.locator("a[href$='/set-up/']").click()
    page.locator("[name=word_0]").fill("north")
    start_test_run(page)
    page.locator("form[action$='/start/'] [type=submit]").click()
    page.locator("a[href$='/undo/']").wait_for()
    assert_sound_on_both(page)
    page.locator("a[href$='/undo/']").click()
    page.wait_for_url("**/undo/")
    assert_sound_on_both(page)
