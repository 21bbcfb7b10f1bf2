"""Counting verdicts by one number: whatever is packed comes back."""

import pytest
from django.db import connection

from grading.actions.tally import Count, counts_of, packed
from grading.policy import Missing

VERDICTS = ("A", "B", "C", "D", "not_gradable", "not_assessed")
EVERYTHING = sum(flag.value for flag in Missing)


def packed_of(product_line: int, missing: int, verdict: str, before: str) -> int:
    is_letter = len(verdict) == 1
    record = f"SELECT {product_line} AS product_line_id, {missing} AS missing"
    record += f", {repr(verdict) if is_letter else 'NULL'} AS letter, '{'graded' if is_letter else verdict}' AS state"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {packed()} FROM ({record}, '{before}' AS before) record")
        return cursor.fetchone()[0]


@pytest.mark.django_db
@pytest.mark.parametrize("before", VERDICTS)
@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize(("product_line", "missing"), [(1, 0), (7, EVERYTHING), (123_456, 1)])
def test_what_is_packed_comes_back(product_line, missing, verdict, before):
    number = packed_of(product_line, missing, verdict, before)
    assert counts_of([(number, 5)]) == [Count(product_line, verdict, missing, before, 5)]
