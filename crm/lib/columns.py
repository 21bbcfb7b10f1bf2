"""The columns of a list: declared once, for the page and for the file that is made of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crm.lib import exports
from crm.lib.exports import Type
from crm.lib.listing import Column

Words = str | Promise
PARAMETER = "columns"


class Place(NamedTuple):
    """Where a row stands: what of the list's address comes before one more parameter, and how many rows before it."""

    query: str
    at: int


@dataclass(frozen=True)
class ListColumn:
    """A column: where its value comes from, what it holds, how the page draws it and how a file names it."""

    key: str
    label: Words
    value: Callable[[Any], Any]
    type: Type = Type.TEXT
    unit: Words = ""  # of the page's figures; files hold yuan and percent
    header: Words = ""  # in a file, where it is not the label
    file_value: Callable[[Any], Any] | None = None  # in a file, where a page's short word would not find it again
    template: str = ""  # how the page draws it, where its value alone is not enough
    draw: Callable[[Any, Place], SafeString | str] | None = None  # the same, and much quicker: what stands in the cell
    css: str = ""
    is_sortable: bool = False
    is_shown: bool = True  # on the page, unless the reader chooses
    is_added: bool = False  # to a file where the page leaves it out, unless the reader chooses
    is_in_file: bool = True
    is_name: bool = False  # a number that names something, as a year does, and is no figure
    is_silent: bool = False  # buttons: neither head nor card says so

    @property
    def is_numeric(self) -> bool:
        """Whether it holds figures."""
        return not self.is_name and self.type in (Type.WHOLE, Type.MONEY, Type.PERCENT, Type.POINTS)

    @property
    def read_for_file(self) -> Callable[[Any], Any]:
        """What gives a file's cell."""
        return self.file_value or self.value

    def head(self) -> Column:
        """The column's head on the page."""
        return Column(
            self.key,
            str(self.label),
            unit=str(self.unit),
            is_numeric=self.is_numeric,
            is_sortable=self.is_sortable,
            is_silent=self.is_silent,
        )

    def as_file_column(self) -> exports.Column:
        """The column as a file has it."""
        return exports.Column(str(self.header or self.label), self.type)


@dataclass(frozen=True)
class Choice:
    """The columns that an address asks for, all that there are, and the words that name none."""

    shown: list[ListColumn]
    offered: list[ListColumn]
    unknown: list[str]
    is_chosen: bool

    @property
    def notes(self) -> list[str]:
        """What the address names and the list does not have, in sentences."""
        return [_("There is no column “{name}”; it is left out.").format(name=name) for name in self.unknown]

    @property
    def heads(self) -> list[Column]:
        """The heads of the shown columns."""
        return [column.head() for column in self.shown]

    @property
    def in_file(self) -> list[ListColumn]:
        """Those of a file: what is chosen, else what is shown and the few that people expect in a file."""
        columns = self.shown if self.is_chosen else [one for one in self.offered if one.is_shown or one.is_added]
        return [column for column in columns if column.is_in_file]

    @property
    def keys(self) -> list[str]:
        """The shown columns by name."""
        return [column.key for column in self.shown]


def choose(columns: Sequence[ListColumn], params: QueryDict) -> Choice:
    """The columns of an address, in its order (`columns=name,code`); the list's own where it names none.

    The first column says what a row is about: it always stands first.
    """
    wanted = [word for words in params.getlist(PARAMETER) for word in words.split(",") if word]
    known = {column.key: column for column in columns}
    chosen = [known[word] for word in dict.fromkeys(wanted) if word in known]
    if chosen:
        first = columns[0]
        shown = [first, *(column for column in chosen if column is not first)]
    else:
        shown = [column for column in columns if column.is_shown]
    unknown = [word for word in dict.fromkeys(wanted) if word not in known]
    return Choice(shown, list(columns), unknown, is_chosen=bool(chosen))
