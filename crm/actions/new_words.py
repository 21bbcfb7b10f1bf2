"""Words of a file in columns where records share a few: those that no record has yet may be slips of the pen."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count

from crm.actions.imports import Column, Kind, Outcome, Report, Row
from crm.lib.cells import text
from crm.lib.similar import slips
from crm.models import User

FEW = 20  # new ones; where there are more, only those that are nearly another are told
MOST = 200  # different words of a column in which records share a few
_MOST_KNOWN = 2000
_ROWS_SHOWN = 20


def new_words(report: Report, kind: Kind, by: User) -> list[dict[str, Any]]:
    """Each word that no record within the person's sight has, with its rows and the word that it nearly is."""
    return [told for column in kind.columns if column.is_shared for told in _of_column(column, report, kind, by)]


def _of_column(column: Column, report: Report, kind: Kind, by: User) -> list[dict[str, Any]]:
    header = getattr(report.chosen.columns.get(column.name), "header", "")
    rows = _rows_by_word(report, column.name, header)
    if not 0 < len(rows) <= MOST:
        return []
    known = _known(kind, column.name, by)
    like = slips({word: len(found) for word, found in rows.items()}, known)
    new = [word for word in rows if word not in known]
    told = new if len(new) <= FEW else [word for word in new if word in like]
    return [
        {
            "name": column.name,
            "column": header,
            "word": word,
            "like": like.get(word, ""),
            "rows": [row.number for row in rows[word][:_ROWS_SHOWN]],
            "count": len(rows[word]),
        }
        for word in told[:FEW]
    ]


def _rows_by_word(report: Report, name: str, header: str) -> dict[str, Sequence[Row]]:
    """The rows that would be imported, by what they say; what the mapping has replaced was looked at already."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in report.rows if header else ():
        word = row.values.get(name, "")
        if word and row.outcome != Outcome.REJECTED and text(row.cells.get(header)) == text(word):
            found[text(word)].append(row)
    return dict(found)


def _known(kind: Kind, name: str, by: User) -> set[str]:
    """The words of the records that exist for the person, the most frequent of them."""
    seen = kind.model._default_manager.visible_to(by).exclude(**{name: ""})  # type: ignore[attr-defined]
    counted = seen.order_by().values_list(name).annotate(records=Count("pk")).order_by("-records", name)
    return {text(word) for word, _records in counted[:_MOST_KNOWN]}
