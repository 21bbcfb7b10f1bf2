"""Two people save the same record, by every pair of doors: who comes second is refused, or it is told in the log.

An import names no version: of the columns that its file has, and of those alone, the last writer wins; that it wrote
stands in the change log and in its report. All other doors refuse whoever has not seen the latest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.utils.module_loading import import_string

from crm.actions.bulk_kinds import bulk_kinds
from crm.actions.imports import import_kinds
from crm.models import (
    Branch,
    Change,
    CompanyAccount,
    Contact,
    Customer,
    CustomerLine,
    Department,
    LineMember,
    ProductLine,
    Region,
    Role,
    Sale,
    User,
    Way,
)
from grading.actions.policies import draft_next_version
from grading.models import Assessment, GradingPolicy
from tests.factories import (
    AssessmentFactory,
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)
from tests.scope.asking import browser_of
from tests.scope.doors import (
    ADMIN,
    ASSESSMENT_FORM,
    BRANCH_PAGE,
    CONTACT_PAGE,
    CUSTOMER_PAGE,
    GRID_CELL,
    PERSON_PAGE,
    REGION_PAGE,
    Door,
    api,
    bulk,
    imports,
)

pytestmark = pytest.mark.django_db
FIRST, SECOND = "第一个", "第二个"


@dataclass(frozen=True)
class Saved:
    """A kind of record with all of its doors, and a field that all of them write."""

    make: Callable[[], Any]
    doors: tuple[Door, ...]
    name: str = "note"
    values: tuple[Any, Any] = (FIRST, SECOND)
    role: Role = Role.SALES_MANAGEMENT


def a_draft() -> GradingPolicy:
    return draft_next_version(policy=GradingPolicy.objects.get(number=1), by=None)


def an_assessment() -> Assessment:
    CycleFactory(fiscal_year=2026)
    return AssessmentFactory(fiscal_year=2026)


# A new way in to one of these records is one more door in its line; a new kind of record is one more line.
RECORDS: dict[type[Model], Saved] = {
    Assessment: Saved(an_assessment, (ASSESSMENT_FORM, GRID_CELL, ADMIN, *api("assessments"), imports("assessments"))),
    Customer: Saved(
        CustomerFactory,
        (
            *(CUSTOMER_PAGE, ADMIN, *api("customers")),
            *(bulk("customers", "industry", (FIRST, SECOND)), imports("customers")),
        ),
        "industry",
    ),
    Contact: Saved(ContactFactory, (CONTACT_PAGE, ADMIN, *api("contacts"), imports("contacts"))),
    Sale: Saved(lambda: SaleFactory(contract_no="HT-1"), (ADMIN, *api("sales"), imports("sales"))),
    CustomerLine: Saved(CustomerLineFactory, (ADMIN,), "is_active", ("", "")),
    LineMember: Saved(LineMemberFactory, (ADMIN,), "why"),
    User: Saved(lambda: UserFactory(role=Role.EXECUTIVE), (PERSON_PAGE, ADMIN, imports("people")), "name"),
    Region: Saved(
        lambda: BranchFactory().region, (REGION_PAGE, ADMIN, imports("regions")), "name", role=Role.ADMINISTRATOR
    ),
    Branch: Saved(BranchFactory, (BRANCH_PAGE, ADMIN), "name", role=Role.ADMINISTRATOR),
    Department: Saved(lambda: Department.objects.first(), (ADMIN,), "name", role=Role.ADMINISTRATOR),
    ProductLine: Saved(
        lambda: ProductLine.objects.first(), (ADMIN, imports("product-lines")), "name", role=Role.ADMINISTRATOR
    ),
    GradingPolicy: Saved(a_draft, (ADMIN,)),
}
# One pair in five in the quick suite, and all of them with the services.
PAIRS = [
    pytest.param(
        model,
        one,
        other,
        id=f"{model.__name__}: {one}, then {other}",
        marks=[pytest.mark.exhaustive] if number % 5 else [],
    )
    for model, saved in RECORDS.items()
    for number, (one, other) in enumerate(product(saved.doors, saved.doors))
]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **kwargs: None)


def test_every_kind_of_record_that_can_be_edited_is_here():
    edited = {model for model, shown in admin.site._registry.items() if shown.edit_permission is not None}
    edited |= {kind.model for kind in import_kinds().values()}
    for routes in settings.API_ROUTES:
        edited |= {one.queryset.model for _prefix, one in import_string(routes) if "partial_update" in one.permissions}
    assert edited - {CompanyAccount} == RECORDS.keys()  # whose account it is: a link without anything to lose


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_the_doors_of_a_record_are_all_here(model):
    names = {door.name for door in RECORDS[model].doors}
    assert ("bulk change" in names) == any(kind.model is model for kind in bulk_kinds().values())
    assert ("import" in names) == any(kind.model is model for kind in import_kinds().values())
    changed = [
        one for routes in settings.API_ROUTES for _prefix, one in import_string(routes) if one.queryset.model is model
    ]
    assert any(name.startswith("API") for name in names) == any("partial_update" in one.permissions for one in changed)
    assert ("administration" in names) == (admin.site._registry[model].edit_permission is not None)


@pytest.mark.parametrize(("model", "one", "other"), PAIRS)
def test_who_saves_what_somebody_else_has_changed_overwrites_nothing_silently(model, one, other):
    """The first reads, the other reads and saves, the first saves."""
    saved = RECORDS[model]
    record = saved.make()
    first, second = (UserFactory(role=saved.role, name=name) for name in ("甲", "乙"))
    browsers = browser_of(first), browser_of(second)
    read = one.read(browsers[0], first, record)
    seen = other.read(browsers[1], second, record)
    assert other.save(browsers[1], second, record, seen, saved.name, saved.values[0])
    theirs = stored(record, saved.name)
    is_saved = one.save(browsers[0], first, record, read, saved.name, saved.values[1])
    if one.has_version:
        assert not is_saved
        assert stored(record, saved.name) == theirs
        assert last_change(record).by == second
    else:
        assert is_saved
        assert last_change(record).by == first
        assert last_change(record).way == Way.IMPORT
        assert last_change(record).before[saved.name] == theirs


@pytest.mark.parametrize("model", [Assessment, Customer, Contact])
def test_an_import_leaves_alone_what_its_file_does_not_name(model):
    """Somebody changed another field after the file was made: that stays."""
    saved, other = RECORDS[model], {Assessment: "has_system", Customer: "industry", Contact: "title"}[model]
    record = saved.make()
    person = UserFactory(role=saved.role)
    browser, door = browser_of(person), saved.doors[-1]
    read = door.read(browser, person, record)
    changed = ADMIN.read(browser, person, record)
    assert ADMIN.save(browser, person, record, changed, other, "on")
    kept = stored(record, other)
    assert door.save(browser, person, record, read, "note", SECOND)
    assert (stored(record, "note"), stored(record, other)) == (SECOND, kept)
    assert set(last_change(record).after) - {"updated_at"} == {"note", "version"}


def stored(record: Model, name: str) -> Any:
    return type(record)._base_manager.values_list(name, flat=True).get(pk=record.pk)


def last_change(record: Model) -> Change:
    return Change.objects.of(record).latest("sequence")
