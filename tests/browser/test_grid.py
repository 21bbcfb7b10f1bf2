"""The grid of assessments as people use it: by keyboard alone, with blocks from a sheet, and with others at work."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import fill_sign_in
from tests.browser.test_every_page import LANGUAGES, PHONE, assert_sound_on_both

WORDS = {
    "en": {
        "nothing": "Nothing changed",
        "an error": "4 changed, 1 error, not saved",
        "save": "Save 2 changes",
        "figure": "11",
        "saved": re.compile(r"All saved \d\d:\d\d"),
        "clash": "1 changed, 1 conflict, not saved",
        "keep": "Keep mine",
        "yes": "Yes",
    },
    "zh-hans": {
        "nothing": "没有改动",
        "an error": "已改 4 处，1 处有误，尚未保存",
        "save": "保存 2 处改动",
        "figure": "12",
        "saved": re.compile(r"\d\d:\d\d 已全部保存"),
        "clash": "已改 1 处，1 行冲突，尚未保存",
        "keep": "保留我的",
        "yes": "是",
    },
}

# what a cell holds, what is typed into it, what it keeps; None: that cannot be read
READ = (
    *(
        ("wan", typed, "400")
        for typed in ("400", " 400.00 ", "400万", "400 万元", "4,000,000元", "0.04亿", "４００", "¥400")
    ),
    *(("wan", typed, None) for typed in ("4,00", "-1", "many", "万", "1e3", "0.0000001", "1.234567.8")),
    *(("wan", typed, kept) for typed, kept in (("", ""), ("0.01元", "0.000001"), ("0", "0"), ("007.50", "7.5"))),
    *(("rate", typed, kept) for typed, kept in (("12.5%", "12.5"), ("-3", "-3"), ("18.00", "18"), ("18.001", None))),
    *(("yes", typed, True) for typed in ("是", "有", "√", "Y", "1", "TRUE")),
    *(("yes", typed, False) for typed in ("否", "无", "n", "0", "")),
    *(
        ("choice", typed, kept)
        for typed, kept in (("已确认", "confirmed"), ("Planned", "planned"), ("", "none"), ("?", None))
    ),
    *(("day", typed, "2026-09-03") for typed in ("2026-09-03", "2026/9/3", "2026年9月3日", "20260903", "2026.9.3")),
    *(("day", typed, None) for typed in ("2026-02-30", "9月3日", "soon")),
    ("yes", "perhaps", None),
)


@pytest.fixture
def words(page):
    """What the page says in its language, which is the browser's."""
    page.goto("/accounts/login/")
    return WORDS[page.locator("html").get_attribute("lang")]


@pytest.fixture
def grid(words, page_of, company) -> Page:
    page = page_of("north")
    return open_grid(page, company)


def open_grid(page: Page, company, query: str = "") -> Page:
    page.goto(f"/grading/cycles/{company.year}/grid/?line=police{query}")
    expect(page.locator(".tabulator-cell.grid-wan").first).to_be_visible()
    return page


def state(page: Page):
    return page.locator("#grid-status")


def cell(page: Page, row: int, name: str):
    return page.locator(f".tabulator-row:nth-child({row + 1}) .tabulator-cell[tabulator-field={name}]")


def now(page: Page, row: int, name: str):
    return cell(page, row, name).locator(".grid-now")


