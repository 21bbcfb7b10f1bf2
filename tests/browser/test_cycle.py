"""A grading cycle in the browser: opened, run by a real worker, watched, published."""

from playwright.sync_api import expect

from tests.browser.company import finish_run


def test_a_cycle_is_opened_run_watched_to_its_end_and_published(page_of, company):
    page = page_of("head")
    page.goto("/grading/cycles/")
    page.get_by_role("link", name=str(company.next_year), exact=True).click()
    page.get_by_role("link", name="Open the cycle").click()
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("its grades are seen only here")).to_be_visible()

    page.get_by_role("link", name="Start a run").click()
    page.get_by_role("button", name="Start the run").click()
    runs = page.get_by_role("row").filter(has_text="all lines and regions")
    expect(runs).to_have_count(1)
    expect(runs.first).to_contain_text("Done")
    expect(page.locator(".job")).to_have_count(0)

    page.get_by_role("link", name="Publish the grades").click()
    page.get_by_role("button", name="Publish the grades").click()
    expect(runs).to_have_count(2)
    expect(runs.first).to_contain_text("Done")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Published")


def test_progress_is_asked_for_until_the_run_ends_then_the_page_shows_its_report(
    page_of, company, demo, run_in_progress
):
    page = page_of("head")
    page.goto(f"/grading/cycles/{company.last_year}/")
    with page.expect_response(f"**/grading/runs/{run_in_progress}/") as asked:
        expect(page.get_by_role("progressbar")).to_be_visible()
    assert asked.value.ok
    finish_run(demo, run_in_progress)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="all lines and regions").first).to_contain_text("Done")


def test_a_run_is_cancelled_from_its_progress_bar(page_of, company, run_in_progress):
    page = page_of("head")
    page.goto(f"/grading/cycles/{company.last_year}/")
    page.locator(".job").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("row").filter(has_text="all lines and regions").first).to_contain_text("Cancelled")
