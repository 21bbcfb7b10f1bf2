"""Following a list: what changed since a moment or since the last call, and what is gone (docs/adr/0011).

A record has changed where anything in its object may have: the record itself, or one that its object shows. Both are
found in the change log and read up to the oldest open transaction, from where the next call goes on: nothing is missed,
some things come twice. What the reader may not see is told only where it was within his sight.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from crm.api import sync_tokens
from crm.api.pagination import KeysetPagination, page_size
from crm.api.resources import Readable
from crm.api.sync_memberships import Memberships
from crm.api.sync_windows import Window, few_or_all
from crm.lib.filtering import ListFilters
from crm.lib.transactions import one_moment
from crm.models import Change, Customer, CustomerLine, LineMember, User

PARAMETER = "changed_since"
MOVING = {LineMember._meta.db_table, CustomerLine._meta.db_table}


@dataclass(frozen=True)
class Feed:
    """What a resource's objects are made of.

    `customer` leads to the customer whose scope is theirs; `shows` are paths to the records that the object shows;
    `fixed` are filters whose answer never changes for a record, so that what they leave out is never told.
    """

    customer: str = ""
    shows: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Whose change changes the object: its own record, its customer, what it shows."""
        own = () if self.customer in ("", "pk") else (self.customer,)
        return tuple(dict.fromkeys(("pk", *own, *self.shows)))


class SyncedPagination(KeysetPagination):
    """Pages of a list that can be followed."""

    def get_schema_operation_parameters(self, view) -> list[dict[str, Any]]:
        """With `changed_since`."""
        description = (
            "Only what changed: since a moment (RFC 3339) on the first call, since the `sync` of an earlier answer "
            "after that. Sorted by id; records that are gone come as {id, deleted}."
        )
        mine = {"name": PARAMETER, "in": "query", "required": False, "description": description}
        return [*super().get_schema_operation_parameters(view), {**mine, "schema": {"type": "string"}}]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """With tombstones and the token."""
        gone = {
            "type": "object",
            "title": "Tombstone",
            "required": ["id", "deleted"],
            "properties": {"id": {"type": "integer"}, "deleted": {"type": "boolean", "const": True}},
            "additionalProperties": False,
        }
        envelope = super().get_paginated_response_schema({"type": "array", "items": {"anyOf": [schema["items"], gone]}})
        token = {"type": "string", "description": "With changed_since only: what to send as changed_since next time."}
        envelope["properties"]["sync"] = token
        return envelope


class Synced(Readable):
    """A list that can be followed with `changed_since`."""

    pagination_class = SyncedPagination
    feed = Feed()
    list_parameters: tuple[str, ...] = (PARAMETER,)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        if PARAMETER in request.query_params:
            # Which records, and whose they were, is asked in turn: what moves in between would be told by neither.
            with one_moment():
                return Following(self, request).response()
        return super().list(request, *args, **kwargs)

    def followed(self) -> QuerySet:
        """The records that may be told of at all, to whoever asks."""
        return self.queryset.model._base_manager.all()

    def edition(self) -> str:
        """What else decides which records the list has: where it differs from the token's, one starts again."""
        return ""

    def changed_besides(self, window: Window) -> Iterator[QuerySet]:
        """Records that changed without a row of their own in the change log."""
        return iter(())

    def seen_before(self, window: Window) -> Q | None:
        """Which records out of sight were within it in the window; None where there are none."""
        return Formerly(self.feed, self.person, window).condition(self.queryset.model) if self.feed.customer else None


