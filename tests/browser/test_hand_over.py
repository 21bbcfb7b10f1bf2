"""A leaving person in a browser: everything is handed over, the successor sees it, the leaver is out."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import fill_sign_in, sign_in
from tests.browser.test_every_page import LANGUAGES, assert_sound_on_both

# One salesperson of the east for each language leaves; another one of the region takes over.
PEOPLE = """
from crm.models import CustomerLine, LineMember, Role, User

leaver = User.objects.get(username="{leaver}")
successor = User.objects.get(username="east-sales3")
line = CustomerLine.objects.filter(customer__region=leaver.region).exclude(lead=successor).order_by("-pk")[{n}]
LineMember.objects.filter(line__customer=line.customer).delete()
CustomerLine.objects.filter(customer=line.customer).update(lead=None)
CustomerLine.objects.filter(pk=line.pk).update(lead=leaver, is_active=True)
LineMember.objects.create(line=line, user=leaver, why="lead", from_on="2024-01-01")
answer = {{"leaver": leaver.pk, "successor": successor.pk, "customer": line.customer_id, "name": line.customer.name}}
"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_leaving_persons_customers_go_to_the_successor(browser, base_url, demo, page_of, language):
    leaver = {"en": "east-sales", "zh-hans": "east-sales2"}[language]
    known = demo.ask(PEOPLE.format(leaver=leaver, n=0 if language == "en" else 5))
    his = browser.new_context(base_url=base_url).new_page()
    sign_in(his, leaver)
    his.goto(f"/customers/{known['customer']}/")
    expect(his.locator("h1")).to_have_text(known["name"])

    page = page_of("head")
    page.goto(f"/people/{known['leaver']}/hand-over/")
    assert_sound_on_both(page)
    page.locator(".form-actions [type=submit]").click()
    expect(page.locator("[name=successor]")).to_have_attribute("aria-invalid", "true")
    page.locator("[name=successor]").select_option(str(known["successor"]))
    page.locator("[name=leaves]").check()
    page.locator("[name=reason]").fill("离职")
    page.locator(".form-actions [type=submit]").click()
    expect(page).to_have_url(f"{base_url}/people/{known['leaver']}/")
    expect(page.locator("main .notice")).to_be_visible()

    his.goto("/customers/")
    expect(his.locator("[name=password]")).to_be_visible()
    fill_sign_in(his, leaver)
    expect(his.locator("#sidebar")).not_to_be_attached()
    his.context.close()

    theirs = browser.new_context(base_url=base_url).new_page()
    sign_in(theirs, "east-sales3")
    theirs.goto(f"/customers/{known['customer']}/")
    expect(theirs.locator("h1")).to_have_text(known["name"])
    theirs.context.close()
