"""From a few letters to a customer."""

from playwright.sync_api import expect


def test_the_initials_of_a_name_find_the_customer(page_of, company):
    line = company.north[0]
    page = page_of("north")
    page.goto("/")
    page.get_by_role("searchbox", name="Find customers by name, pinyin or code").fill(line.initials)
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Customers").get_by_role("link", name=line.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(line.name)


def test_a_filter_is_a_chip_that_can_be_taken_off(page_of):
    page = page_of("head")
    page.goto("/customers/")
    every = page.get_by_role("navigation", name="Pages")
    total = every.inner_text()
    page.get_by_role("combobox", name="Grade").select_option("A")
    expect(page).to_have_url("/customers/?grade=A")
    expect(every).not_to_have_text(total)
    page.get_by_role("link", name="Remove").first.click()
    expect(page).to_have_url("/customers/")


def test_the_list_leads_from_one_customer_to_the_next_and_back(page_of):
    page = page_of("head")
    page.goto("/customers/?line=police")
    names = page.locator("tbody th[scope=row] a")
    first, second = names.nth(0).inner_text(), names.nth(1).inner_text()
    names.nth(0).click()
    page.get_by_role("link", name="Next customer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(second)
    page.get_by_role("link", name="Previous customer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
    page.get_by_role("navigation", name="Breadcrumbs").get_by_role("link", name="Customers").click()
    expect(page).to_have_url("/customers/?line=police")
