"""A run's report as text for a terminal."""

from collections.abc import Iterator
from typing import Any

COLUMNS = ("A", "B", "C", "D", "not_gradable", "not_assessed")


def grade_table(report: dict[str, Any]) -> str:
    """Line × grade, with a row of sums. Grades of different lines are counted side by side, never compared."""
    rows = [(row["line"], *(row[column] for column in COLUMNS)) for row in report["lines"]]
    sums = ("total", *(sum(row[index] for row in rows) for index in range(1, len(COLUMNS) + 1)))
    return "\n".join(_rows([("line", *COLUMNS), *rows, sums]))


def _rows(rows: list[tuple]) -> Iterator[str]:
    for first, *figures in rows:
        pairs = zip(map(_shown, figures), COLUMNS, strict=True)
        yield f"{first:18}" + "".join(f"{figure:>{max(8, len(name) + 2)}}" for figure, name in pairs)


def _shown(figure: int | str) -> str:
    return f"{figure:,}" if isinstance(figure, int) else figure.replace("_", " ")
