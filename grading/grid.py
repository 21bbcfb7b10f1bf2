"""The grid of a cycle's assessments: what its rows show, and what it sends back, row by row."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import CheckConstraint, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.lib import money
from crm.lib.cells import NO, YES
from crm.models import Change, CustomerLine, User, people_seen_by
from crm.models.fields import PercentFormField
from grading.actions.assessments import Entered, save_assessments
from grading.explain import elements_in_words
from grading.forms import AssessmentForm, WanFormField
from grading.imports import BUDGETS
from grading.models import Assessment, BudgetState, Cycle
from grading.reports import Lines, lines_of_cycle

MOST_ROWS = 500
_LARGEST = 2**63 - 1

# In the order of the form; short, since a head stands above figures.
LABELS: dict[str, Promise] = {
    "expected_margin": gettext_lazy("Expected gross margin"),
    "potential_sales": gettext_lazy("Potential sales"),
    "has_need": gettext_lazy("Need"),
    "budget_state": gettext_lazy("Budget"),
    "budget_amount": gettext_lazy("Budget amount"),
    "budget_fits_pricing": gettext_lazy("Fits our pricing"),
    "has_timetable": gettext_lazy("Timetable"),
    "knows_decision_makers": gettext_lazy("Decision makers"),
    "expected_close_on": gettext_lazy("Expected close"),
    "has_begun_selection": gettext_lazy("Selection begun"),
    "has_system": gettext_lazy("Has a system"),
    "note": gettext_lazy("Note"),
}
_KINDS: tuple[tuple[type[forms.Field], str], ...] = (
    (PercentFormField, "rate"),
    (WanFormField, "wan"),
    (forms.BooleanField, "yes"),
    (forms.ChoiceField, "choice"),
    (forms.DateField, "day"),
    (forms.CharField, "text"),
)
_FIELDS = {name: AssessmentForm.base_fields[name] for name in LABELS}


class TooManyRows(ValueError):
    """More rows at once than a request may bring."""


@dataclass(frozen=True)
class TypedRow:
    """A row as the grid sends it: the line, the version that was read (0: none yet), and only what was changed."""

    line: int
    version: int
    values: dict[str, str | bool]


def lines_to_assess(cycle: Cycle, user: User) -> Lines:
    """The customer lines of a cycle that a person may assess."""
    return lines_of_cycle(cycle, user).filter(pk__in=CustomerLine.objects.writable_by(user).gradable().values("pk"))


# --- what the page shows


def columns() -> list[dict[str, Any]]:
    """The columns of the grid: name, head, what a cell holds, the unit, and the choices where there are some."""
    units = {"rate": "%", "wan": _("10k CNY")}
    found = []
    for name, label in LABELS.items():
        kind = _kind(name)
        found.append({"name": name, "label": str(label), "kind": kind, "unit": units.get(kind, "")})
    return found


def words() -> dict[str, Any]:
    """What people write for yes, no and a budget's state, as imports read it; and how each is shown."""
    budgets = dict(BUDGETS) | {str(label).lower(): value for value, label in BudgetState.choices}
    return {
        "yes": sorted(YES | {_("Yes").lower()}),
        "no": sorted(NO | {_("No").lower()}),
        "shown": {"true": _("Yes"), "false": _("No")},
        "choices": [[value, str(label)] for value, label in BudgetState.choices],
        "choice": budgets,
    }


def rows_of(lines: Sequence[Any], year: int) -> list[dict[str, Any]]:
    """Lines with the annotations of `lines_of_cycle` as rows: what is stored, and last year's beside it."""
    found = Assessment.objects.filter(deleted_at=None, line__in=[line.pk for line in lines])
    stored = {(one.line_id, one.fiscal_year): one for one in found.filter(fiscal_year__in=(year, year - 1))}
    return [
        {
            "line": line.pk,
            "name": line.customer.name,
            "code": line.customer.code,
            "last": values_of(last) if (last := stored.get((line.pk, year - 1))) else None,
            **_standing(line, stored.get((line.pk, year))),
        }
        for line in lines
    ]


def values_of(assessment: Assessment) -> dict[str, str | bool]:
    """The fields as cells hold them: figures in the form's units without needless zeros, days, truth values, text."""
    return {name: _shown(field.prepare_value(getattr(assessment, name))) for name, field in _FIELDS.items()}


def _standing(line: Any, assessment: Assessment | None) -> dict[str, Any]:
    return {
        "version": assessment.version if assessment else 0,
        "carried": bool(assessment and assessment.is_carried_over),
        "values": values_of(assessment or Assessment()),
        "grade": line.cycle_letter or "",
        "state": line.cycle_state,
        "score": "" if line.cycle_score is None else str(money.score(line.cycle_score)),
        "missing": _(", ").join(elements_in_words(line.cycle_missing)),
    }


def _shown(value: Any) -> str | bool:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, bool):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def _kind(name: str) -> str:
    return next(kind for field, kind in _KINDS if isinstance(_FIELDS[name], field))


# --- what it sends back


