"""The cells of a list as its page shows them."""

from functools import lru_cache
from typing import Any

from django import template
from django.template import Context, Engine
from django.utils import timezone
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString

from crm.lib.columns import ListColumn, Place
from crm.lib.exports import Type
from crm.lib.pace import whole
from crm.models import Customer, CustomerLine, ProductLine
from crm.templatetags.figures import percent, points, wan

register = template.Library()

_OPENING = '<td class="{}" data-label="{}">'
_PICK = (
    '<td class="pick"><input class="form-check-input" type="checkbox" name="number" value="{}" form="bulk"'
    ' aria-label="{}"></td>'
)
_UNIT = ' <span class="unit card-only">{}</span>'
_IN_WORDS = {
    Type.WHOLE: lambda count: "" if count is None else whole(count),
    Type.MONEY: wan,
    Type.PERCENT: percent,
    Type.POINTS: points,
    Type.DAY: lambda day: "" if day is None else day.isoformat(),
    Type.MOMENT: lambda moment: "" if moment is None else f"{timezone.localtime(moment):%Y-%m-%d %H:%M}",
}


@register.filter
def cell(record: Any, column: ListColumn) -> str:
    """What stands in a column of a row: the value of the export in the page's units."""
    value = column.value(record)
    if column.is_name:
        return str(value)
    in_words = _IN_WORDS.get(column.type)
    if in_words is not None:
        return in_words(value)
    return "" if value is None else str(value)


@register.simple_tag(takes_context=True)
def row_cells(context: Context) -> SafeString:
    """The cells of `row` in the columns of `choice` (crm.lib.columns); a column's own template reads `row` too.

    A list has hundreds of cells and most of them are plain: drawn here, they cost a third of a template's.
    """
    row, shown, listing = context["row"], context["choice"].shown, context["list"]
    place = Place(listing.query, listing.first + context["forloop"]["counter0"])
    cells = [_drawn(context, row, column, place, is_first=column is shown[0]) for column in shown]
    if context.get("bulk"):
        cells.insert(0, _PICK.format(row.pk, escape(row)))
    return SafeString("".join(cells))


def _drawn(context: Context, row: Any, column: ListColumn, place: Place, *, is_first: bool) -> str:
    if column.template:
        with context.push(column=column):
            return Engine.get_default().get_template(column.template).render(context)
    value = column.draw(row, place) if column.draw else cell(row, column)
    if is_first:
        return f'<th scope="row">{conditional_escape(value)}</th>'
    if column.is_silent:
        return format_html("<td{}>{}</td>", "" if value else SafeString(' class="card-skip"'), value)
    label = str(column.label)
    if column.unit:
        opening = _opening("num" if value else "num card-skip", label)
        return f"{opening}{conditional_escape(value)}{format_html(_UNIT, column.unit)}</td>"
    css = "num" if column.is_numeric else column.css
    opening = _opening(css if value else f"{css} card-skip".lstrip(), label)
    return f"{opening}{conditional_escape(value)}</td>"


@lru_cache(maxsize=1000)
def _opening(css: str, label: str) -> SafeString:
    return format_html(_OPENING, css, label)


@register.filter
def line_of(customer: Customer, product_line: ProductLine) -> CustomerLine | None:
    """The customer's active line of a product line, of those that the list has fetched."""
    lines: list[CustomerLine] = getattr(customer, "active_lines", [])
    return next((line for line in lines if line.product_line_id == product_line.pk), None)
