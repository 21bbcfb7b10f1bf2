"""What a person of one region gets bears no mark of the other, and is the same where the other has never been."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from crm.actions.customers import save_customer
from crm.lib.spreadsheets import inspect_file, read_table
from crm.lib.transactions import Horizon, transaction_number
from crm.models import Customer, Role, User
from scripts.without_scope import WORTH_ASKING, note_question
from tests.scope.asking import ask, bare, browser_of
from tests.scope.company import GONE, SOUTH, Company, forget_customers, forget_the_south, found
from tests.scope.questions import Question, get, linked, of_taken_codes, questions, unpacked

QUICK = (Role.REGIONAL_STAFF, Role.SALES_MANAGER)
ALL = (*QUICK, Role.REGIONAL_GM, Role.BRANCH_GM, Role.SENIOR_SALES_MANAGER, Role.ACCOUNT_MANAGER)
STOP = "STOP_AT_THE_FIRST_LEAK" in os.environ
SHARE = 0.3 if STOP else 0.02
# Asking everything takes minutes for each role: SCOPE_SHARE=1 does.
LARGE = {True: float(os.environ.get("SCOPE_SHARE", "0.1")), False: float(os.environ.get("SCOPE_SHARE", "0.04"))}
_inspect, _read = cache(inspect_file), cache(read_table)
_NUMBERS = re.compile(rb"\d+")


@pytest.fixture
def company(db, monkeypatch) -> Company:
    """Without the customer that moved this morning: that it left is told to the region that it left.

    Nobody else writes: on PostgreSQL, a sync token stands where the oldest transaction of the whole server does.
    """
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **kwargs: None)
    if connection.vendor == "postgresql":
        alone = transaction_number()
        monkeypatch.setattr("crm.api.sync_windows.horizon", lambda: Horizon(alone, alone + 1))
    return found(is_many_people=False, with_moved=False)


@pytest.fixture(autouse=True)
def opened_once(monkeypatch):
    """A file is opened by a process of its own; once is enough for these tests."""
    for module in ("crm.views.set_up_import", "crm.actions.data_imports"):
        monkeypatch.setattr(f"{module}.inspect_file", _inspect)
    monkeypatch.setattr("crm.actions.work_on_import.read_table", _read)


@pytest.mark.sample
@pytest.mark.parametrize("role", QUICK[:1])
def test_nothing_of_a_sample_tells_of_the_other_region(company, role, record_property):
    compare(company, company.people[role.value], record_property, SHARE)


@pytest.mark.exhaustive
@pytest.mark.parametrize("role", ALL)
def test_nothing_of_a_large_sample_tells_of_the_other_region(company, role, record_property):
    compare(company, company.people[role.value], record_property, LARGE[role in QUICK])


@pytest.mark.exhaustive
def test_what_is_deleted_is_gone_for_everybody(company, record_property):
    """Head office sees every region, and nothing of a deleted customer but its rows in the log."""
    browser = browser_of(company.head)
    log = ("/admin/crm/change/", "/history/", "/exports/changes/")
    asked = [
        one for one in questions(company, company.head, share=SHARE) if not any(place in one.name for place in log)
    ]
    before = list(noted(asking(asked, browser)))
    told = [one.name for one, answers in before if any(bears(GONE, answer) for answer in answers)]
    kept = [(one, stripped(one, answers)) for one, answers in before]
    forget_customers(Customer.objects.filter(pk=company.deleted.customer.pk))
    assert told == []
    assert list(changed(kept, browser)) == []


def test_a_customer_that_came_from_another_region_brings_no_history_along(company):
    """What was written there is that region's; the log tells the new one what has happened since."""
    customer, staff = company.south.unserved.customer, company.people["regional_staff"]
    customer.note = "改过"
    save_customer(customer=customer, version=customer.version, by=company.south.staff)
    customer.region, customer.branch = company.north.region, None
    save_customer(customer=customer, version=customer.version, by=company.head)
    customer.note = "又改"
    save_customer(customer=customer, version=customer.version, by=staff)
    browser = browser_of(staff)
    for path in (f"/customers/{customer.pk}/", f"/admin/crm/customer/{customer.pk}/history/"):
        page = ask(browser, "GET", path).read.decode()
        assert "改过 → 又改" in page or "又改" in page
        assert "SUEDMARK备注" not in page


