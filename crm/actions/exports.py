"""Taking a list along: a small one at once, a larger one by a job; always logged, always in the person's own scope."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from crm.actions.jobs import begin_job, cancel_job, fail_job, finish_job, nudge, show_progress, start_job
from crm.lib.batches import batches
from crm.lib.columns import PARAMETER, Choice
from crm.lib.exports import CSV, MEDIA_TYPES, MOST_SHEET_ROWS, Column, csv_lines, write_xlsx
from crm.lib.listing import Filters, errors_of
from crm.models import Change, Customer, CustomerMerge, Export, ExportFormat, Job, LineMember, StoredFile, User
from crm.permissions import Permission, can

JOB_KIND = "export"
AT_ONCE = 5_000  # rows that a page sends by itself; more are a job's
KEPT = timedelta(days=7)
CHUNK = 2_000
LARGEST_FILE = 256_000_000  # bytes: what a worker holds in memory to store it
_NOT_KEPT = frozenset({"page", "page_size", "at", "format", PARAMETER})


class ExportRefused(Exception):
    """The list cannot be taken along so; `reasons` are sentences for people."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class _Cancelled(Exception):
    """The job has been ended by somebody."""


@dataclass(frozen=True)
class Reader:
    """Who asks, where filters expect a request."""

    user: User


@dataclass(frozen=True)
class Opened:
    """A list as an address asks for it, in one person's scope."""

    filters: Filters
    choice: Choice
    for_file: Callable[[Any], Any] = staticmethod(lambda records: records)  # fetches rows by the thousand
    rows: Callable[[Sequence[Any]], Iterable[Any]] = staticmethod(lambda records: records)  # what columns read


@dataclass(frozen=True)
class Listed:
    """A list that can be taken along. The page opens it by the same function, and so shows the same."""

    name: str
    title: str | Promise
    permission: Permission
    open: Callable[[Any, QueryDict], Opened]  # raises ObjectDoesNotExist where an address names what is not there
    address: Callable[[QueryDict], str]


@dataclass(frozen=True)
class Wish:
    """What somebody wants to take along: a list, its address, the kind of file and the language of its words."""

    listed: Listed
    params: QueryDict
    format: str
    language: str
    by: User

    @property
    def columns(self) -> str:
        """The chosen columns, as an address writes them; nothing for the list's own."""
        return ",".join(self.params.getlist(PARAMETER))

    @property
    def query(self) -> str:
        """Filters and order, as an address writes them."""
        kept = self.params.copy()
        for name in _NOT_KEPT:
            kept.pop(name, None)
        return kept.urlencode()


def listed_by_name() -> dict[str, Listed]:
    """Every list that the apps declare."""
    return {listed.name: listed for name in settings.LISTS for listed in import_string(name)}


def open_wish(wish: Wish) -> Opened:
    """The list in the scope that the person has now. Raises ExportRefused where the address makes no sense."""
    if not can(wish.by, wish.listed.permission):
        raise ExportRefused(_("You may not see this list any more."))
    if wish.format not in ExportFormat.values:
        raise ExportRefused(_("Choose xlsx or csv: there is no other format."))
    opened = wish.listed.open(Reader(wish.by), wish.params)
    unknown = [_("There is no column “{name}”.").format(name=name) for name in opened.choice.unknown]
    if wrong := [*errors_of(opened.filters), *unknown]:
        raise ExportRefused(*wrong)
    return opened


def is_small(opened: Opened) -> bool:
    """Whether it is sent at once."""
    return opened.filters.qs.order_by()[: AT_ONCE + 1].count() <= AT_ONCE


def columns_of(opened: Opened) -> list[Column]:
    """The columns of the file, named in the language in force."""
    return [column.as_file_column() for column in opened.choice.in_file]


