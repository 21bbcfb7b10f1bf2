"""The tokens of following: signed, bound to the list, its filters and the reader; a moment serves the first call."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple, Self

from django.core import signing
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.request import Request

from crm.api.pagination import binding
from crm.api.problems import BadCursor
from crm.models import LineMember, User

KEPT_DAYS = 90
TOKENS = signing.Signer(salt="hengke.api.sync")
PLACES = signing.Signer(salt="hengke.api.sync.place")
OF_THE_PAGE = ("changed_since", "cursor", "page_size", "format", "ordering")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+ -]\d\d:\d\d)", re.ASCII)


class BadSync(APIException):
    """A sync token that was not made for this list."""

    status_code = 400
    default_code = "invalid_sync"


class OutOfReach(APIException):
    """A sync token from which one cannot go on: start again."""

    status_code = 410
    default_code = "sync_expired"


class Binding(NamedTuple):
    """What a token holds for: the reader's list with its filters, and what exists for him."""

    listed: str
    scope: str

    @classmethod
    def of(cls, request: Request, person: User, edition: str) -> Self:
        """That of a request."""
        asked = sorted(
            (name, value)
            for name, values in request.query_params.lists()
            if name not in OF_THE_PAGE
            for value in values
        )
        place = (person.role, person.region_id, person.branch_id, _guided(person), *_dated(person), edition)
        return cls(_digest((person.pk, request.path, asked)), _digest(place))

    def sign(self, number: int) -> str:
        """The token from which the next call goes on."""
        return TOKENS.sign_object([number, *self, _today()])

    def number_of(self, token: str) -> int:
        """Where a token goes on. Raises BadSync for one of another list, OutOfReach where it is of no use any more."""
        try:
            number, listed, scope, day = TOKENS.unsign_object(token)
        except signing.BadSignature as error:
            sentence = _("This is neither a moment such as 2026-11-21T08:00:00Z nor a sync token.")
            raise ValidationError({"changed_since": [ErrorDetail(sentence, "invalid")]}) from error
        if listed != self.listed:
            raise BadSync(_("The sync token belongs to another list or other filters. Start again without it."))
        self.refuse_other_scope(scope)
        if day < _today() - KEPT_DAYS:
            sentence = _("The sync token is older than {days} days. Read the list from the start.")
            raise OutOfReach(sentence.format(days=KEPT_DAYS))
        return int(number)

    def goes_on(self, request: Request) -> bool:
        """Whether the reader has been given this very list before: by the token or the cursor that he sends."""
        given = (TOKENS, request.query_params["changed_since"], 1), (PLACES, request.query_params.get("cursor", ""), 3)
        return any(_part(signer, word, at) == self.listed for signer, word, at in given)

    def refuse_other_scope(self, scope: str) -> None:
        """Raise OutOfReach where something else exists for the reader by now."""
        if scope != self.scope:
            raise OutOfReach(_("What you see has changed since the sync token was made. Read the list from the start."))


def since(word: str, token: Binding) -> datetime | int:
    """What `changed_since` says: a moment, or the number in a token. Raises ValidationError, BadSync, OutOfReach."""
    if not word[:4].isdigit():
        return token.number_of(word)
    moment = _moment(word)
    if moment is None:
        sentence = _("Write a moment with its time zone, such as 2026-11-21T08:00:00Z or 2026-11-21T16:00:00+08:00.")
        raise ValidationError({"changed_since": [ErrorDetail(sentence, "invalid")]})
    return moment


def sign_place(window: tuple, last: int, request: Request, token: Binding) -> str:
    """The cursor of the page after the record `last`."""
    return PLACES.sign_object([list(window), last, binding(request), *token])


def place_of(request: Request, token: Binding) -> tuple[list[Any], int] | None:
    """The window and the last record of the page before; None on the first page. Raises BadCursor, OutOfReach."""
    word = request.query_params.get("cursor")
    if word is None:
        return None
    try:
        (begin, moment, *rest), last, made_for, listed, scope = PLACES.unsign_object(word)
    except signing.BadSignature as error:
        raise BadCursor(_("The cursor cannot be read. Start again without it.")) from error
    if (made_for, listed) != (binding(request), token.listed):
        raise BadCursor(_("The cursor belongs to other filters or another ordering. Start again without it."))
    token.refuse_other_scope(scope)
    return [begin, moment and datetime.fromisoformat(moment), *rest], last


def _moment(word: str) -> datetime | None:
    """In UTC: PostgreSQL knows no offset of more than 15 hours and 59 minutes."""
    if not MOMENT.fullmatch(word):
        return None
    written = f"{word[:-6]}+{word[-5:]}" if word[-6] == " " else word  # a plus sign that nobody escaped
    try:
        parsed = parse_datetime(written.upper())
        return parsed and parsed.astimezone(UTC)
    except (ValueError, OverflowError):  # no such day or hour, or one before the first year or after the last
        return None


def _part(signer: signing.Signer, word: str, at: int) -> Any:
    try:
        return signer.unsign_object(word)[at]
    except signing.BadSignature:
        return None


def _guided(person: User) -> list[int]:
    """The people whose customers the person sees too."""
    reach = person.reach
    if person.sees_all_regions or reach.is_one_region:
        return []
    return sorted(User.objects.filter(guided_by__in=reach.people).values_list("pk", flat=True))


def _dated(person: User) -> tuple[Any, ...]:
    """What the calendar changes without a row in the change log: delegations, and memberships that begin or end."""
    reach = person.reach
    if person.sees_all_regions or reach.is_one_region:
        return ()
    members = LineMember.objects.dated_ahead().of_people(reach.people)
    return (reach, sorted(members.values_list("pk", "from_on", "until_on")))


def _digest(parts: Any) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:16]


def _today() -> int:
    return timezone.localdate().toordinal()