def compare(company: Company, person: User, record_property, share: float) -> None:
    """Ask everything with both regions there, look for the mark; then without the other, and compare."""
    browser = browser_of(person)
    crawled = [] if WORTH_ASKING else list(watched(linked(browser, share=share)))
    asked = [*crawled, *watched(asking(questions(company, person, share=share), browser))]
    told = [question.name for question, answers in asked if not question.echoes and any(map(bears_the_mark, answers))]
    assert len(crawled) > 40 or WORTH_ASKING
    assert [message.body for message in mail.outbox] == []
    record_property("answers searched", sum(len(answers) for question, answers in asked if not question.echoes))
    record_property("marks found", len(told))
    before = [(question, stripped(question, answers)) for question, answers in asked]
    forget_the_south(company)
    differing = list(changed(before, browser))
    record_property("answers compared", sum(len(answers) for _question, answers in before))
    record_property("answers that differ", len(differing))
    assert told == []
    assert differing == []


def test_a_code_that_the_other_region_uses_is_as_good_as_any(company):
    browser = browser_of(company.north.staff)
    before = [(question, stripped(question, question.ask(browser))) for question in of_taken_codes(company)]
    forget_the_south(company)
    assert list(changed(before, browser)) == []


@pytest.mark.exhaustive
def test_head_office_gets_both(company):
    """What is searched for is there to be found: the same questions of who sees all bear the mark."""
    browser = browser_of(company.head)
    asked = {one.name: one.ask(browser) for one in questions(company, company.head, share=0.1)}
    told = [name for name, answers in asked.items() if any(map(bears_the_mark, answers))]
    assert len(told) > 100


def asking(wanted: Iterable[Question], browser: Client) -> Iterator[tuple[Question, Sequence]]:
    """The questions with their answers; where one place is tried those that reach it, pages behind links among them."""
    if WORTH_ASKING:
        known = {one.name: one for one in wanted}
        linked_to = [name for name in WORTH_ASKING if name.startswith("GET /") and "{" not in name]
        wanted = [known.get(name) or get(name.removeprefix("GET ")) for name in {*linked_to, *known} & WORTH_ASKING]
    for one in wanted:
        yield one, one.ask(browser)


def noted(asked: Iterable[tuple[Question, Sequence]]) -> Iterator[tuple[Question, Sequence]]:
    """As they come; scripts.remove_scopes learns what each of them reaches."""
    for question, answers in asked:
        note_question(question.name)
        yield question, answers


def watched(asked: Iterable[tuple[Question, Sequence]]) -> Iterator[tuple[Question, Sequence]]:
    """As they come; whoever tries one leak after the other wants no more than the first mark."""
    for question, answers in noted(asked):
        assert not (STOP and not question.echoes and any(map(bears_the_mark, answers))), question.name
        yield question, answers


def changed(before: Iterable[tuple[Question, list]], browser: Client) -> Iterator[str]:
    """The questions that are answered otherwise by now."""
    for question, answers in before:
        if stripped(question, question.ask(browser)) != answers:
            assert not STOP, question.name
            yield question.name


def bears_the_mark(answer) -> bool:
    """Of the other region, or of what is deleted."""
    return bears(SOUTH, answer) or bears(GONE, answer)


def bears(mark: str, answer) -> bool:
    headers = "\n".join(f"{name}: {value}" for name, value in answer.items()) + answer.cookies.output()
    return mark.lower().encode() in unpacked(answer.read).lower() or mark.lower() in headers.lower()


def stripped(question: Question, answers) -> list[tuple]:
    """What is compared; PostgreSQL's numbers go on though a transaction is taken back, so those of new records do."""
    bared = [(status, headers, unpacked(body)) for status, headers, body in map(bare, answers)]
    if connection.vendor != "postgresql" or question.name.startswith("GET"):
        return bared
    return [
        (status, _NUMBERS.sub(b"0", str(headers).encode()), _NUMBERS.sub(b"0", body)) for status, headers, body in bared
    ]