class Following:
    """One call: which records changed, how they are now, and where the next call goes on."""

    def __init__(self, view: Synced, request: Request) -> None:
        self.view, self.request, self.person = view, request, view.person
        refuse_forms(request)
        self.token = sync_tokens.Binding.of(request, view.person, view.edition())
        self.found = self._filtered()
        self.filters: ListFilters = view.list_filters  # type: ignore[attr-defined]
        refuse_order(self.filters)
        place = sync_tokens.place_of(request, self.token)
        self.window, self.last = (Window(*place[0]), place[1]) if place else (self._begin(), 0)

    def response(self) -> Response:
        """The page in the envelope of every list, with `sync`."""
        size = page_size(self.request)
        ids = self._ids(size + 1)
        page = ids[:size]
        return Response(
            {
                "next": self._address(page[-1]) if len(ids) > size else None,
                "previous": None,
                "results": self._objects(page),
                "sync": self.token.sign(self.window.following),
            }
        )

    def _filtered(self) -> QuerySet:
        """The list as it is asked for. Raises OutOfReach where a record that it is filtered by was there once."""
        try:
            return self.view.filter_queryset(self.view.get_queryset())
        except ValidationError as error:
            if not self.token.goes_on(self.request):
                raise
            sentence = _("A record that the list is filtered by is there for you no more. Forget what you read of it.")
            raise sync_tokens.OutOfReach(sentence) from error

    def _begin(self) -> Window:
        since = sync_tokens.since(self.request.query_params[PARAMETER], self.token)
        return Window.from_moment(since) if isinstance(since, datetime) else Window.after(since)

    def _objects(self, ids: Sequence[int]) -> list[Any]:
        shown = self.view.represent(list(self.found.filter(pk__in=ids).order_by()))
        by_id = {row["id"]: row for row in shown}
        return [by_id.get(pk, {"id": pk, "deleted": True}) for pk in ids]

    def _address(self, last: int) -> str:
        place = sync_tokens.sign_place(self.window._replace(moment=self._moment), last, self.request, self.token)
        return replace_query_param(self.request.build_absolute_uri(), "cursor", place)

    @property
    def _moment(self) -> Any:
        return self.window.moment and self.window.moment.isoformat()

    def _ids(self, count: int) -> list[int]:
        """The next ids, in order: what changed, or from the log's beginning what is there and what has gone."""
        if not self.window.is_everything:
            return self._next(self._changed_records(), count)
        return sorted({*self._next(self.found, count), *self._next(self._gone(), count)})[:count]

    def _next(self, records: QuerySet, count: int) -> list[int]:
        return list(records.filter(pk__gt=self.last).order_by("pk").values_list("pk", flat=True)[:count])

    def _changed_records(self) -> QuerySet:
        changed = self._records().filter(pk__in=few_or_all(self._changed()))
        former = self._former()
        return changed if former is None else changed.filter(Q(self._exists(self.view.get_queryset())) | former)

    def _gone(self) -> QuerySet:
        """What the log says was deleted or went elsewhere; the rest of what changed is there."""
        parted = Q(pk__in=self.window.partings(self.view.queryset.model).values("object_id"))
        if self.view.feed.customer:
            memberships = Memberships(self.person, self.window)
            customers = self.window.partings(Customer).values("object_id").union(memberships.ended())
            parted |= Q(**{f"{self.view.feed.customer}__in": customers})
            parted |= Q(**{f"{self.view.feed.customer}__in": memberships.left})
        gone = self._records().filter(parted).exclude(self._exists(self.view.get_queryset()))
        former = self._former()
        return gone if former is None else gone.filter(former)

    def _former(self) -> Q | None:
        """None where everything that there is may be told of."""
        if self.person.sees_all_regions:
            return None
        return self.view.seen_before(self.window) or Q(pk__in=())

    def _records(self) -> QuerySet:
        filters = self.filters
        records = self.view.followed()
        for name in self.view.feed.fixed:
            records = filters.filters[name].filter(records, filters.form.cleaned_data[name])
        return records

    @staticmethod
    def _exists(queryset: QuerySet) -> Exists:
        return Exists(queryset.order_by().filter(pk=OuterRef("pk")))

    def _changed(self) -> QuerySet:
        """The ids of what changed; tables without a change are not asked."""
        model = self.view.queryset.model
        parts = [part.order_by().values("pk") for part in self._parts(model)]
        return parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]

    def _parts(self, model: type[Model]) -> Iterator[QuerySet]:
        records = model._base_manager.all()
        for path in self.view.feed.paths:
            for ids in self._sources[path]:
                yield records.filter(**{f"{path}__in": ids})
        yield from self.view.changed_besides(self.window)
        yield records.none()

    @cached_property
    def _sources(self) -> dict[str, list[QuerySet]]:
        """For each path, what says which records at its end changed."""
        models = {path: end_of(self.view.queryset.model, path) for path in self.view.feed.paths}
        logged: set[type[Model]] = {*models.values(), LineMember, CustomerLine}
        busy = set(self.window.changes(*logged).order_by().values_list("table", flat=True).distinct())
        return {path: list(self._sources_of(model, busy)) for path, model in models.items()}

    def _sources_of(self, model: type[Model], busy: set[str]) -> Iterator[QuerySet]:
        if model._meta.db_table in busy:
            yield self.window.changes(model).values("object_id")
        if model is CustomerLine:
            yield CustomerLine.objects.filter(self.window.within("labels_transaction")).values("pk")
        if model is Customer and busy & MOVING and not self.person.reach.is_one_region:
            yield Memberships(self.person, self.window).customers()


