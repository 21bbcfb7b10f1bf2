"""`grade_year YEAR`: the annual grading run in the foreground, by the same code as the background job."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db.models import Max, Min
from django.utils import timezone

from crm.models import CustomerLine, Job, ProductLine, Region, Way
from grading.actions.cycles import ensure_cycle, open_cycle
from grading.actions.lines import Lines
from grading.actions.records import Occasion, count_verdicts
from grading.actions.runs import CycleClosed, RunUnderWay, report, start_run, work_on
from grading.models import Cause, Cycle, CycleState, GradingPolicy, GradingRun
from grading.printing import grade_table


class Command(BaseCommand):
    """Grade every customer line of a fiscal year."""

    help = "Grade every customer line of a fiscal year and print line × grade. May be run again and side by side."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("year", type=int, help="the fiscal year, named by the calendar year it starts in")
        parser.add_argument("--as-of", type=date.fromisoformat, help="the grading date, 2026-01-01; today unless given")
        parser.add_argument("--line", help="code of the only product line to grade")
        parser.add_argument("--region", help="code of the only region to grade")
        parser.add_argument("--dry-run", action="store_true", help="count what would come out and write nothing")
        parser.add_argument("--publish", action="store_true", help="publish the cycle at the end")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        """Run in the foreground, with progress."""
        product_line = self._find(ProductLine, options["line"])
        region = self._find(Region, options["region"])
        as_of = options["as_of"] or timezone.localdate()
        if options["publish"] and (product_line or region):
            raise CommandError("--publish publishes the whole company's grades: leave --line and --region away.")
        if options["dry_run"]:
            self._print(self._count(options["year"], as_of, product_line, region))
            return
        cycle = ensure_cycle(options["year"], way=Way.COMMAND)
        cycle = open_cycle(cycle=cycle, by=None) if cycle.state == CycleState.DRAFT else cycle
        run = self._run(cycle, as_of, product_line, region, publishes=options["publish"])
        self._print(run.report)
        self.stdout.write(
            f"{run.report['written']} grade records written; cycle {cycle.fiscal_year}: {run.cycle.state}."
        )

    def _run(self, cycle: Cycle, as_of: date, product_line: Any, region: Any, *, publishes: bool) -> GradingRun:
        publishes = publishes and cycle.state == CycleState.OPEN
        try:
            run = start_run(
                cycle=cycle, by=None, as_of=as_of, product_line=product_line, region=region, publishes=publishes,
                is_nudged=False,
            )  # fmt: skip
        except (RunUnderWay, CycleClosed) as refused:
            raise CommandError(str(refused)) from refused
        work_on(run, on_progress=self._show)
        self.stderr.write("")
        return GradingRun.objects.select_related("cycle").get(pk=run.pk)

    def _show(self, job: Job) -> None:
        now = timezone.now()
        share = job.done / job.total if job.total else 1
        bar = ("█" * round(share * 30)).ljust(30, "·")
        left = f", {job.time_left(now)} left" if job.time_left(now) else ""
        self.stderr.write(f"\r{bar} {job.done:,} of {job.total:,} ({job.rate(now) or 0:,.0f}/s{left}) ", ending="")
        self.stderr.flush()

    def _count(self, year: int, as_of: date, product_line: Any, region: Any) -> dict[str, Any]:
        ends = CustomerLine.objects.aggregate(first=Min("pk", default=0), last=Max("pk", default=0))
        occasion = Occasion(
            fiscal_year=year,
            policy=GradingPolicy.objects.current(),
            as_of=as_of,
            cause=Cause.RUN,
            recorded_at=timezone.now(),
        )
        lines = Lines.between(
            ends["first"],
            ends["last"],
            product_line=product_line.pk if product_line else None,
            region=region.pk if region else None,
        )
        codes = dict(ProductLine.objects.order_by("position").values_list("pk", "code"))
        return report(count_verdicts(lines, occasion), codes)

    def _print(self, printed: dict[str, Any]) -> None:
        self.stdout.write(grade_table(printed))

    def _find(self, model: Any, code: str | None) -> Any:
        if code is None:
            return None
        found = model.objects.filter(code=code).first()
        if found is None:
            known = ", ".join(model.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(f"There is no {model._meta.verbose_name} {code!r}; write one of: {known}.")
        return found
