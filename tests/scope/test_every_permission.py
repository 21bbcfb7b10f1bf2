"""Scope does not lean on permissions: regional staff who might do everything still get nothing of another region.

Many pages are opened only by roles that see every region; what they ask of the scope would else be tested by nobody.
"""

import pytest

from crm.models import Role
from crm.permissions import ROLES, Permission
from tests.scope.asking import asked_as, bare, browser_of, path_of
from tests.scope.company import GONE, KINDS, SOUTH, Company
from tests.scope.routes import ADMIN, ROUTES, Route

WITH_RECORD = [route for route in ROUTES if route.record and route.group != ADMIN]
WITHOUT = [route for route in ROUTES if not route.record and "GET" in route.answers and route.group != ADMIN]


@pytest.fixture(autouse=True)
def may_everything(monkeypatch):
    monkeypatch.setitem(ROLES, Role.REGIONAL_STAFF, frozenset(Permission))
    monkeypatch.setattr("crm.context.menu", lambda request: [])


@pytest.fixture
def staff(company: Company):
    return company.people[Role.REGIONAL_STAFF.value]


def answers(route: Route, browser, company: Company, person, verb: str) -> dict[str, tuple]:
    named = {at: KINDS[route.record].named(company, person, at) for at in ("other", "absent")}
    return {
        at: bare(asked_as(route, browser, verb, one), path_of(route, one))
        for at, one in named.items()
        if one is not None
    }


def test_no_record_of_another_region_is_told_from_one_that_is_not_there(company: Company, staff):
    browser, told = browser_of(staff), []
    for route in WITH_RECORD:
        if not KINDS[route.record].exists(staff, "other"):
            for verb in route.answers:
                found = answers(route, browser, company, staff, verb)
                if found.get("other", found["absent"]) != found["absent"]:
                    told.append(f"{route.name} {verb}: {found['other'][0]}")
    assert told == []


def test_no_page_bears_the_mark_of_another_region(company: Company, staff):
    browser = browser_of(staff)
    pages = {route.name: asked_as(route, browser, "GET").read.decode(errors="replace") for route in WITHOUT}
    assert [name for name, page in pages.items() if SOUTH.lower() in page.lower() or GONE.lower() in page.lower()] == []
