"""Ticked rows of the list of customers are changed together, on a desk, by the keyboard, on a phone, and taken back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import DESK, LANGUAGES, PHONE, assert_sound_on_both

LIST = "/customers/?ordering=code&page_size=25&columns=name,code,industry"
BAR = "#bulk"
CHANGE = "#bulk [type=submit]"


def boxes(page: Page):
    return page.locator("tbody .pick input")


def set_up(page: Page, value: str) -> None:
    page.wait_for_url("**/set-up/")
    assert_sound_on_both(page)
    page.locator("[name=industry]").fill(value)
    page.locator(".form-actions [type=submit]").click()
    page.wait_for_url("**/bulk-changes/*/")


def confirm(page: Page) -> None:
    page.locator("form[action$='/start/'] [type=submit]").click()
    expect(page.locator(".figure-card").first).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_ticked_customers_are_changed_and_changed_back(page_of, language):
    page = page_of("north")
    page.set_viewport_size(DESK)
    page.goto(LIST)
    before = page.locator("td[data-label]:last-child").all_inner_texts()[:2]
    expect(page.locator(BAR)).to_be_hidden()
    boxes(page).nth(0).check()
    boxes(page).nth(1).check()
    expect(page.locator("[data-pick-count]")).to_contain_text("2")
    assert_sound_on_both(page)
    page.set_viewport_size(DESK)
    page.locator(CHANGE).click()
    set_up(page, f"行业{language}")
    expect(page.locator("h1")).to_contain_text("2")
    assert_sound_on_both(page)
    confirm(page)
    assert_sound_on_both(page)
    report = page.url
    page.locator(".page-actions .btn-primary").click()
    page.wait_for_url("**/customers/**")
    expect(page.locator("tbody").get_by_text(f"行业{language}")).to_have_count(2)

    page.goto(report)
    page.locator("a[href$='/undo/']").click()
    page.wait_for_url("**/undo/")
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()
    page.wait_for_url(report)
    assert_sound_on_both(page)
    page.goto(LIST)
    assert page.locator("td[data-label]:last-child").all_inner_texts()[:2] == before
    page.goto("/bulk-changes/")
    assert_sound_on_both(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_and_all_of_a_list_are_ticked_at_once(page_of, language):
    page = page_of("north")
    page.set_viewport_size(DESK)
    page.goto(LIST)
    every = page.locator("thead [data-pick-page]")
    every.check()
    expect(page.locator("[data-pick-count]")).to_contain_text("25")
    boxes(page).nth(3).uncheck()
    expect(page.locator("[data-pick-count]")).to_contain_text("24")
    assert every.evaluate("box => box.indeterminate")
    page.locator("[data-pick-all]").check()
    expect(boxes(page).nth(3)).to_be_checked()
    total = page.locator("[data-pick-count]").get_attribute("data-all")
    expect(page.locator("[data-pick-count]")).to_contain_text(total)
    assert_sound_on_both(page)
    page.set_viewport_size(DESK)
    page.locator("#bulk [type=reset]").click()
    expect(page.locator(BAR)).to_be_hidden()
    expect(every).not_to_be_checked()
    page.locator("thead [data-pick-page]").check()
    page.locator("[data-pick-all]").check()
    page.locator(CHANGE).click()
    page.wait_for_url("**/set-up/")
    expect(page.locator("h1")).to_contain_text(total)


def test_it_works_by_the_keyboard_alone(page_of):
    page = page_of("north")
    page.set_viewport_size(DESK)
    page.goto(LIST)
    boxes(page).nth(0).focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-pick-count]")).to_contain_text("1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/set-up/")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_works_on_a_phone(page_of, language):
    page = page_of("north")
    page.set_viewport_size(PHONE)
    page.goto(LIST)
    expect(page.locator(BAR)).to_be_in_viewport()
    page.locator("#bulk [data-pick-page]").check()
    expect(page.locator("[data-pick-count]")).to_contain_text("25")
    page.locator("#bulk [type=reset]").click()
    boxes(page).nth(0).check()
    page.locator(CHANGE).click()
    page.wait_for_url("**/set-up/")
    page.locator(".form-actions [type=submit]").click()
    expect(page.locator(".error-summary")).to_be_visible()
    assert_sound_on_both(page)


def test_who_only_reads_sees_no_boxes(page_of):
    page = page_of("executive")
    page.goto(LIST)
    expect(page.locator("tbody tr").first).to_be_visible()
    expect(boxes(page)).to_have_count(0)
