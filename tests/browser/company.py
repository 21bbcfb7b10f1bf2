"""What the tests need to know of the demo company; asked once, since the demo depends on today's date."""

from dataclasses import dataclass
from typing import Self

from scripts.demo_server import DemoServer

QUESTION = """
from crm.lib.pinyin import initials, short_form
from crm.models import CustomerLine, User
from grading.models import Assessment, Cycle

years = list(Cycle.objects.filter(state="published").order_by("fiscal_year").values_list("fiscal_year", flat=True))
gradable = CustomerLine.objects.gradable().filter(state="graded").exclude(product_line__code="tourism")

def facts(line):
    return {
        "pk": line.pk, "customer": line.customer_id, "name": line.customer.name, "code": line.product_line.code,
        "initials": initials(short_form(line.customer.name)), "grade": line.grade,
        "assessment": Assessment.objects.get(line=line, fiscal_year=years[-1]).pk,
    }

def of_region(code):
    return [facts(line) for line in gradable.filter(customer__region__code=code).order_by("score", "pk")]

lead = User.objects.get(username="north-account")
answer = {"years": years, "north": of_region("north"), "south": of_region("south"), "lead": lead.pk}
"""

START = """
from crm.models import User
from grading.actions.runs import start_run
from grading.models import Cycle

cycle = Cycle.objects.get(fiscal_year={year})
run = start_run(cycle=cycle, by=User.objects.get(username="head"), as_of=Cycle.first_day({year}), is_nudged=False)
answer = run.pk
"""
FINISH = """
from grading.actions.runs import work_on
from grading.models import GradingRun

work_on(GradingRun.objects.select_related("cycle").get(pk={run}))
answer = True
"""


def start_run_without_worker(demo: DemoServer, year: int) -> int:
    """Start a run of a year that no worker is told of; its number."""
    return demo.ask(START.format(year=year))


def finish_run(demo: DemoServer, run: int) -> None:
    """Work on the run until it ends; nothing is left to do where it has ended already."""
    demo.ask(FINISH.format(run=run))


@dataclass(frozen=True)
class Line:
    """A graded customer line."""

    pk: int
    customer: int
    name: str
    code: str
    initials: str
    grade: str
    assessment: int


@dataclass(frozen=True)
class Company:
    """The published years, and graded lines of two regions, the worst score first."""

    years: list[int]
    north: list[Line]
    south: list[Line]
    lead: int  # an account manager of the north, who leads customers

    @classmethod
    def of(cls, demo: DemoServer) -> Self:
        """Ask the demo."""
        answer = demo.ask(QUESTION)
        return cls(
            answer["years"],
            *([Line(**line) for line in answer[region]] for region in ("north", "south")),
            answer["lead"],
        )

    @property
    def year(self) -> int:
        """The fiscal year in force."""
        return self.years[-1]

    @property
    def last_year(self) -> int:
        return self.years[-2]

    @property
    def next_year(self) -> int:
        """Its cycle is a draft."""
        return self.year + 1
