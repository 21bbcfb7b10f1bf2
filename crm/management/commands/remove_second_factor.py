"""`manage.py remove_second_factor USERNAME`: for the administrator who has lost his own phone."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.actions.second_factors import remove_second_factor
from crm.models import User
from crm.visitor import Visitor


class Command(BaseCommand):
    """Takes a person's app and recovery codes away: the password alone opens the account then."""

    help = "Take a person's authenticator app and recovery codes away, and end his sessions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it away, and say whether there was one."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no person with the user name {options['username']!r}.")
        had_one = remove_second_factor(user=user, by=None, visitor=Visitor())
        self.stdout.write("Removed." if had_one else f"{user.username} has no second factor.")
