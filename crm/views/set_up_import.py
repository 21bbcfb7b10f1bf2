"""Setting up an import: where its rows stand and what its columns are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.actions import data_imports as actions
from crm.actions.imports import Kind, import_kinds
from crm.actions.work_on_import import check_import
from crm.import_forms import SetUpForm
from crm.import_pages import fitting_mapping, label_of, new_words, rejected_words, remembered
from crm.import_templates import blank_cell_means
from crm.lib.cells import Cell, text
from crm.lib.mappings import MappingUnreadable
from crm.lib.spreadsheets import FileUnreadable, SheetPreview, inspect_file
from crm.models import DataImport
from crm.permissions import Permission, requires
from crm.requests import PageRequest
from crm.views.imports import get_import

_SAMPLES = 3
_SHOWN = 20
_FIGURES = re.compile(r"[-+\d.,%¥()\s·]*\d[-+\d.,%¥()\s·]*")
_NO_SHEET = SheetPreview("", 0, [])


@dataclass
class Place:
    """Where the rows stand, and what the page shows of them."""

    sheet: str
    header_row: int
    preview: list[dict[str, Any]]
    headers: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The first rows, down to some below the headers where these stand further down."""
        at = next((at for at, row in enumerate(self.preview) if row["is_header"]), 0)
        return self.preview[: max(_SHOWN, at + _SAMPLES + 1)]


@requires(Permission.IMPORT_DATA)
def set_up_import(request: PageRequest, pk: int) -> HttpResponse:
    """Choose sheet, row of headers and columns, then start the test run."""
    shown = get_import(request, pk)
    if not shown.is_open:
        return redirect("crm:view-import", pk)
    try:
        sheets = inspect_file(bytes(shown.file.content), shown.file.name)
    except FileUnreadable as error:
        return _page(request, shown, [], Place("", 1, [], error=str(error)), None)
    place = _place(request.POST or request.GET, shown, sheets)
    if place.error:
        return _page(request, shown, sheets, place, None)
    form = _form(request, shown, import_kinds()[shown.kind], place)
    if form.is_valid() and _is_checked(request, shown, place, form):
        return redirect("crm:view-import", pk)
    return _page(request, shown, sheets, place, form)


def _form(request: PageRequest, shown: DataImport, kind: Kind, place: Place) -> SetUpForm:
    return SetUpForm(
        request.POST or None,
        kind=kind,
        headers=place.headers,
        mapping=fitting_mapping(shown, place.headers),
        words=rejected_words(shown),
        new_words=new_words(shown),
        initial={"mode": shown.mode, "is_strict": shown.is_strict},
    )


def _is_checked(request: PageRequest, shown: DataImport, place: Place, form: SetUpForm) -> bool:
    """Keep what was entered and start the test run; where that is refused, the form says why."""
    try:
        actions.set_up_import(
            data_import=shown,
            sheet=place.sheet,
            header_row=place.header_row,
            mode=form.cleaned_data["mode"],
            is_strict=form.cleaned_data["is_strict"],
            mapping=form.said_mapping(),
            by=request.user,
        )
        check_import(data_import=shown, by=request.user)
    except (actions.ImportRefused, FileUnreadable, MappingUnreadable) as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _page(
    request: PageRequest, shown: DataImport, sheets: Sequence[SheetPreview], place: Place, form: SetUpForm | None
) -> HttpResponse:
    context: dict[str, Any] = {
        "import": shown,
        "kind_label": label_of(shown.kind),
        "blank_cell_means": blank_cell_means(),
        "sheets": sheets,
        "place": place,
        "form": form,
    }
    if form:
        context |= {
            "absent": _(", ").join(form.absent_at_first()),
            "is_remembered": not form.is_bound and remembered(shown, place.headers) is not None,
            "columns": [
                {
                    "header": header,
                    "column": column,
                    "factor": factor if form.figures and (factor.value() or _FIGURES.fullmatch(sample)) else None,
                    "is_scalable": form.may_hold_figures(column),
                    "sample": sample,
                }
                for (header, column, factor), sample in zip(form.column_rows, place.samples, strict=True)
            ],
        }
    is_wrong = bool(place.error or (form and form.errors))
    return render(request, "crm/imports/set_up_import.html", context, status=422 if is_wrong else 200)


def _place(asked: Any, shown: DataImport, sheets: Sequence[SheetPreview]) -> Place:
    """The sheet and row that are asked for, else those kept; a row that is not shown gives way to the first."""
    known = {sheet.name: sheet for sheet in sheets}
    sheet = known.get(asked.get("sheet", shown.sheet)) or next(iter(sheets), _NO_SHEET)
    rows = dict(sheet.rows)
    wanted = asked.get("header_row", str(shown.header_row))
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 8 else 0
    if number not in rows:
        number = next(iter(rows), 1)
    preview = [
        {"number": at, "is_header": at == number, "cells": [text(cell) for cell in cells]} for at, cells in rows.items()
    ]
    place = Place(sheet.name, number, preview)
    _read_headers(place, rows)
    return place


def _read_headers(place: Place, rows: dict[int, list[Cell]]) -> None:
    """The headers of the chosen row with what stands below each; or why they cannot serve."""
    heads = [text(cell) for cell in rows.get(place.header_row, [])]
    below = [cells for at, cells in rows.items() if at > place.header_row][:_SAMPLES]
    for at, head in enumerate(heads):
        if head:
            place.headers.append(head)
            cells = [text(cells[at]) for cells in below if at < len(cells)]
            place.samples.append(" · ".join(filter(None, cells)))
    twice = sorted({head for head in place.headers if place.headers.count(head) > 1})
    if not place.headers:
        place.error = _("The row holds no headers. Choose the row in which they stand.")
    elif twice:
        place.error = _(
            "The header {headers} stands there twice: choose another row, or rename one in the file."
        ).format(headers=_(", ").join(f"“{head}”" for head in twice))
