"""What several kinds of import share: columns, words, and how what a person sees is written as rows of a kind."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet, TextChoices
from django.utils import translation
from django.utils.translation import get_language, gettext_lazy

from crm.actions.import_rows import Column
from crm.lib.cells import Cell, Parser, choice, code, refuse_shortened, text

AT_ONCE = 5000  # values in one query
_READ_AT_ONCE = 2000


def written(cell: Cell) -> str:
    """A text that is kept as it was written, spaces around it included; numbers as `code` reads them."""
    return cell if isinstance(cell, str) else code(cell)


def written_code(cell: Cell) -> str:
    """A code that is kept as it was written; refused where a spreadsheet has cut off its end."""
    if not isinstance(cell, str):
        return code(cell)
    if "+" in cell:
        refuse_shortened(cell)
    return cell


LINE_COLUMNS = (
    Column(
        "customer",
        written_code,
        ("客户", "客户名称", "customer", "customer name"),
        True,
        gettext_lazy("Our code, the credit code or the full name."),
        surer=(
            *("客户编码", "编码", "customer code", "code"),
            *("统一社会信用代码", "信用代码", "credit code"),
        ),
    ),
    Column(
        "region",
        text,
        ("大区", "区域", "region"),
        about=gettext_lazy("Only needed where several customers have the same name."),
        is_key=True,
    ),
    Column("product_line", text, ("产品线", "product line"), True),
)


def called(model: type[Model], name: str) -> str:
    """What people call a field of a record."""
    return str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def labelled(words: Mapping[str, str], choices: type[TextChoices]) -> Parser:
    """A parser of one of a few words, or of what pages call their meanings in any language."""

    @cache
    def parser() -> Parser:  # when the first cell is read: before, nothing can be translated
        found = dict(words)
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                found = {str(one.label).lower(): str(one.value) for one in choices} | found
        return choice(found, choices.labels)

    return lambda cell: parser()(cell)


def words(cell: Cell) -> list[str]:
    """Several words in one cell, separated by commas, semicolons or 、."""
    separated = text(cell).replace("、", ",").replace(";", ",").split(",")
    return [word.strip() for word in separated if word.strip()]


def said(choices: type[TextChoices], value: str) -> str:
    """What the reader's language calls a value; nothing for none."""
    return str(choices(value).label) if value else ""


def yes_or_no(value: bool) -> str:
    """A truth value in the reader's language."""
    is_chinese = (get_language() or "").startswith("zh")
    return ("是" if value else "否") if is_chinese else ("yes" if value else "no")


def streamed(records: QuerySet[Any]) -> Iterator[Any]:
    """Records in the order of their numbers, some at a time, with what belongs to them."""
    return iter(records.order_by("pk").iterator(chunk_size=_READ_AT_ONCE))
