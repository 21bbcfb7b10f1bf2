"""The lists of this app: what a cycle made of whom, and the lines of the board with the labels in force."""

from typing import Any

from django.db.models import Case, Value, When
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.filters import CustomerLineFilter
from crm.lib.columns import ListColumn, choose
from crm.lib.exports import Type
from crm.lib.listing import Address, filter_params
from crm.lists import ListMenu, address_of, export_url, grade_in_words, text
from crm.models import people_seen_by
from crm.permissions import Permission
from grading.explain import elements_in_words
from grading.filters import CycleLineFilter
from grading.models import Cycle
from grading.reports import BEST_FIRST, COLUMNS, in_column, lines_in_force, lines_of_cycle

CYCLE = "cycle"  # the parameter that says of which fiscal year

_SHOWN = ("customer__region", "customer__branch", "product_line")
_CODE = ListColumn(
    "code", _("Code"), lambda line: line.customer.code, css="tabular", is_sortable=True, is_shown=False, is_added=True
)
_REGION = ListColumn("region", _("Region"), lambda line: str(line.customer.region))
_BRANCH = ListColumn("branch", _("Branch office"), lambda line: text(line.customer.branch), is_shown=False)
_LINE = ListColumn("line", _("Product line"), lambda line: str(line.product_line), css="text-nowrap", is_sortable=True)
_LEAD = ListColumn("lead", _("Lead"), lambda line: text(line.lead), css="text-nowrap")


def _money(key: str, label: Any, name: str) -> ListColumn:
    return ListColumn(key, label, lambda line: getattr(line, name), Type.MONEY, unit=_("10k CNY"), is_sortable=True)


def _name(template: str) -> ListColumn:
    return ListColumn("name", _("Customer"), lambda line: line.customer.name, template=template, is_sortable=True)


CYCLE_COLUMNS = (
    _name("grading/_customer_of_cycle_cell.html"),
    _CODE,
    _REGION,
    _BRANCH,
    _LINE,
    ListColumn(
        "fiscal_year",
        _("Fiscal year"),
        lambda line: line.cycle_year,
        Type.WHOLE,
        is_shown=False,
        is_added=True,
        is_name=True,
    ),
    ListColumn(
        "grade",
        _("Grade"),
        lambda line: grade_in_words(line.cycle_letter, line.cycle_state),
        template="grading/_cycle_grade_cell.html",
        is_sortable=True,
    ),
    ListColumn("score", _("Score"), lambda line: line.cycle_score, Type.POINTS, is_sortable=True),
    _money("potential_sales", _("Potential sales"), "cycle_potential_sales"),
    ListColumn(
        "expected_close_on",
        _("Expected close"),
        lambda line: line.cycle_expected_close_on,
        Type.DAY,
        is_sortable=True,
    ),
    ListColumn(
        "missing",
        _("What is missing"),
        lambda line: _now(", ").join(elements_in_words(line.cycle_missing)),
        template="grading/_missing_cell.html",
    ),
    _LEAD,
    ListColumn("assess", _("Assess"), lambda line: None, template="grading/_assess_cell.html", is_in_file=False),
)
BOARD_COLUMNS = (
    _name(""),
    _CODE,
    _REGION,
    _BRANCH,
    _LINE,
    ListColumn("grade", _("Grade"), lambda line: grade_in_words(line.grade, line.state)),
    ListColumn("score", _("Score"), lambda line: line.score, Type.POINTS),
    _money("potential_sales", _("Potential sales"), "potential_sales"),
    ListColumn("expected_close_on", _("Expected close"), lambda line: line.expected_close_on, Type.DAY),
    _LEAD,
)


def open_cycle_grades(request: Any, params: QueryDict) -> Opened:
    """The customer lines of a cycle in one's scope. Raises Cycle.DoesNotExist."""
    wanted = filter_params(params)
    cycle = Cycle.objects.get(fiscal_year=_pop_year(wanted))
    lines = lines_of_cycle(cycle, request.user).annotate(cycle_year=Value(cycle.fiscal_year))
    shown = lines.select_related(*_SHOWN).prefetch_related(people_seen_by(request.user, "lead"))
    filters = CycleLineFilter(wanted, shown, request=request)
    return Opened(filters, choose(CYCLE_COLUMNS, params), _for_file)


def open_board(request: Any, params: QueryDict) -> Opened:
    """The gradable lines of one's scope with the labels in force, the best first."""
    lines = lines_in_force(request.user).select_related(*_SHOWN).prefetch_related(people_seen_by(request.user, "lead"))
    filters = CustomerLineFilter(filter_params(params), lines, request=request, default_ordering="-score")
    is_sorted = bool(filters.data.get("ordering"))
    return Opened(filters, choose(BOARD_COLUMNS, params), _for_file if is_sorted else _as_on_the_board)


def _as_on_the_board(lines: Any) -> Any:
    """Column by column, each as its cards stand."""
    places = [When(**in_column(column), then=Value(place)) for place, column in enumerate(COLUMNS)]
    return _for_file(lines.order_by(Case(*places, default=Value(len(places))), *BEST_FIRST))


def _for_file(lines: Any) -> Any:
    """Rows by the thousand: the few regions, lines and people that they share are made once a chunk."""
    return lines.select_related(None).select_related("customer").prefetch_related(*_SHOWN)


def of_cycle(params: QueryDict, year: int) -> QueryDict:
    """An address of a cycle's page, with the year that stands in its path."""
    wanted = params.copy()
    wanted.appendlist(CYCLE, str(year))
    return wanted


def _pop_year(params: QueryDict) -> int:
    """The year that `of_cycle` added; a parameter of that name before it stays, and is no filter."""
    *others, year = [name for name in params.pop(CYCLE, []) if name] or [""]
    if others:
        params.setlist(CYCLE, others)
    return int(year) if len(year) == 4 and year.isascii() and year.isdigit() else 0


def _cycle_address(params: QueryDict) -> str:
    shown = params.copy()
    return Address(reverse("grading:list-cycle-grades", args=[_pop_year(shown)]), shown).having()


CYCLE_GRADES = Listed("cycle-grades", _("Assessments"), Permission.VIEW_CYCLES, open_cycle_grades, _cycle_address)
BOARD = Listed("board", _("Grade board"), Permission.VIEW_GRADES, open_board, address_of("grading:view-board"))

LISTS = (CYCLE_GRADES, BOARD)


def board_menu(address: Address) -> ListMenu:
    """The menu of the board: it has no columns to choose."""
    return ListMenu(export_url(BOARD, address.params))
