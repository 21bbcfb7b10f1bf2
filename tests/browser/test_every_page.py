"""Every page, in both languages, on a desk and on a phone: axe finds nothing, nothing overflows, nothing complains."""

from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

AXE = (Path(__file__).parent.parent / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LANGUAGES = [
    pytest.param(code, marks=pytest.mark.browser_context_args(locale=locale, reduced_motion="reduce"), id=code)
    for code, locale in (("en", "en-GB"), ("zh-hans", "zh-CN"))
]
# who looks, and where
PAGES = {
    "sign in": ("", "/accounts/login/"),
    "forgotten password": ("", "/accounts/password/reset/"),
    "home": ("head", "/"),
    "home of a region": ("north", "/"),
    "home of a salesperson": ("north-sales", "/"),
    "customers": ("head", "/customers/"),
    "customers of a line": ("head", "/customers/?line=police&grade=B&grade=C&ordering=-score"),
    "no customers": ("head", "/customers/?search=qqqq"),
    "bad filter": ("head", "/customers/?grade=Z"),
    "customer": ("north", "/customers/{line.customer}/"),
    "new customer": ("north-sales", "/customers/new/"),
    "conflicts": ("head", "/conflicts/"),
    "changes": ("head", "/history/"),
    "changes of settings": ("admin", "/history/?about=settings"),
    "no changes": ("north", "/history/?made_until=2001-01-01"),
    "history of a line": ("north", "/history/customer-line/{line.pk}/"),
    "timeline": ("north", "/customers/{line.customer}/timeline/"),
    "before the customer": ("north", "/customers/{line.customer}/as-of/2001-01-01/"),
    "no bulk changes": ("head", "/bulk-changes/"),
    "assessment": ("north", "/grading/assessments/{line.assessment}/"),
    "board": ("head", "/grading/board/"),
    "board by horizon": ("head", "/grading/board/?line=tourism"),
    "cycles": ("head", "/grading/cycles/"),
    "cycle": ("head", "/grading/cycles/{year}/"),
    "cycle of a region": ("north", "/grading/cycles/{year}/"),
    "start a run": ("head", "/grading/cycles/{year}/run/"),
    "assessments": ("head", "/grading/cycles/{year}/grades/"),
    "grid": ("head", "/grading/cycles/{year}/grid/?line=police"),
    "grid of a salesperson": ("north-sales", "/grading/cycles/{year}/grid/"),
    "policies": ("head", "/grading/policies/"),
    "policy": ("head", "/grading/policies/2/"),
    "password": ("head", "/accounts/password/change/"),
    "security": ("head", "/account/"),
    "two factors": ("head", "/accounts/2fa/totp/activate/"),
    "sessions of a person": ("head", "/people/2/sessions/"),
    "administration": ("head", "/admin/"),
    "people": ("head", "/people/"),
    "people of a region": ("north", "/people/?role=sales_manager"),
    "nobody found": ("head", "/people/?search=qqqq"),
    "person": ("head", "/people/{person}/"),
    "colleague": ("north", "/people/{person}/"),
    "new person": ("head", "/people/new/"),
    "edit person": ("head", "/people/{person}/edit/"),
    "hand over": ("head", "/people/{person}/hand-over/"),
    "delegations": ("north", "/delegations/"),
    "delegate": ("head", "/people/{person}/delegate/"),
    "regions": ("admin", "/regions/"),
    "new region": ("admin", "/regions/new/"),
    "move branch office": ("admin", "/branches/1/move/"),
    "who sees what": ("admin", "/sight/"),
    "not there": ("head", "/nowhere/"),
    "forbidden": ("north", "/admin/"),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_sound(page, page_of, company, language, name):
    username, address = PAGES[name]
    if username:
        page_of(username)
    page.goto(address.format(line=company.north[1], year=company.year, person=company.lead))
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert_sound_on_both(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_assessment_with_errors_is_sound(page_of, company, language):
    page = page_of("north")
    page.goto(f"/grading/assessments/{company.north[1].assessment}/")
    page.locator("[name=potential_sales]").fill("四百万")
    with page.expect_response("**/preview/**"):
        page.locator("[name=expected_margin]").fill("250")
    page.locator(".form-actions [type=submit]").click()
    expect(page.locator("[name=potential_sales]")).to_have_attribute("aria-invalid", "true")
    assert_sound_on_both(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cycle_with_a_run_in_progress_is_sound(page_of, company, run_in_progress, language):
    page = page_of("head")
    page.goto(f"/grading/cycles/{company.last_year}/")
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert_sound_on_both(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_with_everything_unfolded_is_sound(page_of, company, language):
    page = page_of("north")
    page.goto(f"/customers/{company.north[1].customer}/")
    page.locator("main details").evaluate_all("every => every.forEach((folded) => { folded.open = true; })")
    assert_sound_on_both(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_palette_and_the_menu_of_a_phone_are_sound(page_of, language):
    page = page_of("head")
    page.goto("/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)
    page.locator("[data-toggle-sidebar]").click()
    expect(page.locator("#sidebar")).to_be_in_viewport()
    assert violations(page) == []


def test_axe_would_say_what_is_wrong(page_of):
    page = page_of("head")
    page.goto("/")
    page.evaluate("document.querySelector('main').append(document.createElement('input'), new Image())")
    assert {line.split(": ")[1] for line in violations(page)} == {"label", "image-alt"}


def assert_sound_on_both(page: Page) -> None:
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        try:
            found = [*violations(page), *overflow(page)]
        except Error:  # it was left while it was looked at: the page that came is meant
            page.wait_for_load_state()
            found = [*violations(page), *overflow(page)]
        assert found == []


def violations(page: Page) -> list[str]:
    """What axe finds, every rule of it, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    width = page.viewport_size["width"]
    return [
        f"{width} px: {rule['id']}: {node['html'][:160]} ({' '.join(node['failureSummary'].split())})"
        for rule in found
        for node in rule["nodes"]
    ]


def overflow(page: Page) -> list[str]:
    """What stands out of the window sideways, if the page can be moved sideways."""
    return page.evaluate(
        """() => {
            const wide = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= wide) return [];
            return [...document.body.querySelectorAll("*")]
                .filter((element) => element.getBoundingClientRect().right > wide + 1)
                .map((element) => `${wide} px: ${element.outerHTML.slice(0, 120)}`);
        }"""
    )
