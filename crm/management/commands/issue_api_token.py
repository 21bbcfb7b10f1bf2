"""`manage.py issue_api_token USERNAME`: an API token, printed once."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.actions.tokens import issue_token
from crm.models import SCOPES, User


class Command(BaseCommand):
    """Prints a new token of a person. Only its hash is kept, so that nobody can print it again."""

    help = "Print a new API token of a person. It is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose token, what it may do and until when."""
        parser.add_argument("username")
        parser.add_argument(
            "--scope",
            action="append",
            choices=SCOPES,
            help="what the token may do; repeat it for several (default: read)",
        )
        parser.add_argument("--expires", type=future_day, metavar="DATE", help="the last day it works: 2026-12-31")
        parser.add_argument("--name", default="", help="what it is for")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue it and print it."""
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active person with the user name {options['username']!r}.")
        token = issue_token(
            user=user,
            scopes=options["scope"] or ["read"],
            expires_on=options["expires"],
            name=options["name"],
        )
        self.stdout.write(token)


def future_day(word: str) -> date:
    """A day that is not over yet."""
    try:
        day = date.fromisoformat(word)
    except ValueError as error:
        raise ArgumentTypeError(f"{word!r} is not a day; write it as 2026-12-31") from error
    if day < timezone.localdate():
        raise ArgumentTypeError(f"{word} is over; write a day to come")
    return day
