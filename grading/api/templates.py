"""What grades that are alike share, made once: their object with gaps for what each has of its own.

Most of a grade's object follows from a few words and numbers that thousands of grades have in common: its kind. The
object of the first grade of a kind is made by `shown`, with marks where each grade has its own figures; those of the
others only fill in theirs. So `shown` says what a grade looks like, and nothing here says it again.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from django.db.models import Model

from crm.api.streaming import cell, csv_lines
from crm.lib import money
from crm.lib.copied import NULL, unescaped
from crm.models import Customer, CustomerLine, ProductLine, Region
from grading import policy as rules
from grading.actions.verdicts import explanation_of
from grading.api import shown
from grading.explain import Suggestion, message_of
from grading.models import Grade, GradeRecord

# What each grade has of its own, in the order of the values that fill a template; then what its kind has.
OWN = (
    "pk",
    "line__customer_id",
    "line__customer__name",
    "line__customer__code",
    "line_id",
    "record__recorded_at",
    "record__effective_on",
    "record__expected_margin",
    "record__potential_sales",
    "record__history_sales",
    "record__budget_amount",
    "record__expected_close_on",
)
OF_KIND = (
    "line__customer__region__code",
    "line__product_line__code",
    "fiscal_year",
    "record__policy_id",
    "record__state",
    "record__letter",
    "record__score",
    "record__missing",
    "record__scheme",
    "record__required_margin",
    "record__margin_points",
    "record__potential_points",
    "record__bonus",
    "record__has_need",
    "record__budget_state",
    "record__budget_fits_pricing",
    "record__has_timetable",
    "record__knows_decision_makers",
    "record__has_begun_selection",
)
COLUMNS = (*OWN, *OF_KIND)

_FIGURES = {"expected_margin": 7, "potential_sales": 8, "history_sales": 9}
_BUDGET, _CLOSE_ON, _GAP = 10, 11, 12  # the last one is not a column: the margin against the required one
_MOST_MARGINS = 20_000
_FEN_PER_HUNDREDTH = money.FEN_PER_WAN // 100

# Marks are signs that no text has: where a value stands in quotes, and where it replaces them with itself.
_KEPT, _BARE = "\ue000{}\ue001", "\ue002{}\ue003"
_MARKS = re.compile('(?:"?\ue002|\ue000)([0-9]+)(?:\ue001|\ue003"?)'.encode())

Values = tuple[bytes, ...]


class Filled(NamedTuple):
    """A text with gaps, and which values fill them."""

    text: bytes
    pick: Callable[[Values], Any]


class Template(NamedTuple):
    """The object of a grade as JSON; for each value after the columns the figure and what it would have to be."""

    text: bytes
    pick: Callable[[Values], Any]
    wishes: tuple[tuple[str, int], ...]


class Margins(dict[bytes, tuple[int, bytes, bytes]]):
    """For a margin as it is stored: which band, how it is written, how its gap to the required one is written."""

    def __init__(self, bands: Iterable[rules.Band], required: int) -> None:
        super().__init__()
        self.floors, self.required = floors(bands), required

    def __missing__(self, stored: bytes) -> tuple[int, bytes, bytes]:
        if len(self) >= _MOST_MARGINS:
            self.clear()
        gap = (0 if stored == NULL else int(stored)) - self.required
        self[stored] = found = bisect_right(self.floors, gap), hundredths(stored), rate(gap)
        return found


class Kind:
    """Grades of one region, line, year, policy and verdict: where their bands begin, and their templates so far."""

    def __init__(self, policy: rules.Policy, margins: Margins, *, is_scored: bool) -> None:
        self.policy, self.margins, self.is_scored = policy, margins, is_scored
        self.potentials = floors(policy.potential)
        self.histories = sorted({*floors(policy.bonus), 1})  # having sold at all is worded differently
        self.templates: dict[Any, Template] = {}
        self.csv: Filled | None = None

    def place(self, values: tuple[int, bytes, bytes, bytes, bytes, bytes]) -> Any:
        """Which template a grade has: its bands, and what is absent."""
        band, margin, potential, history, budget, close_on = values
        if not self.is_scored:
            return margin == NULL, potential == NULL, budget == NULL, close_on == NULL
        if NULL in (margin, potential):
            return values
        return (
            band,
            bisect_right(self.potentials, int(potential)),
            bisect_right(self.histories, int(history)),
            budget == NULL,
            close_on == NULL,
        )


def json_template(kind: Kind, row: bytes) -> Template:
    """The template of the grades of a kind that are in the same place as this one."""
    record = record_of(row)
    one, suggestions = _shown(kind, record)
    wishes: list[tuple[str, int]] = []
    _mark_own(one, even_if_absent=False)
    if not (kind.is_scored and None in (record.expected_margin, record.potential_sales)):
        _mark_figures(one["breakdown"], even_if_absent=False)
        _mark_lifts(one["breakdown"]["lifts"], suggestions, wishes)
    return Template(*_with_gaps(orjson.dumps(one)), tuple(wishes))


def csv_template(kind: Kind, row: bytes) -> Filled:
    """The line of csv of the grades of a kind."""
    one, _suggestions = _shown(kind, record_of(row))
    _mark_own(one, even_if_absent=True)
    _mark_figures(one["breakdown"], even_if_absent=True)
    flat = shown.flat(one)
    return _with_gaps(csv_lines([[cell(column, flat) for column in shown.COLUMNS]]))


def record_of(row: bytes) -> GradeRecord:
    """A row as the record it comes from, with as much around it as its object shows."""
    texts = (None if text == NULL else unescaped(text).decode() for text in row.split(b"\t"))
    values: dict[str, Any] = dict(zip(COLUMNS, texts, strict=True))
    line = _read(CustomerLine, "line__", values, id=values["line_id"])
    line.customer = _read(Customer, "line__customer__", values, id=values["line__customer_id"])
    line.customer.region = _read(Region, "line__customer__region__", values, id=None)
    line.product_line = _read(ProductLine, "line__product_line__", values, id=None)
    record = _read(GradeRecord, "record__", values, id=None)
    record.grade = _read(Grade, "", values, id=values["pk"])
    record.grade.line = line
    return record


def floors(bands: Iterable[rules.Band]) -> list[int]:
    """Where bands begin, upwards; the lowest has no beginning."""
    return sorted(band.floor for band in bands if band.floor is not None)


def hundredths(number: bytes) -> bytes:
    """A whole number of hundredths as a decimal; nothing where there is none."""
    if len(number) > 3:  # three digits at least, whatever the sign
        return number[:-2] + b"." + number[-2:]
    return b"" if number == NULL else rate(int(number))


@lru_cache(4096)
def rate(number: int) -> bytes:
    """Hundredths as a decimal."""
    return str(money.percent(number)).encode()


def amount(name: str, to: int, figures: dict[str, bytes]) -> bytes:
    """As by_how_much says it, without a Decimal on the way: hundredths of a point, or of 万元, rounded up."""
    lacking = to - int(figures[name])
    whole, rest = divmod(lacking if name == "expected_margin" else -(-lacking // _FEN_PER_HUNDREDTH), 100)
    return (b"%d.%02d" % (whole, rest)).rstrip(b"0") if rest else b"%d" % whole


def _read(model: type[Model], path: str, values: dict[str, Any], **more: Any) -> Any:
    """A record with the columns that its path leads to, as the database would give it."""
    own = {name.removeprefix(path): value for name, value in values.items() if name.startswith(path)} | more
    fields: Any = [field for field in model._meta.concrete_fields if field.attname in own]
    return model.from_db(
        "default", [field.attname for field in fields], [field.to_python(own[field.attname]) for field in fields]
    )


def _shown(kind: Kind, record: GradeRecord) -> tuple[dict[str, Any], tuple[Suggestion, ...]]:
    explanation = explanation_of(record, line_code=record.grade.line.product_line.code, policy=kind.policy)
    return shown.stored(record.grade, record, explanation, kind.policy), explanation.suggestions


def _mark_own(one: dict[str, Any], *, even_if_absent: bool) -> None:
    inputs = one["breakdown"]["inputs"]
    for holder, name, index in (
        (one["customer"], "name", 2),
        (one["customer"], "code", 3),
        (one, "graded_at", 5),
        (one, "effective_on", 6),
        (inputs["budget"], "amount", _BUDGET),
        (inputs, "expected_close_on", _CLOSE_ON),
    ):
        _mark(holder, name, index, even_if_absent=even_if_absent)
    one["id"], one["customer"]["id"], one["customer_line"] = _BARE.format(0), _BARE.format(1), _BARE.format(4)


def _mark_figures(breakdown: dict[str, Any], *, even_if_absent: bool) -> None:
    """Mark what the bands measure, wherever it stands."""
    for name, index in _FIGURES.items():
        _mark(breakdown["inputs"], name, index, even_if_absent=even_if_absent)
    for part in breakdown["parts"]:
        index = _FIGURES[part["factor"]]
        part["value"] = _KEPT.format(index)
        part["compared"] = _KEPT.format(_GAP if part["factor"] == "expected_margin" else index)


def _mark_lifts(lifts: list[Any], suggestions: Iterable[Suggestion], wishes: list[tuple[str, int]]) -> None:
    """Mark by how much a figure would have to change; `wishes` says what those values are."""

    def marked(name: str, _now: int, to: int) -> str:
        wishes.append((name, to))
        return _KEPT.format(_GAP + len(wishes))

    for lift, suggestion in zip(lifts, suggestions, strict=True):
        lift["message"] = message_of(suggestion, marked)
        for change in lift["changes"]:
            change["now"] = _KEPT.format(_FIGURES[change["field"]])


def _mark(holder: dict[str, Any], name: str, index: int, *, even_if_absent: bool) -> None:
    if even_if_absent or holder[name] is not None:
        holder[name] = _KEPT.format(index)


def _with_gaps(text: bytes) -> Filled:
    pieces = _MARKS.split(text)
    constant = (piece.replace(b"%", b"%%") for piece in pieces[::2])
    return Filled(b"%b".join(constant), itemgetter(*map(int, pieces[1::2])))
