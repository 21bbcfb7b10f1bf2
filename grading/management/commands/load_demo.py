"""Load a demo company: believable, and the same for the same seed."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from crm.data.divisions import read_divisions
from crm.lib.dates import fiscal_year_of
from crm.models import Customer, Job, Region, User
from grading.demo.company import Years, universe
from grading.demo.grade import change_some_assessments, grade_company, publish_demo_policy
from grading.demo.load import PASSWORD, load_company
from grading.demo.places import places_of
from grading.printing import grade_table

SHOWN = (
    "executive",
    "head",
    "tech",
    "marketing",
    "service",
    "north-gm",
    "north",
    "north-branch",
    "north-senior",
    "north-account",
    "north-sales",
    "account-director",
    "director",
    "consultant",
    "implementation",
    "admin",
)


class Command(BaseCommand):
    """manage.py load_demo --customers N --seed S"""

    help = "Load a demo company of N customers on real administrative divisions; the same for the same seed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=10_000, metavar="N", help="how many customers (10000)")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="another seed, another company (1)")
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there are customers already")
        parser.add_argument("--no-grade", action="store_true", help="load only: no policy, no cycles, no grades")

    @no_translations
    def handle(self, *, customers: int, seed: int, if_empty: bool, no_grade: bool, **options: Any) -> None:
        if if_empty and Customer.objects.exists():
            self.stdout.write(f"Kept what is there: {Customer.objects.count():,} customers.")
            return
        self._refuse_nonsense(customers)
        years = _years()
        load_company(number=customers, seed=seed, years=years, on_progress=self._show_loaded)
        if not no_grade:
            self._grade(years, seed)
        self._show_people()

    def _refuse_nonsense(self, number: int) -> None:
        most = len(universe(places_of(read_divisions())))
        if not 1 <= number <= most:
            raise CommandError(f"--customers {number}: write a number from 1 to {most:,}.")
        if Customer.objects.exists() or Region.objects.exists():
            raise CommandError("There are customers or regions already; the demo needs an empty database.")

    def _grade(self, years: Years, seed: int) -> None:
        head = User.objects.get(username="head")
        publish_demo_policy(years, by=head)
        run = grade_company(years=years, by=head, on_progress=self._show_graded)
        changed = change_some_assessments(years=years, seed=seed)
        self.stdout.write(f"Fiscal year {years.fiscal_year}, as of {run.as_of}, policy {run.policy}:\n")
        self.stdout.write(grade_table(run.report))
        self.stdout.write(f"{changed} assessments changed during the year.")

    def _show_loaded(self, done: int) -> None:
        self.stdout.write(f"Loaded {done:,} customers.")

    def _show_graded(self, job: Job) -> None:
        if job.done == job.total:
            self.stdout.write(f"Graded {job.done:,} customer lines.")

    def _show_people(self) -> None:
        people = {user.username: user for user in User.objects.select_related("region")}
        self.stdout.write(f"\nSign in with one of these and the password {PASSWORD}\n")
        for username in SHOWN:
            user = people[username]
            where = f" · {user.region.name}" if user.region else ""
            self.stdout.write(f"  {username:18}{user.get_role_display()}{where} · {user.name}")
        self.stdout.write("  The other regions: east, south, southwest, northwest instead of north.")


def _years() -> Years:
    today, first_month = timezone.localdate(), settings.FISCAL_YEAR_START_MONTH
    return Years(fiscal_year_of(today, first_month), first_month, today)