def rows_of(opened: Opened) -> Iterator[list[Any]]:
    """The rows of the file, read in chunks: memory and queries stay as they are whatever their number."""
    values = [column.read_for_file for column in opened.choice.in_file]
    for records in batches(opened.for_file(opened.filters.qs).iterator(chunk_size=CHUNK), CHUNK):
        for row in opened.rows(records):
            yield [value(row) for value in values]


def pieces_of_csv(opened: Opened, rows: Iterable[list[Any]], language: str) -> Iterator[bytes]:
    """The file as it is sent, in a language, since the page's own is gone by then."""
    with translation.override(language):
        yield from csv_lines(columns_of(opened), rows)


def log_export(*, wish: Wish, rows: int | None, job: Job | None = None) -> Export:
    """Note that somebody takes a list along."""
    return Export.objects.create(
        list_name=wish.listed.name,
        filters=wish.query,
        columns=wish.columns,
        format=wish.format,
        language=wish.language,
        rows=rows,
        by=wish.by,
        at=timezone.now(),
        job=job,
    )


@transaction.atomic
def start_export(*, wish: Wish) -> Export:
    """Have a job make the file; who asks for the same once more while it is under way gets the one under way."""
    job, is_new = start_job(kind=JOB_KIND, key=_key(wish), by=wish.by)
    if not is_new:
        return Export.objects.get(job=job)
    export = log_export(wish=wish, rows=None, job=job)
    nudge(job)
    return export


def work_on_export(export: Export) -> None:
    """Make the file of an export, with what its maker may see by now. Safe to run twice."""
    job_id = _job_of(export)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    begin_job(job_id, owner=owner)
    scope = scope_in_words(export.by)
    with translation.override(export.language), TemporaryFile() as file:
        try:
            rows = _write(export, file, partial(_go_on, job_id, owner))
        except ExportRefused as refusal:
            Export.objects.filter(pk=export.pk).update(refusal=str(refusal))
            fail_job(job_id, error=str(refusal))
        except _Cancelled:
            return
        else:
            _keep(export, file, rows, scope)


def cancel_export(*, export: Export, by: User) -> bool:
    """Stop making a file. Returns whether it was still being made."""
    return cancel_job(_job_of(export), by=by)


def is_fetchable(export: Export, scope: str) -> bool:
    """Whether the file is there and its maker may have it: he may see the list, and his scope is what it was then."""
    listed = listed_by_name().get(export.list_name)
    may_see = listed is not None and can(export.by, listed.permission)
    return export.file_id is not None and may_see and export.scope == scope


def fetch_export(*, export: Export, now: datetime) -> StoredFile | None:
    """The file, if its maker may have it now; noted as fetched."""
    if not is_fetchable(export, scope_in_words(export.by)):
        return None
    Export.objects.filter(pk=export.pk, fetched_at=None).update(fetched_at=now)
    return StoredFile.objects.visible_to(export.by).filter(pk=export.file_id).first()


@transaction.atomic
def forget_old_exports(*, now: datetime) -> int:
    """Delete the files that have been kept long enough; the log stays. Returns how many."""
    old = Export.objects.filter(file__isnull=False, file__at__lt=now - KEPT)
    files = list(old.values_list("file", flat=True))
    old.update(file=None)
    StoredFile.objects.filter(pk__in=files).delete()
    return len(files)


def scope_in_words(user: User) -> str:
    """What a person sees, put so that two moments can be compared.

    A change of role, place or lines shows, and so does a customer that has left the person's region, or any change of
    which customers his branch office has.
    """
    places = f"{user.role}/{user.region_id or ''}/{user.branch_id or ''}"
    reach = user.reach
    if user.sees_all_regions:
        return places
    left = _mark_of_partings(reach.regions)
    if reach.is_one_region:
        return f"{places}/{left}"
    members = LineMember.objects.current().of_people(reach.people)
    lines = members.order_by("line").values_list("line", flat=True).distinct()
    delegated = (reach.regions, reach.branches) if user.delegators else ()
    of_branches = Customer.objects.filter(deleted_at=None, branch__in=reach.branches).order_by("pk")
    return f"{places}/{left}/{_digest(*lines, *delegated, '', *of_branches.values_list('pk', flat=True))}"


