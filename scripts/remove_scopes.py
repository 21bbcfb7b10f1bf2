"""Take what narrows records to a person's scope out of the product, one place after the other, and see who notices.

    python -m scripts.remove_scopes [WORD ...]      only places that contain one of the words; `tests/…`: by these tests
    python -m scripts.remove_scopes --list

The quick tests run once to see which of them reach which place. Then each place is taken out in a
process of its own, and the tests that reach it run, the quickest first, until one fails. A place whose removal no test
notices has SURVIVED, and the verdict is 1. Nothing is written (scripts/without_scope.py).
"""

import os
import sys
from collections.abc import Iterator, Sequence
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Any, NamedTuple

import pytest

from scripts import without_scope
from scripts.without_scope import Place, places, take_out, watch

AT_ONCE = int(os.environ.get("WORKERS", "2"))
# Pairs of doors say nothing of scope. What only the test of one page or action asks, that test holds.
FILES = ("matrix", "writing", "jobs_ask_again", "hidden_fields", "every_permission", "other_region")
TESTS = (*(f"tests/scope/test_{name}.py" for name in FILES), "tests/crm", "tests/api", "tests/grading")
QUICK = ("-m", "not exhaustive and not services and not browser")
QUIETLY = ("-qq", "-s", "-n0", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0")
# Behind each of these stands another scope that shows or refuses the same: without it alone nobody sees more.
_MINE = "request.user"
_BEHIND = {
    "who reads the log at all reads everyone's": (
        "crm/admin/audit.py ExportAdmin.visible_to: records.visible_to(user)",
        "crm/admin/accounts.py SecurityEventAdmin.visible_to: records.visible_to(user)",
    ),
    "who enters writes all that he sees": (
        "crm/administration/scoped.py ScopedAdmin.has_change_permission: "
        "self.model._default_manager.all().writable_by(request.user)",
    ),
    "a session lets in whose hash it holds": (
        "crm/actions/open_sessions.py sessions_of: OpenSession.objects.of(user)",
    ),
    "who keeps accounts or places sees everybody and every place": (
        "crm/models/open_session.py OpenSessionQuerySet.visible_to: User.objects.visible_to(user)",
        f"crm/views/places.py list_regions: BranchRegion.objects.visible_to({_MINE})",
        f"crm/views/places.py call_off_move: BranchRegion.objects.visible_to({_MINE})",
        "crm/place_lists.py _rows: Branch.objects.visible_to(user)",
        "crm/place_lists.py _customers_by_region: Customer.objects.visible_to(user)",
    ),
    "whose it is has to be oneself, or one whose account one keeps": (
        "crm/people_lists.py open_delegations: Delegation.objects.visible_to(user)",
        f"crm/views/delegations.py end_delegation: Delegation.objects.visible_to({_MINE})",
        f"crm/views/security.py end_session: OpenSession.objects.visible_to({_MINE})",
        f"crm/views/security.py _sessions_and_events: SecurityEvent.objects.visible_to({_MINE})",
    ),
    "who merges, transfers and runs cycles sees every region": (
        *(f"crm/merge_pages.py sides: {name}.objects.visible_to(user)" for name in ("Contact", "Sale")),
        f"crm/conflict_lists.py open_conflicts: Customer.objects.visible_to({_MINE})",
        f"crm/views/customers.py _merges: CustomerMerge.objects.visible_to({_MINE})",
        f"crm/views/merge_customers.py get_merge: CustomerMerge.objects.visible_to({_MINE})",
        "crm/merge_forms.py TransferForm.__init__: User.objects.visible_to(user)",
        f"crm/views/transfer_customer.py _region: Region.objects.visible_to({_MINE})",
        f"grading/views/cycles.py open_cycle: CustomerLine.objects.visible_to({_MINE})",
        f"grading/views/cycles.py publish_cycle: Assessment.objects.visible_to({_MINE})",
        f"grading/views/runs.py start_run: CustomerLine.objects.visible_to({_MINE})",
    ),
    "a change is seen where its customer is": (
        "crm/change_filters.py ChangeFilter.of_customers: Customer.objects.visible_to(self.request.user)",
        "crm/import_pages.py changed_customers: Change.objects.visible_to(user)",
        "crm/import_pages.py changed_customers: Customer.objects.visible_to(user)",
    ),
    "of one customer, which the page has found among those that are seen": (
        f"crm/views/customers.py view_customer: Contact.objects.visible_to({_MINE})",
        f"crm/views/save_customer.py _after_clash: Customer.objects.visible_to({_MINE})",
        "grading/events.py grades_of_customer: CustomerLine.objects.visible_to(user)",
        "grading/events.py records_of: GradeRecord.objects.visible_to(user)",
        f"grading/panels.py grades_as_of: GradeRecord.objects.visible_to({_MINE})",
        "grading/panels.py _sales: Sale.objects.visible_to(user)",
        f"grading/views/assessments.py assess_line: Assessment.objects.visible_to({_MINE})",
    ),
}
BEHIND_ANOTHER = {name: reason for reason, names in _BEHIND.items() for name in names}


class Reach(NamedTuple):
    """How long a test takes, and the functions that it reaches."""

    seconds: float
    functions: set[str]


class Removals:
    """A plugin of pytest that runs the collected tests for each place, each time in a copy of this process."""

    def __init__(self, chosen: Sequence[Place]) -> None:
        self.chosen = chosen
        self.caught, self.spared, self.survivors = 0, 0, 0
        self.failed = ""
        self.reach: dict[str, Reach] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """See which tests reach what, then try the places, some at once."""
        self._look_round(session.items)
        if self.failed:
            raise pytest.UsageError(f"The tests fail as they are: {self.failed}")
        for place, noticed in self._tried(session):
            self._tell(place, noticed)
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep what the first failure said."""
        if report.failed and not self.failed:
            said = str(report.longreprtext).strip().splitlines()[-1] if report.longrepr else ""
            self.failed = f"{report.nodeid.removeprefix('tests/')} ({said[:120]})"

    def pytest_sessionfinish(self, session: Any) -> None:
        """The verdict."""
        session.exitstatus = 1 if self.survivors else 0

    def _look_round(self, items: Sequence[Any]) -> None:
        end = watch(self.chosen)
        for at in range(len(items)):
            began = monotonic()
            run(items[at : at + 1], items[at + 1 :])
            functions = without_scope.REACHED | without_scope.REACHED_BEFORE
            self.reach[items[at].nodeid] = Reach(monotonic() - began, functions)
            without_scope.REACHED.clear()
            without_scope.REACHED_BEFORE.clear()
        end()

    def _tried(self, session: Any) -> Iterator[tuple[Place, str]]:
        """Each place with what failed, as they end."""
        waiting = [place for place in self.chosen if place.name not in BEHIND_ANOTHER]
        yield from ((place, "") for place in self.chosen if place.name in BEHIND_ANOTHER)
        with DefaultSelector() as pipes:
            while waiting or pipes.get_map():
                while waiting and len(pipes.get_map()) < AT_ONCE:
                    place = waiting.pop(0)
                    child, pipe = self._begin(place, session)
                    pipes.register(pipe, EVENT_READ, (place, child))
                for key, _event in pipes.select():
                    pipes.unregister(key.fd)
                    place, child = key.data
                    with os.fdopen(key.fd) as answer:
                        yield place, answer.read()
                    os.waitpid(child, 0)

    def _begin(self, place: Place, session: Any) -> tuple[int, int]:
        """A copy of this process that runs the tests without the place and writes which of them failed."""
        reading, writing = os.pipe()
        child = os.fork()
        if child:
            os.close(writing)
            return child, reading
        verdict = "nobody: it cannot be taken out"
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            take_out(place)
            reached = {name for name, functions in without_scope.BY_QUESTION.items() if place.function in functions}
            without_scope.WORTH_ASKING.update(reached or {"nothing"})
            self._run_what_reaches(place, session.items)
            verdict = self.failed
        finally:
            os.write(writing, verdict.encode())
            os._exit(0)

    def _run_what_reaches(self, place: Place, items: Sequence[Any]) -> None:
        wanted = [item for item in items if place.function in self.reach[item.nodeid].functions]
        wanted.sort(key=lambda item: self.reach[item.nodeid].seconds)
        if wanted:
            wanted[0].session._setupstate.teardown_exact(wanted[0])  # of the module that was run last
        for at in range(len(wanted)):
            run(wanted[at : at + 1], wanted[at + 1 :])
            if self.failed:
                return

    def _tell(self, place: Place, noticed: str) -> None:
        reason = BEHIND_ANOTHER.get(place.name)
        self.caught += bool(noticed)
        self.spared += not noticed and reason is not None
        self.survivors += not noticed and reason is None
        verdict = f"caught by {noticed}" if noticed else f"behind another scope: {reason}" if reason else "SURVIVED"
        print(f"{place}\n    {verdict}", flush=True)


def run(items: Sequence[Any], following: Sequence[Any]) -> None:
    """Run tests; what those that follow need as well stays."""
    for item in items:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following[0] if following else item)


def main(words: Sequence[str]) -> int:
    """Print a line per place; 1 where one survived."""
    tests = [word for word in words if word.startswith("tests/")] or TESTS
    wanted = [word for word in words if not word.startswith("tests/")]
    chosen = [place for place in places() if not wanted or any(word in str(place) for word in wanted)]
    if wanted == ["--list"]:
        print(*places(), sep="\n")
        return 0
    if not chosen:
        print("No such place.", file=sys.stderr)
        return 1
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ["STOP_AT_THE_FIRST_LEAK"] = "1"
    removals = Removals(chosen)
    verdict = pytest.main([*QUIETLY, *QUICK, *tests], plugins=[removals])
    print(
        f"{len(chosen)} places: {removals.caught} caught, {removals.spared} behind another scope, "
        f"{removals.survivors} survived"
    )
    return int(verdict)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
