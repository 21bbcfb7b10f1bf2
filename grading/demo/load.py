"""Puts the demo company into the database, in sets: memory stays flat however many customers there are."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import date
from random import Random
from typing import Any, TypeVar

from django.contrib.auth.hashers import make_password
from django.db import models, transaction

from crm.data.divisions import read_divisions
from crm.lib.batches import batches
from crm.lib.pinyin import full_pinyin, search_text
from crm.models import (
    Branch,
    Contact,
    Customer,
    CustomerLine,
    CustomerRegion,
    Department,
    Division,
    LineMember,
    PersonPlace,
    ProductLine,
    Region,
    Role,
    Sale,
    User,
)
from crm.permissions import ROLES, Permission
from grading.demo.company import CustomerPlan, LinePlan, Years, branches, customers
from grading.demo.people import branch_code, people
from grading.demo.places import REGIONS, places_of
from grading.models import Assessment

PASSWORD = "hengke-demo"
BATCH = 2000
Row = TypeVar("Row", bound=models.Model)


def load_company(*, number: int, seed: int, years: Years, on_progress: Callable[[int], Any]) -> None:
    """Load regions, people and `number` customers with all that hangs on them, or nothing at all."""
    with transaction.atomic():
        add_regions()
        add_people(seed, since=years.first_sale_on)
        loader = _Loader(years)
        done = 0
        plans = customers(places_of(read_divisions()), number=number, seed=seed, years=years)
        for batch in batches(plans, BATCH):
            loader.add(batch)
            done += len(batch)
            on_progress(done)


def add_regions() -> None:
    """The five regions and a branch office in the capital of each province."""
    regions = Region.objects.bulk_create(
        Region(code=code, name=name, name_en=name_en, position=position)
        for position, (code, name, name_en, _) in enumerate(REGIONS, start=1)
    )
    by_code = {region.code: region for region in regions}
    cities = Division.objects.in_bulk([prefecture for _, prefecture, _, _ in branches()])
    Branch.objects.bulk_create(
        Branch(
            code=branch_code(capital),
            name=f"{cities[prefecture].name.removesuffix('市')}分公司",
            name_en=f"{capital} branch",
            region=by_code[region],
            position=position,
        )
        for position, (_, prefecture, capital, region) in enumerate(branches(), start=1)
    )


def add_people(seed: int, *, since: date) -> None:
    """Sixty people with one password; it is hashed once, since hashing is slow on purpose."""
    regions, branch_offices = _by_code(Region), _by_code(Branch)
    departments, password = _by_code(Department), make_password(PASSWORD)
    added: dict[str, User] = {}
    for person in people(Random(f"{seed} people")):
        added[person.username] = User.objects.create(
            username=person.username,
            password=password,
            name=person.name,
            role=person.role,
            region=regions.get(person.region),
            branch=branch_offices.get(person.branch),
            department=departments.get(person.department),
            guided_by=added.get(person.guided_by),
            is_staff=Permission.USE_ADMIN in ROLES[Role(person.role)],
        )
    PersonPlace.objects.bulk_create(
        PersonPlace(person=one, region=one.region, branch=one.branch, from_on=since) for one in added.values()
    )


class _Loader:
    """Adds customers batch by batch; remembers only what later batches point to."""

    def __init__(self, years: Years) -> None:
        self.years = years
        self.regions, self.product_lines = _by_code(Region), _by_code(ProductLine)
        self.people = {user.username: user for user in User.objects.all()}
        codes = {province: branch_code(capital) for province, _, capital, _ in branches()}
        offices = _by_code(Branch)
        self.branches = {province: offices[code] for province, code in codes.items()}
        self.parents: dict[str, Customer] = {}

    def add(self, plans: Iterable[CustomerPlan]) -> None:
        """Add customers whose parents were added before or stand before them."""
        for level in _by_level(plans):
            made = Customer.objects.bulk_create([self._customer(plan) for plan in level], batch_size=BATCH)
            self.parents |= {row.code: row for row in made if row.code[4:6] == "00"}
            self._add_parts(list(zip(made, level, strict=True)))

    def _add_parts(self, pairs: list[tuple[Customer, CustomerPlan]]) -> None:
        since = self.years.first_sale_on
        _bulk(CustomerRegion(customer=row, region=row.region, from_on=since) for row, _ in pairs)
        _bulk(Contact(customer=row, **asdict(contact)) for row, plan in pairs for contact in plan.contacts)
        plans = [line for _, plan in pairs for line in plan.lines]
        lines = _bulk(self._line(row, line) for row, plan in pairs for line in plan.lines)
        made = list(zip(lines, plans, strict=True))
        _bulk(member for line, plan in made for member in self._members(line, plan))
        _bulk(Sale(line=line, **asdict(sale)) for line, plan in made for sale in plan.sales)
        _bulk(Assessment(line=line, **asdict(entered)) for line, plan in made for entered in plan.assessments)

    def _customer(self, plan: CustomerPlan) -> Customer:
        return Customer(
            code=plan.code,
            name=plan.name,
            short_name=plan.short_name,
            kind=plan.kind,
            credit_code=plan.credit_code,
            parent=self.parents.get(plan.parent),
            region=self.regions[plan.region],
            branch=self.branches[plan.branch_province],
            division_id=plan.division,
            pinyin=full_pinyin(plan.name),
            search_text=search_text(name=plan.name, short_name=plan.short_name, code=plan.code),
        )

    def _line(self, customer: Customer, plan: LinePlan) -> CustomerLine:
        lead = self.people.get(plan.lead)
        return CustomerLine(customer=customer, product_line=self.product_lines[plan.product_line], lead=lead)

    def _members(self, line: CustomerLine, plan: LinePlan) -> Iterator[LineMember]:
        since: date = self.years.first_sale_on
        if line.lead:
            yield LineMember(line=line, user=line.lead, why="lead", from_on=since)
        if plan.expert:
            expert = self.people[plan.expert]
            yield LineMember(line=line, user=expert, why=expert.role, from_on=since)


def _by_level(plans: Iterable[CustomerPlan]) -> Iterator[list[CustomerPlan]]:
    """A province's bureaus first, then its prefectures', then the counties'."""
    rest = list(plans)
    for ending in ("0000", "00", ""):
        level = [plan for plan in rest if plan.division.endswith(ending)]
        rest = [plan for plan in rest if not plan.division.endswith(ending)]
        if level:
            yield level


def _by_code(model: Any) -> dict[str, Any]:
    return {row.code: row for row in model.objects.all()}


def _bulk(rows: Iterable[Row]) -> list[Row]:
    made: list[Row] = []
    for batch in batches(rows, BATCH):
        made += type(batch[0])._default_manager.bulk_create(batch)
    return made
