"""Which customers the demo company has: the same for the same seed, number and fiscal year."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from crm.lib.dates import add_months, fiscal_year_start
from grading.demo.figures import WAN, AssessmentPlan, SalePlan, assessments, sales
from grading.demo.offices import CUSTOMER, OFFICES, Office
from grading.demo.people import person_name
from grading.demo.places import REGION_OF_PROVINCE, REGIONS, Level, Place

_EXISTING = 0.40
_HAS_CREDIT_CODE = 0.8
_CREDIT_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LARGE = 500 * WAN
# Who else works on the largest lines.
_EXPERTS = ("consultant", "consultant2", "director", "account-director", "implementation")
_TITLES = ("局长", "副局长", "科长", "信息中心主任", "办公室主任", "采购负责人", "技术负责人", "项目经理")


@dataclass(frozen=True)
class ContactPlan:
    """A person at a customer."""

    name: str
    title: str
    phone: str
    is_key_person: bool


@dataclass(frozen=True)
class LinePlan:
    """A customer in a product line."""

    product_line: str
    lead: str  # username, or empty
    expert: str  # username of who else works on it, or empty
    assessments: tuple[AssessmentPlan, ...]
    sales: tuple[SalePlan, ...]


@dataclass(frozen=True)
class CustomerPlan:
    """A customer with all that hangs on it."""

    code: str
    name: str
    short_name: str
    kind: str
    credit_code: str
    parent: str  # code of the bureau above, or empty
    region: str
    branch_province: str
    division: str
    contacts: tuple[ContactPlan, ...]
    lines: tuple[LinePlan, ...]


@dataclass(frozen=True)
class Years:
    """The fiscal years that the demo tells of."""

    fiscal_year: int
    first_month: int
    today: date

    @property
    def starts(self) -> dict[int, date]:
        """First day of last year and this year."""
        return {year: fiscal_year_start(year, self.first_month) for year in (self.fiscal_year - 1, self.fiscal_year)}

    @property
    def first_sale_on(self) -> date:
        """Two years before this fiscal year."""
        return add_months(fiscal_year_start(self.fiscal_year, self.first_month), -24)

    @property
    def year_end(self) -> date:
        """The first day of next year."""
        return fiscal_year_start(self.fiscal_year + 1, self.first_month)


def universe(places: Iterable[Place]) -> list[tuple[Place, Office]]:
    """Everyone who could be a customer, parents first."""
    offices = {level: [office for office in OFFICES if office.weights[level - 1]] for level in Level}
    return [(place, office) for place in places for office in offices[place.level]]


def customers(places: Iterable[Place], *, number: int, seed: int, years: Years) -> Iterator[CustomerPlan]:
    """`number` customers, bureaus before those below them."""
    rng, everyone = Random(f"{seed} customers"), universe(places)
    keys = [rng.random() ** (1 / office.weights[place.level - 1]) for place, office in everyone]  # a weighted draw
    drawn = sorted(range(len(everyone)), key=keys.__getitem__, reverse=True)[:number]
    chosen = sorted((everyone[index] for index in drawn), key=lambda pair: (pair[0].level, pair[0].code, pair[1].slug))
    codes = {office.code_at(place) for place, office in chosen}
    for place, office in chosen:
        yield _customer(place, office, seed, years, codes)


def _customer(place: Place, office: Office, seed: int, years: Years, codes: set[str]) -> CustomerPlan:
    code = office.code_at(place)
    rng = Random(f"{seed} {code}")
    above = office.code_at(place.above) if place.above else ""
    return CustomerPlan(
        code=code,
        name=office.name_at(place),
        short_name=office.short_name_at(place),
        kind=office.kind,
        credit_code=_credit_code(rng, place.code, office) if rng.random() < _HAS_CREDIT_CODE else "",
        parent=above if above in codes and office.kind == CUSTOMER else "",
        region=REGION_OF_PROVINCE[place.province],
        branch_province=place.province,
        division=place.code,
        contacts=tuple(_contacts(rng)),
        lines=tuple(_lines(rng, place, office, years)),
    )


def _lines(rng: Random, place: Place, office: Office, years: Years) -> Iterator[LinePlan]:
    for product_line, likely in office.lines:
        if rng.random() >= likely:
            continue
        if office.kind != CUSTOMER:
            yield LinePlan(product_line, _lead(rng, place, 0), "", (), ())
            continue
        is_existing = rng.random() < _EXISTING
        plans = tuple(assessments(rng, product_line, place.level, years.starts, is_existing))
        size = plans[-1].potential_sales or 0 if plans else 0
        bought = (
            _bought(rng, place, f"HT-{office.code_at(place)}-{product_line[:2].upper()}", years) if is_existing else ()
        )
        expert = rng.choice(_EXPERTS) if size >= _LARGE else ""
        yield LinePlan(product_line, _lead(rng, place, size), expert, plans, tuple(bought))


def _bought(rng: Random, place: Place, prefix: str, years: Years) -> Iterator[SalePlan]:
    planned = list(sales(rng, place.level, prefix, years.first_sale_on, years.year_end))
    return (sale for sale in planned if sale.signed_on <= years.today)


def _lead(rng: Random, place: Place, size: int) -> str:
    """The larger, the more senior; one in ten is led by someone else, a few by nobody."""
    region, luck = REGION_OF_PROVINCE[place.province], rng.random()
    if luck < 0.04:
        return ""
    juniors = ("-sales", "-sales2", "-sales3")
    if luck < 0.14:
        return region + rng.choice(("-senior", "-account", *juniors))
    if size >= _LARGE:
        return region + "-senior"
    return region + rng.choice(("-account", "-account2") if size >= 150 * WAN else juniors)


def _contacts(rng: Random) -> Iterator[ContactPlan]:
    for number, title in enumerate(rng.sample(_TITLES, rng.choice((1, 1, 2, 3)))):
        yield ContactPlan(person_name(rng), title, f"1390000{rng.randrange(10_000):04}", number == 0)


def _credit_code(rng: Random, division: str, office: Office) -> str:
    """A unified social credit code with its check character (GB 32100)."""
    body = ("91" if office.name.endswith("公司") else "11") + division + "MB" + f"{rng.randrange(10**7):07}"
    total = sum(_CREDIT_DIGITS.index(char) * 3**place % 31 for place, char in enumerate(body))
    return body + _CREDIT_DIGITS[-total % 31]


def branches() -> Iterator[tuple[str, str, str, str]]:
    """A branch office in each province's capital: province, prefecture, English name, region."""
    for region, _, _, capitals in REGIONS:
        for province, prefecture, capital in capitals:
            yield province, prefecture, capital, region
