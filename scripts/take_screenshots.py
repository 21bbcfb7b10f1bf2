"""Take a picture of each page of a demo company, in both languages, on a desk and on a phone.

    python -m scripts.take_screenshots FOLDER [--customers 2000] [--only NAME ...] [--whole] [--docs]

--whole takes pages to their end, not to the window's. --docs takes only the pictures that docs/img holds; with
pngquant installed they are made small.
"""

import argparse
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from scripts.demo_server import PASSWORD, DemoServer
from scripts.require_services import chromium

LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
WINDOWS = {1440: 900, 390: 844}
# A customer with several lines, sales and a good grade; in the year in force.
QUESTION = """
from django.db.models import Count
from crm.models import Customer, CustomerLine
from grading.models import Assessment, Cycle

year = Cycle.objects.filter(state="published").order_by("-fiscal_year").first().fiscal_year
good = CustomerLine.objects.filter(grade__in=["A", "B"], sales__isnull=False, customer__region__code="north")
customer = Customer.objects.filter(lines__in=good).annotate(n=Count("lines__sales")).order_by("-n", "pk").first()
line = good.filter(customer=customer).order_by("pk").first()
answer = {"year": year, "customer": customer.pk, "line": line.product_line.code,
          "assessment": Assessment.objects.get(line=line, fiscal_year=year).pk}
"""
# Imports of a person of the north: one waits for its columns, one in each language has been checked; two rows are bad.
IMPORTS = """
from crm.actions.data_imports import check_import, upload_import
from crm.models import User
from django.utils import translation

north = User.objects.get(username="north")
rows = ["客户名称,统一社会信用代码,行业,大区,产品线", "石家庄市应急管理局,11130100MB1A23456X,应急,north,应急",
        "保定市公安局交警支队,,公安,north,公安、交通", ",11130600000123456X,公安,north,公安",
        "廊坊市文化广电和旅游局,,旅游,华东南大区,旅游", "唐山市城市管理综合行政执法局,,城管,north,城市管理"]

def upload():
    content = chr(10).join(rows).encode()
    return upload_import(kind="customers", name="十一月新客户.csv", content=content, by=north)

answer = {"set_up": upload().pk}
for name, language in (("zh", "zh-hans"), ("en", "en")):
    with translation.override(language):
        answer[name] = check_import(data_import=upload(), by=north).pk
"""


class Shot(NamedTuple):
    """Who looks at which address; and the windows of the picture in docs/img, for each language."""

    user: str
    address: str
    docs: tuple[str, ...] = ()


DESK, BOTH = ("zh-1440", "en-1440"), ("zh-1440", "en-1440", "zh-390")
SHOTS = {
    "sign-in": Shot("", "/accounts/login/"),
    "home": Shot("head", "/", BOTH),
    "home-region": Shot("north", "/"),
    "customers": Shot("head", "/customers/?line=police&ordering=-score", BOTH),
    "customers-all": Shot("head", "/customers/"),
    "customers-none": Shot("head", "/customers/?search=qqqq&grade=A"),
    "customers-bad": Shot("head", "/customers/?grade=Z"),
    "customer": Shot("north", "/customers/{customer}/", BOTH),
    "assessment": Shot("north", "/grading/assessments/{assessment}/", DESK),
    "board": Shot("head", "/grading/board/?line=police", BOTH),
    "cycles": Shot("head", "/grading/cycles/"),
    "cycle": Shot("head", "/grading/cycles/{year}/", DESK),
    "cycle-region": Shot("north", "/grading/cycles/{year}/"),
    "start-run": Shot("head", "/grading/cycles/{year}/run/"),
    "assessments": Shot("north", "/grading/cycles/{year}/grades/"),
    "policies": Shot("head", "/grading/policies/"),
    "policy": Shot("head", "/grading/policies/2/", DESK),
    "imports": Shot("north", "/imports/"),
    "import-new": Shot("north", "/imports/new/"),
    "import-columns": Shot("north", "/imports/{set_up}/set-up/", DESK),
    "import-checked": Shot("north", "/imports/{checked}/", BOTH),
    "exports": Shot("north", "/exports/"),
    "tokens": Shot("head", "/account/tokens/"),
    "password": Shot("head", "/accounts/password/change/"),
    "two-factors": Shot("head", "/accounts/2fa/"),
    "administration": Shot("admin", "/admin/"),
    "administration-list": Shot("head", "/admin/crm/customer/"),
    "not-there": Shot("head", "/nowhere/"),
}


def main() -> None:
    """Serve the demo, take the pictures."""
    arguments = _arguments()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with DemoServer(customers=arguments.customers) as demo, sync_playwright() as playwright:
        places = demo.ask(QUESTION) | demo.ask(IMPORTS)
        browser = playwright.chromium.launch(
            executable_path=chromium(os.environ), args=["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        )
        for language in LANGUAGES:
            for width in WINDOWS:
                _take(browser, demo.url, language, width, places, arguments)
        browser.close()
    if arguments.docs:
        _make_small(arguments.folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Take a picture of each page of a demo company.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--only", nargs="+", choices=SHOTS, default=list(SHOTS), metavar="NAME")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--docs", action="store_true")
    return parser.parse_args()


def _take(browser: Browser, url: str, language: str, width: int, places: dict, arguments: argparse.Namespace) -> None:
    pages: dict[str, Page] = {}
    window = f"{language}-{width}"
    for name in arguments.only:
        shot = SHOTS[name]
        if arguments.docs and window not in shot.docs:
            continue
        if shot.user not in pages:
            pages[shot.user] = _page_of(browser, url, language, width, shot.user)
        page = pages[shot.user]
        page.goto(shot.address.format(checked=places[language], **places), wait_until="networkidle")
        file = arguments.folder / _file_name(name, language, width, is_for_docs=arguments.docs)
        page.screenshot(path=file, full_page=arguments.whole, animations="disabled")
        print(file)


def _page_of(browser: Browser, url: str, language: str, width: int, user: str) -> Page:
    context = browser.new_context(
        base_url=url,
        locale=LANGUAGES[language],
        timezone_id="Asia/Shanghai",
        viewport={"width": width, "height": WINDOWS[width]},
        reduced_motion="reduce",
    )
    page = context.new_page()
    if user:
        page.goto("/accounts/login/")
        page.locator("[name=login]").fill(user)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("[name=password]").press("Enter")
        page.locator("#sidebar").wait_for(state="attached")
    return page


def _file_name(name: str, language: str, width: int, *, is_for_docs: bool) -> str:
    if is_for_docs and width == 1440:
        return f"{name}-{language}.png"
    return f"{name}-{language}-{width}.png"


def _make_small(folder: Path) -> None:
    if shutil.which("pngquant") is None:
        print("pngquant is missing: the pictures stay as large as they are.")
        return
    for file in sorted(folder.glob("*.png")):
        subprocess.run(["pngquant", "--force", "--skip-if-larger", "--output", file, file], check=False)


if __name__ == "__main__":
    main()
