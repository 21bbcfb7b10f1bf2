"""The kinds of records of this app that can be imported: assessments."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.actions.import_rows import Column, Kind, Occasion, Row
from crm.actions.references import match_lines, open_lines
from crm.import_kinds.shared import AT_ONCE, LINE_COLUMNS, labelled, said, streamed, written, yes_or_no
from crm.lib.batches import batches
from crm.lib.cells import day, margin, not_negative, year, yes_no
from crm.models import User
from crm.permissions import Permission
from grading.actions.locks import lock_lines
from grading.actions.records import regrade_lines
from grading.models import Assessment, BudgetState, Cause, Cycle, CycleState

BUDGETS = {
    **dict.fromkeys(("confirmed", "已确认", "确认"), BudgetState.CONFIRMED.value),
    **dict.fromkeys(("planned", "计划中", "已计划", "计划"), BudgetState.PLANNED.value),
    **dict.fromkeys(("none", "无", "没有"), BudgetState.NONE.value),
}
_ENTERED = (
    Column("expected_margin", margin, ("预期毛利率", "预计毛利率", "毛利率", "expected margin")),
    Column("potential_sales", not_negative, ("潜在销售额", "预计销售额", "potential sales")),
    Column("has_need", yes_no, ("潜在需求", "有需求", "need")),
    Column("budget_state", labelled(BUDGETS, BudgetState), ("预算状态", "budget"), allowed=tuple(BudgetState.labels)),
    Column("budget_amount", not_negative, ("预算金额", "budget amount")),
    Column("budget_fits_pricing", yes_no, ("预算符合价格政策", "budget fits pricing")),
    Column("has_timetable", yes_no, ("时间表明确", "有时间表", "timetable")),
    Column("knows_decision_makers", yes_no, ("了解决策人", "决策人已知", "decision makers")),
    Column("expected_close_on", day, ("预计成交日期", "预计签约日期", "预计成交", "expected close")),
    Column("has_begun_selection", yes_no, ("已开始选型", "begun selection")),
    Column("has_system", yes_no, ("已有系统", "has system")),
    Column("note", written, ("备注", "note")),
)
_CONFIRMED = Column(
    "is_confirmed",
    yes_no,
    ("已确认", "confirmed"),
    about=gettext_lazy("Yes confirms figures that were carried over; a row that changes one confirms them too."),
)
_YEAR = Column("fiscal_year", year, ("财年", "年度", "fiscal year", "year"), True)
_BUDGET_AT = len(LINE_COLUMNS) + 1 + next(at for at, column in enumerate(_ENTERED) if column.name == "budget_state")


def match_assessments(rows: Sequence[Row], user: User | None) -> None:
    """Find each row's assessment by customer line and fiscal year; a closed year takes none."""
    match_lines(rows, user)
    for row in rows:
        row.fields = {column.name: row.values[column.name] for column in _ENTERED if column.name in row.values}
    placed = [row for row in rows if "line" in row.extra and "fiscal_year" in row.values]
    stored = _stored(placed)
    closed = set(Cycle.objects.filter(state=CycleState.CLOSED).values_list("fiscal_year", flat=True))
    for row in placed:
        line, fiscal_year = row.extra["line"], row.values["fiscal_year"]
        row.fields |= {"line": line, "fiscal_year": fiscal_year}
        if row.values.get("is_confirmed"):
            row.fields["is_carried_over"] = False
        row.key = (line.pk or id(line), fiscal_year)
        row.record = stored.get(row.key)
        if fiscal_year in closed and not _is_as_stored(row):
            row.reject(_("the grading cycle of {year} is closed").format(year=fiscal_year), "fiscal_year")


def _is_as_stored(row: Row) -> bool:
    values = row.fields | row.cleared
    return row.record is not None and all(getattr(row.record, name) == value for name, value in values.items())


def _stored(rows: Sequence[Row]) -> dict[tuple[int, int], Assessment]:
    lines = {row.extra["line"].pk: row.extra["line"] for row in rows if row.extra["line"].pk}
    years = {row.values["fiscal_year"] for row in rows}
    found = {}
    lock_lines(lines)
    for some in batches(sorted(lines), AT_ONCE):
        stored = Assessment.objects.filter(deleted_at=None, line__in=some, fiscal_year__in=years)
        for assessment in stored.select_for_update():
            assessment.line = lines[assessment.line_id]
            found[assessment.line_id, assessment.fiscal_year] = assessment
    return found


def stamp_assessments(rows: Sequence[Row], occasion: Occasion) -> None:
    """Open the lines that are new; what a row changes is confirmed by it, and a set-based update sets no moment."""
    open_lines(rows, occasion)
    for row in rows:
        row.record.is_carried_over = False
        row.record.updated_at = timezone.now()


def grade_assessments(rows: Sequence[Row], occasion: Occasion) -> None:
    """A saved assessment is graded at once, where its year's cycle has been opened."""
    under_way = Cycle.objects.filter(state__in=(CycleState.OPEN, CycleState.PUBLISHED))
    years = set(under_way.values_list("fiscal_year", flat=True))
    lines: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        if row.record.fiscal_year in years:
            lines[row.record.fiscal_year].append(row.record.line_id)
    for fiscal_year, line_ids in lines.items():
        regrade_lines(line_ids=line_ids, fiscal_year=fiscal_year, cause=Cause.ASSESSMENT, by=occasion.by)


def lock_assessments(ids: Sequence[int]) -> None:
    """The lock of everyone who grades, before an undo reads these assessments."""
    lines: set[int] = set()
    for some in batches(ids, AT_ONCE):
        lines |= set(Assessment.objects.filter(pk__in=some).values_list("line", flat=True))
    lock_lines(lines)


def assessments_of_closed_years(assessments: Sequence[Assessment]) -> Mapping[int, str]:
    """Assessments that are history: the cycle of their year is closed."""
    closed = set(Cycle.objects.filter(state=CycleState.CLOSED).values_list("fiscal_year", flat=True))
    said_so = {year: _("the grading cycle of {year} is closed").format(year=year) for year in closed}
    return {one.pk: said_so[one.fiscal_year] for one in assessments if one.fiscal_year in closed}


def rows_of_assessments(user: User) -> Iterator[Sequence[Any]]:
    """The assessments that exist for a person, with whether somebody has confirmed what was carried over."""
    for one in streamed(Assessment.objects.visible_to(user).for_list()):
        customer = one.line.customer
        entered = (getattr(one, column.name) for column in _ENTERED)
        shown = (yes_or_no(value) if isinstance(value, bool) else value for value in entered)
        row = [customer.code, customer.region.code, one.line.product_line.code, one.fiscal_year, *shown]
        row[_BUDGET_AT] = said(BudgetState, one.budget_state)
        yield [*row, yes_or_no(not one.is_carried_over)]


ASSESSMENTS = Kind(
    name="assessments",
    model=Assessment,
    permission=Permission.SAVE_ASSESSMENT,
    columns=(*LINE_COLUMNS, _YEAR, *_ENTERED, _CONFIRMED),
    match=match_assessments,
    prepare=stamp_assessments,
    follow=grade_assessments,
    content=frozenset(column.name for column in _ENTERED),
    rows=rows_of_assessments,
    lock=lock_assessments,
    holds=assessments_of_closed_years,
)

KINDS = (ASSESSMENTS,)
