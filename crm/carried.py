"""What a person carries, for the page that hands it over: each app says its part, collected by dotted names."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from crm.actions.exports import JOB_KIND as EXPORT
from crm.actions.hand_over import Area
from crm.actions.lines import LEAD
from crm.models import (
    BULK_OPEN,
    OPEN_STATES,
    ApiToken,
    BulkChange,
    CustomerLine,
    DataImport,
    Delegation,
    Export,
    Job,
    LineMember,
    ProductLine,
    Region,
    User,
)


@dataclass(frozen=True)
class Carried:
    """One kind of what a person carries: how much of it there is, and what becomes of it."""

    key: str
    label: str
    count: int
    fate: str


Part = Callable[[User], Iterable[Carried]]


def carried_by(person: User) -> list[Carried]:
    """Everything that a person carries."""
    parts: list[Part] = [import_string(name) for name in settings.CARRIED]
    return [carried for part in parts for carried in part(person) if carried.count]


@dataclass(frozen=True)
class Led:
    """A product line in which a person leads customers of a region, and how many."""

    area: Area
    label: str
    count: int


def lines_led_by(person: User) -> list[Led]:
    """The product lines in which a person leads customers; where they are of several regions, each by region."""
    led = CustomerLine.objects.led_by(person).values_list("product_line", "customer__region")
    found = {Area(line, region): count for line, region, count in led.annotate(n=Count("pk")).order_by()}
    lines = ProductLine.objects.in_bulk({area.product_line for area in found})
    regions = Region.objects.in_bulk({area.region for area in found})

    def label(area: Area) -> str:
        line, region = lines[area.product_line].label, regions[area.region].label
        return f"{line} · {region}" if len(regions) > 1 else line

    def place(area: Area) -> Any:
        line, region = lines[area.product_line], regions[area.region]
        return line.position, line.code, region.position, region.code

    return [Led(area, label(area), found[area]) for area in sorted(found, key=place)]


def work(person: User) -> Iterable[Carried]:
    """Customer lines, memberships, guided people, delegations."""
    goes, ends = _("goes to the successor"), _("ends; what was delegated is not passed on")
    besides = LineMember.objects.not_over().of_person(person).exclude(why=LEAD)
    standing = Delegation.objects.not_over(timezone.localdate())
    led = CustomerLine.objects.led_by(person).count()
    yield Carried("lines", _("Customers that he leads, per product line"), led, goes)
    yield Carried("members", _("Other customers that he works on"), besides.count(), goes)
    yield Carried("guided", _("People whom he guides"), User.objects.filter(guided_by=person).count(), goes)
    yield Carried("given", _("Delegations from him"), standing.filter(giver=person).count(), ends)
    yield Carried("received", _("Delegations to him"), standing.filter(receiver=person).count(), ends)


def access(person: User) -> Iterable[Carried]:
    """Jobs, files, tokens: what is his own and goes to nobody."""
    if_leaving = _("ends if he leaves")
    jobs, files = Job.objects.active().filter(by=person), Export.objects.of(person).ready()
    tokens = ApiToken.objects.valid(timezone.now()).filter(user=person)
    yield Carried("exports", _("Files that are being made for him"), jobs.filter(kind=EXPORT).count(), if_leaving)
    yield Carried("jobs", _("Other jobs that he has started"), jobs.exclude(kind=EXPORT).count(), if_leaving)
    yield Carried("begun", _("Imports and bulk changes that he has begun"), _begun(person), _("nobody goes on with it"))
    yield Carried("files", _("Files that he has not fetched"), files.count(), _("nobody else gets them"))
    yield Carried("tokens", _("API tokens"), tokens.count(), if_leaving)
    yield Carried("sessions", _("Sign-in to Hengke"), int(person.is_active), if_leaving)


def _begun(person: User) -> int:
    imports = DataImport.objects.filter(by=person, state__in=OPEN_STATES)
    return imports.count() + BulkChange.objects.filter(by=person, state__in=BULK_OPEN).count()
