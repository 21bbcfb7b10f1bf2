"""Route × person × verb × record: what each person gets, said by the table of routes and by DOMAIN §9.

A sample in the quick suite, all in `make test-services`; SCOPE_SEED draws another sample.
"""

import os
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from crm.models import Role, User
from crm.permissions import ROLES, Permission
from tests.scope.asking import asked_as, bare, browser_of, path_of
from tests.scope.company import KINDS, SITUATIONS, Company, may_write
from tests.scope.routes import ADMIN, API, PUBLIC, ROUTES, SIGNED_IN, TABLE, VERBS, Route, addresses

SEED = os.environ.get("SCOPE_SEED", "4")
STOP = "STOP_AT_THE_FIRST_LEAK" in os.environ
ANONYMOUS, SWITCHED_OFF = "anonymous", "switched off"
WHO = (*(role.value for role in Role), ANONYMOUS, SWITCHED_OFF)
# Whom the sample always asks: someone of a whole region, and someone of a few customers.
ALWAYS = (Role.REGIONAL_STAFF.value, Role.ACCOUNT_MANAGER.value)
KEEPERS = (Role.ADMINISTRATOR.value,)  # of the system: they enter the administration and see no customers there
ALL_KINDS = (*ALWAYS, *KEEPERS, Role.SALES_MANAGEMENT.value, Role.BRANCH_GM.value)  # whoever sees otherwise than others
DRAWN = 2
# Kinds that a queryset's scope decides; the others are asked by the routes alone.
SCOPED = [
    name
    for name, kind in KINDS.items()
    if hasattr(kind.model._default_manager.all(), "visible_to") and name not in ("own export", "export", "kept person")
]
CHUNKS = [ROUTES[at : at + 19] for at in range(0, len(ROUTES), 19)]
NAMED = [f"{chunk[0].name} to {chunk[-1].name}" for chunk in CHUNKS]


@pytest.fixture(autouse=True)
def without_menus(monkeypatch):
    """Thousands of refusals come within the frame of a page; what its menu counts, test_other_region compares."""
    monkeypatch.setattr("crm.context.menu", lambda request: [])


def test_every_route_has_its_line_in_the_table():
    known = {address.name for address in addresses()}
    assert known - TABLE.keys() == set(), "a new route: add its line to tests/scope/routes.py"
    assert TABLE.keys() - known == set(), "a route that is gone"
    assert len(TABLE) == len(ROUTES)


def test_the_table_asks_the_permission_that_the_view_declares():
    for address in addresses():
        declared, route = getattr(address.view, "access", None), TABLE[address.name]
        if declared is not None:
            assert (SIGNED_IN if route.asks_itself else route.permission) == declared, address.name
        elif resource := getattr(address.view, "cls", None):
            actions = {verb: action for verb, action in address.view.actions.items() if verb != "head"}
            for verb, action in actions.items():
                asked = route.edit_permission if verb.upper() in route.edits else route.permission
                assert asked == resource.permissions[action], (address.name, verb)
            assert {verb.upper() for verb in actions} == set(route.answers), address.name


@pytest.mark.parametrize("kind", SCOPED)
def test_the_scope_says_the_same_as_the_table(company, kind):
    """What `visible_to` contains, record by record, is what DOMAIN §9 says of the role."""
    model = KINDS[kind].model
    for person in company.people.values():
        seen = set(model._default_manager.all().visible_to(person).values_list("pk", flat=True))
        for situation in SITUATIONS[:-1]:
            record = KINDS[kind].pick(company, person, situation)
            if record is not None:
                assert (record.pk in seen) == KINDS[kind].exists(person, situation), (person.role, situation)


@pytest.mark.sample
@pytest.mark.parametrize("chunk", CHUNKS, ids=NAMED)
def test_a_sample_of_the_matrix_leaks_nothing(company, chunk, record_property):
    walk(company, chunk, record_property, sampled)


@pytest.mark.exhaustive
@pytest.mark.parametrize("chunk", CHUNKS, ids=NAMED)
def test_the_whole_matrix_leaks_nothing(company, chunk, record_property):
    walk(company, chunk, record_property, lambda route: [(who, verb) for who in WHO for verb in VERBS])