def put_on_clipboard(page: Page, text: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_filled_in_by_keyboard_alone_and_says_where_things_stand(grid, words, language):
    keys = grid.keyboard
    expect(state(grid)).to_have_text(words["nothing"])
    for typed, key in ((f"{words['figure']}.25", "Enter"), (f"{words['figure']}.5", "Tab"), ("a lot", "Tab")):
        keys.type(typed)
        keys.press(key)
    for key in ("ArrowLeft", "ArrowUp", "F2", "Control+a"):
        keys.press(key)
    keys.type(f"3{words['figure']}.5")
    keys.press("Enter")
    expect(state(grid)).to_have_text(words["an error"])
    wrong = cell(grid, 1, "potential_sales")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_attribute("title", re.compile("a lot"))
    expect(grid.locator("#grid-save")).to_have_text(words["save"])
    assert_sound_on_both(grid)

    keys.press("Control+s")
    expect(now(grid, 0, "expected_margin")).to_have_text(f"{words['figure']}.25")
    expect(cell(grid, 0, "expected_margin")).not_to_have_class(re.compile("is-changed"))
    expect(wrong).to_have_class(re.compile("is-wrong"))
    grid.locator(".tabulator-tableholder").focus()
    for _step in range(2):
        keys.press("Control+z")
    expect(wrong).not_to_have_class(re.compile("is-wrong"))
    keys.press("Control+y")
    expect(wrong).to_have_class(re.compile("is-wrong"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_block_from_a_sheet_is_pasted_filled_down_undone_and_saved(grid, words, company, language):
    keys = grid.keyboard
    before = now(grid, 1, "potential_sales").inner_text()
    put_on_clipboard(grid, f"{words['figure']}%\t4{words['figure']}万\t是\t计划中\n16\t1.2亿\tno\tconfirmed\n")
    keys.press("Control+v")
    expect(now(grid, 0, "potential_sales")).to_have_text(f"4{words['figure']}")
    expect(now(grid, 1, "potential_sales")).to_have_text("12,000")
    expect(now(grid, 0, "has_need")).to_have_text(words["yes"])
    keys.press("Control+z")
    expect(now(grid, 1, "potential_sales")).to_have_text(before)
    keys.press("Control+y")
    keys.press("Control+d")
    expect(now(grid, 1, "potential_sales")).to_have_text(f"4{words['figure']}")
    keys.press("Control+c")
    assert (
        grid.evaluate("navigator.clipboard.readText()")
        .splitlines()[1]
        .startswith(f"{words['figure']}\t4{words['figure']}\t")
    )
    keys.press("Control+s")
    expect(state(grid)).to_have_text(words["saved"])
    open_grid(grid, company)
    expect(now(grid, 1, "potential_sales")).to_have_text(f"4{words['figure']}")
    expect(state(grid)).to_have_text(words["nothing"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_that_somebody_else_changed_is_shown_beside_mine_and_saved_again(
    grid, words, company, browser, base_url, sessions, language
):
    theirs = browser.new_context(base_url=base_url, storage_state=sessions("north-gm"), locale="en-GB")
    other = open_grid(theirs.new_page(), company)
    type_and_save(other, f"21.{words['figure']}")
    expect(state(other)).to_have_text(WORDS["en"]["saved"])
    theirs.close()

    type_and_save(grid, f"22.{words['figure']}")
    expect(state(grid)).to_have_text(words["clash"])
    clashes = grid.locator("#grid-clashes")
    expect(clashes).to_contain_text(f"21.{words['figure']}")
    expect(clashes).to_contain_text(f"22.{words['figure']}")
    assert_sound_on_both(grid)
    clashes.get_by_role("button", name=words["keep"]).click()
    expect(grid.locator("#grid-save")).to_be_focused()
    grid.keyboard.press("Enter")
    expect(state(grid)).to_have_text(words["saved"])
    open_grid(grid, company)
    expect(now(grid, 0, "expected_margin")).to_have_text(f"22.{words['figure']}")


def test_what_was_typed_is_kept_when_the_session_ends_and_saved_after_signing_in_again(page_of, company, context):
    page = open_grid(page_of("north"), company)
    context.clear_cookies(name="sessionid")
    type_and_save(page, "23.75")
    expect(page.locator("#grid-problem")).to_contain_text("Your session has ended. What you typed is still here.")
    with context.expect_page() as opened:
        page.locator("#grid-problem a").click()
    fill_sign_in(opened.value, "north")
    expect(opened.value.locator("#sidebar")).to_be_attached()
    page.locator("#grid-save").click()
    expect(state(page)).to_have_text(WORDS["en"]["saved"])
    expect(page.locator("#grid-problem")).to_be_hidden()


def test_leaving_with_changes_asks_first(page_of, company):
    page = open_grid(page_of("north"), company)
    page.keyboard.type("31.75")
    page.keyboard.press("Enter")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/")
    assert asked == ["beforeunload"]


def test_cells_are_read_as_imports_read_them_and_nothing_is_guessed(page_of, company):
    page = open_grid(page_of("north"), company)
    asked = [(kind, typed) for kind, typed, _kept in READ]
    kept = page.evaluate(
        """async (asked) => {
            const { READERS } = await import(new URL("cells.js", document.querySelector("script[src*='js/grid']").src));
            const { words } = JSON.parse(document.getElementById("grid-data").textContent);
            return asked.map(([kind, typed]) => READERS[kind](typed, words));
        }""",
        asked,
    )
    assert kept == [value for _kind, _typed, value in READ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_grid_is_sound(words, page_of, company, language):
    page = page_of("north")
    page.goto(f"/grading/cycles/{company.year}/grid/?line=police&search=qqqq")
    expect(page.locator(".blank")).to_be_visible()
    assert_sound_on_both(page)


@pytest.mark.browser_context_args(has_touch=True, viewport=PHONE)
def test_on_a_phone_a_tap_opens_a_cell(page_of, company):
    page = open_grid(page_of("north"), company)
    cell(page, 1, "expected_margin").tap()
    expect(page.locator(".grid-editor")).to_be_focused()
    page.keyboard.type("41.5")
    page.keyboard.press("Enter")
    expect(state(page)).to_have_text("1 changed, not saved")


def test_a_value_is_pasted_into_all_cells_that_the_mouse_has_chosen(page_of, company):
    page = open_grid(page_of("north"), company)
    put_on_clipboard(page, "17.5")
    cell(page, 0, "expected_margin").hover()
    page.mouse.down()
    cell(page, 1, "potential_sales").hover()
    page.mouse.up()
    page.keyboard.press("Control+v")
    for row in (0, 1):
        for name in ("expected_margin", "potential_sales"):
            expect(now(page, row, name)).to_have_text("17.5")
    page.keyboard.press("Control+z")
    expect(state(page)).to_have_text("Nothing changed")


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_scripts_a_sentence_leads_to_the_list(page_of, company):
    page = page_of("north")
    page.goto(f"/grading/cycles/{company.year}/grid/?line=police")
    page.get_by_role("link", name="Assess the customers one by one from the list.").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Assessments")


def type_and_save(page: Page, typed: str) -> None:
    """Type into the first cell and save."""
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+s")
