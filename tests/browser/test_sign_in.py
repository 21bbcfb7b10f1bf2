"""Signing in, the language of the pages, and what becomes of a form when the session has ended."""

from playwright.sync_api import expect

from tests.browser.conftest import fill_sign_in, sign_in


def test_one_signs_in_and_stands_at_the_desk(page):
    page.goto("/customers/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    fill_sign_in(page, "north")
    expect(page.get_by_role("heading", level=1, name="Customers")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main menu")).to_be_visible()


def test_a_wrong_password_is_refused_in_a_sentence(page):
    page.goto("/accounts/login/")
    fill_sign_in(page, "north", "wrong-password")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[name=login]")).to_have_value("north")


def test_the_language_is_switched_and_kept_on_the_next_page(page):
    sign_in(page, "head2")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_role("heading", level=1)).to_have_text("工作台")
    page.get_by_role("link", name="客户", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_role("heading", level=1)).to_have_text("客户")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Customers")


def test_before_signing_in_the_page_speaks_the_language_chosen_there(page):
    page.goto("/accounts/login/")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")


def test_a_session_that_ends_keeps_what_was_typed_into_the_assessment(page, context, company):
    line = company.north[-1]
    sign_in(page, "north")
    page.goto(f"/grading/assessments/{line.assessment}/")
    page.get_by_label("Note").fill("预算在六月评审")
    with page.expect_response("**/preview/**"):
        page.get_by_label("Potential sales").fill("512.34")
    context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Save assessment").click()
    fill_sign_in(page, "north")
    expect(page.get_by_text("it is not saved yet")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("预算在六月评审")
    expect(page.get_by_label("Potential sales")).to_have_value("512.34")
    expect(page.locator("#preview")).to_contain_text("512.34")
    page.get_by_role("button", name="Save assessment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(line.name)
