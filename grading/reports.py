"""What is counted of grades: always within one person's scope, and never added up over product lines into a grade."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, FilteredRelation, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from crm.models import CustomerKind, CustomerLine, GradeState, ProductLine, Region, User
from grading.explain import reasons_of
from grading.models import Cycle, GradeRecord
from grading.policy import LETTERS, Missing

# Customer lines, some with the annotations of `lines_of_cycle`, which the type checker does not know.
Lines = QuerySet[Any]

COLUMNS = (*LETTERS, GradeState.NOT_GRADABLE.value, GradeState.NOT_ASSESSED.value)

# Inside a column of the board: by score; where a scheme has none, those that close first.
BEST_FIRST = (F("score").desc(nulls_last=True), F("expected_close_on").asc(nulls_last=True), "customer__pinyin", "pk")


def in_column(column: str) -> dict[str, str]:
    """Which lines stand in a column, as a filter."""
    return {"state": column} if column in GradeState.values else {"grade": column}


@dataclass(frozen=True)
class LineCounts:
    """How many customer lines of a product line stand where: one figure per letter and ungraded state."""

    product_line: ProductLine
    counts: dict[str, int]

    @property
    def cells(self) -> list[tuple[str, int]]:
        """The figures in the order of the columns."""
        return [(column, self.counts.get(column, 0)) for column in COLUMNS]

    @property
    def total(self) -> int:
        """All customer lines of the product line."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class MissingCount:
    """How many customer lines lack one thing that a grade needs."""

    code: str
    message: str
    lines: int


@dataclass(frozen=True)
class LineMoves:
    """How many customer lines of a product line went from one column to another."""

    product_line: ProductLine
    moved: dict[tuple[str, str], int]  # (from column, to column)

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """From each column to each column."""
        return [(old, [(new, self.moved.get((old, new), 0)) for new in COLUMNS]) for old in COLUMNS]

    @property
    def better(self) -> int:
        """How many have a better letter than before."""
        return self._count(lambda old, new: old > new)

    @property
    def worse(self) -> int:
        """How many have a worse letter than before."""
        return self._count(lambda old, new: old < new)

    @property
    def newly_graded(self) -> int:
        """How many have a letter now and had none."""
        return sum(number for (old, new), number in self.moved.items() if old not in LETTERS and new in LETTERS)

    @property
    def no_longer_graded(self) -> int:
        """How many had a letter and have none now."""
        return sum(number for (old, new), number in self.moved.items() if old in LETTERS and new not in LETTERS)

    def _count(self, is_such: Callable[[str, str], bool]) -> int:
        letters = ((old, new, number) for (old, new), number in self.moved.items() if {old, new} <= set(LETTERS))
        return sum(number for old, new, number in letters if is_such(old, new))


@dataclass(frozen=True)
class Standing:
    """Where a cycle stands in one person's scope: counts, why lines are not gradable, moves against the labels."""

    counts: list[LineCounts]
    missing: list[MissingCount]
    moves: list[LineMoves]


def lines_in_force(user: User, region: Region | None = None) -> Lines:
    """The gradable customer lines of a person's scope, with the labels in force."""
    lines = CustomerLine.objects.visible_to(user).gradable()
    return lines if region is None else lines.filter(customer__region=region)


def lines_of_cycle(cycle: Cycle, user: User, region: Region | None = None) -> Lines:
    """All customer lines that a cycle grades, within a person's scope, as `cycle_state`, `cycle_letter`, …

    One that no run has reached yet is not assessed; none drops out.
    """
    head = FilteredRelation("grades", condition=Q(grades__fiscal_year=cycle.fiscal_year))
    lines = CustomerLine.objects.visible_to(user).alias(head=head)
    lines = lines if region is None else lines.filter(customer__region=region)
    return lines.filter(
        Q(is_active=True, customer__kind=CustomerKind.CUSTOMER) | Q(head__record__state__isnull=False)
    ).annotate(
        cycle_state=Coalesce("head__record__state", Value(GradeState.NOT_ASSESSED.value)),
        cycle_letter=F("head__record__letter"),
        cycle_score=F("head__record__score"),
        cycle_missing=Coalesce("head__record__missing", 0),
        cycle_potential_sales=F("head__record__potential_sales"),
        cycle_expected_close_on=F("head__record__expected_close_on"),
    )


