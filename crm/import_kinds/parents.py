"""Who stands above whom in an import of customers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from crm.actions.hierarchy import StandsAboveItself
from crm.actions.import_rows import Row
from crm.actions.references import Words, customers_by_word, none_or_several
from crm.import_kinds.shared import called
from crm.models import Customer, User


def match_parents(rows: Sequence[Row], user: User | None) -> None:
    """A parent stands in the database or in the same file, before or after its children."""
    wanted = {row.values["parent"] for row in rows if row.values.get("parent")}
    if not wanted:
        return
    stored, in_file = customers_by_word(wanted, user), _rows_by_word(rows)
    for row in [row for row in rows if row.values.get("parent")]:
        word = row.values["parent"]
        fitting = stored.get(word, [])
        above = in_file.get(word)
        if len(fitting) == 1:
            row.fields["parent"] = fitting[0]
        elif above is not None and above is not row:
            row.extra["parent"], row.is_touched = above, True
        else:
            is_several = bool(fitting) or word in in_file.several
            row.reject(none_or_several(called(Customer, "parent"), word, is_several=is_several), "parent")
    _refuse_circles([row for row in rows if not row.faults])
    refuse_orphans(rows)


def _refuse_circles(rows: Sequence[Row]) -> None:
    """Nobody stands above himself, with what is stored and what the file says taken together."""
    above: dict[Any, Any] = dict(Customer.objects.filter(parent__isnull=False).values_list("pk", "parent"))
    for row in rows:
        if "parent" in row.extra:
            above[_place(row)] = _place(row.extra["parent"])
        elif "parent" in row.fields or "parent" in row.emptied:
            above[_place(row)] = row.fields["parent"].pk if "parent" in row.fields else None
    for row in [row for row in rows if row.values.get("parent")]:
        at, passed = above.get(_place(row)), set()
        while at is not None and at not in passed:
            passed.add(at)
            at = above.get(at)
        if _place(row) in passed:
            row.reject(str(StandsAboveItself()), "parent")


def _place(row: Row) -> Any:
    """What stands for a row's customer: its number, or the row while it has none."""
    return row.record.pk if row.record else row


def _rows_by_word(rows: Iterable[Row]) -> Words:
    """The row of each code and name that one customer of the file has; of two rows of one customer the first good."""
    found: dict[str, dict[Any, Row]] = defaultdict(dict)
    for row in rows:
        for word in {row.values[name] for name in ("name", "code") if name in row.values}:
            first = found[word].setdefault(row.key, row)
            if first.faults and not row.faults:
                found[word][row.key] = row
    return Words.of({word: list(held.values()) for word, held in found.items()})


def refuse_orphans(rows: Sequence[Row]) -> None:
    """A row whose parent is rejected is rejected too, and so on downwards."""
    while orphans := [row for row in rows if not row.faults and "parent" in row.extra and row.extra["parent"].faults]:
        for row in orphans:
            row.reject(_("its parent in row {number} is rejected").format(number=row.extra["parent"].number), "parent")
