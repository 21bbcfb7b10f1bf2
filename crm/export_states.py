"""What has become of a person's exports, for the page that lists them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.actions.exports import KEPT, is_fetchable, listed_by_name, scope_in_words
from crm.lib.listing import Address
from crm.lib.pace import pace
from crm.models import Export, Job, JobState, User
from crm.waiting import remembered_count


@dataclass(frozen=True)
class MadeFile:
    """An export with what can be done about it."""

    export: Export
    title: str
    address: str  # of the list as it was exported
    again_url: str  # makes it once more
    is_fetchable: bool
    kept_until: datetime | None
    trouble: str
    progress: dict[str, Any] | None

    @property
    def state(self) -> str:
        """Where it stands, in words."""
        if self.progress:
            return str(self.progress["job"].get_state_display())
        if self.kept_until:
            return _("Kept until {day}").format(day=f"{timezone.localtime(self.kept_until):%Y-%m-%d %H:%M}")
        return self.trouble or _("Sent at once")


def made_files(exports: Iterable[Export], user: User, now: datetime) -> list[MadeFile]:
    """Exports of a person with what has become of them."""
    scope = scope_in_words(user)
    return [_made(export, scope, now) for export in exports]


def waiting_exports(user: User) -> int:
    """How many files have been made for a person and not been fetched yet."""
    return remembered_count(user, "exports", lambda: Export.objects.of(user).ready().count())


def own_exports(user: User) -> QuerySet[Export]:
    """A person's exports with all that their states need, but not the content of the files."""
    return Export.objects.of(user).select_related("job", "file", "by").defer("file__content")


def progress_of(export: Export, job: Job, now: datetime) -> dict[str, Any]:
    """What `crm/_export_progress.html` shows."""
    return {
        "export": export,
        "job": job,
        "label": _title(export),
        **pace(job.rate(now), job.time_left(now)),
    }


def _made(export: Export, scope: str, now: datetime) -> MadeFile:
    listed = listed_by_name().get(export.list_name)
    again = Address(reverse("crm:export-list", args=[export.list_name]), export.params).having()
    may_fetch = is_fetchable(export, scope)
    return MadeFile(
        export=export,
        title=_title(export),
        address=listed.address(export.params) if listed else "",
        again_url=again,
        is_fetchable=may_fetch,
        kept_until=export.file.at + KEPT if may_fetch and export.file else None,
        trouble=_trouble(export, is_fetchable=may_fetch),
        progress=progress_of(export, export.job, now) if export.job and export.job.is_active else None,
    )


def _title(export: Export) -> str:
    listed = listed_by_name().get(export.list_name)
    return str(listed.title) if listed else export.list_name


def _trouble(export: Export, *, is_fetchable: bool) -> str:
    """Why there is nothing to fetch; nothing where there is, or never was to be."""
    if export.job is None or export.job.is_active or is_fetchable:
        return ""
    if export.job.state == JobState.FAILED:
        return export.refusal or _("Something went wrong here. It has been noted; make the file again.")
    if export.job.state == JobState.CANCELLED:
        return _("Cancelled.")
    if export.file is not None:
        return _("Your role, your region or your customers have changed since then: make the file again.")
    return _("Files are kept for seven days: make the file again.")
