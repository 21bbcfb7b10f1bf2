"""The one pattern of all lists: filters as chips, sorted heads, pages, everything in the address."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext as _

PAGE_SIZES = (25, 50, 100, 200)
_USUAL = 50
COUNTED = 10_000  # beyond it a list says "10,000+": an exact count of a huge table costs more than its page
_SIZE_KEY = "page_size"
_OWN = frozenset({"page", _SIZE_KEY, "at", "columns"})
_SILENT = frozenset({"search", "ordering"})  # shown in the box and in the heads, so not as chips


@dataclass(frozen=True)
class Column:
    """A column of a list; a sortable one has its key among the filters' orderings."""

    key: str
    label: str
    unit: str = ""
    is_numeric: bool = False
    is_sortable: bool = True
    is_silent: bool = False


class Filters(Protocol):
    """What a list asks of its filters (crm.filters.ListFilters)."""

    data: QueryDict
    default_ordering: str

    @property
    def form(self) -> Form: ...

    @property
    def qs(self) -> QuerySet: ...


class Address:
    """The page's address; every link of a list is this with something changed."""

    def __init__(self, path: str, params: QueryDict) -> None:
        self.path, self.params = path, params

    def having(self, **changes: Any) -> str:
        """The address with other parameters; None removes one, "" stays as an explicit "all"."""
        params = self.params.copy()
        for name, value in changes.items():
            if value is None:
                params.pop(name, None)
            else:
                params[name] = value
        return f"{self.path}?{params.urlencode()}" if params else self.path

    def cleared(self, *, keep: Collection[str], **changes: Any) -> str:
        """The address without its parameters but some."""
        dropped = [name for name in self.params if name not in keep]
        return self.having(**(dict.fromkeys(dropped) | changes))


@dataclass
class Listing:
    """A page of a list as its template shows it."""

    address: Address
    columns: list[dict[str, Any]] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    page: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    first: int = 0  # how many rows come before this page's

    @property
    def is_beyond(self) -> bool:
        """Whether the page lies behind the list's last one."""
        return not self.rows and self.first > 0

    @property
    def first_url(self) -> str:
        """Where it begins."""
        return self.address.having(page=None)

    @cached_property
    def query(self) -> str:
        """What of the address stands before one more parameter."""
        return f"{self.address.params.urlencode()}&" if self.address.params else ""


def page_of(
    request: HttpRequest, filters: Filters, columns: Sequence[Column], sizes: Sequence[int] = PAGE_SIZES
) -> Listing:
    """The page that the address asks for. A parameter that makes no sense is said, and shows no rows."""
    address = Address(request.path, request.GET)
    size, wrong_size = _size(request, sizes)
    number, wrong_number = _number(request.GET.get("page") or "1")
    wrong = [*errors_of(filters), *filter(None, (wrong_size, wrong_number))]
    listing = Listing(address, errors=wrong)
    listing.columns = _heads(columns, filters, address)
    if not wrong:
        _fill(listing, filters.qs, number, size, sizes)
    return listing


def filter_params(params: QueryDict) -> QueryDict:
    """What of an address is for the filters: neither the list's own parameters nor empty ones."""
    found = QueryDict(mutable=True)
    for name, values in params.lists():
        given = [value for value in values if value != ""]
        if given and name not in _OWN:
            found.setlist(name, given)
    return found


def chips(
    filters: Filters, address: Address, *, all_is_explicit: Collection[str] = (), silent: Collection[str] = ()
) -> list[dict[str, str]]:
    """The filters in force, each with the address that drops it; some drop to an explicit "all" (`region=`)."""
    found = []
    for name in filters.data:
        is_shown = name in filters.form.fields and name not in (*_SILENT, *silent)
        if is_shown and name not in filters.form.errors:
            words = _(", ").join(_words(filters, name))
            label = _("{filter}: {values}").format(filter=filters.form.fields[name].label, values=words)
            dropped = address.having(**{name: "" if name in all_is_explicit else None, "page": None})
            found.append({"label": label, "remove_url": dropped})
    return found


def pickers(filters: Filters, names: Iterable[str]) -> list[dict[str, Any]]:
    """The filters that offer a choice, each with what is not chosen yet."""
    return [
        {
            "name": name,
            "label": filters.form.fields[name].label,
            "choices": [choice for choice in _choices(filters, name) if choice[0] not in filters.data.getlist(name)],
        }
        for name in names
    ]


