"""Grades by the ten thousand: the objects of `shown`, written from columns of text instead of from records.

Most of a grade's object follows from a few words and numbers that thousands of grades share: its kind. The object of
the first grade of a kind is made by `shown`, with marks where each grade has its own figures; the others of the kind
only fill in theirs. So `shown` says what a grade looks like, and nothing here says it again.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import datetime
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import IO, Any, NamedTuple

import orjson
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import get_language

from crm.api.pagination import Column as KeysetColumn
from crm.api.streaming import Pieces, cell, csv_lines, heads, typed
from crm.lib import exports, money
from crm.lib.cells import guarded
from crm.lib.copied import NULL, Rows, copied, copied_at_once, unescaped
from crm.models import Customer, CustomerLine, ProductLine, Region
from grading import policy as rules
from grading.actions.verdicts import explanation_of
from grading.api import shown
from grading.explain import Suggestion, message_of
from grading.models import Grade, GradeRecord, GradingPolicy

# What each grade has of its own, then what its kind has; the order is that of `values` below.
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

_GAP = len(OWN)  # the value after a grade's own columns: its margin against the required one
_FIGURES = {"expected_margin": 7, "potential_sales": 8, "history_sales": 9}
_MOST_TEMPLATES = 4096  # of about 3 KB
_FEN_PER_HUNDREDTH = money.FEN_PER_WAN // 100

# Marks are signs that no text has: where a value stands in quotes, and where it replaces them with itself.
_KEPT, _BARE = "\ue000{}\ue001", "\ue002{}\ue003"
_MARKS = re.compile('(?:"?\ue002|\ue000)([0-9]+)(?:\ue001|\ue003"?)'.encode())
_PLAIN = re.compile(rb"[0-9A-Za-z\xe4-\xe9][^,\"\r\n\\]*")

Key = tuple[Any, ...]


class Template(NamedTuple):
    """What grades alike have in common, as JSON and as csv; which values fill it, and whose change would lift them."""

    json: bytes
    csv: bytes
    json_values: Callable[[Any], Any]
    csv_values: Callable[[Any], Any]
    wishes: tuple[tuple[str, int], ...]  # the figure, and what it would have to be


class Kind:
    """Grades of one region, line, year, policy and verdict: where their bands begin, and their templates so far."""

    def __init__(self, record: GradeRecord, policy: rules.Policy) -> None:
        self.policy = policy
        self.is_scored = record.score is not None
        self.required = record.required_margin or 0
        self.margins = _floors(policy.margin, self.required)
        self.potentials, self.bonuses = _floors(policy.potential), _floors(policy.bonus)
        self.templates: dict[Key, Template] = {}


class Known:
    """The kinds that this process has met, in one language and under the policies as they are."""

    def __init__(self) -> None:
        self.kinds: dict[bytes, Kind] = {}
        self.templates = 0

    def keep(self, kind: Kind, key: Key, template: Template) -> Template:
        """Remember a template; of too many, forget all."""
        if self.templates >= _MOST_TEMPLATES:
            self.kinds.clear()
            self.templates = 0
        self.templates += 1
        kind.templates[key] = template
        return template


_known: dict[Any, Known] = {}


class GradeRows:
    """Grades of a query, as the API shows them."""

    def __init__(self, found: QuerySet[Grade]) -> None:
        self.found = found
        self.known = known()

    def ndjson(self) -> Pieces:
        """One object a line."""
        for rows in self._copied():
            yield b"\n".join([*self.objects(rows), b""])

    def csv(self) -> Pieces:
        """A header, then one grade a line."""
        yield csv_lines([[column.name for column in shown.COLUMNS]])
        for rows in self._copied():
            yield b"".join(self._filled(rows, _csv_text, is_csv=True))

    def write_xlsx(self, file: IO[bytes]) -> None:
        """A finished workbook."""
        objects = (orjson.loads(one) for rows in self._copied() for one in self.objects(rows))
        rows = ([typed(column, one) for column in shown.COLUMNS] for one in map(shown.flat, objects))
        exports.write_xlsx(heads(shown.COLUMNS), rows, file)

    def objects(self, rows: Iterable[bytes]) -> Iterator[bytes]:
        """The objects of grades, as JSON."""
        return self._filled(rows, _json_text, is_csv=False)

    def _copied(self) -> Generator[Rows]:
        self._policies  # noqa: B018 — read now: while rows are copied, the connection answers nothing else
        return copied(self.found.values_list(*COLUMNS))

    def _filled(self, rows: Iterable[bytes], text: Callable[[bytes], bytes], *, is_csv: bool) -> Iterator[bytes]:
        kinds = self.known.kinds
        for row in rows:
            pk, customer, name, code, line, at, since, margin, potential, history, budget, close_on, own = row.split(
                b"\t", _GAP
            )
            kind = kinds.get(own) or self._kind(row, own)
            key, gap = _place(kind, margin, potential, history, budget, close_on)
            template = kind.templates.get(key) or self.known.keep(kind, key, _template(kind, row))
            values = (
                *(pk, customer, text(name), text(code), line, _moment(at), since),
                *(_hundredths(margin), _hundredths(potential), _hundredths(history), _hundredths(budget)),
                *(close_on, gap),
                *[_amount(name, to, margin, potential, history) for name, to in template.wishes],
            )
            yield template.csv % template.csv_values(values) if is_csv else template.json % template.json_values(values)

    def _kind(self, row: bytes, own: bytes) -> Kind:
        record = _record(row)
        return self.known.kinds.setdefault(own, Kind(record, self._policies[record.policy_id]))

    @cached_property
    def _policies(self) -> dict[int, rules.Policy]:
        return {version.pk: version.as_rules() for version in GradingPolicy.objects.for_list()}


class Row:
    """A row of a page: what the keyset needs of it, and its columns."""

    __slots__ = ("column", "columns", "pk", "value")

    def __init__(self, row: bytes, column: KeysetColumn) -> None:
        self.column, self.value, self.columns = column, NULL, row
        if not column.is_pk:
            self.value, _tab, self.columns = row.partition(b"\t")
        self.pk = int(self.columns.partition(b"\t")[0])

    @property
    def keyset_value(self) -> Any:
        """The value that the list is sorted by."""
        return None if self.value == NULL else self.column.field.to_python(unescaped(self.value).decode())


def page(found: QuerySet[Grade], column: KeysetColumn) -> list[Row]:
    """The rows of a page."""
    names = COLUMNS if column.is_pk else (column.ANNOTATION, *COLUMNS)
    return [Row(row, column) for row in copied_at_once(found.values_list(*names))]


def shown_page(rows: Iterable[Row]) -> Any:
    """The list of a page's objects, written."""
    return orjson.Fragment(
        b"[" + b",".join(GradeRows(Grade.objects.none()).objects(row.columns for row in rows)) + b"]"
    )


