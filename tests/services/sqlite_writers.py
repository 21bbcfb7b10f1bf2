"""Eight processes that read a row and write it back, on the database of DATABASE_URL.

    python -m tests.services.sqlite_writers [PROCESSES TRANSACTIONS]

Prints how often the row was written. One that cannot write ends with its error and not with 0.
"""

import os
import sys

import django
from django.db import connection, transaction


def main(processes: int = 8, transactions: int = 200) -> int:
    django.setup()
    from crm.models import Region  # noqa: PLC0415 - models need Django set up

    with connection.schema_editor() as editor:
        editor.create_model(Region)
    Region.objects.create(code="counter", name="0")
    connection.close()
    children = [fork(count, Region, transactions) for _ in range(processes)]
    outcomes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    sys.stdout.write(Region.objects.get().name)
    return sum(outcome != 0 for outcome in outcomes)


def fork(work, *arguments) -> int:
    pid = os.fork()
    if pid == 0:
        work(*arguments)  # an error ends the child with its traceback and with 1
        os._exit(0)
    return pid


def count(model, transactions: int) -> None:
    for _ in range(transactions):
        with transaction.atomic():
            row = model.objects.get()
            model.objects.update(name=int(row.name) + 1)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
