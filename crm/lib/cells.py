"""What people write in a cell, read exactly or refused with a reason; nothing is guessed and nothing is rounded.

A cell is what a reader of files gives: text, a number, a truth value, a day, or None for an empty one.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from typing import Any

from django.utils.translation import gettext as _

Cell = str | int | float | bool | date | datetime | None
Parser = Callable[[Cell], Any]

_UNITS = {"": 1, "元": 1, "千元": 1_000, "万": 10_000, "万元": 10_000, "亿": 100_000_000, "亿元": 100_000_000}
_AMOUNT = re.compile(r"^(-?)(\d+|\d{1,3}(?:,\d{3})+)(\.\d+)?(千元|亿元|万元|元|万|亿)?$")
_DAYS = (
    re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$"),
    re.compile(r"^(\d{4})年(\d{1,2})月(\d{1,2})日?$"),
    re.compile(r"^(\d{4})(\d{2})(\d{2})$"),
)
_SERIAL_ZERO = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 10_000, 80_000  # 1927 to 2119: nothing else that is written where a day belongs
_LARGEST_AMOUNT = 10**15  # yuan
# Refuses what it cannot reckon exactly, and what would be written in more digits than any figure has.
_EXACT = Context(prec=400, Emax=400, Emin=-400, traps=[Inexact, InvalidOperation, Overflow])
_SHORTENED = re.compile(r"\d(\.\d+)?E\+[1-9]\d+", re.IGNORECASE)
_MOST_EXACT = 10**15  # what a spreadsheet's number keeps all digits of
YES = frozenset({"是", "有", "对", "已", "√", "✓", "yes", "y", "true", "1"})
NO = frozenset({"否", "无", "没有", "未", "×", "✗", "no", "n", "false", "0"})
_FORMULA = "=+-@\t\r\n"


class CellError(ValueError):
    """What is written cannot be what belongs there; the message is for people."""


def is_blank(cell: Cell) -> bool:
    """Whether there is nothing in the cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def text(cell: Cell) -> str:
    """The cell as text in one form, without NUL; a code that a spreadsheet keeps as 123.0 is 123."""
    if isinstance(cell, str):
        return (cell if cell.isascii() else unicodedata.normalize("NFKC", cell)).replace("\0", "").strip()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return format(_number(cell), "f")
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    return ""


def refuse_nul(cell: Cell) -> None:
    """Raise CellError for a text with NUL, which a workbook can hold and PostgreSQL cannot even look for."""
    if isinstance(cell, str) and "\0" in cell:
        sentence = _("Character %(place)d (%(sign)s) is a control character: delete it.")
        raise CellError(sentence % {"place": cell.index("\0") + 1, "sign": "U+0000"})


def code(cell: Cell) -> str:
    """A code in one form. A spreadsheet keeps fifteen digits of a number: a longer one has lost its end."""
    refuse_shortened(cell)
    return text(cell)


def refuse_shortened(cell: Cell) -> None:
    """Raise CellError for a code whose end a spreadsheet has cut off; in a csv it says so as 9.1130E+17."""
    if isinstance(cell, float) and abs(cell) > _MOST_EXACT:
        cell = f"{cell:.15g}"
    elif not (isinstance(cell, str) and _SHORTENED.fullmatch(cell.strip())):
        return
    sentence = _("{cell} has lost its last digits in the spreadsheet: format the column as text and write it again")
    raise CellError(sentence.format(cell=_quoted(cell)))


def amount(cell: Cell) -> int:
    """Whole fen: 4000000, 4,000,000.00, ¥4,000,000, 400万, 1.2亿, (1,000) for what is taken back."""
    read = _figure(cell)
    if read is None:
        raise CellError(_("{cell} is not an amount").format(cell=_quoted(cell)))
    number, unit = read
    yuan = number * _UNITS[unit]
    if abs(yuan) > _LARGEST_AMOUNT:
        raise CellError(_("{cell} is too large").format(cell=_quoted(cell)))
    return _exact(yuan, cell)


def scaled(cell: Cell, factor: Decimal) -> str:
    """A figure without a unit, written as `amount` reads it, times a factor: exactly, in plain digits."""
    read = _figure(cell)
    try:
        if read is None or read[1]:
            raise InvalidOperation
        return format(_EXACT.multiply(read[0], factor), "f")
    except DecimalException as error:
        raise CellError(_("“{cell}” is not a plain number").format(cell=text(cell)[:40])) from error


def not_negative(cell: Cell) -> int:
    """An amount that cannot be below zero, in fen."""
    value = amount(cell)
    if value < 0:
        raise CellError(_("{cell} is negative").format(cell=_quoted(cell)))
    return value


