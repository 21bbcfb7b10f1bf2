"""What tests of runs share: a graded company in a few words."""

from datetime import date

from crm.models import CustomerLine, ProductLine
from grading.actions.runs import start_run, work_on
from grading.models import Cycle, Grade, GradeRecord, GradingRun
from tests.factories import AssessmentFactory, CustomerLineFactory, SaleFactory

AS_OF = date(2026, 1, 1)


def assessed_line(*, history: int = 0, product_line: str = "police", **changes) -> CustomerLine:
    """A customer line with an assessment of 2026: 80, B, unless told; `history` is one sale in fen."""
    of_customer = {name: changes.pop(name) for name in list(changes) if name.startswith("customer")}
    line = CustomerLineFactory(product_line=ProductLine.objects.get(code=product_line), **of_customer)
    AssessmentFactory(line=line, **changes)
    if history:
        SaleFactory(line=line, amount=history)
    return line


def run_through(cycle: Cycle, **options) -> GradingRun:
    """Start a run, work on it to its end, and return it as it is stored."""
    run = start_run(**{"cycle": cycle, "by": None, "as_of": AS_OF} | options)
    work_on(run)
    return GradingRun.objects.select_related("cycle", "job").get(pk=run.pk)


def record_of(line: CustomerLine, fiscal_year: int = 2026) -> GradeRecord | None:
    """The latest record of a line."""
    return Grade.objects.select_related("record").get(line=line, fiscal_year=fiscal_year).record


def labels_of(line: CustomerLine) -> tuple:
    """State, grade, score and fiscal year as every app reads them."""
    line.refresh_from_db()
    return line.state, line.grade, line.score, line.fiscal_year
