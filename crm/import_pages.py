"""What the pages of an import show: its figures, its errors by cell, its progress and what can be done next."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.actions.data_imports import proposed_mapping
from crm.actions.import_reading import shape_of
from crm.actions.imports import import_kinds
from crm.import_forms import Word
from crm.import_templates import blank_cell_means, kind_label
from crm.lib.cells import text
from crm.lib.pace import pace, whole
from crm.models import APPLIED_STATES, Change, Customer, DataImport, ImportState, User
from crm.undo_pages import named_conflicts, reason_of, record_url

OUTCOMES = ("created", "updated", "unchanged", "rejected")
ERRORS_SHOWN = 50
SIMILAR_SHOWN = 20
CHANGED_SHOWN = 20
_MOST_WORDS = 20
_STEPS = {
    ImportState.CHECKING: 3,
    ImportState.CHECKED: 3,
    ImportState.IMPORTING: 4,
    ImportState.DONE: 4,
    ImportState.UNDOING: 4,
}
_WITH_UNIT = re.compile(r"^(.+?)\s*\(([^()]+)\)$")
_FACTOR_OF = {"元": "", "yuan": "", "%": "", "千元": "1000", "万元": "10000", "万": "10000", "10k cny": "10000"}
_LONGEST_WORD = 60


def imports_of(user: User) -> QuerySet[DataImport]:
    """The imports that exist for a person, without the content of their files."""
    seen = DataImport.objects.visible_to(user).select_related("by", "file", "rejected_file", "job", "undone_by")
    return seen.defer("file__content", "rejected_file__content")


def label_of(kind: str) -> str:
    """What the rows of a kind are called."""
    known = import_kinds().get(kind)
    return kind_label(known) if known else kind


def counts_of(shown: DataImport) -> dict[str, int] | None:
    """The four figures of the last test run or of the import; none before there are any."""
    found = shown.report.get("counts")
    return {name: found.get(name, 0) for name in OUTCOMES} if found else None


def changing(shown: DataImport) -> int:
    """How many rows change something."""
    counts = counts_of(shown) or {}
    return counts.get("created", 0) + counts.get("updated", 0)


def page_of_import(shown: DataImport, user: User, now: datetime) -> dict[str, Any]:
    """The context of an import's page."""
    counts = counts_of(shown)
    return {
        "import": shown,
        "kind_label": label_of(shown.kind),
        "blank_cell_means": blank_cell_means(),
        "step": _STEPS.get(ImportState(shown.state)),
        "progress": progress_of(shown, now),
        "trouble": _trouble(shown),
        "conflicts": conflicts_of(shown, user),
        "conflict_count": shown.report.get("undo", {}).get("conflict_count", 0),
        "counts": counts,
        "is_test": shown.state not in APPLIED_STATES,
        "changing": changing(shown),
        "steps": _next_steps(shown, user, counts),
        "notes": _notes(shown),
        "errors": shown.report.get("errors", [])[:ERRORS_SHOWN],
        "similar": list(_similar(shown, user)),
        "new_words": shown.report.get("new_words", []) if shown.state == ImportState.CHECKED else [],
        "touched": changed_customers(shown, user) if shown.state == ImportState.DONE else [],
        "similar_count": shown.report.get("near_duplicate_count", 0),
    }


def changed_customers(shown: DataImport, user: User) -> list[Customer]:
    """Some of the customers whose records the import changed, as far as they exist for the person."""
    changes = Change.objects.visible_to(user).filter(batch=shown.batch, customer__isnull=False)
    seen = Customer.objects.visible_to(user).filter(pk__in=changes.values("customer"))
    return list(seen.select_related("region").order_by("pk")[:CHANGED_SHOWN])


def progress_of(shown: DataImport, now: datetime) -> dict[str, Any] | None:
    """What `crm/imports/_import_progress.html` shows; none where no job is under way."""
    job = shown.job
    labels = {
        ImportState.CHECKING: _("Testing {name}"),
        ImportState.IMPORTING: _("Importing {name}"),
        ImportState.UNDOING: _("Taking back {name}"),
    }
    label = labels.get(ImportState(shown.state))
    if job is None or label is None:
        return None
    return {
        "import": shown,
        "job": job,
        "label": label.format(name=shown.file.name),
        **pace(job.rate(now), job.time_left(now)),
        "may_cancel": shown.state != ImportState.UNDOING,
    }


def conflicts_of(shown: DataImport, user: User) -> list[dict[str, Any]]:
    """What was in the way of the last undo."""
    return named_conflicts(shown.report.get("undo", {}).get("conflicts", ()), user)


def remembered(shown: DataImport, headers: Sequence[str]) -> DataImport | None:
    """The last import of a file with these headers, also a colleague's; none once this one has been set up for them."""
    shape = shape_of(headers)
    if shown.shape == shape:
        return None
    return DataImport.objects.like(kind=shown.kind, shape=shape, user=shown.by).exclude(pk=shown.pk).first()


