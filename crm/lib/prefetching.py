"""How Django's question for the records at the end of a relation is put to SQLite.

Django 5.2 compares tuples there, of one column too, and gives SQLite `a = 1 OR a = 2 OR …` in their stead: a thousand
values are more than it takes ("Expression tree is too large"). A list of them has no such limit.
"""

from typing import Any

from django.db.models.fields.tuple_lookups import TupleIn
from django.db.models.lookups import In


def ask_sqlite_by_list() -> None:
    """Have SQLite look a single column up in a list of values."""
    TupleIn.as_sqlite = _as_sqlite  # type: ignore[attr-defined]


def _as_sqlite(lookup: Any, compiler: Any, connection: Any) -> Any:
    if len(lookup.lhs) != 1 or not lookup.rhs_is_direct_value():
        return lookup.as_sql(compiler, connection)
    (column,) = lookup.lhs
    return compiler.compile(In(column, [value for (value,) in lookup.rhs]))
