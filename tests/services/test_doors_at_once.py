"""Two people who read the same record and save it in the same moment, by every pair of doors, on PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement
from threading import Barrier

import pytest
from django.db import connection

from crm.models import Change, Contact, Customer, CustomerLine, LineMember, Role, Sale, User
from grading.models import Assessment
from tests.factories import UserFactory
from tests.scope.asking import browser_of
from tests.scope.test_doors import RECORDS

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
KINDS = (Assessment, Customer, Contact, Sale, CustomerLine, LineMember, User)
PAIRS = [
    pytest.param(model, one, other, id=f"{model.__name__}: {one} and {other}")
    for model in KINDS
    for one, other in combinations_with_replacement(RECORDS[model].doors, 2)
]


@pytest.fixture(autouse=True)
def on_postgresql(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time: there is no `at once` on SQLite")
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **kwargs: None)


@pytest.mark.parametrize(("model", "one", "other"), PAIRS)
def test_no_value_is_lost_without_a_word(model, one, other):
    """One of two who say which version they read is refused; whatever was written, the log tells it without a gap."""
    saved = RECORDS[model]
    record = saved.make()
    people = [UserFactory(role=Role.SALES_MANAGEMENT, name=name) for name in ("甲", "乙")]
    doors = list(zip((one, other), people, map(browser_of, people), saved.values, strict=True))
    read = [door.read(browser, person, record) for door, person, browser, _value in doors]
    before = type(record)._base_manager.values_list(saved.name, flat=True).get(pk=record.pk)

    def save(at: int) -> Callable[[], bool]:
        door, person, browser, value = doors[at]
        return lambda: door.save(browser, person, record, read[at], saved.name, value)

    is_saved = at_once(save(0), save(1))
    if one.has_version and other.has_version and saved.values[0] != saved.values[1]:
        assert sum(is_saved) == 1
    told = list(Change.objects.of(record).filter(before__has_key=saved.name).values_list("before", "after"))
    steps = [(was[saved.name], now[saved.name]) for was, now in told]
    values = [before, *(now for _was, now in steps)]
    assert [was for was, _now in steps] == values[:-1]
    assert type(record)._base_manager.values_list(saved.name, flat=True).get(pk=record.pk) == values[-1]
    assert len(steps) == sum(is_saved)


def at_once(*acts: Callable[[], bool]) -> list[bool]:
    """Do things in threads of their own that begin together."""
    barrier = Barrier(len(acts))

    def do(act: Callable[[], bool]) -> bool:
        try:
            barrier.wait(30)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(60) for future in [pool.submit(do, act) for act in acts]]