def orders(filters: Filters, columns: Iterable[Column]) -> list[tuple[str, str, bool]]:
    """What a list can be sorted by where it has no heads: value ("" for the usual order), words, whether it is so."""
    usual = filters.default_ordering
    asked = "" if "ordering" in filters.form.errors else filters.data.get("ordering")
    current = asked or usual
    words: dict[str, str] = {}
    for column in columns:
        if column.is_sortable:
            words[column.key] = _("{column}, ascending").format(column=column.label)
            words[f"-{column.key}"] = _("{column}, descending").format(column=column.label)
    if words:
        words.setdefault(usual, _("Usual order"))
        words.setdefault(current, _("Present order"))
    return [("" if order == usual else order, label, order == current) for order, label in words.items()]


def hidden(params: QueryDict, *, but: Iterable[str] = ("search", "page")) -> list[tuple[str, str]]:
    """What a filter form must carry along beside its own fields."""
    return [(name, value) for name, values in params.lists() if name not in but for value in values]


def neighbours(filters: Filters, at: int) -> list[int]:
    """The primary keys from one before to one after position `at` of the list one came from."""
    return list(filters.qs.values_list("pk", flat=True)[max(0, at - 1) : at + 2]) if filters.form.is_valid() else []


def errors_of(filters: Filters) -> list[str]:
    """What of the address the filters do not know or cannot read, in sentences."""
    form = filters.form
    unknown = [_("There is no filter “{name}”.").format(name=name) for name in form.data if name not in form.fields]
    wrong = [
        f"{form.fields[name].label}: {error}" if name in form.fields else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]
    return unknown + wrong


def _fill(listing: Listing, rows: QuerySet, number: int, size: int, sizes: Sequence[int]) -> None:
    listing.first = (number - 1) * size
    found = list(rows[listing.first : listing.first + size + 1])
    listing.rows = found[:size]
    has_next = len(found) > size
    seen = listing.first + len(listing.rows)
    total = rows.order_by()[: COUNTED + 1].count() if has_next or number > 1 else seen
    address = listing.address
    listing.page = {
        "first": listing.first + 1 if listing.rows else 0,
        "last": seen,
        "total_label": _("{count}+").format(count=_number_text(COUNTED)) if total > COUNTED else _number_text(total),
        "previous_url": address.having(page=str(number - 1)) if number > 1 else "",
        "next_url": address.having(page=str(number + 1)) if has_next else "",
        "sizes": [
            {"size": choice, "url": address.having(page_size=str(choice), page=None), "current": choice == size}
            for choice in sizes
        ],
    }


def _number_text(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)


def _heads(columns: Sequence[Column], filters: Filters, address: Address) -> list[dict[str, Any]]:
    ordering = filters.data.get("ordering") or filters.default_ordering
    return [
        {
            "label": column.label,
            "unit": column.unit,
            "numeric": column.is_numeric,
            "silent": column.is_silent,
            "url": address.having(ordering=_turned(column, ordering), page=None) if column.is_sortable else "",
            "sorted": {column.key: "ascending", f"-{column.key}": "descending"}.get(ordering, ""),
        }
        for column in columns
    ]


def _turned(column: Column, ordering: str) -> str:
    """What a click on the head asks for: figures start with the largest, words with the first."""
    up, down = column.key, f"-{column.key}"
    if ordering in (up, down):
        return up if ordering == down else down
    return down if column.is_numeric else up


def _size(request: HttpRequest, sizes: Sequence[int]) -> tuple[int, str]:
    asked, usual = request.GET.get(_SIZE_KEY), _USUAL if _USUAL in sizes else sizes[0]
    if asked is None:
        kept = request.session.get(_SIZE_KEY, usual)
        return kept if kept in sizes else usual, ""
    if asked not in map(str, sizes):
        return usual, _("A page has {sizes} rows, not “{size}”.").format(
            sizes=_(", ").join(map(str, sizes)), size=asked
        )
    if request.session.get(_SIZE_KEY) != int(asked):
        request.session[_SIZE_KEY] = int(asked)
    return int(asked), ""


def _number(asked: str) -> tuple[int, str]:
    if asked.isascii() and asked.isdigit() and 0 < int(asked) <= 100_000:
        return int(asked), ""
    return 1, _("There is no page “{number}”.").format(number=asked)


def _choices(filters: Filters, name: str) -> list[tuple[str, str]]:
    offered = getattr(filters.form.fields[name], "choices", ())
    return [(str(value), str(label)) for value, label in offered if str(value)]


def _words(filters: Filters, name: str) -> list[str]:
    labels = dict(_choices(filters, name))
    return [labels.get(value, value) for value in filters.data.getlist(name)]
