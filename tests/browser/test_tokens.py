"""One's own API tokens in a browser: made, shown once, revoked."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_every_page import LANGUAGES, assert_sound_on_both


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_token_is_made_shown_once_and_revoked(page_of, language):
    page = page_of("north")
    page.goto("/account/tokens/")
    assert_sound_on_both(page)
    page.locator(".blank-actions a, .page-actions a").click()
    page.locator("[name=name]").fill("BI")
    page.locator("[name=expires_on]").fill("2001-01-01")
    page.locator(".form-actions [type=submit]").click()
    expect(page.locator("[name=expires_on]")).to_have_attribute("aria-invalid", "true")
    page.locator("[name=expires_on]").evaluate("box => { box.value = box.max }")
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()
    secret = page.locator("#secret")
    expect(secret).to_be_focused()
    assert len(secret.input_value()) == 64
    assert_sound_on_both(page)
    page.locator(".form-actions a").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody tr a").click()
    page.wait_for_url("**/revoke/")
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()
    expect(page.locator(".blank")).to_be_visible()
