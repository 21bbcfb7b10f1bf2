"""Twenty who write, each transaction open for a while; who follows ends up with the base, deletions included.

HENGKE_SYNC_SECONDS says for how long, 10 unless told.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.actions.changes import EditedMeanwhile
from crm.actions.customers import LineExists, add_line, save_customer
from crm.actions.lines import save_member
from crm.actions.named import save_named
from crm.actions.sales import delete_sale, save_sale
from crm.actions.tokens import issue_token
from crm.models import Customer, CustomerLine, LineMember, ProductLine, Region, Role, Sale, User
from grading.actions.assessments import save_assessment
from grading.actions.regrade import regrade_changed_facts
from grading.actions.runs import RunUnderWay, start_run, work_on
from grading.models import Assessment, Cycle, CycleState
from tests.api.conftest import ApiClient
from tests.factories import AssessmentFactory, CustomerFactory, CustomerLineFactory, CycleFactory, UserFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

SECONDS = float(os.environ.get("HENGKE_SYNC_SECONDS", "10"))
WRITERS = 20
LISTS = ("customers", "customer-lines", "sales", "grades", "assessments")
REFUSED = (EditedMeanwhile, IntegrityError, LineExists, RunUnderWay)


class ChangedItsMind(Exception):
    """The writer rolls back what it did."""


class Writer:
    """Does one thing after the other, each in a transaction that stays open for a random while."""

    def __init__(self, seed: int, stop: Event) -> None:
        self.random, self.stop, self.done = Random(seed), stop, Counter[str]()

    def work(self) -> Counter[str]:
        try:
            while not self.stop.is_set():
                self.do(self.random.choice(DEEDS))
        finally:
            connection.close()
        return self.done

    def do(self, deed: Callable) -> None:
        try:
            with transaction.atomic():
                deed(self)
                sleep(self.random.choice((0, 0, 0.002, 0.01, 0.05, 0.3)))
                if self.random.random() < 0.1:
                    raise ChangedItsMind
            self.done[deed.__name__] += 1
        except ChangedItsMind:
            self.done["rolled back"] += 1
        except REFUSED:
            self.done["refused"] += 1

    def one(self, records: Any) -> Any:
        """One of the records that are there."""
        return self.random.choice(list(records))

    def word(self) -> str:
        return f"客户{self.random.randrange(10**6)}"


def make_customer(writer: Writer) -> None:
    region = writer.one(Region.objects.all())
    customer = Customer(name=writer.word(), region=region)
    save_customer(customer=customer, version=0, by=None, product_lines=ProductLine.objects.order_by("?")[:1])


def rename_customer(writer: Writer) -> None:
    customer = writer.one(Customer.objects.filter(deleted_at=None))
    customer.name = writer.word()
    save_customer(customer=customer, version=customer.version, by=None)


def move_customer(writer: Writer) -> None:
    customer = writer.one(Customer.objects.filter(deleted_at=None))
    customer.region = writer.one(Region.objects.exclude(pk=customer.region_id))
    save_customer(customer=customer, version=customer.version, by=None)


def delete_customer(writer: Writer) -> None:
    if Customer.objects.filter(deleted_at=None).count() < 30:
        return
    customer = writer.one(Customer.objects.filter(deleted_at=None))
    customer.deleted_at = timezone.now()
    save_customer(customer=customer, version=customer.version, by=None)


def open_line(writer: Writer) -> None:
    customer = writer.one(Customer.objects.filter(deleted_at=None))
    add_line(customer=customer, product_line=writer.one(ProductLine.objects.all()), by=None)


def make_sale(writer: Writer) -> None:
    sale = Sale(line=writer.one(CustomerLine.objects.all()), signed_on=timezone.localdate(), amount=100)
    save_sale(sale=sale, version=0, by=None)


def change_sale(writer: Writer) -> None:
    sale = writer.one(Sale.objects.filter(deleted_at=None))
    sale.amount = writer.random.randrange(10**9)
    save_sale(sale=sale, version=sale.version, by=None)


def move_sale(writer: Writer) -> None:
    sale = writer.one(Sale.objects.filter(deleted_at=None))
    sale.line = writer.one(CustomerLine.objects.all())
    save_sale(sale=sale, version=sale.version, by=None)


def take_sale_back(writer: Writer) -> None:
    sale = writer.one(Sale.objects.filter(deleted_at=None))
    delete_sale(sale=sale, version=sale.version, by=None)


def grade(writer: Writer) -> None:
    assessment = writer.one(Assessment.objects.select_related("line__customer"))
    assessment.has_need = not assessment.has_need
    save_assessment(assessment=assessment, version=assessment.version, by=User.objects.get(username="head"))


def join_or_leave(writer: Writer) -> None:
    line = writer.one(CustomerLine.objects.all())
    manager = User.objects.get(username="manager")
    member = LineMember.objects.current().filter(line=line, user=manager).first()
    member = member or LineMember(line=line, user=manager, why="x", from_on=timezone.localdate())
    member.until_on = member.from_on if member.pk else None
    save_member(member=member, by=None)


def rename_region(writer: Writer) -> None:
    if writer.random.random() < 0.1:
        region = writer.one(Region.objects.all())
        region.code = f"region-{writer.random.randrange(10**6)}"
        save_named(row=region, by=None)


DEEDS = (
    make_customer,
    rename_customer,
    move_customer,
    delete_customer,
    open_line,
    make_sale,
    make_sale,
    change_sale,
    move_sale,
    take_sale_back,
    grade,
    grade,
    join_or_leave,
    rename_region,
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
