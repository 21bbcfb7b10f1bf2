"""The table that people fill in: the columns of a kind of import in their language, and what belongs in each."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter
from django.utils.text import capfirst
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from crm.actions.import_rows import EMPTYING, Column, Kind
from crm.lib.cells import amount, day, margin, not_negative, rate, whole, year, yes_no
from crm.lib.exports import Column as FileColumn
from crm.lib.exports import Type, csv_lines, write_text
from crm.models import Branch, ProductLine, Region, User

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMATS = (
    ({amount, not_negative}, "#,##0.00"),
    ({rate, margin}, "0.00"),
    ({day}, "yyyy-mm-dd"),
    ({whole, year}, "0"),
)
_TYPES = (
    ({amount, not_negative}, Type.MONEY),
    ({rate, margin}, Type.PERCENT),
    ({day}, Type.DAY),
    ({whole, year}, Type.WHOLE),
)
MOST_IN_WORKBOOK = 20_000  # records; more come as csv
_HUNDREDTHS = {amount, not_negative, rate, margin}  # parsed to fen and hundredths of a percent
_YES_NO = ("是", "否", "yes", "no")
_ROWS = 5000  # as many get their choices offered
_LONGEST_LIST = 255  # characters: what Excel keeps of a list of choices
_WIDTHS = (24, 12, 60, 60)


def kind_label(kind: Kind) -> str:
    """What the kind's records are called, as a heading."""
    return capfirst(str(kind.model._meta.verbose_name_plural))


def column_label(column: Column) -> str:
    """What the reader's language calls a column; an import finds the column by it."""
    called = in_language(column.headers)
    return capfirst(called[0]) if called else column.name


def in_language(words: Iterable[str]) -> list[str]:
    """Of words in Chinese and English those in the reader's language."""
    is_chinese = (get_language() or "").startswith("zh")
    return [word for word in words if word.isascii() != is_chinese]


def blank_cell_means() -> str:
    """What every page and template says of an empty cell."""
    return _("A blank cell leaves the stored value as it is; the word {word} empties it.").format(
        word=in_language(EMPTYING)[0]
    )


def write_template(kind: Kind, user: User, records: Iterable[Sequence[Any]] = ()) -> bytes:
    """A workbook with the columns of the kind to fill in, and a second sheet that explains them.

    `records` are what the person may see already, to be changed and imported again: unchanged rows change nothing.
    """
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        head = book.add_format({"bold": True, "bg_color": "#E2F0F1", "bottom": 1, "text_wrap": True, "valign": "top"})
        required = book.add_format({"bold": True, "bg_color": "#FDF1DC", "bottom": 1, "valign": "top"})
        formats = {
            form: book.add_format({"num_format": form}) for form in ("@", *(form for _parsers, form in _FORMATS))
        }
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(kind_label(kind)[:31])
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(kind.columns):
            label = column_label(column)
            sheet.set_column(place, place, max(14, 2 * len(label)), formats[_format_of(column)])
            sheet.write_string(0, place, label, required if column.is_required else head)
            _offer_choices(sheet, place, _allowed(column, user))
        for number, record in enumerate(records, start=1):
            for place, (column, value) in enumerate(zip(kind.columns, record, strict=True)):
                _write_value(sheet, (number, place), column, value)
        _explain(book.add_worksheet(_("Notes")), kind, user, (head, wrapped))
    return file.getvalue()


def csv_of_records(kind: Kind, records: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Records as csv, piece by piece in the language in force: there may be more than one waits for a workbook of."""
    return _spoken(csv_lines([_in_csv(column) for column in kind.columns], records), get_language())


def _spoken(pieces: Iterator[bytes], language: str | None) -> Iterator[bytes]:
    with override(language):
        yield from pieces


def _in_csv(column: Column) -> FileColumn:
    kind = next((kind for parsers, kind in _TYPES if column.parse in parsers), Type.TEXT)
    return FileColumn(column_label(column), kind)


def _write_value(sheet: Worksheet, at: tuple[int, int], column: Column, value: Any) -> None:
    """Figures as figures, days as days, everything else as text whatever it begins with."""
    if value is None or value == "":
        return
    if column.parse in _HUNDREDTHS:
        sheet.write_number(*at, Decimal(value) / 100)
    elif isinstance(value, date):
        sheet.write_datetime(*at, datetime(value.year, value.month, value.day))  # noqa: DTZ001 - a day has no zone
    elif isinstance(value, int):
        sheet.write_number(*at, value)
    else:
        write_text(sheet, *at, str(value))


def _explain(sheet: Worksheet, kind: Kind, user: User, formats: tuple[Format, Format]) -> None:
    head, wrapped = formats
    for place, width in enumerate(_WIDTHS):
        sheet.set_column(place, place, width)
    sheet.write_string(0, 0, blank_cell_means())
    sheet.write_string(1, 0, _("Fill in the first sheet; one row is one record. Columns that you do not need may go."))
    titles = (_("Column"), _("Required"), _("What to write"), _("Allowed values"))
    for place, title in enumerate(titles):
        sheet.write_string(3, place, title, head)
    for number, column in enumerate(kind.columns, start=4):
        said = (
            column_label(column),
            _("yes") if column.is_required else "",
            str(column.about) or _how_to_write(column),
            _(", ").join(_allowed(column, user)),
        )
        for place, word in enumerate(said):
            write_text(sheet, number, place, word, wrapped)
    sheet.freeze_panes(4, 0)


def _format_of(column: Column) -> str:
    return next((form for parsers, form in _FORMATS if column.parse in parsers), "@")


def _how_to_write(column: Column) -> str:
    """Where a column does not say itself what belongs in it: how such values are written."""
    said = (
        ({amount, not_negative}, _("An amount in yuan: 4000000, 4,000,000.00 or 400万.")),
        ({rate, margin}, _("A percentage: 18 or 18%.")),
        ({day}, _("A day: 2026-11-21, 2026/11/21 or 2026年11月21日.")),
        ({year}, _("A fiscal year by its four digits.")),
        ({whole}, _("A whole number.")),
    )
    return next((sentence for parsers, sentence in said if column.parse in parsers), "")


def _allowed(column: Column, user: User) -> Sequence[str]:
    """The only words that a column takes, where there are few of them."""
    if column.parse is yes_no:
        return in_language(_YES_NO)
    known = {
        "region": Region.objects.visible_to(user),
        "branch": Branch.objects.visible_to(user),
        "product_line": ProductLine.objects.filter(is_active=True),
        "lines": ProductLine.objects.filter(is_active=True),
    }
    if column.name in known:
        return [str(row) for row in known[column.name].order_by("position", "code")]
    return [str(word) for word in column.allowed]


def _offer_choices(sheet: Worksheet, place: int, words: Sequence[str]) -> None:
    """A list to choose from; other words that mean the same may still be typed."""
    if words and len(",".join(words)) <= _LONGEST_LIST:
        choices = {"validate": "list", "source": list(words), "error_type": "information"}
        sheet.data_validation(1, place, _ROWS, place, choices)