def counts_in_force(lines: Lines) -> list[LineCounts]:
    """Counts of the labels in force, per product line."""
    return _line_counts(lines.order_by().values_list("product_line", "state", "grade").annotate(lines=Count("pk")))


def missing_in(masks: Iterable[tuple[int, int]]) -> list[MissingCount]:
    """How often each thing is missing, the most frequent first, from (sum of flags, lines)."""
    tally: Counter[Missing] = Counter()
    for mask, lines in masks:
        tally.update({flag: lines for flag in Missing if flag in Missing(mask)})
    return [MissingCount(flag.code, reasons_of(flag)[0].message, lines) for flag, lines in tally.most_common()]


def standing_of_cycle(lines: Lines) -> Standing:
    """Where a cycle's customer lines (`lines_of_cycle`) stand: everything its page counts, in one scan."""
    counts: list[tuple[int, str, str | None, int]] = []
    missing: Counter[int] = Counter()
    moves: Counter[tuple[int, str, str]] = Counter()
    columns = ("product_line", "state", "grade", "cycle_state", "cycle_letter", "cycle_missing")
    for *row, number in lines.order_by().values_list(*columns).annotate(lines=Count("pk")):
        line, state, letter, new_state, new_letter, mask = row
        counts.append((line, new_state, new_letter, number))
        missing[mask] += number
        if (letter or state) != (new_letter or new_state):
            moves[line, letter or state, new_letter or new_state] += number
    return Standing(_line_counts(counts), missing_in(missing.items()), _line_moves(moves))


def moves_from_report(report: dict[str, Any]) -> list[LineMoves]:
    """The moves that a run over all regions stored."""
    pks = dict(ProductLine.objects.values_list("code", "pk"))
    return _line_moves({(pks[row["line"]], row["from"], row["to"]): row["count"] for row in report.get("moves", ())})


def missing_in_force(lines: Lines, cycle: Cycle) -> list[MissingCount]:
    """Why customer lines in force are not gradable, by the records of the cycle in effect."""
    records = GradeRecord.objects.filter(
        pk__in=lines.filter(state=GradeState.NOT_GRADABLE, grades__fiscal_year=cycle.fiscal_year).values(
            "grades__record"
        )
    )
    return missing_in(records.order_by().values_list("missing").annotate(lines=Count("pk")))


def sums_of_line(lines: Lines) -> dict[str, tuple[int, int]]:
    """Count and potential sales (fen) per column, of one product line's customer lines."""
    rows = lines.order_by().values_list("state", "grade").annotate(lines=Count("pk"), potential=Sum("potential_sales"))
    return {letter or state: (number, potential or 0) for state, letter, number, potential in rows}


def _line_counts(rows: Iterable[tuple[int, str, str | None, int]]) -> list[LineCounts]:
    found: dict[int, Counter[str]] = {}
    for line, state, letter, number in rows:
        found.setdefault(line, Counter())[letter or state] += number
    product_lines = ProductLine.objects.filter(pk__in=found).order_by("position", "code")
    return [LineCounts(line, dict(found[line.pk])) for line in product_lines]


def _line_moves(tally: Mapping[tuple[int, str, str], int]) -> list[LineMoves]:
    found: dict[int, dict[tuple[str, str], int]] = {}
    for (line, old, new), number in tally.items():
        found.setdefault(line, {})[old, new] = number
    product_lines = ProductLine.objects.filter(pk__in=found).order_by("position", "code")
    return [LineMoves(line, found[line.pk]) for line in product_lines]
