"""What a customer's timeline knows of grades: each move, out of the grade records."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from crm.models import Customer, CustomerKind, CustomerLine, User, people_seen_by
from crm.panels import Event
from crm.permissions import Permission, can
from crm.timeline import GRADES
from grading.models import GradeRecord

_MOST = 1_000


def grades_of_customer(*, customer: Customer, user: User) -> list[Event]:
    """The moves of all grades of a customer that the person sees."""
    if not can(user, Permission.VIEW_GRADES) or customer.kind != CustomerKind.CUSTOMER:
        return []
    records = records_of(user, customer, _MOST)
    lines = CustomerLine.objects.visible_to(user).filter(customer=customer, is_active=True)
    return [event for line in lines.select_related("product_line") for event in moves(line, records)]


def records_of(user: User, customer: Customer, most: int) -> list[Any]:
    """The published records of a customer, newest first, each made by a person whom the reader knows, or by nobody."""
    records = GradeRecord.objects.visible_to(user).filter(grade__line__customer=customer)
    named = records.annotate(line_id=F("grade__line"), fiscal_year=F("grade__fiscal_year"))
    return list(named.prefetch_related(people_seen_by(user, "by")).order_by("-recorded_at", "-pk")[:most])


def moves(line: CustomerLine, records: Sequence[Any]) -> Iterator[Event]:
    """Each time that a line's grade became another one, out of records from the newest to the oldest."""
    own = [record for record in records if record.line_id == line.pk]
    for record, before in pairwise([*own, None]):
        if record is not None and (before is None or _standing(record) != _standing(before)):
            if before is None:
                title = _("{line}: {grade}").format(line=line.product_line, grade=_standing(record))
            else:
                title = _("{line}: {before} → {grade}").format(
                    line=line.product_line, before=_standing(before), grade=_standing(record)
                )
            yield Event(record.recorded_at, title, by=str(record.by or record.get_cause_display()), topic=GRADES)


def _standing(record: Any) -> str:
    return str(record.letter or record.get_state_display())
