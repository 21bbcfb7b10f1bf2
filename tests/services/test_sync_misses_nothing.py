"""Twenty who write, each transaction open for a while; who follows ends up with the base, deletions included.

HENGKE_SYNC_SECONDS says for how long, 10 unless told; `make test-sync` takes two minutes.
"""

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest
from django.db import connection
from django.utils import timezone

from crm.actions.sales import save_sale
from crm.actions.tokens import issue_token
from crm.models import Role, Sale, User
from grading.actions.regrade import regrade_changed_facts
from grading.actions.runs import start_run, work_on
from grading.models import Cycle, CycleState
from tests.api.conftest import ApiClient
from tests.factories import (
    AssessmentFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    UserFactory,
)
from tests.services.sync_writers import COLLEAGUE, DEEDS, Writer

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

SECONDS = float(os.environ.get("HENGKE_SYNC_SECONDS", "10"))
WRITERS = 20
LISTS = (
    "customers",
    "contacts",
    "people",
    "customer-lines",
    "sales",
    "grades",
    "assessments",
    "policies",
    "cycles",
    "regions",
    "product-lines",
)


class Follower:
    """Keeps copies of the lists by `changed_since`."""

    def __init__(self, user: User) -> None:
        self.client = ApiClient(issue_token(user=user))
        self.copies: dict[str, dict[int, dict]] = {name: {} for name in LISTS}
        self.since = dict.fromkeys(LISTS, "1970-01-01T00:00:00Z")
        self.counts = Counter[str]()

    def follow(self, stop: Event) -> None:
        try:
            while not stop.is_set():
                self.catch_up()
        finally:
            connection.close()

    def catch_up(self) -> None:
        for name in LISTS:
            page = self.read(name, changed_since=self.since[name])
            while True:
                self.take(self.copies[name], page["results"])
                if page["next"] is None:
                    break
                page = self.answer(self.client.get(page["next"]))
            self.since[name] = page["sync"]

    def take(self, copy: dict[int, dict], results: list[dict]) -> None:
        self.counts["calls"] += 1
        for row in results:
            if row.get("deleted"):
                self.counts["gone"] += 1
                copy.pop(row["id"], None)
            else:
                self.counts["changed"] += 1
                copy[row["id"]] = row

    def base(self, name: str) -> dict[int, dict]:
        found, page = {}, self.read(name)
        while True:
            found |= {row["id"]: row for row in page["results"]}
            if page["next"] is None:
                return found
            page = self.answer(self.client.get(page["next"]))

    def read(self, name: str, **parameters) -> dict:
        more = {"fiscal_year": timezone.localdate().year} if name == "grades" else {}
        return self.answer(self.client.read(f"{name}/", page_size=50, **more, **parameters))

    @staticmethod
    def answer(response) -> dict:
        assert response.status_code == 200, response.content
        return response.json()


@pytest.fixture(autouse=True)
def on_postgresql(settings):
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time: nothing commits out of turn on SQLite")
    settings.API_RATE = (0, 1)


@pytest.fixture
def company(north_region, south_region, north, head_office) -> Cycle:
    """Two regions with graded lines and a cycle in force."""
    UserFactory(username="manager", role=Role.ACCOUNT_MANAGER, region=north_region)
    year = timezone.localdate().year
    cycle = CycleFactory(fiscal_year=year, state=CycleState.PUBLISHED, published_at=timezone.now())
    for number in range(60):
        customer = CustomerFactory(region=(north_region, south_region)[number % 2])
        ContactFactory(customer=customer)
        UserFactory(username=f"{COLLEAGUE}-{number}", role=Role.SALES_MANAGER, region=customer.region)
        line = CustomerLineFactory(customer=customer)
        AssessmentFactory(line=line, fiscal_year=year)
        save_sale(sale=Sale(line=line, signed_on=timezone.localdate(), amount=100), version=0, by=None)
    return cycle


def keep_grading(stop: Event) -> None:
    """Regrade what is marked, and run over everything again and again."""
    try:
        while not stop.is_set():
            regrade_changed_facts()
            work_on(start_run(cycle=Cycle.objects.get(), by=None))
            sleep(0.2)
    finally:
        connection.close()


def test_who_follows_misses_nothing(company):
    people = [User.objects.get(username=name) for name in ("head", "north", "manager")]
    followers, stop, seed = [Follower(person) for person in people], Event(), int(monotonic())
    writers = [Writer(seed + number, stop) for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS + len(followers) + 1) as pool:
        under_way = [pool.submit(writer.work) for writer in writers]
        under_way += [pool.submit(follower.follow, stop) for follower in followers]
        under_way.append(pool.submit(keep_grading, stop))
        deadline = monotonic() + SECONDS
        while monotonic() < deadline and not any(future.done() for future in under_way):
            sleep(0.1)
        stop.set()
        for future in under_way:
            future.result(120)
    done = sum((writer.done for writer in writers), Counter())
    for follower, person in zip(followers, people, strict=True):
        follower.catch_up()
        for name in LISTS:
            assert follower.copies[name] == follower.base(name), f"{person.username} {name}, seed {seed}"
    sys.stdout.write(f"\n{SECONDS:.0f} s, {WRITERS} writers: {sum(done.values())} transactions {dict(done)}; ")
    sys.stdout.write(f"followers: {[dict(follower.counts) for follower in followers]}\n")
    assert min(done[deed.__name__] for deed in DEEDS) > 0
    assert all(follower.counts["gone"] for follower in followers)
