"""Histories in a browser: an older value put back, a timeline narrowed and continued, a look back to a day."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_every_page import LANGUAGES, assert_sound_on_both

EDITED = """
from crm.actions.customers import save_customer
from crm.models import Customer, User
from django.utils import timezone

customer, north = Customer.objects.get(pk={pk}), User.objects.get(username="north")
for number in range(18):
    customer.short_name = f"简称{{number}}"
    save_customer(customer=customer, version=customer.version, by=north)
answer = timezone.localdate().isoformat()
"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_older_value_is_put_back(page_of, demo, company, language):
    customer = company.north[2].customer
    demo.ask(EDITED.format(pk=customer))
    page = page_of("north")
    page.goto(f"/customers/{customer}/")
    page.locator(f".page-actions [href='/history/customer/{customer}/']").click()
    page.wait_for_url("**/history/customer/**")
    assert_sound_on_both(page)
    first = page.locator("tbody tr").first
    expect(first).to_contain_text("简称17")
    first.locator("a[href*=restore]").click()
    expect(page.locator("dl.details")).to_contain_text("简称16")
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()
    expect(page.locator("tbody tr").first).to_contain_text("简称16")
    expect(page.locator("tbody tr").first).to_contain_text("restored" if language == "en" else "恢复到")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_timeline_goes_on_and_is_narrowed_in_its_place(page_of, demo, company, language):
    customer = company.north[3].customer
    demo.ask(EDITED.format(pk=customer))
    page = page_of("north")
    page.goto(f"/customers/{customer}/")
    entries = page.locator("#timeline .events li")
    expect(entries).to_have_count(15)
    page.locator("#timeline > a[hx-get]").press("Enter")
    expect(entries).not_to_have_count(15)
    page.locator("#timeline .topics [href$='topic=grades']").click()
    expect(page.locator("#timeline [aria-current=true]")).to_have_attribute(
        "href", f"/customers/{customer}/timeline/?topic=grades"
    )
    expect(entries.first).to_be_visible()
    assert page.url.endswith(f"/customers/{customer}/")
    assert_sound_on_both(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_is_looked_back_at(page_of, demo, company, language):
    customer = company.north[4].customer
    today = demo.ask(EDITED.format(pk=customer))
    page = page_of("north")
    page.goto(f"/customers/{customer}/as-of/")
    assert_sound_on_both(page)
    page.locator("[name=day]").fill(today)
    page.locator(".as-of-form [type=submit]").click()
    expect(page.locator(".notice-warn")).to_be_visible()
    expect(page.locator(".details").first).to_contain_text("简称17")
    assert_sound_on_both(page)
