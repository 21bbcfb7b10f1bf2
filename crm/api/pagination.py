"""Pages by keyset: where a page ends is a value and an id, so that a page stays right while others write.

A cursor is signed and bound to the list's address, filters and ordering. Records without a value come last in both
directions, on both databases.
"""

from datetime import date, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from django.core import signing
from django.db.models import F, Field, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from crm.api.problems import BadCursor
from crm.lib.filtering import Order

DEFAULT_SIZE = 100
LARGEST_SIZE = 1000
PLACES = signing.Signer(salt="hengke.api.cursor")  # without the time: the same page has the same links


class Cursor(NamedTuple):
    """A place in a list: between records, next to one with this value and id."""

    is_backward: bool
    value: Any
    pk: int


class KeysetPagination(BasePagination):
    """The envelope `{"next", "previous", "results"}` of every list."""

    def paginate_queryset(self, queryset: QuerySet, request: Request, view: Any = None) -> list:  # type: ignore[override]
        self.next: str | None
        self.previous: str | None
        self.request, self.order = request, view.list_filters.order
        self.column = Column(queryset, self.order)
        size, cursor = page_size(request), self.cursor_of(request)
        found = view.read(self.column.from_cursor(queryset, cursor)[: size + 1], self.column)
        has_more, rows = len(found) > size, found[:size]
        if cursor and cursor.is_backward:
            rows.reverse()
            self.next, self.previous = self.after(rows, cursor), self.before(rows, cursor) if has_more else None
        else:
            self.next = self.after(rows, cursor) if has_more else None
            self.previous = self.before(rows, cursor) if cursor else None
        return rows

    def get_paginated_response(self, data: list) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def after(self, rows: list, cursor: Cursor | None) -> str:
        """The address of what follows the page."""
        return self.address(False, self.edge(rows[-1:], cursor, 1))

    def before(self, rows: list, cursor: Cursor | None) -> str:
        """The address of what precedes the page."""
        return self.address(True, self.edge(rows[:1], cursor, -1))

    def edge(self, rows: list, cursor: Cursor | None, outwards: int) -> tuple[Any, int]:
        """The value and id of the page's outermost row; of an empty page, the place it was asked for, inclusive."""
        if rows:
            return self.column.value_of(rows[0]), rows[0].pk
        assert cursor is not None  # the first page of an empty list has no neighbours
        step = outwards if self.order.is_descending else -outwards
        return cursor.value, cursor.pk + step

    def address(self, is_backward: bool, edge: tuple[Any, int]) -> str:
        token = PLACES.sign_object([is_backward, *edge, binding(self.request)])
        return replace_query_param(self.request.build_absolute_uri(), "cursor", token)

    def cursor_of(self, request: Request) -> Cursor | None:
        """The place that the request asks for. Raises BadCursor for one that was not made for this list."""
        token = request.query_params.get("cursor")
        if token is None:
            return None
        try:
            is_backward, value, pk, made_for = PLACES.unsign_object(token)
        except signing.BadSignature as error:
            raise BadCursor(_("The cursor cannot be read. Start again without it.")) from error
        if made_for != binding(request):
            raise BadCursor(_("The cursor belongs to other filters or another ordering. Start again without it."))
        return Cursor(is_backward, self.column.from_json(value), pk)

    def get_schema_operation_parameters(self, view) -> list[dict[str, Any]]:
        """`cursor` and `page_size` as OpenAPI parameters."""
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE, "default": DEFAULT_SIZE}
        return [
            _parameter("cursor", "The place of a page: follow the links, do not make it.", {"type": "string"}),
            _parameter("page_size", "Records per page.", size),
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The envelope in OpenAPI."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }


class Column:
    """The column that a list is sorted by, as the keyset reads it."""

    ANNOTATION = "keyset_value"

    def __init__(self, queryset: QuerySet, order: Order) -> None:
        self.order = order
        self.is_pk = order.column == "pk"
        path = field_path(queryset, order.column)
        self.field = path[-1]
        self.has_nulls = any(field.null for field in path)

    def from_cursor(self, queryset: QuerySet, cursor: Cursor | None) -> QuerySet:
        """The records after the place in its direction, nearest first."""
        ordered = queryset if self.is_pk else queryset.annotate(**{self.ANNOTATION: F(self.order.column)})
        if cursor is None:
            return ordered
        if cursor.is_backward:
            return self._reversed(ordered.filter(self._before(cursor)))
        return ordered.filter(self._after(cursor))

    def value_of(self, row: Any) -> Any:
        """The row's value in a form that JSON keeps exactly."""
        value = None if self.is_pk else getattr(row, self.ANNOTATION)
        return value.isoformat() if isinstance(value, date | datetime) else value

    def from_json(self, value: Any) -> Any:
        """The value of a cursor as the column holds it."""
        return None if value is None else self.field.to_python(value)

    def _after(self, cursor: Cursor) -> Q:
        sign = "lt" if self.order.is_descending else "gt"
        if self.is_pk:
            return Q(**{f"pk__{sign}": cursor.pk})
        if cursor.value is None:
            return Q(**{f"{self.order.column}__isnull": True, f"pk__{sign}": cursor.pk})
        further = self._further(sign, cursor)
        return further | Q(**{f"{self.order.column}__isnull": True}) if self.has_nulls else further

    def _before(self, cursor: Cursor) -> Q:
        sign = "gt" if self.order.is_descending else "lt"
        if self.is_pk:
            return Q(**{f"pk__{sign}": cursor.pk})
        if cursor.value is None:
            with_value = Q(**{f"{self.order.column}__isnull": False})
            return with_value | Q(**{f"pk__{sign}": cursor.pk})
        return self._further(sign, cursor)

    def _further(self, sign: str, cursor: Cursor) -> Q:
        """Beyond the place; the first condition is implied, and lets the database start there in an index."""
        column = self.order.column
        beyond = Q(**{f"{column}__{sign}": cursor.value}) | Q(**{f"pk__{sign}": cursor.pk})
        return Q(**{f"{column}__{sign}e": cursor.value}) & beyond

    def _reversed(self, queryset: QuerySet) -> QuerySet:
        pk = "pk" if self.order.is_descending else "-pk"
        if self.is_pk:
            return queryset.order_by(pk)
        column = F(self.order.column)
        turned = column.asc(nulls_first=True) if self.order.is_descending else column.desc(nulls_first=True)
        return queryset.order_by(turned, pk)


def field_path(queryset: QuerySet, column: str) -> list[Field]:
    """The fields that a column's name leads through, the last one being its own."""
    path, model = [], queryset.model
    for name in column.split("__"):
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
        path.append(field)
        model = field.related_model or model
    return path


def page_size(request: Request) -> int:
    """How many records the request asks for. Raises ValidationError outside 1 to 1000."""
    word = request.query_params.get("page_size", str(DEFAULT_SIZE))
    if not (word.isascii() and word.isdigit() and len(word) <= 4 and 1 <= int(word) <= LARGEST_SIZE):
        sentence = _("Write a whole number from 1 to {largest}.").format(largest=LARGEST_SIZE)
        raise ValidationError({"page_size": [ErrorDetail(sentence, "invalid")]})
    return int(word)


def binding(request: Request) -> str:
    """What a cursor is bound to: the address, the filters, the ordering."""
    asked = sorted(
        (name, value)
        for name, values in request.query_params.lists()
        if name not in ("cursor", "page_size")
        for value in values
    )
    return sha256(repr((request.path, asked)).encode()).hexdigest()[:16]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
