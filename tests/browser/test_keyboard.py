"""What works without a mouse."""

from playwright.sync_api import Page, expect


def test_slash_focuses_the_search(page_of):
    page = page_of("head")
    page.goto("/grading/board/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Find customers by name, pinyin or code")).to_be_focused()


def test_the_palette_opens_by_ctrl_k_goes_to_a_page_and_closes_by_escape(page_of):
    page = page_of("head")
    page.goto("/")
    palette = page.get_by_role("dialog", name="Go to or find")
    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()

    page.keyboard.press("Control+k")
    page.keyboard.type("polic")
    expect(palette.get_by_role("option").first).to_contain_text("Policies")
    page.keyboard.press("Enter")
    expect(page).to_have_url("/grading/policies/")


def test_the_palette_searches_customers(page_of, company):
    line = company.north[0]
    page = page_of("north")
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type(line.name)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Customers").get_by_role("link", name=line.name)).to_be_visible()


def test_a_question_mark_shows_the_keys(page_of):
    page = page_of("head")
    page.goto("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_tab_leads_from_the_skip_link_through_the_form_to_its_primary_button(page_of, company):
    page = page_of("north")
    page.goto(f"/grading/assessments/{company.north[1].assessment}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    passed = tab_to(page, "Save assessment")
    fields = ["expected_margin", "potential_sales", "has_need", "budget_state", "expected_close_on", "note"]
    assert [name for name in dict.fromkeys(passed) if name in fields] == fields


def test_tab_reaches_the_primary_button_at_the_head_of_a_page(page_of, company):
    page = page_of("north")
    page.goto(f"/customers/{company.north[1].customer}/")
    tab_to(page, f"Assess {company.year}", most=60)


def tab_to(page: Page, text: str, *, most: int = 40) -> list[str]:
    """Press Tab until what says `text` has the focus; the names of the fields passed on the way."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Tab")
        reached, name = page.evaluate("[document.activeElement.innerText ?? '', document.activeElement.name ?? '']")
        if text in reached:
            return passed
        passed.append(name)
    raise AssertionError(f"{text!r} is not reached by {most} times Tab")
