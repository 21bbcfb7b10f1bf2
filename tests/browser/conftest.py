"""A browser in front of the real product with a small demo company, and what it may never do: overflow, complain."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.demo_server import PASSWORD, DemoServer
from scripts.require_services import chromium
from tests.browser.company import Company, finish_run, start_run_without_worker

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HERE = Path(__file__).parent
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items):
    """Whatever lies in this folder drives a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args) -> dict:
    # Playwright keeps an event loop in this thread to its end; Django's other tests in this process are not async.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    return browser_type_launch_args | {"executable_path": chromium(os.environ), "args": ARGUMENTS}


@pytest.fixture(scope="session")
def demo():
    """The product, served; one for all tests of this process."""
    with DemoServer() as server:
        yield server


@pytest.fixture(scope="session")
def company(demo) -> Company:
    """Who and what of the demo company the tests talk about."""
    return Company.of(demo)


@pytest.fixture(scope="session")
def base_url(demo) -> str:
    return demo.url


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args) -> dict:
    return browser_context_args | {"locale": "en-GB", "timezone_id": "Asia/Shanghai"}


@pytest.fixture(scope="session")
def sessions(browser: Browser, base_url: str):
    """The cookies of people who have signed in, each once."""
    known: dict[str, dict] = {}

    def session_of(username: str) -> dict:
        if username not in known:
            context = browser.new_context(base_url=base_url, locale="en-GB")
            sign_in(context.new_page(), username)
            known[username] = context.storage_state()
            context.close()
        return known[username]

    return session_of


@pytest.fixture
def complaints(context: BrowserContext, demo: DemoServer):
    """What pages said in the console, refusals of the content security policy among it; at the end there is nothing."""
    said: list[str] = []
    written = len(demo.written())
    context.on("console", lambda message: said.extend(_complaint(message)))
    context.on("weberror", lambda error: said.append(str(error.error)))
    yield said
    assert said == []
    assert demo.written(written).partition("Traceback")[2] == ""


@pytest.fixture
def page(context: BrowserContext, complaints) -> Page:
    """A page that fails its test when it complains in the console."""
    return context.new_page()


@pytest.fixture
def page_of(context: BrowserContext, page: Page, sessions):
    """The page, signed in as someone."""

    def sign_in_as(username: str) -> Page:
        context.add_cookies(sessions(username)["cookies"])
        return page

    return sign_in_as


@pytest.fixture
def run_in_progress(demo, company) -> int:
    """A run of last year that no worker has taken up yet; it is finished at the end."""
    run = start_run_without_worker(demo, company.last_year)
    yield run
    finish_run(demo, run)


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Sign in by the form."""
    page.goto("/accounts/login/")
    fill_sign_in(page, username, password)
    expect(page.locator("#sidebar")).to_be_attached()


def fill_sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Type name and password into the form that is shown, and send it."""
    page.locator("[name=login]").fill(username)
    page.locator("[name=password]").fill(password)
    page.locator("form").filter(has=page.locator("[name=password]")).locator("[type=submit]").click()


def _complaint(message) -> list[str]:
    """Errors and warnings; not that a page which was asked for answered with an error."""
    if message.type not in ("error", "warning"):
        return []
    is_answer = message.text.startswith("Failed to load resource") and message.location["url"] == message.page.url
    return [] if is_answer else [f"{message.page.url}: {message.text}"]
