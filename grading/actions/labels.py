"""The labels on customer lines that every app may read: moved from the grades of the year in effect."""

from collections.abc import Sequence
from datetime import date

from django.db import connection, transaction

from crm.actions.jobs import finish_job, once_a_day
from crm.lib.transactions import transaction_number
from grading.models import Cycle

# label of the customer line: column of the record
_LABELS = {
    "state": "state",
    "grade": "letter",
    "score": "score",
    "expected_close_on": "expected_close_on",
    "potential_sales": "potential_sales",
}


@transaction.atomic
def move_labels(*, today: date, line_ids: Sequence[int] | None = None) -> int:
    """Bring the labels to the grades that count today; of some lines where given. Returns how many moved.

    The grades that count are those of the latest published cycle whose fiscal year has begun; with none, nothing moves.
    """
    cycle = Cycle.objects.effective(today).first()
    if cycle is None or (line_ids is not None and not line_ids):
        return 0
    differs = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    some = "" if line_ids is None else f" AND l.id IN ({', '.join(f'{pk:d}' for pk in line_ids)})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE crm_customerline AS l
                SET {", ".join(f"{label} = r.{column}" for label, column in _LABELS.items())},
                    fiscal_year = g.fiscal_year, labels_transaction = %(transaction)s
                FROM grading_grade g JOIN grading_graderecord r ON r.id = g.record_id
                WHERE g.line_id = l.id AND g.fiscal_year = %(year)s{some}
                    AND ({", ".join(f"l.{label}" for label in _LABELS)}, l.fiscal_year)
                        {differs} ({", ".join(f"r.{column}" for column in _LABELS.values())}, g.fiscal_year)""",
            {"year": cycle.fiscal_year, "transaction": transaction_number()},
        )
        return int(cursor.rowcount)


def move_labels_once(*, today: date) -> int:
    """Move the labels if nobody has done so today. Returns how many moved."""
    job, is_new = once_a_day(kind="move-labels", day=today)
    if not is_new:
        return 0
    moved = move_labels(today=today)
    finish_job(job.pk, done=moved)
    return moved