def known() -> Known:
    """What this process knows; a policy that has changed since makes it begin anew."""
    state = (get_language(), *GradingPolicy.objects.order_by("pk").values_list())
    if state not in _known:
        if len(_known) > len(settings.LANGUAGES):
            _known.clear()
        _known[state] = Known()
    return _known[state]


def _floors(bands: Iterable[rules.Band], offset: int = 0) -> list[int]:
    return sorted(band.floor + offset for band in bands if band.floor is not None)


def _place(
    kind: Kind, margin: bytes, potential: bytes, history: bytes, budget: bytes, close_on: bytes
) -> tuple[Key, bytes]:
    """Which template of its kind a grade has, and its margin against the required one."""
    absent = (budget == NULL, close_on == NULL)
    if not kind.is_scored:
        return (margin == NULL, potential == NULL, *absent), b""
    if NULL in (margin, potential):
        return (margin, potential, history, *absent), b""
    value, sales = int(margin), int(history)
    key = (
        bisect_right(kind.margins, value),
        bisect_right(kind.potentials, int(potential)),
        bisect_right(kind.bonuses, sales),
        sales <= 0,
        *absent,
    )
    return key, _rate(value - kind.required)


def _template(kind: Kind, row: bytes) -> Template:
    record = _record(row)
    explanation = explanation_of(record, line_code=record.grade.line.product_line.code, policy=kind.policy)
    one = shown.stored(record.grade, record, explanation, kind.policy)
    wishes: list[tuple[str, int]] = []
    if not (kind.is_scored and None in (record.expected_margin, record.potential_sales)):
        _mark_figures(one["breakdown"], explanation.suggestions, wishes)
    _mark(one, "id", 0, _BARE)
    _mark(one["customer"], "id", 1, _BARE)
    _mark(one["customer"], "name", 2)
    _mark(one["customer"], "code", 3)
    _mark(one, "customer_line", 4, _BARE)
    _mark(one, "graded_at", 5)
    _mark(one, "effective_on", 6)
    _mark(one["breakdown"]["inputs"]["budget"], "amount", 10)
    _mark(one["breakdown"]["inputs"], "expected_close_on", 11)
    flat = shown.flat(one)
    json, json_values = _parted(orjson.dumps(one))
    csv, csv_values = _parted(csv_lines([[cell(column, flat) for column in shown.COLUMNS]]))
    return Template(json, csv, json_values, csv_values, tuple(wishes))


