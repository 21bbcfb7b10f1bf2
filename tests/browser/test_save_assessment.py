"""Changing an assessment: the preview says the grade while one types, the customer page shows it after saving."""

from playwright.sync_api import Page, expect


def test_better_figures_show_grade_a_at_once_and_on_the_customer_after_saving(page_of, company):
    line = company.north[0]
    assert line.grade != "A"
    page = page_of("north")
    page.goto(f"/customers/{line.customer}/")
    section = page.locator(f"#line-{line.code}")
    expect(section.locator(".grade-lg")).to_contain_text(f"Grade {line.grade}")
    section.get_by_role("link", name=f"Assess {company.year}").click()

    preview = page.locator("#preview")
    expect(preview.locator(".grade-lg")).to_contain_text(f"Grade {line.grade}")
    page.get_by_label("Expected gross margin").fill("60")
    page.get_by_label("Potential sales").fill("900")
    expect(preview.locator(".grade-lg")).to_contain_text("Grade A")

    page.get_by_role("button", name="Save assessment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(line.name)
    expect(page.locator(f"#line-{line.code} .grade-lg")).to_contain_text("Grade A")
    expect(page.get_by_text("Assessment saved; grade now: A")).to_be_visible()


def test_a_figure_that_cannot_be_read_is_said_at_its_field_and_keeps_the_rest(page_of, company):
    page = open_assessment(page_of("north"), company.north[1])
    page.get_by_label("Note").fill("待核实")
    page.get_by_label("Potential sales").fill("四百万")
    expect(page.locator("#preview")).to_contain_text("No preview until these are readable")
    page.get_by_role("button", name="Save assessment").click()
    expect(page.get_by_label("Potential sales")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Potential sales")).to_have_value("四百万")
    expect(page.get_by_label("Note")).to_have_value("待核实")


def test_a_change_by_someone_else_meanwhile_is_shown_and_not_overwritten(page_of, company, browser, base_url, sessions):
    line = company.north[2]
    mine = open_assessment(page_of("north"), line)
    theirs = browser.new_context(base_url=base_url, storage_state=sessions("north-gm"), locale="en-GB")
    other = open_assessment(theirs.new_page(), line)
    fill_note(other, "区总补充")
    other.get_by_role("button", name="Save assessment").click()
    expect(other.get_by_role("heading", level=1)).to_have_text(line.name)
    theirs.close()

    fill_note(mine, "专员补充")
    mine.get_by_role("button", name="Save assessment").click()
    expect(mine.get_by_text("区总补充")).to_be_visible()
    expect(mine.get_by_label("Note")).to_have_value("专员补充")


def fill_note(page: Page, text: str) -> None:
    """Type a note and let the preview answer, which leaving the page would cut off."""
    with page.expect_response("**/preview/**"):
        page.get_by_label("Note").fill(text)


def open_assessment(page: Page, line) -> Page:
    page.goto(f"/grading/assessments/{line.assessment}/")
    return page