def rate(cell: Cell) -> int:
    """Whole hundredths of a percent: 12.5 and 12.5% are 12.5 %; a percent cell of a workbook comes as 12.5%."""
    written = _plain(cell).removesuffix("%").strip()
    if not re.fullmatch(r"-?\d+(\.\d+)?", written):
        raise CellError(_("{cell} is not a percentage").format(cell=_quoted(cell)))
    return _exact(Decimal(written), cell)


def margin(cell: Cell) -> int:
    """A gross margin, from -1000 % to 100 %, in hundredths of a percent."""
    value = rate(cell)
    if not -1000_00 <= value <= 100_00:
        raise CellError(_("{cell}: a gross margin lies between -1000 % and 100 %").format(cell=_quoted(cell)))
    return value


def day(cell: Cell) -> date:
    """A day: 2026-11-21, 2026/11/21, 2026年11月21日, 20261121, or a spreadsheet's serial number."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    written = _plain(cell)
    if re.fullmatch(r"\d{5}(\.\d+)?", written) and _FIRST_SERIAL <= float(written) < _LAST_SERIAL:
        return _SERIAL_ZERO + timedelta(days=math.floor(float(written)))
    match = next((found for form in _DAYS if (found := form.match(written))), None)
    try:
        return date(*map(int, match.groups())) if match else _no_day(cell)
    except ValueError:
        return _no_day(cell)


def yes_no(cell: Cell) -> bool:
    """是 or 否, yes or no, true or false, 1 or 0."""
    written = _plain(cell).lower()
    if written not in YES | NO:
        raise CellError(_("{cell} is neither yes nor no").format(cell=_quoted(cell)))
    return written in YES


def year(cell: Cell) -> int:
    """A fiscal year by its four digits."""
    written = _plain(cell).removesuffix("年")
    if not re.fullmatch(r"(19|20|21)\d\d", written):
        raise CellError(_("{cell} is not a year").format(cell=_quoted(cell)))
    return int(written)


def whole(cell: Cell) -> int:
    """A whole number that is not negative."""
    written = _plain(cell)
    if not re.fullmatch(r"\d{1,9}", written):
        raise CellError(_("{cell} is not a whole number").format(cell=_quoted(cell)))
    return int(written)


def choice(words: Mapping[str, str], labels: Collection[Any] = ()) -> Parser:
    """A parser of one of a few words; `words` says what each stands for, in lower case.

    `labels` are those that people are told where it is none of them, in the reader's language; else all words are.
    """

    def parse(cell: Cell) -> str:
        found = words.get(_plain(cell).lower())
        if found is None:
            allowed = _(", ").join(str(label) for label in labels or words)
            raise CellError(_("{cell} is none of: {allowed}").format(cell=_quoted(cell), allowed=allowed))
        return found

    return parse


def guarded(written: str) -> str:
    """Text for a csv file: what a spreadsheet program would take for a formula or a number with a sign stays text.

    It stands behind an apostrophe. A text that already looks guarded gets a second one, so that `without_guard` gives
    back what was written. Figures are written without this.
    """
    return f"'{written}" if _is_guarded(f"'{written}") else written


def without_guard(cell: Cell) -> Cell:
    """A cell of a csv file without the guard that `guarded` put before it."""
    return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and _is_guarded(cell) else cell


def _is_guarded(written: str) -> bool:
    first = unicodedata.normalize("NFKC", written.lstrip("'")[:1])
    return bool(first) and first in _FORMULA


def _figure(cell: Cell) -> tuple[Decimal, str] | None:
    """What an amount says: its figures, without the signs of our money around them, and its unit."""
    written = re.sub(r"[¥\s]|人民币|RMB|CNY", "", _plain(cell))
    if written.startswith("(") and written.endswith(")"):
        written = f"-{written[1:-1]}"
    match = _AMOUNT.match(written)
    if match is None:
        return None
    sign, whole, fraction, unit = match.groups()
    return Decimal(f"{sign}{whole.replace(',', '')}{fraction or ''}"), unit or ""


def _plain(cell: Cell) -> str:
    return text(cell)


def _number(cell: int | float) -> Decimal:
    """The number that a spreadsheet shows: its fifteen digits, without the noise behind them."""
    if isinstance(cell, float) and not math.isfinite(cell):
        raise CellError(_("{cell} is not a number").format(cell=_quoted(str(cell))))
    return Decimal(cell) if isinstance(cell, int) else Decimal(f"{cell:.15g}")


def _exact(value: Decimal, cell: Cell) -> int:
    hundredths = value * 100
    if hundredths != int(hundredths):
        raise CellError(_("{cell} has more than two decimals").format(cell=_quoted(cell)))
    return int(hundredths)


def _no_day(cell: Cell) -> date:
    raise CellError(_("{cell} is not a day").format(cell=_quoted(cell)))


def _quoted(cell: Cell) -> str:
    return f"“{str(cell)[:40]}”"
