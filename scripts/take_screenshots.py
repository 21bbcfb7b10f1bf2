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
from crm.models import Customer, CustomerLine, User
from grading.models import Assessment, Cycle

year = Cycle.objects.filter(state="published").order_by("-fiscal_year").first().fiscal_year
good = CustomerLine.objects.filter(grade__in=["A", "B"], sales__isnull=False, customer__region__code="north")
customer = Customer.objects.filter(lines__in=good).annotate(n=Count("lines__sales")).order_by("-n", "pk").first()
line = good.filter(customer=customer).order_by("pk").first()
answer = {"year": year, "customer": customer.pk, "line": line.product_line.code,
          "person": User.objects.get(username="north-account").pk,
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

# A customer that has been edited a few times, by page and API, with the row of the log that can be put back.
HISTORY = """
from crm.actions.contacts import save_contact
from crm.actions.customers import save_customer
from crm.actions.people import save_person
from crm.models import Branch, Change, Contact, Customer, User, Way
from django.utils import timezone

north, head = User.objects.get(username="north"), User.objects.get(username="head")
seen = Customer.objects.visible_to(north).order_by("pinyin")
customer = seen[7]
branch = Branch.objects.filter(region=customer.region).exclude(pk=customer.branch_id).first()
for way, by, values in (
    (Way.FORM, north, {"short_name": "市局", "industry": "公共安全"}),
    (Way.API, head, {"note": "总部集中采购，预算按年下达；" * 12}),
    (Way.FORM, north, {"branch": branch, "website": "https://www.example.com/a/very/long/address/of/a/page.html"}),
    (Way.FORM, head, {"short_name": "市公安局", "parent": seen[9]}),
):
    for name, value in values.items():
        setattr(customer, name, value)
    save_customer(customer=customer, version=customer.version, by=by, way=way)
contact = customer.contacts.first() or Contact(customer=customer, name="王芳")
contact.phone = "13800000000"
save_contact(contact=contact, version=contact.version if contact.pk else 0, by=north)
person = User.objects.filter(role="account_manager").order_by("pk").last()
person.role = "senior_sales_manager"
save_person(person=person, by=head)
rows = Change.objects.of(customer)
change = next(row for row in rows if "short_name" in (row.before or {}) and row.by == head)
answer = {"day": timezone.localdate().isoformat(), "edited": customer.pk, "sequence": change.sequence,
          "person": person.pk}
"""

# Two customers that are one, two regions with one credit code, a delegation and a branch office that is to move.
PEOPLE = """
from datetime import timedelta
from crm.actions.customers import save_customer
from crm.actions.delegations import delegate
from crm.actions.places import move_branch
from crm.models import Branch, Customer, Region, User
from django.utils import timezone

head, admin, today = User.objects.get(username="head"), User.objects.get(username="admin"), timezone.localdate()
regions = list(Region.objects.filter(is_active=True).order_by("position")[:3])

def make(name, region, **values):
    return save_customer(customer=Customer(name=name, region=region, **values), version=0, by=head)

kept = make("保定市数据局", regions[0], short_name="保定数据局", industry="政务", website="https://bd.example.com")
gone = make("保定市数据管理局", regions[0], industry="大数据", address="河北省保定市东风中路 1 号")
shared = [make("信息产业发展集团有限公司", region, credit_code="91130600MA0BD0001A") for region in regions[1:]]
lead = User.objects.filter(role="account_manager", region=regions[0]).first()
other = User.objects.filter(role="account_manager", region=regions[0]).exclude(pk=lead.pk).first()
delegate(giver=lead, receiver=other, from_on=today, until_on=today + timedelta(14), by=head)
branch = Branch.objects.filter(region=regions[0]).first()
move_branch(branch=branch, region=regions[1], from_on=today + timedelta(30), by=admin)
answer = {"kept": kept.pk, "gone": gone.pk, "shared": shared[0].pk, "lead": lead.pk, "branch": branch.pk}
"""

# What people have begun: files that one fetched, one made by a job that waits, and a token.
WORK = """
from datetime import timedelta

from crm.actions.exports import Wish, listed_by_name, log_export, start_export
from crm.actions.tokens import create_token
from crm.models import User
from django.http import QueryDict
from django.utils import timezone

north, head = User.objects.get(username="north"), User.objects.get(username="head")
for name, form in (("customers", "xlsx"), ("imports", "csv")):
    log_export(wish=Wish(listed_by_name()[name], QueryDict(), form, "zh-hans", north), rows=1200)
start_export(wish=Wish(listed_by_name()["customers"], QueryDict("line=police"), "xlsx", "zh-hans", north))
create_token(by=head, name="BI 夜间同步", scopes=["read"], expires_on=timezone.localdate() + timedelta(90))
answer = {}
"""

# Bulk changes of a person of the north: one waits for its field, one to be confirmed, one is done, save for an edit.
BULK = """
from crm.actions.bulk_changes import choose_rows, set_up_bulk_change, start_bulk_change
from crm.actions.customers import save_customer
from crm.models import Customer, User
from django.http import QueryDict

north, head = User.objects.get(username="north"), User.objects.get(username="head")
numbers = list(Customer.objects.visible_to(north).order_by("pk").values_list("pk", flat=True)[20:60])

def chosen(numbers=numbers):
    return choose_rows(kind="customers", params=QueryDict("ordering=code"), numbers=numbers, by=north)

def shown(value, numbers=numbers):
    return set_up_bulk_change(bulk_change=chosen(numbers), field="industry", value=value, by=north)

done = shown("公共安全", numbers[:30])
edited = Customer.objects.get(pk=numbers[3])
edited.note = "改过"
save_customer(customer=edited, version=edited.version, by=head)
start_bulk_change(bulk_change=done, version=done.version, by=north)
answer = {"bulk_chosen": chosen().pk, "bulk_shown": shown("公共安全").pk, "bulk_done": done.pk,
          "bulk_job": start_bulk_change(bulk_change=(many := shown("应急", None)), version=1, by=north).pk}
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
    "grid": Shot("north", "/grading/cycles/{year}/grid/?line=police", BOTH),
    "policies": Shot("head", "/grading/policies/"),
    "policy": Shot("head", "/grading/policies/2/", DESK),
    "imports": Shot("north", "/imports/"),
    "import-new": Shot("north", "/imports/new/"),
    "import-columns": Shot("north", "/imports/{set_up}/set-up/", DESK),
    "import-checked": Shot("north", "/imports/{checked}/", BOTH),
    "bulk-set-up": Shot("north", "/bulk-changes/{bulk_chosen}/set-up/"),
    "bulk-branch": Shot("north", "/bulk-changes/{bulk_chosen}/set-up/?field=branch"),
    "bulk-shown": Shot("north", "/bulk-changes/{bulk_shown}/", DESK),
    "bulk-done": Shot("north", "/bulk-changes/{bulk_done}/"),
    "bulk-undo": Shot("north", "/bulk-changes/{bulk_done}/undo/"),
    "bulk-job": Shot("north", "/bulk-changes/{bulk_job}/"),
    "bulk-changes": Shot("north", "/bulk-changes/"),
    "bulk-none": Shot("head", "/bulk-changes/"),
    "exports": Shot("north", "/exports/"),
    "changes": Shot("head", "/history/"),
    "changes-settings": Shot("head", "/history/?about=settings&kind=person"),
    "changes-region": Shot("north", "/history/?kind=customer&field=short_name"),
    "changes-none": Shot("north", "/history/?made_until=2020-01-01"),
    "history": Shot("north", "/history/customer/{edited}/", BOTH),
    "history-person": Shot("head", "/history/person/{person}/"),
    "restore": Shot("north", "/history/customer/{edited}/restore/{sequence}/short_name/"),
    "customer-edited": Shot("north", "/customers/{edited}/"),
    "timeline": Shot("north", "/customers/{customer}/timeline/"),
    "as-of": Shot("north", "/customers/{customer}/as-of/{day}/"),
    "as-of-before": Shot("north", "/customers/{customer}/as-of/2001-01-01/"),
    "as-of-pick": Shot("north", "/customers/{customer}/as-of/"),
    "people": Shot("head", "/people/"),
    "person": Shot("head", "/people/{person}/"),
    "person-edit": Shot("head", "/people/{person}/edit/"),
    "hand-over": Shot("head", "/people/{person}/hand-over/", BOTH),
    "delegate": Shot("head", "/people/{person}/delegate/"),
    "delegations": Shot("head", "/delegations/"),
    "regions": Shot("admin", "/regions/"),
    "region-edit": Shot("admin", "/regions/1/edit/"),
    "branch-move": Shot("admin", "/branches/{branch}/move/"),
    "sight": Shot("admin", "/sight/"),
    "sight-yes": Shot("admin", "/sight/?person={lead}&kind=customer&number={customer}"),
    "sight-no": Shot("admin", "/sight/?person={lead}&kind=customer&number={shared}", DESK),
    "customer-new": Shot("head", "/customers/new/"),
    "customer-edit": Shot("north", "/customers/{customer}/edit/"),
    "duplicates": Shot("head", "/customers/{kept}/merge/"),
    "merge": Shot("head", "/customers/{kept}/merge/{gone}/", BOTH),
    "conflicts": Shot("head", "/conflicts/"),
    "transfer": Shot("head", "/customers/{customer}/transfer/?region=3"),
    "security": Shot("north", "/account/", DESK),
    "sessions": Shot("head", "/people/{lead}/sessions/"),
    "two-factors-set-up": Shot("north", "/accounts/2fa/totp/activate/"),
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
        places = (
            demo.ask(QUESTION)
            | demo.ask(IMPORTS)
            | demo.ask(HISTORY)
            | demo.ask(PEOPLE)
            | demo.ask(WORK)
            | demo.ask(BULK)
        )
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