def sampled(route: Route) -> list[tuple[str, str]]:
    """A few people and verbs of a route, always the same for one seed."""
    every = [(who, verb) for who in WHO for verb in VERBS]
    if STOP:
        return [(who, verb) for who in ALL_KINDS for verb in route.answers]
    served = next(iter(route.answers), "GET")
    asking = (*ALWAYS, *KEEPERS) if route.group == ADMIN else ALWAYS
    always = [(who, verb) for who in asking for verb in {served, *route.edits[:1]} if route.record]
    return list(dict.fromkeys([*always, *Random(f"{SEED} {route.name}").sample(every, DRAWN)]))


def walk(company: Company, chunk: Sequence[Route], record_property, drawn) -> None:
    """Ask every cell; fail with all that was answered otherwise."""
    browsers = {who: browser_of(whose(company, who)) for who in WHO}
    off = whose(company, SWITCHED_OFF)
    User.objects.filter(pk=off.pk).update(is_active=False)
    cells, wrong, leaks = 0, [], []
    for route in chunk:
        for who, verb in drawn(route):
            answers = dict(answers_of(route, browsers[who], whose(company, who), verb, company))
            cells += len(answers)
            person = None if who in (ANONYMOUS, SWITCHED_OFF) else whose(company, who)
            for situation, (status, _bare) in answers.items():
                if status not in (wanted := expected(route, person, verb, situation)):
                    wrong.append(f"{route.name} · {who} · {verb} · {situation}: {status} instead of {sorted(wanted)}")
            assert not (STOP and (wrong or told_apart(route, person, answers))), route.name
            leaks += [f"{route.name} · {who} · {verb} · {found}" for found in told_apart(route, person, answers)]
    record_property("cells", cells)
    record_property("leaks", len(leaks))
    assert (wrong, leaks) == ([], [])


def whose(company: Company, who: str) -> User | None:
    if who == ANONYMOUS:
        return None
    return company.north.staff if who == SWITCHED_OFF else company.people[who]


def answers_of(route: Route, browser, person, verb, company) -> Iterator[tuple[str, tuple]]:
    """Status and bare answer for each record that the route may name."""
    if not route.record:
        answer = asked_as(route, browser, verb)
        yield "", (answer.status_code, None)
        return
    # A verb that nobody serves is refused before the record is looked for: three of them show it.
    for situation in SITUATIONS if verb in route.answers else ("own", "other", "absent"):
        named = KINDS[route.record].named(company, person or company.north.staff, situation)
        if named is not None:
            answer = asked_as(route, browser, verb, named)
            yield situation, (answer.status_code, bare(answer, path_of(route, named)))


def told_apart(route: Route, person: User | None, answers: dict) -> list[str]:
    """The records that do not exist for the person and are answered otherwise than one that is not there."""
    if "absent" not in answers:
        return []
    hidden = [one for one in answers if person is None or not KINDS[route.record].exists(person, one)]
    return [one for one in hidden if answers[one][1] != answers["absent"][1]]


def expected(route: Route, person: User | None, verb: str, situation: str) -> set[int]:
    """The statuses of a cell: the first rule that applies, in the order in which the product asks."""
    return set(next(statuses for applies, statuses in rules(route, person, verb, situation) if applies))


def rules(route: Route, person: User | None, verb: str, situation: str) -> Iterator[tuple[bool, tuple[int, ...]]]:
    """Who asks, for what, with which verb, of which record, and whether to change it."""
    answers = route.answers.get(verb, (405,))
    yield person is None and route.permission == PUBLIC, answers
    yield person is None, (401,) if route.group == API else (302,)
    yield route.group == ADMIN and not may(person, Permission.USE_ADMIN), (302,)
    yield route.group == API and verb not in route.answers, (405,)
    yield route.asks_itself and verb not in route.answers, (405,)
    asked = route.edit_permission if route.group == API and verb in route.edits else route.permission
    yield not may(person, asked), (403,)
    yield verb not in route.answers, (405,)
    yield bool(route.record) and not KINDS[route.record].exists(person, situation), (404,)
    yield verb in route.edits and not edits(route, person, situation), (403,)
    yield True, answers


def edits(route: Route, person: User, situation: str) -> bool:
    return route.is_editable and may(person, route.edit_permission) and may_write(person, route.record, situation)


def may(person: User, permission: Permission | str) -> bool:
    return permission in (SIGNED_IN, PUBLIC) or permission in ROLES[Role(person.role)]
