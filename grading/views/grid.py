"""The grid of a cycle's assessments: a product line's customers as rows, saved by the block."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.lib.listing import Address, chips, filter_params, hidden, page_of, pickers
from crm.models import ProductLine
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from crm.scope import offered_filters, scope_of
from grading import grid
from grading.actions.runs import CycleClosed
from grading.filters import CycleLineFilter
from grading.models import Cycle, CycleState

PAGE_SIZES = (100, 200)
_OPEN = (CycleState.OPEN, CycleState.PUBLISHED)


@requires(Permission.SAVE_ASSESSMENT)
def edit_grid(request: PageRequest, year: int) -> HttpResponse:
    """The lines of one product line that the person may assess; what was typed comes back as JSON."""
    cycle = get_object_or_404(Cycle, fiscal_year=year)
    if request.method == "POST":
        return _save(request, cycle)
    if completed := _completed(request, cycle):
        return redirect(completed)
    address = Address(request.path, request.GET)
    lines = grid.lines_to_assess(cycle, request.user).select_related("customer")
    filters = CycleLineFilter(filter_params(request.GET), lines, request=request)
    listing = page_of(request, filters, (), PAGE_SIZES)
    context = {
        "cycle": cycle,
        "is_open": cycle.state in _OPEN,
        "list": listing,
        "grid": _grid(listing.rows, cycle) if cycle.state in _OPEN else None,
        "tabs": _tabs(address),
        "filters": filters,
        "chips": chips(filters, address, all_is_explicit=("region",), silent=("line",)),
        "pickers": pickers(filters, offered_filters(request, ("region", "grade", "state", "missing", "lead"))),
        "hidden": hidden(request.GET),
        "search": request.GET.get("search", ""),
        "search_label": _("Name / pinyin / initials / code"),
        "clear_url": address.cleared(keep=("line", "page_size"), region=""),
        "list_url": _list_url(address, cycle),
    }
    return render(request, "grading/edit_grid.html", context, status=400 if listing.errors else 200)


def _save(request: PageRequest, cycle: Cycle) -> JsonResponse:
    if cycle.state not in _OPEN:
        return _refused(_closed(cycle), 409)
    try:
        rows = grid.read_rows(request.body)
        answers = grid.save_rows(rows, cycle=cycle, by=request.user)
    except grid.TooManyRows:
        return _refused(_("At most {most} rows can be saved at once.").format(most=grid.MOST_ROWS), 413)
    except ValueError:
        return _refused(_("The request cannot be read."), 400)
    except CycleClosed:
        return _refused(_closed(cycle), 409)
    return JsonResponse({"rows": answers, "at": timezone.localtime().strftime("%H:%M")})


def _refused(reason: str, status: int) -> JsonResponse:
    return JsonResponse({"error": reason}, status=status)


def _closed(cycle: Cycle) -> str:
    if cycle.state == CycleState.DRAFT:
        return _("The cycle of this fiscal year is not open yet: there is nothing to assess.")
    return _("The cycle of this fiscal year is closed: its assessments are history.")


def _completed(request: PageRequest, cycle: Cycle) -> str | None:
    """The address with one product line and the region of the switch, where it lacks them."""
    wanted: dict[str, Any] = {}
    codes = [code for code in request.GET.getlist("line") if code]
    if len(codes) != 1:
        wanted["line"] = codes[0] if codes else _first_line(request, cycle)
    if (region := scope_of(request).region) and "region" not in request.GET:
        wanted["region"] = region.code
    return Address(request.path, request.GET).having(**wanted) if wanted else None


def _first_line(request: PageRequest, cycle: Cycle) -> str:
    """The first product line in which the person has something to assess, else the first of all."""
    product_lines = ProductLine.objects.order_by("position", "code").values_list("code", flat=True)
    own = grid.lines_to_assess(cycle, request.user).order_by("product_line__position", "product_line__code")
    return own.values_list("product_line__code", flat=True).first() or product_lines.first() or "-"


def _tabs(address: Address) -> list[tuple[ProductLine, str, bool]]:
    current = address.params.get("line")
    product_lines = ProductLine.objects.filter(is_active=True).order_by("position", "code")
    return [(line, address.having(line=line.code, page=None), line.code == current) for line in product_lines]


def _list_url(address: Address, cycle: Cycle) -> str:
    path = reverse("grading:list-cycle-grades", args=[cycle.fiscal_year])
    return Address(path, address.params).having(page=None, page_size=None)


def _grid(lines: list[Any], cycle: Cycle) -> dict[str, Any]:
    """What the script of the page needs."""
    rows = grid.rows_of(lines, cycle.fiscal_year)
    return {"columns": grid.columns(), "words": grid.words(), "rows": rows}