def read_rows(body: bytes) -> list[TypedRow]:
    """The rows of a request. Raises ValueError for anything else, TooManyRows for more than `MOST_ROWS`."""
    try:
        sent = json.loads(body)
    except RecursionError as deep:
        raise ValueError("nested too deep") from deep
    rows = sent.get("rows") if isinstance(sent, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ValueError("no rows")
    if len(rows) > MOST_ROWS:
        raise TooManyRows
    found = [_row(row) for row in rows]
    if len({row.line for row in found}) < len(found):
        raise ValueError("a line twice")
    return found


def _row(row: Any) -> TypedRow:
    if not isinstance(row, dict) or row.keys() != {"line", "version", "values"}:
        raise ValueError("not a row")
    line, version, values = row["line"], row["version"], row["values"]
    if not all(type(number) is int and 0 <= number <= _LARGEST for number in (line, version)):
        raise ValueError("not a number")
    if not isinstance(values, dict) or not values.keys() <= LABELS.keys():
        raise ValueError("not a field")
    if not all(isinstance(value, bool if _kind(name) == "yes" else str) for name, value in values.items()):
        raise ValueError("not a value")
    return TypedRow(line, version, values)


def save_rows(rows: Sequence[TypedRow], *, cycle: Cycle, by: User) -> list[dict[str, Any]]:
    """Save each row or refuse it with its reasons; a line that a person may not assess is answered as one not there.

    Raises CycleClosed.
    """
    forms_of = dict(_forms(rows, cycle.fiscal_year, by))
    entered = [
        Entered(form.instance, _version_seen(form.instance, row))
        for row in rows
        if (form := forms_of.get(row.line)) is not None and form.is_valid()
    ]
    late = save_assessments(entered=entered, fiscal_year=cycle.fiscal_year, by=by).late
    fresh = _fresh([one.assessment.line_id for one in entered], cycle, by)
    people = _last_changed_by(late, cycle.fiscal_year, by)
    answers = []
    for row in rows:
        form = forms_of.get(row.line)
        if form is not None and not form.is_valid():
            answer = {"outcome": "invalid", "errors": _errors(form)}
        elif form is None or row.line not in fresh:
            answer = {"outcome": "absent", "reason": _("This row is not here any more. Reload the page.")}
        elif row.line in late and not _is_as_stored(form, row, fresh[row.line]):
            answer = {"outcome": "clash", "by": people.get(row.line, ""), **fresh[row.line]}
        else:
            answer = {"outcome": "saved", **fresh[row.line]}
        answers.append({"line": row.line, **answer})
    return answers


def _forms(rows: Sequence[TypedRow], year: int, by: User) -> Iterator[tuple[int, AssessmentForm]]:
    """The page's form of each row that the person may assess: what is stored, with what was typed in its place."""
    ids = [row.line for row in rows]
    writable = CustomerLine.objects.writable_by(by).gradable().filter(pk__in=ids)
    lines = {line.pk: line for line in writable.select_related("customer__region", "product_line")}
    stored = {one.line_id: one for one in Assessment.objects.of_year(year).filter(line__in=lines)}
    for row in rows:
        if row.line in lines:
            assessment = stored.get(row.line) or Assessment(fiscal_year=year)
            assessment.line = lines[row.line]
            sent = {"version": row.version, **values_of(assessment), **row.values}
            ticked = {name: said for name, said in sent.items() if said is not False}  # as a browser sends a form
            yield row.line, CellsForm(ticked, instance=assessment, typed=row.values.keys())


def _version_seen(assessment: Assessment, row: TypedRow) -> int:
    """The row's version, where what it was put upon is that version; else one that there is not, so that it is late."""
    return row.version if row.version == (assessment.version if assessment.pk else 0) else -1


class CellsForm(AssessmentForm):
    """The page's form for a row: what is stored keeps the rules already, so only what was typed is held against them.

    Each rule that is asked costs a query.
    """

    def __init__(self, *args: Any, typed: Collection[str], **kwargs: Any) -> None:
        self._kept = LABELS.keys() - typed
        super().__init__(*args, **kwargs)

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() | self._kept  # type: ignore[misc]


def _fresh(line_ids: Sequence[int], cycle: Cycle, by: User) -> dict[int, dict[str, Any]]:
    """How rows stand after saving: values, version, grade."""
    lines = lines_to_assess(cycle, by).filter(pk__in=line_ids)
    stored = {one.line_id: one for one in Assessment.objects.of_year(cycle.fiscal_year).filter(line__in=line_ids)}
    return {line.pk: _standing(line, stored.get(line.pk)) for line in lines}


def _last_changed_by(line_ids: Iterable[int], year: int, reader: User) -> dict[int, str]:
    """Who changed the assessments of lines last, where that person exists for the reader."""
    lines = dict(Assessment.objects.of_year(year).filter(line__in=list(line_ids)).values_list("pk", "line"))
    if not lines:
        return {}
    changes = Change.objects.filter(table=Assessment._meta.db_table, object_id__in=lines, is_tombstone=False)
    known = changes.prefetch_related(people_seen_by(reader, "by")).order_by("sequence")
    return {lines[change.object_id]: str(change.by or "") for change in known}


def _is_as_stored(form: AssessmentForm, row: TypedRow, fresh: dict[str, Any]) -> bool:
    """Whether all that was typed is stored already, as after the same rows were sent twice."""
    if fresh["carried"]:
        return False
    typed = {name: _shown(_FIELDS[name].prepare_value(form.cleaned_data[name])) for name in row.values}
    return all(fresh["values"][name] == value for name, value in typed.items())


def _errors(form: AssessmentForm) -> dict[str, str]:
    """Why a row cannot be saved, by cell; what no cell of it explains stands under ""."""
    found = {name: " ".join(map(str, errors)) for name, errors in form.errors.items() if name in LABELS}
    if NON_FIELD_ERRORS in form.errors:
        for name, reason in _broken_rules(form.instance):
            found.setdefault(name, reason)
    return found or {"": " ".join(map(str, form.non_field_errors()))}


def _broken_rules(assessment: Assessment) -> Iterator[tuple[str, str]]:
    """The constraints that an assessment breaks, each with the field that it is about."""
    for rule in Assessment._meta.constraints:
        if isinstance(rule, CheckConstraint):
            try:
                rule.validate(Assessment, assessment)
            except ValidationError as refusal:
                names = Q(rule.condition).referenced_base_fields & LABELS.keys()
                yield from ((name, " ".join(refusal.messages)) for name in names)