def fitting_mapping(shown: DataImport, headers: Sequence[str]) -> dict[str, Any]:
    """What was said of the file already, as far as it has these headers; else what the headers say themselves."""
    known = remembered(shown, headers)
    mapping = known.mapping_for(shown.by) if known else shown.mapping
    sources = mapping.get("columns", {})
    fitting = {name: said for name, said in sources.items() if _header_of(said) in ("", *headers)}
    if not any(map(_header_of, fitting.values())):
        fitting = proposed_mapping(import_kinds()[shown.kind], list(headers))["columns"] | fitting
    if not known and not shown.shape:
        fitting |= _by_unit(shown.kind, headers, fitting)
    only = {header: words for header, words in mapping.get("only", {}).items() if header in headers}
    return {**mapping, "columns": fitting, **({"only": only} if only else {})}


def _by_unit(kind: str, headers: Sequence[str], found: Mapping[str, Any]) -> dict[str, Any]:
    """Columns whose header says the unit of its figures: 金额（万元）is the amount, times ten thousand."""
    more: dict[str, Any] = {}
    for header in headers:
        match = _WITH_UNIT.match(text(header))
        factor = _FACTOR_OF.get(match[2].strip().lower()) if match else None
        if match and factor is not None:
            names = proposed_mapping(import_kinds()[kind], [match[1]])["columns"].keys() - found.keys()
            more |= {name: {"header": header} | ({"factor": factor} if factor else {}) for name in names}
    return more


def rejected_words(shown: DataImport) -> list[Word]:
    """Words that the last test run rejected, each once: they may stand for others."""
    columns: dict[str, list[str]] = {}
    for name, said in shown.mapping.get("columns", {}).items():
        columns.setdefault(_header_of(said), []).append(name)
    found = [
        Word(name, error["cell"])
        for error in shown.report.get("errors", ())
        for name in columns.get(error["column"], ())
        if 0 < len(error["cell"]) <= _LONGEST_WORD
    ]
    return list(dict.fromkeys(found))[:_MOST_WORDS]


def new_words(shown: DataImport) -> dict[Word, str]:
    """Words that no record had at the last test run, each with the one that it nearly is: they may stand for others."""
    return {Word(told["name"], told["word"]): told["like"] for told in shown.report.get("new_words", ())}


def _header_of(said: str | Mapping[str, Any]) -> str:
    return said if isinstance(said, str) else said.get("header", "")


def _trouble(shown: DataImport) -> str:
    if shown.state == ImportState.FAILED:
        return _("Nothing was changed. {reason}").format(reason=reason_of(shown.report))
    if shown.state == ImportState.DONE and "undo" in shown.report:
        said = _("{reason} An import is taken back as a whole or not at all: nothing was changed.")
        return said.format(reason=reason_of(shown.report["undo"]))
    if shown.state == ImportState.CANCELLED:
        return _("This import was given up. Nothing was changed.")
    if shown.state == ImportState.CHECKED and shown.is_strict and (counts_of(shown) or {}).get("rejected"):
        return _("Rows are rejected, and you asked to import nothing then. Mend the file, or go back to the columns.")
    return ""


def _next_steps(shown: DataImport, user: User, counts: Mapping[str, int] | None) -> dict[str, bool]:
    """What the person can do with the import now; only who uploaded a file can import it."""
    is_own_and_open = shown.is_open and shown.by_id == user.pk
    is_blocked = shown.is_strict and bool(counts and counts["rejected"])
    return {
        "start": is_own_and_open and shown.state == ImportState.CHECKED and changing(shown) > 0 and not is_blocked,
        "set_up": is_own_and_open,
        "rejected": shown.rejected_file_id is not None,
        "undo": shown.state == ImportState.DONE and changing(shown) > 0,
        "cancel": is_own_and_open,
    }


def _notes(shown: DataImport) -> list[str]:
    """What else is to be known of the figures."""
    report = shown.report
    notes = [str(assumption) for assumption in report.get("assumptions", ())]
    if shown.state == ImportState.CHECKED and not changing(shown):
        notes.append(_("There is nothing to import: no row would change anything."))
    if left_out := report.get("left_out", 0):
        notes.append(
            _counted(
                ngettext(
                    "{count} row is left out by the mapping.", "{count} rows are left out by the mapping.", left_out
                ),
                left_out,
            )
        )
    if combined := report.get("combined", 0):
        notes.append(
            _counted(
                ngettext(
                    "{count} row is added to an earlier one of the same record.",
                    "{count} rows are added to earlier ones of the same record.",
                    combined,
                ),
                combined,
            )
        )
    return notes


def _similar(shown: DataImport, user: User) -> Iterator[dict[str, Any]]:
    """The pairs whose customer still exists for the person, by the name that it has now."""
    pairs = shown.report.get("near_duplicates", ())[:SIMILAR_SHOWN]
    seen = Customer.objects.visible_to(user).filter(pk__in={near["customer"] for near in pairs})
    names = dict(seen.values_list("pk", "name")) if pairs else {}
    for near in pairs:
        if other := names.get(near["customer"]):
            url = record_url("crm_customer", near["customer"])
            yield {"row": near["row"], "name": near["name"], "other": other, "url": url}


def _counted(sentence: str, number: int) -> str:
    return sentence.format(count=whole(number))
