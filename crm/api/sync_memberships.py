"""Which customers come into a person's sight by memberships and go out of it again, while he follows a list.

A membership begins, ends, or goes over to the line of another customer; or its line goes over with it, when customers
are merged or a merge is taken back.
"""

from dataclasses import dataclass

from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from crm.api.sync_windows import Window
from crm.models import Change, CustomerLine, LineMember, User
from crm.models.customer import LineMemberQuerySet


@dataclass(frozen=True)
class Memberships:
    """Those by which a person sees customers, his own and others', in the changes of a window."""

    person: User
    window: Window

    def customers(self) -> QuerySet:
        """The customers to whom something of that happened, now and before."""
        moved = CustomerLine.objects.filter(pk__in=self._moved().values("object_id"))
        return self._changed().values("line__customer").union(moved.values("customer"), self.left())

    def standing(self) -> LineMemberQuerySet:
        """Memberships that hold, or may have held in the window."""
        return self._all().current() | self._changed()

    def ended(self) -> QuerySet:
        """The customers of memberships that end."""
        return self._all().filter(until_on__isnull=False).values("line__customer")

    def left(self) -> QuerySet:
        """The customers that a membership left for another line, or with its line."""
        gone = self.window.changes(LineMember).filter(is_tombstone=True, object_id__in=self._all().values("pk"))
        return self._moved().values("customer").union(gone.values("customer"))

    def _all(self) -> LineMemberQuerySet:
        return LineMember.objects.of_people(self.person.reach.people)

    def _changed(self) -> LineMemberQuerySet:
        return self._all().filter(pk__in=self.window.changes(LineMember).values("object_id"))

    def _moved(self) -> QuerySet[Change]:
        """Where lines were that went over to another customer while somebody saw it by them."""
        lines = self.window.changes(CustomerLine).filter(is_tombstone=True)
        return lines.filter(Exists(self._then_on_line()) | Exists(self._formerly_on_line()))

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
