"""“Why can this person (not) see this?” in a browser: from a customer's page, and for who sees no customers himself."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_every_page import LANGUAGES, assert_sound_on_both


@pytest.mark.parametrize("language", LANGUAGES)
def test_sales_management_asks_from_a_customers_page(page_of, company, language):
    page = page_of("head")
    line = company.south[0]
    page.goto(f"/customers/{line.customer}/")
    page.locator(".page-actions a[href^='/sight/']").click()
    expect(page.locator("[name=number]")).to_have_value(str(line.customer))
    assert_sound_on_both(page)
    choose(page, "south")
    expect(page.locator("#answer")).to_contain_text(line.name)
    expect(page.locator("#answer-card li.is-shown")).to_have_count(1)
    assert_sound_on_both(page)
    choose(page, "north")
    expect(page.locator("#answer-card li.is-missing")).to_have_count(1)
    expect(page.locator("#answer-card li.is-shown")).to_have_count(0)
    assert_sound_on_both(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_administrator_is_told_the_reasons_and_no_name(page_of, company, language):
    page = page_of("admin")
    line = company.north[0]
    page.goto(f"/sight/?kind=line&number={line.pk}")
    choose(page, "north-gm")
    expect(page.locator("#answer-card li.is-shown")).to_have_count(1)
    expect(page.get_by_text(line.name)).to_have_count(0)
    page.locator("[name=number]").fill("999999999")
    page.locator("main form [type=submit]").click()
    expect(page.locator("[name=number][aria-invalid=true]")).to_be_visible()
    assert_sound_on_both(page)


def choose(page, username: str) -> None:
    """Choose a person and ask."""
    option = page.locator("[name=person] option", has_text=f"({username})")
    page.locator("[name=person]").select_option(option.get_attribute("value"))
    page.locator("main form [type=submit]").click()
