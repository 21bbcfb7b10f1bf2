"""Another region's records do not exist for a regional user, whatever address he types."""

import pytest
from playwright.sync_api import expect

NO_PAGE = "There is no such page"


@pytest.mark.parametrize(
    "address",
    [
        "/customers/{line.customer}/",
        "/grading/assessments/{line.assessment}/",
        "/grading/lines/{line.pk}/assess/{year}/",
    ],
)
def test_a_record_of_another_region_is_a_page_that_is_not_there(page_of, company, address):
    page = page_of("north")
    answer = page.goto(address.format(line=company.south[0], year=company.year))
    assert answer.status == 404
    expect(page.get_by_text(company.south[0].name)).to_have_count(0)
    own = page.goto(address.format(line=company.north[0], year=company.year))
    assert own.status == 200


@pytest.mark.parametrize("address", ["/customers/", "/grading/cycles/{year}/grades/", "/grading/board/"])
def test_lists_neither_show_nor_find_it(page_of, company, address):
    page = page_of("north")
    line = company.south[0]
    page.goto(address.format(year=company.year) + f"?search={line.name}")
    expect(page.locator("main").get_by_role("link", name=line.name)).to_have_count(0)
    page.goto(address.format(year=company.year) + "?region=south")
    expect(page.locator("main").get_by_role("link", name=line.name)).to_have_count(0)
