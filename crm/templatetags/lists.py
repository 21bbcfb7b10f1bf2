"""The cells of a list as its page shows them."""

from typing import Any

from django import template

from crm.lib.columns import ListColumn
from crm.lib.exports import Type
from crm.models import Customer, CustomerLine, ProductLine
from crm.templatetags.figures import percent, points, wan

register = template.Library()

_IN_WORDS = {
    Type.MONEY: wan,
    Type.PERCENT: percent,
    Type.POINTS: points,
    Type.DAY: lambda day: "" if day is None else day.isoformat(),
}


@register.filter
def cell(record: Any, column: ListColumn) -> str:
    """What stands in a column of a row: the value of the export in the page's units."""
    value = column.value(record)
    in_words = _IN_WORDS.get(column.type)
    if in_words is not None:
        return in_words(value)
    return "" if value is None else str(value)


@register.filter
def line_of(customer: Customer, product_line: ProductLine) -> CustomerLine | None:
    """The customer's active line of a product line, of those that the list has fetched."""
    lines: list[CustomerLine] = getattr(customer, "active_lines", [])
    return next((line for line in lines if line.product_line_id == product_line.pk), None)
