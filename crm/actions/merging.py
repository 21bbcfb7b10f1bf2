"""What a merge of two customers is made of, for this app and for those above it (settings.MERGE_STEPS)."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from crm.actions.changes import Edit, record_departures, snapshot
from crm.lib.bulk import update_all
from crm.models import Customer, CustomerLine, User, Way


@dataclass
class Merging:
    """A merge under way: the two customers, locked, and what becomes of the loser's lines."""

    survivor: Customer
    loser: Customer
    by: User
    moved: list[CustomerLine] = field(default_factory=list)  # lines that the survivor did not have
    retired: dict[int, CustomerLine] = field(
        default_factory=dict
    )  # by the loser's line: the survivor's of that product
    edits: list[Edit] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def change(self, what: str, records: Sequence[Any], change: Callable[[Any], None], *names: str) -> None:
        """Change some fields of locked records in a new version, note what they were and count them as `what`."""
        for record in records:
            self.edits.append(Edit(record, snapshot(record)))
            change(record)
            if hasattr(record, "version"):
                record.version += 1
        if records:
            has_version = hasattr(records[0], "version")
            update_all(type(records[0]), records, [*names, *(["version"] if has_version else [])])
            self.counts[what] += len(records)

    def tell_departures(self, records: Iterable[Any]) -> None:
        """Tell followers at the loser's place that records have gone over with their line."""
        record_departures(records, place=self.loser, by=self.by, way=Way.FORM)


@dataclass(frozen=True)
class MergeStep:
    """What an app above has to do when customers are merged or a merge is taken back."""

    lock: Callable[[Sequence[int]], None]  # the numbers of all lines concerned, before any row is locked
    follow: Callable[[Merging], None]
    belonging: Callable[[Sequence[int]], Iterable[Any]]  # records of lines, for followers when the lines change hands


@lru_cache
def merge_steps() -> tuple[MergeStep, ...]:
    """The steps of the apps above."""
    return tuple(import_string(name) for name in settings.MERGE_STEPS)
