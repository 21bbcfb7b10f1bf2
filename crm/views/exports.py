"""Taking lists along: at once or by a job, one's own exports, and the way to their files."""

from tempfile import TemporaryFile
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from crm.actions import exports as actions
from crm.export_states import progress_of
from crm.lib.exports import CSV, MEDIA_TYPES, XLSX, write_xlsx
from crm.list_pages import plain_list
from crm.models import Export
from crm.permissions import can, signed_in
from crm.requests import PageRequest
from crm.waiting import count_again
from crm.work_lists import EXPORTS


@signed_in
@require_POST
def export_list(request: PageRequest, name: str) -> HttpResponse:
    """A list as its address shows it, as a file: at once where it is small, else made by a job."""
    listed = actions.listed_by_name().get(name)
    if listed is None:
        raise Http404
    if not can(request.user, listed.permission):
        raise PermissionDenied
    language = get_language() or ""
    wish = actions.Wish(listed, request.GET, request.POST.get("format", ""), language, request.user)
    try:
        opened = actions.open_wish(wish)
    except ObjectDoesNotExist as absent:
        raise Http404 from absent
    except actions.ExportRefused as refusal:
        return _refused(request, wish, refusal)
    if actions.is_small(opened):
        return _sent_at_once(wish, opened)
    actions.start_export(wish=wish)
    return redirect("crm:list-exports")


@signed_in
@require_safe
def list_exports(request: PageRequest) -> HttpResponse:
    """One's own exports, the latest first, with what has become of them."""
    count_again(request.user)  # a job has made one meanwhile
    return plain_list(request, EXPORTS, "crm/list_exports.html")


@signed_in
@require_safe
def view_export_progress(request: PageRequest, pk: int) -> HttpResponse:
    """The progress bar by itself; the page around it is drawn anew when the file is there."""
    export = get_object_or_404(Export.objects.of(request.user).in_background().select_related("job"), pk=pk)
    if not export.job.is_active and request.htmx:
        return HttpResponseClientRefresh()
    return render(request, "crm/_export_progress.html", {"progress": progress_of(export, export.job, timezone.now())})


@signed_in
@require_POST
def cancel_export(request: PageRequest, pk: int) -> HttpResponse:
    """Stop making a file."""
    export = get_object_or_404(Export.objects.of(request.user).in_background(), pk=pk)
    actions.cancel_export(export=export, by=request.user)
    return redirect("crm:list-exports")


@signed_in
@require_safe
def fetch_export(request: PageRequest, pk: int) -> HttpResponse:
    """The file that a job has made: its maker's alone, and only while he may see what it holds."""
    export = get_object_or_404(Export.objects.of(request.user).select_related("by"), pk=pk)
    file = actions.fetch_export(export=export, now=timezone.now())
    if file is None:
        raise Http404
    count_again(request.user)
    return HttpResponse(
        bytes(file.content), content_type=file.media_type, headers=_as_attachment(file.name) | {"X-Robots-Tag": "none"}
    )


def _sent_at_once(wish: actions.Wish, opened: actions.Opened) -> Any:
    name = actions.file_name(wish, timezone.now())
    if wish.format == CSV:
        rows = list(actions.rows_of(opened))
        actions.log_export(wish=wish, rows=len(rows))
        pieces = actions.pieces_of_csv(opened, rows, wish.language)
        return StreamingHttpResponse(pieces, content_type=MEDIA_TYPES[CSV], headers=_as_attachment(name))
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    count = write_xlsx(actions.columns_of(opened), actions.rows_of(opened), file)
    actions.log_export(wish=wish, rows=count)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=MEDIA_TYPES[XLSX])


def _as_attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or ""}


def _refused(request: PageRequest, wish: actions.Wish, refusal: actions.ExportRefused) -> HttpResponse:
    context = {
        "reasons": refusal.reasons,
        "list_title": wish.listed.title,
        "list_url": wish.listed.address(wish.params),
    }
    return render(request, "crm/export_refused.html", context, status=400)