def _mark_of_partings(regions: Sequence[int]) -> str:
    """The number of the log's row by which a customer last left one of these regions, and how many went by merges."""
    left = Change.objects.filter(is_tombstone=True, region__in=regions, table=Customer._meta.db_table)
    merged = CustomerMerge.objects.filter(loser__region__in=regions).exclude(survivor__region__in=regions)
    undone = CustomerMerge.objects.exclude(undone_at=None).filter(survivor__region__in=regions)
    away = merged.count() + undone.exclude(loser__region__in=regions).count()
    return f"{left.aggregate(last=Max('sequence', default=0))['last']}.{away}"


def _wish_of(export: Export) -> Wish:
    listed = listed_by_name().get(export.list_name)
    if listed is None:
        raise ExportRefused(_("This list does not exist any more."))
    return Wish(listed, export.params, export.format, export.language, export.by)


def _job_of(export: Export) -> int:
    if export.job_id is None:
        raise ValueError(f"{export} was sent at once: no job made it")
    return export.job_id


def _write(export: Export, file: IO[bytes], tell: Callable[[int], None]) -> int:
    try:
        opened = open_wish(_wish_of(export))
    except (ObjectDoesNotExist, PermissionDenied) as gone:
        raise ExportRefused(_("This list does not exist any more.")) from gone
    total = opened.filters.qs.order_by().count()
    if total > MOST_SHEET_ROWS:
        raise ExportRefused(_("A file holds {most} rows at most. Narrow the list.").format(most=f"{MOST_SHEET_ROWS:,}"))
    Job.objects.active().filter(pk=_job_of(export)).update(total=total)
    counted = _Counted(rows_of(opened), tell)
    if export.format == CSV:
        file.writelines(csv_lines(columns_of(opened), counted))
    else:
        write_xlsx(columns_of(opened), counted, file)
    if file.seek(0, os.SEEK_END) > LARGEST_FILE:
        raise ExportRefused(_("The file would be larger than 256 MB. Narrow the list, or choose fewer columns."))
    return counted.rows


class _Counted:
    """Rows that are counted as they go by."""

    def __init__(self, rows: Iterable[Sequence[Any]], tell: Callable[[int], None]) -> None:
        self.rows, self._source, self._tell = 0, rows, tell

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self._source:
            yield row
            self.rows += 1
            if self.rows % CHUNK == 0:
                self._tell(self.rows)


def _go_on(job_id: int, owner: str, done: int) -> None:
    if not show_progress(job_id, done=done, owner=owner).is_active:
        raise _Cancelled


@transaction.atomic
def _keep(export: Export, file: IO[bytes], rows: int, scope: str) -> None:
    """Store the file, unless somebody has ended the job, or another worker was first."""
    if not finish_job(_job_of(export), done=rows):
        return
    file.seek(0)
    content = file.read()
    export.file = StoredFile.objects.create(
        name=file_name(_wish_of(export), export.at),
        media_type=MEDIA_TYPES[export.format],
        size=len(content),
        content=content,
        by=export.by,
        at=timezone.now(),
    )
    export.rows, export.scope = rows, scope
    export.save(update_fields=["file", "rows", "scope"])


def file_name(wish: Wish, moment: datetime) -> str:
    """A name that says what and when, in the language in force."""
    return f"{wish.listed.title} {timezone.localtime(moment):%Y-%m-%d %H%M}.{wish.format}"


def _key(wish: Wish) -> str:
    """One file at a time of the same list, narrowed and arranged the same way, per person."""
    return f"{wish.by.pk}/{_digest(wish.listed.name, wish.query, wish.columns, wish.format, wish.language)}"


def _digest(*parts: object) -> str:
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()[:40]
