"""Counting verdicts where they are written: what is counted is packed into one whole number, the cheapest thing to group.

Measured for a chunk of 49,152 lines on PostgreSQL: grouped by four columns 23 ms, by the number 11 ms; returning a
million numbers instead of a million rows takes a tenth of the annual run on SQLite.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from crm.models import GradeLetter, GradeState

_MISSING, _WORD = 1 << 16, 1 << 8
# Every verdict by its last character; what is graded has a letter.
_WORDS = {
    ord(word[-1]): word
    for word in (*GradeLetter.values, GradeState.NOT_GRADABLE.value, GradeState.NOT_ASSESSED.value)
}


class Count(NamedTuple):
    """How many lines of a product line got a verdict, and what they were labelled before.

    A verdict is the letter where there is one, else the state; so is what was before.
    """

    product_line: int
    verdict: str
    missing: int
    before: str
    lines: int


def packed() -> str:
    """Product line, what is missing, verdict and what was before of a record, as an expression of one number."""
    verdict, before = _last("COALESCE(letter, state)"), _last("before")
    line = f"(CAST(product_line_id AS bigint) * {_MISSING} + missing)"
    return f"({line} * {_WORD} + {verdict}) * {_WORD} + {before}"


def counts_of(numbers: Iterable[tuple[int, int]]) -> list[Count]:
    """The counts that stand in packed numbers, each with how many lines have it."""
    return [_unpacked(number, lines) for number, lines in sorted(numbers)]


def counted(numbers: Iterable[int]) -> list[Count]:
    """The counts of the packed numbers of lines."""
    return counts_of(Counter(numbers).items())


def _last(word: str) -> str:
    return f"ascii(right({word}, 1))" if connection.vendor == "postgresql" else f"unicode(substr({word}, -1))"


def _unpacked(number: int, lines: int) -> Count:
    number, before = divmod(number, _WORD)
    number, verdict = divmod(number, _WORD)
    product_line, missing = divmod(number, _MISSING)
    return Count(product_line, _WORDS[verdict], missing, _WORDS[before], lines)