def _mark_figures(breakdown: dict[str, Any], suggestions: Iterable[Suggestion], wishes: list[tuple[str, int]]) -> None:
    """Mark what the bands measure wherever it stands, and by how much it would have to change."""
    for name, index in _FIGURES.items():
        _mark(breakdown["inputs"], name, index)
    for part in breakdown["parts"]:
        _mark(part, "value", _FIGURES[part["factor"]])
        _mark(part, "compared", _GAP if part["factor"] == "expected_margin" else _FIGURES[part["factor"]])

    def amount(name: str, now: int, to: int) -> str:
        wishes.append((name, to))
        return _KEPT.format(_GAP + len(wishes))

    for lift, suggestion in zip(breakdown["lifts"], suggestions, strict=True):
        lift["message"] = message_of(suggestion, amount)
        for change in lift["changes"]:
            _mark(change, "now", _FIGURES[change["field"]])


def _mark(holder: dict[str, Any], name: str, index: int, mark: str = _KEPT) -> None:
    if holder[name] is not None:
        holder[name] = mark.format(index)


def _parted(text: bytes) -> tuple[bytes, Callable[[Any], Any]]:
    """A text with marks as a format, and what picks its values."""
    pieces = _MARKS.split(text)
    constant = (piece.replace(b"%", b"%%") for piece in pieces[::2])
    return b"%b".join(constant), itemgetter(*map(int, pieces[1::2]))


def _record(row: bytes) -> GradeRecord:
    """A row as the record it comes from, with as much around it as its object shows."""
    texts = (None if text == NULL else unescaped(text).decode() for text in row.split(b"\t"))
    values: dict[str, Any] = dict(zip(COLUMNS, texts, strict=True))
    region = Region(code=values["line__customer__region__code"])
    customer = Customer(
        pk=int(values["line__customer_id"]),
        name=values["line__customer__name"],
        code=values["line__customer__code"],
        region=region,
    )
    line = CustomerLine(
        pk=int(values["line_id"]),
        customer=customer,
        product_line=ProductLine(code=values["line__product_line__code"]),
    )
    fields: Any = {
        name: GradeRecord._meta.get_field(name.removeprefix("record__")) for name in COLUMNS if "record__" in name
    }
    own = {field.attname: field.to_python(values[name]) for name, field in fields.items()}
    return GradeRecord(**own, grade=Grade(pk=int(values["pk"]), line=line, fiscal_year=int(values["fiscal_year"])))


def _json_text(text: bytes) -> bytes:
    return orjson.dumps(unescaped(text).decode())[1:-1]


def _csv_text(text: bytes) -> bytes:
    if _PLAIN.fullmatch(text):
        return text
    return csv_lines([["", guarded(unescaped(text).decode())]])[1:-2]


@lru_cache(4096)
def _moment(text: bytes) -> bytes:
    return shown.moment(datetime.fromisoformat(text.decode())).encode()


def _hundredths(number: bytes) -> bytes:
    """A whole number of hundredths as a decimal; nothing asks for that of one that is absent."""
    if len(number) > 3:  # three digits at least, whatever the sign
        return number[:-2] + b"." + number[-2:]
    return b"" if number == NULL else _rate(int(number))


@lru_cache(4096)
def _rate(hundredths: int) -> bytes:
    return str(money.percent(hundredths)).encode()


def _amount(name: str, to: int, margin: bytes, potential: bytes, history: bytes) -> bytes:
    """As by_how_much says it, without a Decimal on the way: hundredths of a point, or of 万元, rounded up."""
    if name == "expected_margin":
        hundredths = to - int(margin)
    else:
        hundredths = -((int(potential if name == "potential_sales" else history) - to) // _FEN_PER_HUNDREDTH)
    whole, rest = divmod(hundredths, 100)
    return (b"%d.%02d" % (whole, rest)).rstrip(b"0") if rest else b"%d" % whole
