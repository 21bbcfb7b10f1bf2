"""Import a table of people, customers, contacts, sales or assessments."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import transaction

from crm.actions.imports import Kind, Outcome, Report, import_kinds, import_table
from crm.actions.rejected_rows import name_of_rejected, write_rejected
from crm.actions.work_on_import import keep_import
from crm.lib.mappings import ColumnMap, MappingUnreadable, read_mapping
from crm.lib.spreadsheets import FileUnreadable, Table, read_table
from crm.models import DataImport, ImportMode, User
from crm.permissions import can

FIRST_REASONS = 10


class Command(BaseCommand):
    """manage.py import_file KIND FILE [--mode create|update|both] [--mapping FILE] [--dry-run] [--strict]"""

    help = (
        "Import an xlsx or csv file (UTF-8, UTF-16 or GB18030). All rows are checked first; accepted rows are one "
        "transaction, rejected rows go to a file beside it with their reasons. A blank cell leaves a stored value as "
        "it is, (clear) empties it. Exit status 1 if any row was rejected."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(import_kinds()), help="what the rows are")
        parser.add_argument("file", type=Path, help="an .xlsx or .csv file; its first row holds the headers")
        parser.add_argument(
            "--mode", choices=ImportMode.values, default=ImportMode.BOTH.value, help="which rows are wanted (both)"
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
            with transaction.atomic():
                report = import_table(
                    kind=chosen,
                    table=table,
                    by=by,
                    column_map=column_map,
                    mode=options["mode"],
                    is_strict=options["strict"],
                    is_dry_run=options["dry_run"],
                )
                kept = self._keep(report, table, kind, file, by)
        except (FileUnreadable, MappingUnreadable) as error:
            raise CommandError(str(error)) from error
        self._show(chosen, report)
        if kept:
            self.stdout.write(f"Kept as import {kept.pk} of {kept.by.username}: it can be undone on its page.")
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

    def _keep(self, report: Report, table: Table, kind: str, file: Path, by: User | None) -> DataImport | None:
        """What changed something in somebody's name stands among that person's imports."""
        changed = report.count(Outcome.CREATED) + report.count(Outcome.UPDATED)
        if by is None or not report.is_applied or not changed:
            return None
        return keep_import(report=report, table=table, kind=kind, name=file.name, content=file.read_bytes(), by=by)

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
        for one in report.near_duplicates[:FIRST_REASONS]:
            self.stdout.write(f"  row {one.row}: {one.name} is nearly {one.its_name}, which is there already")
        if len(report.near_duplicates) > FIRST_REASONS:
            self.stdout.write(f"  and {len(report.near_duplicates) - FIRST_REASONS:,} more nearly the same")
        if not report.is_applied:
            self.stdout.write("Nothing was changed.")

    def _show_rejected(self, report: Report, table: Table, file: Path) -> None:
        for row in report.rejected[:FIRST_REASONS]:
            self.stdout.write(f"  row {row.number}: {report.reasons_of(row)}")
        if len(report.rejected) > FIRST_REASONS:
            self.stdout.write(f"  and {len(report.rejected) - FIRST_REASONS:,} more")
        beside = file.with_name(name_of_rejected(file.name))
        try:
            beside.write_bytes(write_rejected(report=report, table=table, name=file.name))
        except OSError as error:
            raise CommandError(f"The rejected rows cannot be written to {beside}: {error}") from error
        self.stdout.write(f"Rejected rows with their reasons: {beside}")