@dataclass(frozen=True)
class Formerly:
    """What was within a person's sight when it changed, though it may be no more."""

    feed: Feed
    person: User
    window: Window

    def condition(self, model: type[Model]) -> Q:
        """Records that left the person's place themselves, or whose customer did."""
        left = self._theirs(self.window.changes(model)).values("object_id")
        return Q(pk__in=left) | Q(**{f"{self.feed.customer}__in": self._customers()})

    def _theirs(self, changes: QuerySet[Change]) -> QuerySet[Change]:
        reach = self.person.reach
        if reach.is_one_region:
            # By the row's region, or its customer's: it may have come, and gone again, while the change was under way.
            place = Q(region=reach.regions[0]) | Q(customer__region=reach.regions[0])
            return changes.filter(place | Q(customer__in=self._customers()))
        theirs = Q(customer__in=self._customers())
        return changes.filter(theirs | Q(region__in=reach.regions) if reach.regions else theirs)

    def _customers(self) -> QuerySet:
        reach = self.person.reach
        in_regions = self.window.changes(Customer).filter(region__in=reach.regions).values("object_id")
        if reach.is_one_region:
            return in_regions
        memberships = Memberships(self.person, self.window)
        mine = Q(pk__in=memberships.standing().values("line__customer")) | Q(pk__in=memberships.left)
        if reach.branches:
            moved = self.window.changes(Customer).filter(before__branch_id__in=reach.branches)
            mine |= Q(branch_id__in=reach.branches) | Q(pk__in=moved.values("object_id"))
        if reach.regions:
            mine |= Q(region_id__in=reach.regions) | Q(pk__in=in_regions)
        return Customer.objects.filter(mine).values("pk")


def end_of(model: type[Model], path: str) -> type[Model]:
    """The model that a path leads to."""
    for name in path.split("__"):
        model = model if name == "pk" else model._meta.get_field(name).related_model  # type: ignore[assignment]
    return model


def refuse_forms(request: Request) -> None:
    """Raise for a stream: what changed comes in pages."""
    if request.accepted_renderer.format != "json":
        sentence = _("What changed comes in pages of JSON. Leave the format out.")
        raise ValidationError({PARAMETER: [ErrorDetail(sentence, "no_stream")]})


def refuse_order(filters: ListFilters) -> None:
    """Raise for an ordering: what is gone has no values to be sorted by."""
    if filters.form.cleaned_data.get("ordering") not in ("", None, "id"):
        sentence = _("What changed is sorted by id. Leave the ordering out.")
        raise ValidationError({"ordering": [ErrorDetail(sentence, "not_sortable")]})
