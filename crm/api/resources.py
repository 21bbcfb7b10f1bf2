"""The base of every resource: read within scope, write through one action."""

import builtins
from collections.abc import Sequence
from typing import Any, cast

from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework import mixins, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from crm.api import streaming
from crm.api.conditional import Conditional, data_with_version
from crm.api.filtering import refuse_unknown
from crm.api.idempotency import AnsweredOnce
from crm.api.pagination import Column
from crm.api.permissions import READ, WRITE
from crm.api.renderers import STREAMS, Stream
from crm.models import User
from crm.permissions import Permission

READING = ("list", "retrieve")


class Resource(AnsweredOnce, Conditional, viewsets.GenericViewSet):
    """A set of records: which exist for whom, who may do what with them.

    `permissions` and `scopes` are per action; `refusals` are the domain errors of its actions with their status.
    """

    http_method_names = ["get", "head", "post", "patch"]
    lookup_value_regex = "[0-9]{1,18}"
    default_ordering = "id"
    permissions: dict[str, Permission] = {}
    scopes: dict[str, tuple[str, ...]] = {}
    refusals: dict[type[Exception], int] = {}

    queryset: Any

    @property
    def person(self) -> User:
        """Who asks; RequiresPermission lets nobody else in."""
        return cast(User, self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count first, so that an answer says what is left whatever it refuses."""
        self.perform_authentication(request)
        super().check_throttles(request)
        super().initial(request, *args, **kwargs)

    def check_throttles(self, request: Request) -> None:
        """The request has been counted by now."""

    @classmethod
    def scopes_of(cls, action: str) -> tuple[str, ...]:
        """The scopes of which a token needs one."""
        return cls.scopes.get(action, READ if action in READING else WRITE)

    def get_queryset(self) -> QuerySet:
        """The records that exist for whoever asks, with all that the serializer shows."""
        return self.queryset.all().visible_to(self.person).for_list()

    def get_object(self) -> Any:
        """The record of the address; absent where it is not within scope."""
        refuse_unknown(self.request, {"format"})
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])


class Readable(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource):
    """A list and its records: pages of JSON, or the whole list as a stream."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Vary": "Accept"}

    def get_renderers(self) -> Any:
        streams = [renderer() for renderer in STREAMS if self.action == "list"]
        return [*super().get_renderers(), *streams]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        found = self.filter_queryset(self.get_queryset())
        if isinstance(request.accepted_renderer, Stream):
            return streaming.respond(request, self.records(found), self.basename)
        page = self.get_paginated_response(self.represent(self.paginate_queryset(found) or []))
        page.add_post_render_callback(self._let_go)
        return page

    def _let_go(self, page: Any) -> None:
        """View and answer hold each other until the garbage collector comes: too long for megabytes."""
        del self.response
        page.renderer_context.clear()

    def represent(self, records: Sequence[Any]) -> Sequence[Any]:
        """The objects of records, as a page shows them."""
        show = self.get_serializer().to_representation  # with many=True they would stay until the collector comes
        return [show(record) for record in records]

    def records(self, found: QuerySet) -> streaming.Records:
        """A whole list, to be streamed."""
        return streaming.SerializedRecords(found, self.represent, streaming.columns_of(self.get_serializer()))

    def read(self, found: QuerySet, column: Column) -> Sequence[Any]:
        """The records of a page, with their keys and what the list is sorted by."""
        return builtins.list(found)


class Creatable(Resource):
    """Records can be added by one action."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        refuse_unknown(request, {"format"})
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        record = self.save(serializer)
        shown = self.get_serializer(self.get_queryset().get(pk=record.pk))
        address = reverse(f"api:{self.basename}-detail", args=[record.pk], request=request)
        return Response(shown.data, status=201, headers={"Location": address})

    def save(self, serializer: Any) -> Model:
        """Save what the serializer has checked by the action that pages use too."""
        raise NotImplementedError


class Changeable(Creatable):
    """Records can be added and changed by one action, which compares versions."""

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        record = self.get_object()
        if not self.is_writable(record):
            raise PermissionDenied(_("You see this record, but it is not yours to change."), "not_yours")
        data = data_with_version(request, self.basename, record)
        serializer = self.get_serializer(record, data=data, partial=True)
        serializer.is_valid(raise_exception=True)
        saved = self.save(serializer)
        return Response(self.get_serializer(self.get_queryset().get(pk=saved.pk)).data)

    def is_writable(self, record: Any) -> bool:
        """Whether the record, which is visible, may be changed by whoever asks."""
        return self.queryset.all().writable_by(self.person).filter(pk=record.pk).exists()
