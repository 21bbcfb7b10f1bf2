"""Two customers are one: merged side by side, and taken apart again."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import LANGUAGES, assert_sound_on_both


def create(page: Page, name: str, **values: str) -> str:
    """Enter a customer by the form; the address of its page."""
    page.goto("/customers/new/")
    page.locator("[name=name]").fill(name)
    page.locator("#id_region").select_option(label=values.pop("region"))
    for field, value in values.items():
        page.locator(f"[name={field}]").fill(value)
    page.locator(".form-actions [type=submit]").click()
    if page.locator("[name=is_confirmed]").is_visible():
        page.locator("[name=is_confirmed]").check()
        page.locator(".form-actions [type=submit]").click()
    page.wait_for_url("**/customers/*/")
    return page.url


def regions_of(page: Page) -> list[str]:
    page.goto("/customers/new/")
    return page.locator("#id_region option").all_inner_texts()[1:3]


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_customers_are_merged_side_by_side_and_the_merge_is_undone(page_of, language):
    page = page_of("head")
    first_region, second_region = regions_of(page)
    kept = create(page, f"石家庄市数据局 {language}", region=first_region, website="https://kept.example")
    page.locator("a[href$='/contacts/new/']").click()
    page.locator("[name=name]").fill("留任")
    page.locator(".form-actions [type=submit]").click()
    gone = create(page, f"石家庄数据局 {language}", region=second_region, website="https://gone.example")
    page.locator("a[href$='/contacts/new/']").click()
    page.locator("[name=name]").fill("并入")
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()

    page.goto(f"{kept}merge/")
    assert_sound_on_both(page)
    page.locator("tbody tr").filter(has_text=f"石家庄数据局 {language}").locator(".btn").click()
    page.wait_for_url("**/merge/*/")
    page.locator("[name=website][value=loser]").check()
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()
    page.wait_for_url("**/merges/*/")
    report = page.url
    assert_sound_on_both(page)
    page.goto(gone)
    assert page.url == kept
    expect(page.get_by_text("https://gone.example", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="并入", exact=True)).to_be_visible()
    assert_sound_on_both(page)

    page.goto(report)
    page.locator("a[href$='/undo/']").click()
    page.wait_for_url("**/undo/")
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()
    page.wait_for_url(report)
    page.goto(gone)
    assert page.url == gone
    expect(page.get_by_role("link", name="并入", exact=True)).to_be_visible()
    page.goto(kept)
    expect(page.get_by_text("https://kept.example", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="并入", exact=True)).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_conflict_of_credit_codes_is_settled(page_of, language):
    page = page_of("head")
    code = {"en": "91130000MA0EN0001A", "zh-hans": "91130000MA0ZH0001A"}[language]
    for region in regions_of(page):
        create(page, f"信用局{language}{region}", region=region, credit_code=code)
    page.goto("/conflicts/")
    assert_sound_on_both(page)
    card = page.locator("section.card").filter(has_text=code)
    expect(card.locator("tbody tr")).to_have_count(2)
    card.locator("a[href$='/transfer/']").first.click()
    page.wait_for_url("**/transfer/")
    assert_sound_on_both(page)
    page.locator("#id_region").select_option(index=1)
    page.locator(".form-actions [type=submit]").click()
    page.wait_for_url("**/transfer/?region=*")
    assert_sound_on_both(page)
    page.goto("/conflicts/")
    page.locator("section.card").filter(has_text=code).locator(".card-header .btn").click()
    page.locator("[name=reason]").fill("一个是局本部，一个是研究所")
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()
    page.wait_for_url("**/conflicts/")
    expect(page.get_by_text(code)).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_parent_is_suggested_while_typing(page_of, company, language):
    page = page_of("north")
    page.goto(f"/customers/{company.north[1].customer}/edit/")
    assert_sound_on_both(page)
    page.locator("[name=parent]").fill("")
    page.locator("[name=parent]").press_sequentially(company.north[0].name[:6])
    option = page.locator("#parent-suggestions option").first
    option.wait_for(state="attached")
    page.locator("[name=parent]").fill(option.get_attribute("value"))
    page.locator(".form-actions [type=submit]").click()
    page.wait_for_url("**/customers/*/")
    expect(page.locator(".family")).to_be_visible()
    assert_sound_on_both(page)
