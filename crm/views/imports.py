"""Imports: the list, a new one, its test run, the job, the report, and taking it back."""

from collections.abc import Callable
from itertools import chain, islice
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from crm import import_pages as pages
from crm.actions import data_imports as actions
from crm.actions.imports import Kind, import_kinds
from crm.actions.undo_import import UndoRefused, start_undo
from crm.import_forms import UploadForm
from crm.import_templates import (
    MEDIA_TYPE,
    MOST_IN_WORKBOOK,
    blank_cell_means,
    csv_of_records,
    kind_label,
    write_template,
)
from crm.lib.exports import CSV, MEDIA_TYPES
from crm.lib.spreadsheets import FileUnreadable
from crm.list_pages import plain_list
from crm.models import DataImport, ImportState, StoredFile
from crm.permissions import Permission, can, requires
from crm.requests import PageRequest
from crm.work_lists import IMPORTS


@requires(Permission.IMPORT_DATA)
@require_safe
def list_imports(request: PageRequest) -> HttpResponse:
    """One's imports, the latest first; for sales management those of everybody."""
    return plain_list(request, IMPORTS, "crm/imports/list_imports.html", picked=("kind", "state"))


@requires(Permission.IMPORT_DATA)
def upload_import(request: PageRequest) -> HttpResponse:
    """Choose what the rows are, take a template along, send the file."""
    kinds = _own_kinds(request)
    initial = {"kind": "customers" if "customers" in kinds else next(iter(kinds), "")}
    form = UploadForm(request.POST or None, request.FILES or None, kinds=list(kinds.values()), initial=initial)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = actions.upload_import(
                kind=form.cleaned_data["kind"], name=file.name, content=file.read(), by=request.user
            )
            return redirect("crm:set-up-import", made.pk)
        except (FileUnreadable, actions.ImportRefused) as refusal:
            form.add_error("file", str(refusal))
    templates = [
        {"url": reverse("crm:download-template", args=[kind.name]), "label": kind_label(kind)}
        for kind in kinds.values()
    ]
    context = {"form": form, "templates": templates, "blank_cell_means": blank_cell_means()}
    return render(request, "crm/imports/upload_import.html", context, status=422 if form.errors else 200)


@requires(Permission.IMPORT_DATA)
@require_safe
def download_template(request: PageRequest, kind: str) -> HttpResponse:
    """A workbook to fill in, with the columns of a kind in one's language."""
    chosen = _own_kinds(request).get(kind)
    if chosen is None:
        raise Http404
    if request.GET.get("records") == "all":
        return _all_records(request, chosen)
    name = _("{kind} template.xlsx").format(kind=kind_label(chosen))
    return _attachment(write_template(chosen, request.user), name, MEDIA_TYPE)


@requires(Permission.IMPORT_DATA)
@require_safe
def view_import(request: PageRequest, pk: int) -> HttpResponse:
    """Where an import stands: what its test run found, how far the job is, what it did."""
    shown = get_import(request, pk)
    if shown.state == ImportState.UPLOADED:
        return redirect("crm:set-up-import", pk)
    return render(request, "crm/imports/view_import.html", pages.page_of_import(shown, request.user, timezone.now()))


@requires(Permission.IMPORT_DATA)
@require_safe
def view_import_progress(request: PageRequest, pk: int) -> HttpResponse:
    """The progress bar by itself; the page around it is drawn anew when the job has ended."""
    shown = get_import(request, pk)
    progress = pages.progress_of(shown, timezone.now())
    if progress is None or not progress["job"].is_active:
        return HttpResponseClientRefresh() if request.htmx else redirect("crm:view-import", pk)
    return render(request, "crm/imports/_import_progress.html", {"progress": progress})


@requires(Permission.IMPORT_DATA)
@require_POST
def start_import(request: PageRequest, pk: int) -> HttpResponse:
    """Apply what the test run has shown, in the background."""
    return _do(request, pk, lambda one: actions.start_import(data_import=one, by=request.user))


@requires(Permission.IMPORT_DATA)
@require_POST
def cancel_import(request: PageRequest, pk: int) -> HttpResponse:
    """Give up an import of which nothing has been applied."""
    return _do(request, pk, lambda one: actions.cancel_import(data_import=one, by=request.user))


@requires(Permission.IMPORT_DATA)
def undo(request: PageRequest, pk: int) -> HttpResponse:
    """Ask, then have a job take back everything that an import changed; its page says what is in the way."""
    shown = get_import(request, pk)
    context: dict[str, Any] = {
        "import": shown,
        "counts": pages.counts_of(shown),
        "changed": pages.changing(shown),
    }
    if request.method == "POST":
        try:
            start_undo(data_import=shown, by=request.user)
            return redirect("crm:view-import", pk)
        except UndoRefused as refused:
            context["refusal"] = str(refused)
    elif shown.state != ImportState.DONE:
        context["refusal"] = _("Only an import that has been done can be undone.")
    return render(request, "crm/imports/undo_import.html", context, status=409 if "refusal" in context else 200)


@requires(Permission.IMPORT_DATA)
@require_safe
def download_rejected(request: PageRequest, pk: int) -> HttpResponse:
    """The rejected rows as a file, with the reasons beside them."""
    return _stored(get_import(request, pk).rejected_file)


@requires(Permission.IMPORT_DATA)
@require_safe
def download_import_file(request: PageRequest, pk: int) -> HttpResponse:
    """The file as it was uploaded."""
    return _stored(get_import(request, pk).file)


def get_import(request: PageRequest, pk: int) -> DataImport:
    """An import that exists for the person; no file's content is read."""
    return get_object_or_404(pages.imports_of(request.user), pk=pk)


def _all_records(request: PageRequest, kind: Kind) -> Any:
    """What the person may see of a kind, to be changed and imported again; csv where a workbook would take too long."""
    records = kind.rows(request.user)
    first = list(islice(records, MOST_IN_WORKBOOK + 1))
    if len(first) <= MOST_IN_WORKBOOK:
        content = write_template(kind, request.user, first)
        return _attachment(content, _("{kind}.xlsx").format(kind=kind_label(kind)), MEDIA_TYPE)
    pieces = csv_of_records(kind, chain(first, records))
    return StreamingHttpResponse(pieces, MEDIA_TYPES[CSV], headers=_as_file(f"{kind_label(kind)}.csv"))


def _own_kinds(request: PageRequest) -> dict[str, Kind]:
    """The kinds whose records the person may change."""
    return {name: kind for name, kind in import_kinds().items() if can(request.user, kind.permission)}


def _do(request: PageRequest, pk: int, act: Callable[[DataImport], Any]) -> HttpResponse:
    """Take a step; where that is refused, the import's page says why."""
    try:
        act(get_import(request, pk))
    except actions.ImportRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("crm:view-import", pk)


def _stored(file: StoredFile | None) -> HttpResponse:
    if file is None:
        raise Http404
    is_workbook = file.name.lower().endswith((".xlsx", ".xlsm"))
    return _attachment(bytes(file.content), file.name, MEDIA_TYPE if is_workbook else "text/csv")


def _attachment(content: bytes, name: str, media_type: str) -> HttpResponse:
    """A file that browsers save and never show; what it is is said by us, not by whoever uploaded it."""
    return HttpResponse(content, content_type=media_type, headers=_as_file(name))


def _as_file(name: str) -> dict[str, str]:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return {"Content-Disposition": disposition or "attachment", "X-Content-Type-Options": "nosniff"}
