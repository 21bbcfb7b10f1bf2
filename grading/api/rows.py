"""Grades by the ten thousand: what `shown` says of one, written from columns of text (grading.api.templates)."""

import re
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from functools import cached_property, lru_cache
from typing import IO, Any

import orjson
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import get_language

from crm.api.pagination import Column as KeysetColumn
from crm.api.streaming import Pieces, csv_lines, heads, typed
from crm.lib import exports
from crm.lib.cells import guarded
from crm.lib.copied import NULL, Rows, copied, copied_at_once, unescaped
from grading import policy as rules
from grading.api import shown
from grading.api.templates import (
    COLUMNS,
    OWN,
    Filled,
    Kind,
    Margins,
    Template,
    Values,
    amount,
    csv_template,
    hundredths,
    json_template,
    record_of,
)
from grading.models import Grade, GradingPolicy

_MOST_TEMPLATES = 4096  # of about 3 KB
_PLAIN_JSON = re.compile(rb'[^"\\\x00-\x1f]*').fullmatch
_PLAIN_CSV = re.compile(rb'[0-9A-Za-z\xe4-\xe9][^,"\r\n\\]*').fullmatch


class Known:
    """The kinds that this process has met, in one language and under the policies as they are."""

    def __init__(self) -> None:
        self.kinds: dict[bytes, Kind] = {}
        self.margins: dict[Any, Margins] = {}
        self.templates = 0

    def make_room(self) -> None:
        """Before a template is added: of too many, forget all."""
        if self.templates >= _MOST_TEMPLATES:
            self.kinds.clear()
            self.templates = 0
        self.templates += 1


_known: dict[Any, Known] = {}


def known() -> Known:
    """What this process knows; a policy that has changed since makes it begin anew."""
    state = (get_language(), *GradingPolicy.objects.order_by("pk").values_list())
    if state not in _known:
        if len(_known) > len(settings.LANGUAGES):
            _known.clear()
        _known[state] = Known()
    return _known[state]


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
            yield b"".join(self.lines(rows))

    def write_xlsx(self, file: IO[bytes]) -> None:
        """A finished workbook."""
        objects = (orjson.loads(one) for rows in self._copied() for one in self.objects(rows))
        rows = ([typed(column, one) for column in shown.COLUMNS] for one in map(shown.flat, objects))
        exports.write_xlsx(heads(shown.COLUMNS), rows, file)

    def objects(self, rows: Iterable[bytes]) -> Iterator[bytes]:
        """Grades as JSON. What stands in this loop is paid for every grade of a list."""
        kinds, last, called, coded = self.known.kinds, b"", b"", b""
        for row in rows:
            pk, customer, name, code, line, at, since, margin, potential, history, budget, close_on, own = row.split(
                b"\t", len(OWN)
            )
            if customer != last:
                last, called, coded = customer, _in_json(name), _in_json(code)
            kind = kinds.get(own) or self._kind(row, own)
            band, percent, gap = kind.margins[margin]
            place = kind.place((band, margin, potential, history, budget, close_on))
            template = kind.templates.get(place) or self._template(kind, place, row)
            first = pk, customer, called, coded, line, _moment(at), since, percent
            values: Values = (*first, hundredths(potential), hundredths(history), hundredths(budget), close_on, gap)
            if template.wishes:
                figures = {"expected_margin": margin, "potential_sales": potential, "history_sales": history}
                values += tuple([amount(name, to, figures) for name, to in template.wishes])
            yield template.text % template.pick(values)

    def lines(self, rows: Iterable[bytes]) -> Iterator[bytes]:
        """Grades as lines of csv."""
        kinds, last, called, coded = self.known.kinds, b"", b"", b""
        for row in rows:
            pk, customer, name, code, line, at, since, margin, potential, history, budget, close_on, own = row.split(
                b"\t", len(OWN)
            )
            if customer != last:
                last, called, coded = customer, _in_csv(name), _in_csv(code)
            kind = kinds.get(own) or self._kind(row, own)
            text, pick = kind.csv or self._csv(kind, row)
            _band, percent, gap = kind.margins[margin]
            day = b"" if close_on == NULL else close_on
            first = pk, customer, called, coded, line, _moment(at), since, percent
            yield text % pick((*first, hundredths(potential), hundredths(history), hundredths(budget), day, gap))

    def _copied(self) -> Generator[Rows]:
        self._policies  # noqa: B018 — read now: while rows are copied, the connection answers nothing else
        return copied(self.found.values_list(*COLUMNS))

    def _kind(self, row: bytes, own: bytes) -> Kind:
        record = record_of(row)
        policy, required = self._policies[record.policy_id], record.required_margin or 0
        if (record.policy_id, required) not in self.known.margins:
            self.known.margins[record.policy_id, required] = Margins(policy.margin, required)
        margins = self.known.margins[record.policy_id, required]
        return self.known.kinds.setdefault(own, Kind(policy, margins, is_scored=record.score is not None))

    def _template(self, kind: Kind, place: Any, row: bytes) -> Template:
        self.known.make_room()
        kind.templates[place] = template = json_template(kind, row)
        return template

    def _csv(self, kind: Kind, row: bytes) -> Filled:
        self.known.make_room()
        kind.csv = csv_template(kind, row)
        return kind.csv

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
    objects = GradeRows(Grade.objects.none()).objects(row.columns for row in rows)
    return orjson.Fragment(b"[" + b",".join(objects) + b"]")


def _in_json(text: bytes) -> bytes:
    return text if _PLAIN_JSON(text) else orjson.dumps(unescaped(text).decode())[1:-1]


def _in_csv(text: bytes) -> bytes:
    return text if _PLAIN_CSV(text) else csv_lines([["", guarded(unescaped(text).decode())]])[1:-2]


@lru_cache(4096)
def _moment(text: bytes) -> bytes:
    return shown.moment(datetime.fromisoformat(text.decode())).encode()
