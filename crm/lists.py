"""The lists of this app: what narrows them and which columns they have, on the page and in the file made of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.actions.exports import Listed, Opened
from crm.filters import CustomerFilter, CustomersOfLineFilter
from crm.lib.columns import PARAMETER, Choice, ListColumn, choose
from crm.lib.exports import Type
from crm.lib.listing import Address, filter_params, hidden
from crm.models import Customer, CustomerKind, CustomerLine, GradeState, ProductLine
from crm.permissions import Permission
from crm.templatetags.labels import customer_link, line_grades

NAME = ListColumn("name", _("Customer"), lambda one: one.name, draw=customer_link, is_sortable=True)
CODE = ListColumn("code", _("Code"), lambda one: one.code, css="tabular", is_sortable=True)
REGION = ListColumn("region", _("Region"), lambda one: str(one.region), is_sortable=True)
BRANCH = ListColumn("branch", _("Branch office"), lambda one: text(one.branch))
DETAILS = (
    ListColumn("short_name", _("Short name"), lambda one: one.short_name, is_shown=False),
    ListColumn("kind", _("Type"), lambda one: str(one.get_kind_display()), is_shown=False),
    ListColumn("credit_code", _("Credit code"), lambda one: one.credit_code, css="tabular", is_shown=False),
    ListColumn("industry", _("Industry"), lambda one: one.industry, is_shown=False),
    ListColumn(  # many counties share a name, so files have the national code
        "division",
        _("Division"),
        lambda one: text(one.division),
        file_value=lambda one: one.division_id or "",
        is_shown=False,
    ),
    ListColumn("address", _("Address"), lambda one: one.address, is_shown=False),
    ListColumn("website", _("Website"), lambda one: one.website, is_shown=False),
)


def text(named: Any) -> str:
    """A linked record's name; nothing for none."""
    return "" if named is None else str(named)


def grade_in_words(letter: str | None, state: str) -> str:
    """The letter, or the state in the reader's language."""
    return letter or str(GradeState(state).label)


def open_customers(request: Any, params: QueryDict) -> Opened:
    """The customers of one's scope; those of one product line with that line's figures."""
    wanted = filter_params(params)
    customers = Customer.objects.visible_to(request.user).for_list()
    codes = wanted.getlist("line")
    line = ProductLine.objects.filter(code=codes[0]).first() if len(codes) == 1 else None
    if line is None:
        filters = CustomerFilter(wanted, customers, request=request)
        return Opened(filters, choose((NAME, CODE, REGION, BRANCH, LINES, *DETAILS), params), _for_file)
    led = customers.with_leads(request.user)
    filters = CustomersOfLineFilter(wanted, led, request=request, line=line)
    columns = choose(_columns_of_line(line), params)
    return Opened(filters, columns, lambda found: found.for_file().with_leads(request.user))


def _for_file(customers: Any) -> Any:
    return customers.for_file()


def _grades(customer: Any) -> str:
    """Every active line with its grade; those who are never graded have none."""
    if customer.kind != CustomerKind.CUSTOMER:
        return " / ".join(str(line.product_line) for line in customer.active_lines)
    return " / ".join(f"{line.product_line} {grade_in_words(line.grade, line.state)}" for line in customer.active_lines)


LINES = ListColumn("lines", _("Grade per product line"), _grades, draw=line_grades)


def _columns_of_line(line: ProductLine) -> tuple[ListColumn, ...]:
    def of_line(read: Callable[[CustomerLine], Any]) -> Callable[[Any], Any]:
        def value(customer: Any) -> Any:
            shown = next((one for one in customer.active_lines if one.product_line_id == line.pk), None)
            return None if shown is None else read(shown)

        return value

    return (
        NAME,
        CODE,
        REGION,
        ListColumn("grade", _("Grade"), of_line(_grade), template="crm/_grade_of_line_cell.html", is_sortable=True),
        ListColumn("score", _("Score"), of_line(lambda one: one.score), Type.POINTS, is_sortable=True),
        ListColumn(
            "potential_sales",
            _("Potential sales"),
            of_line(lambda one: one.potential_sales),
            Type.MONEY,
            unit=_("10k CNY"),
            is_sortable=True,
        ),
        ListColumn(
            "expected_close_on",
            _("Expected close"),
            of_line(lambda one: one.expected_close_on),
            Type.DAY,
            is_sortable=True,
        ),
        ListColumn("lead", _("Lead"), of_line(lambda one: text(one.lead)), css="text-nowrap"),
        ListColumn("branch", BRANCH.label, BRANCH.value, is_shown=False),
        ListColumn(
            "last_contact_on", _("Last contact"), of_line(lambda one: one.last_contact_on), Type.DAY, is_shown=False
        ),
        *DETAILS,
    )


def _grade(line: CustomerLine) -> str:
    return grade_in_words(line.grade, line.state) if line.customer.kind == CustomerKind.CUSTOMER else ""


def address_of(page: str) -> Callable[[QueryDict], str]:
    """What gives a list's address on a page, where nothing of it stands in the path."""
    return lambda params: Address(reverse(page), params).having()


CUSTOMERS = Listed(
    "customers", _("Customers"), Permission.VIEW_CUSTOMERS, open_customers, address_of("crm:list-customers")
)

LISTS = (CUSTOMERS,)


@dataclass(frozen=True)
class ListMenu:
    """What `_includes/list_menu.html` offers beside a list: its columns, and taking it along."""

    export_url: str
    choice: Choice | None = None
    hidden: Sequence[tuple[str, str]] = ()
    default_url: str = ""

    @property
    def columns(self) -> list[tuple[str, str, bool]]:
        """Every column with whether it is shown; the first one always is."""
        if self.choice is None:
            return []
        return [(column.key, str(column.label), column.key in self.choice.keys) for column in self.choice.offered]

    @property
    def added(self) -> list[str]:
        """The columns that a file has besides those shown."""
        if self.choice is None:
            return []
        return [str(column.label) for column in self.choice.in_file if column.key not in self.choice.keys]


def list_menu(listed: Listed, opened: Opened, params: QueryDict, address: Address) -> ListMenu:
    """The menu of a list as its page shows it; `params` are the address's with what stands in its path."""
    columns = ",".join(opened.choice.keys) if opened.choice.is_chosen else None
    return ListMenu(
        export_url=export_url(listed, params, columns),
        choice=opened.choice,
        hidden=hidden(address.params, but=(PARAMETER, "page")),
        default_url=address.having(columns=None),
    )


def export_url(listed: Listed, params: QueryDict, columns: str | None = None) -> str:
    """Where a list is taken along as its page shows it: with the columns that there are, of those asked for."""
    address = Address(reverse("crm:export-list", args=[listed.name]), params)
    return address.having(page=None, page_size=None, columns=columns)


def written_once(address: Address) -> str:
    """The address with its columns in one parameter, where a form has sent them one by one; else nothing."""
    columns = address.params.getlist(PARAMETER)
    return address.having(columns=",".join(columns)) if len(columns) > 1 else ""
