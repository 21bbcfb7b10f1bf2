"""Two steps to sign in: an app set up from the picture's secret, its code, a recovery code; and a session ended."""

import base64
import hmac
import struct
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import fill_sign_in, sign_in
from tests.browser.test_every_page import assert_sound_on_both

SETUP = "/accounts/2fa/totp/activate/"


def code_of(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1")
    at = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def give_code(page: Page, code: str) -> None:
    page.locator("[name=code]").fill(code)
    page.locator("form").filter(has=page.locator("[name=code]")).locator("[type=submit]").click()


def sign_out(page: Page) -> None:
    page.context.clear_cookies(name="sessionid")
    page.goto("/accounts/login/")


def set_up(page: Page) -> tuple[str, list[str]]:
    """Set an app up; its secret and the recovery codes."""
    page.goto(SETUP)
    expect(page.locator(".qr svg")).to_be_visible()
    assert_sound_on_both(page)
    secret = page.locator("main code").inner_text()
    give_code(page, "000")
    expect(page.locator(".errorlist")).to_be_visible()
    give_code(page, code_of(secret))
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert_sound_on_both(page)
    return secret, page.locator("#codes code").all_inner_texts()


def test_an_app_is_set_up_and_then_asked_for_and_a_recovery_code_does_as_well(page):
    sign_in(page, "head2")
    secret, codes = set_up(page)
    assert len(codes) == 10
    with page.expect_download() as download:
        page.get_by_role("button", name="Download recovery codes").click()
    assert Path(download.value.path()).read_text().split() == codes

    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()
    assert_sound_on_both(page)

    sign_out(page)
    fill_sign_in(page, "head2")
    expect(page.get_by_role("heading", name="Two-step sign-in")).to_be_visible()
    assert_sound_on_both(page)
    give_code(page, code_of(secret))
    expect(page.locator("#sidebar")).to_be_attached()

    sign_out(page)
    fill_sign_in(page, "head2")
    give_code(page, codes[0])
    expect(page.locator("#sidebar")).to_be_attached()
    page.goto("/account/")
    expect(page.get_by_text("9 recovery codes are left.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="password and recovery code")).to_have_count(1)

    page.get_by_role("link", name="Switch off").click()
    page.get_by_role("button", name="Switch off two-step sign-in").click()
    expect(page.get_by_text("Not set up")).to_be_visible()


def test_another_session_is_ended_from_the_list_at_once(page, browser, base_url):
    sign_in(page, "head2")
    elsewhere = browser.new_context(base_url=base_url, locale="en-GB")
    other = elsewhere.new_page()
    sign_in(other, "head2")
    page.goto("/account/")
    rows = page.get_by_role("region", name="Sessions").get_by_role("row")
    expect(rows.filter(has_text="this one")).to_have_count(1)
    page.get_by_role("button", name="End all others").click()
    expect(rows).to_have_count(2)  # the head and this one
    other.goto("/customers/")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    elsewhere.close()
