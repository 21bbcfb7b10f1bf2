"""The grade board of a product line: one column per grade, and one for each way to have none."""

from dataclasses import dataclass

from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.filters import CustomerLineFilter
from crm.lib.listing import Address, chips, errors_of, filter_params, hidden, pickers
from crm.models import CustomerLine, ProductLine, User, people_seen_by
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from crm.scope import offered_filters, scope_of
from grading.lists import board_menu
from grading.reports import BEST_FIRST, COLUMNS, Lines, in_column, lines_in_force, sums_of_line

CARDS = 50


@dataclass(frozen=True)
class BoardColumn:
    """A column: how many, their potential sales (fen), the best of them, and where all of them are listed."""

    column: str
    count: int
    potential_sales: int
    cards: list[CustomerLine]
    all_url: str


@requires(Permission.VIEW_GRADES)
@require_safe
def view_board(request: PageRequest) -> HttpResponse:
    """The customer lines of a product line with the labels in force."""
    address = Address(request.path, request.GET)
    product_lines = ProductLine.objects.filter(is_active=True).order_by("position", "code")
    if not request.GET.get("line") and product_lines:
        return redirect(address.having(line=product_lines[0].code))
    if (region := scope_of(request).region) and "region" not in request.GET:
        return redirect(address.having(region=region.code))
    params = filter_params(request.GET)
    filters = CustomerLineFilter(params, lines_in_force(request.user), request=request)
    errors = errors_of(filters)
    context = {
        "address": address,
        "menu": None if errors else board_menu(address),
        "tabs": [(line, address.having(line=line.code), line.code == params.get("line")) for line in product_lines],
        "columns": [] if errors else _with_leads(_columns(filters.qs, params), request.user),
        "errors": errors,
        "filters": filters,
        "chips": chips(filters, address, all_is_explicit=("region",), silent=("line",)),
        "clear_url": address.cleared(keep=("line",), region=""),
        "pickers": pickers(filters, offered_filters(request, ("region", "lead"))),
        "hidden": hidden(request.GET),
        "search": request.GET.get("search", ""),
        "search_label": _("Name / pinyin / initials / code"),
    }
    return render(request, "grading/view_board.html", context, status=400 if errors else 200)


def _columns(lines: Lines, params) -> list[BoardColumn]:
    sums = sums_of_line(lines)
    path = reverse("crm:list-customers")
    columns = []
    for column in COLUMNS:
        count, potential = sums.get(column, (0, 0))
        condition = in_column(column)
        all_url = Address(path, params).having(**condition, kind="customer", region=params.get("region", ""))
        cards = _cards(lines.filter(**condition)) if count else []
        columns.append(BoardColumn(column, count, potential, cards, all_url))
    return columns


def _with_leads(columns: list[BoardColumn], user: User) -> list[BoardColumn]:
    """Who leads the cards' lines, asked for all columns at once."""
    prefetch_related_objects([card for column in columns for card in column.cards], people_seen_by(user, "lead"))
    return columns


def _cards(lines: Lines) -> list[CustomerLine]:
    return list(lines.order_by(*BEST_FIRST).select_related("customer__region", "product_line")[:CARDS])
