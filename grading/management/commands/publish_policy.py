"""Publish a grading policy that is written in a file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import DatabaseError, transaction

from crm.models import User, Way
from crm.permissions import Permission, can
from grading.actions.policies import PolicyNotReady, publish_policy
from grading.actions.policy_drafts import PolicyUnreadable, draft_policy


class Command(BaseCommand):
    """manage.py publish_policy FILE [--as USERNAME]"""

    help = "Publish the next version of the grading policy from a JSON file; what the file leaves out is as shipped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="JSON: amounts in yuan and rates in percent, as text")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="who publishes it")

    @no_translations
    def handle(self, *, file: Path, username: str | None, **options: Any) -> None:
        by = self._person(username)
        try:
            with transaction.atomic():
                policy = draft_policy(content=json.loads(file.read_text(encoding="utf-8-sig")), by=by)
                publish_policy(policy=policy, by=by, way=Way.COMMAND)
        except (OSError, ValueError, PolicyUnreadable, PolicyNotReady, DatabaseError) as error:
            raise CommandError(f"{file}: {error}") from error
        self.stdout.write(f"Published policy {policy}: {policy.note}")

    def _person(self, username: str | None) -> User | None:
        person = User.objects.filter(username=username, is_active=True).first() if username else None
        if username and (person is None or not can(person, Permission.EDIT_POLICY)):
            raise CommandError(f"{username} may not publish policies.")
        return person
