"""Import a table of customers, sales or assessments."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from crm.actions.imports import Kind, Mode, Outcome, Report, Row, import_kinds, import_table
from crm.lib.cells import text
from crm.lib.mappings import ColumnMap, MappingUnreadable, read_mapping
from crm.lib.spreadsheets import FileUnreadable, Table, read_table, write_csv
from crm.models import User
from crm.permissions import can

FIRST_REASONS = 10


class Command(BaseCommand):
    """manage.py import_file KIND FILE [--mode create|update|both] [--mapping FILE] [--dry-run] [--strict]"""

    help = (
        "Import an xlsx or csv file (UTF-8 or GB18030). All rows are checked first; accepted rows are one transaction, "
        "rejected rows go to FILE.rejected.csv with their reasons. A blank cell leaves a stored value as it is. "
        "Exit status 1 if any row was rejected."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(import_kinds()), help="what the rows are")
        parser.add_argument("file", type=Path, help="an .xlsx or .csv file; its first row holds the headers")
        parser.add_argument(
            "--mode", type=Mode, choices=list(Mode), default=Mode.BOTH, help="which rows are wanted (both)"
        )
        parser.add_argument("--mapping", type=Path, help="JSON or TOML: where each column comes from")
        parser.add_argument("--dry-run", action="store_true", help="check and count, change nothing")
        parser.add_argument("--strict", action="store_true", help="apply nothing if any row is rejected")
        parser.add_argument(
            "--as", dest="username", metavar="USERNAME", help="import what this person may see and change"
        )

    @no_translations
    def handle(self, *, kind: str, file: Path, **options: Any) -> None:
        chosen, by = import_kinds()[kind], self._person(options["username"], kind)
        try:
            table = read_table(file)
            column_map = read_mapping(options["mapping"], tables_in=file.parent) if options["mapping"] else None
            self._show_assumptions(column_map)
            report = import_table(
                kind=chosen,
                table=table,
                by=by,
                column_map=column_map,
                mode=options["mode"],
                is_strict=options["strict"],
                is_dry_run=options["dry_run"],
            )
        except (FileUnreadable, MappingUnreadable) as error:
            raise CommandError(str(error)) from error
        self._show(chosen, report)
        if report.rejected:
            self._show_rejected(report, table, file)
            sys.exit(1)

    def _person(self, username: str | None, kind: str) -> User | None:
        if username is None:
            return None
        person = User.objects.filter(username=username, is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active person {username}.")
        if not can(person, import_kinds()[kind].permission):
            raise CommandError(f"{username} ({person.get_role_display()}) may not change {kind}.")
        return person

    def _show_assumptions(self, column_map: ColumnMap | None) -> None:
        for assumption in column_map.assumptions if column_map else ():
            self.stdout.write(f"Assumed: {assumption}")

    def _show(self, kind: Kind, report: Report) -> None:
        counts = ", ".join(f"{outcome} {report.count(outcome):,}" for outcome in Outcome)
        self.stdout.write(f"{kind.name}: {counts}")
        if report.left_out:
            self.stdout.write(f"Left out by the mapping: {report.left_out:,} rows")
        if report.combined:
            self.stdout.write(f"Added to an earlier row of the same record: {report.combined:,} rows")
        if not report.is_applied:
            self.stdout.write("Nothing was changed.")

    def _show_rejected(self, report: Report, table: Table, file: Path) -> None:
        for row in report.rejected[:FIRST_REASONS]:
            self.stdout.write(f"  row {row.number}: {_reasons(row)}")
        if len(report.rejected) > FIRST_REASONS:
            self.stdout.write(f"  and {len(report.rejected) - FIRST_REASONS:,} more")
        beside = file.with_name(f"{file.name}.rejected.csv")
        try:
            write_csv(beside, _rejected_rows(report, table))
        except OSError as error:
            raise CommandError(f"The rejected rows cannot be written to {beside}: {error}") from error
        self.stdout.write(f"Rejected rows with their reasons: {beside}")


def _rejected_rows(report: Report, table: Table) -> Iterator[list[str]]:
    yield [*table.headers, "row", "reason"]
    for row in report.rejected:
        yield [*(text(row.cells.get(header)) for header in table.headers), str(row.number), _reasons(row)]


def _reasons(row: Row) -> str:
    return "; ".join(row.reasons)
