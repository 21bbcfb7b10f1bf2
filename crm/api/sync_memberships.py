"""Which customers come into a person's sight by memberships and go out of it again, while he follows a list.

A membership begins, ends, or goes over to the line of another customer; or its line goes over with it, when customers
are merged or a merge is taken back.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from crm.api.sync_windows import Window, few_or_all
from crm.models import Change, Customer, CustomerLine, LineMember, User
from crm.models.customer import LineMemberQuerySet


@dataclass(frozen=True)
class Memberships:
    """Those by which a person sees customers, his own and others', in the changes of a window."""

    person: User
    window: Window

    def customers(self) -> QuerySet:
        """The customers to whom something of that happened, now and before."""
        moved = CustomerLine.objects.filter(pk__in=[line for line, _customer in self._moved]).values("customer")
        changed = self._all().filter(pk__in=self._changed).values("line__customer")
        return changed.union(moved, Customer.objects.filter(pk__in=self.left).values("pk"))

    def standing(self) -> LineMemberQuerySet:
        """Memberships that hold, or may have held in the window."""
        return self._all().current() | self._all().filter(pk__in=self._changed)

    def ended(self) -> QuerySet:
        """The customers of memberships that end."""
        return self._all().filter(until_on__isnull=False).values("line__customer")

    @cached_property
    def left(self) -> set[int]:
        """The customers that a membership left for another line, or with its line."""
        gone = self.window.changes(LineMember).filter(is_tombstone=True, object_id__in=self._all().values("pk"))
        return {*gone.values_list("customer", flat=True), *(customer for _line, customer in self._moved)}

    @cached_property
    def _moved(self) -> list[tuple[int, int]]:
        """Lines that went over to another customer while somebody saw it by them, with the one they left."""
        lines = self.window.changes(CustomerLine).filter(is_tombstone=True)
        seen = lines.filter(Exists(self._then_on_line()) | Exists(self._formerly_on_line()))
        return list(seen.values_list("object_id", "customer"))

    @cached_property
    def _changed(self) -> Any:
        return few_or_all(self._all().filter(pk__in=self.window.changes(LineMember).values("object_id")))

    def _all(self) -> LineMemberQuerySet:
        return LineMember.objects.of_people(self.person.reach.people)

    def _then_on_line(self) -> QuerySet:
        begun_later = Change.objects.filter(
            table=LineMember._meta.db_table,
            object_id=OuterRef("pk"),
            before__isnull=True,
            is_tombstone=False,
            sequence__gt=OuterRef(OuterRef("sequence")),
        )
        return self.standing().filter(~Exists(begun_later), line=OuterRef("object_id"))

    def _formerly_on_line(self) -> QuerySet:
        changes = self.window.changes(LineMember).filter(object_id__in=self._all().values("pk"))
        former = changes.annotate(former=Cast(KT("before__line_id"), BigIntegerField()))
        return former.filter(former=OuterRef("object_id"))
