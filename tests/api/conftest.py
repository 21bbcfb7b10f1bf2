"""A client with a token, and a company of two regions."""

import json
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.actions.tokens import issue_token
from crm.models import Customer, User
from grading.models import BudgetState, Cause, Cycle, CycleState, Grade, GradeRecord, GradingPolicy
from tests.factories import CustomerFactory, CustomerLineFactory, CycleFactory


class ApiClient(Client):
    """Speaks JSON and carries a bearer token."""

    def __init__(self, token: str | None, **kwargs) -> None:
        headers = {"accept-language": "en"} | ({"authorization": f"Bearer {token}"} if token else {})
        super().__init__(headers=headers, **kwargs)

    def send(self, method: str, path: str, body=None):
        return getattr(self, method)(f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json")

    def read(self, path: str, **parameters):
        return self.get(f"/api/v1/{path}", parameters)

    def results(self, path: str, **parameters) -> list:
        answer = self.read(path, **parameters)
        assert answer.status_code == 200, answer.content
        return answer.json()["results"]


@pytest.fixture
def api():
    """An API client of a person, with the scopes named; `read` and `write` unless told."""

    def connect(user: User | None, *scopes: str) -> ApiClient:
        return ApiClient(issue_token(user=user, scopes=scopes or ("read", "write")) if user else None)

    return connect


@pytest.fixture
def customer(north_region) -> Customer:
    return CustomerFactory(region=north_region, code="N1", name="杭州市公安局")


@pytest.fixture
def foreign_customer(south_region) -> Customer:
    return CustomerFactory(region=south_region, code="S1", name="广州市公安局")


@pytest.fixture
def cycle(db) -> Cycle:
    return CycleFactory(fiscal_year=2025, state=CycleState.PUBLISHED, published_at=timezone.now())


@pytest.fixture
def graded(cycle):
    """Makes the published grade of a customer line: the worked example unless told."""

    def make(line=None, *, fiscal_year: int = 2025, **changes) -> Grade:
        line = line or CustomerLineFactory()
        grade = Grade.objects.create(line=line, fiscal_year=fiscal_year)
        own = {"grade": grade, "policy": policy(), "product_line": line.product_line}
        grade.record = GradeRecord.objects.create(**RECORD | own | changes)
        grade.save()
        return grade

    return make


LONG_AGO = "1970-01-01T00:00:00Z"


@pytest.fixture
def follow(api):
    """Follows a list for a person: each call gives the changed objects by id since the one before."""

    class Follower:
        def __init__(self, user, path, **parameters):
            self.client, self.path, self.parameters = api(user), path, parameters
            self.sync, self.copy = LONG_AGO, {}

        def answer(self, **more):
            return self.client.read(self.path, changed_since=self.sync, **self.parameters, **more)

        def __call__(self):
            answer = self.answer()
            assert answer.status_code == 200, answer.content
            body = answer.json()
            assert (body["next"], body["previous"]) == (None, None)
            self.sync = body["sync"]
            return self.new({row["id"]: row for row in body["results"]})

        def new(self, told):
            """On PostgreSQL what is told while a transaction is open comes again, as the test's own is."""
            if connection.vendor != "postgresql":
                return told
            before, self.copy = self.copy, {pk: row for pk, row in (self.copy | told).items() if "deleted" not in row}
            return {pk: row for pk, row in told.items() if before.get(pk, gone(pk)[pk]) != row}

    return Follower


def gone(pk: int) -> dict:
    return {pk: {"id": pk, "deleted": True}}


def changed(record, **values):
    """The record, read again and changed by the action that pages use."""
    record = type(record).objects.get(pk=record.pk)
    for name, value in values.items():
        setattr(record, name, value)
    return record


def policy() -> GradingPolicy:
    return GradingPolicy.objects.get(number=1)


RECORD = {
    "cause": Cause.RUN,
    "as_of": date(2025, 1, 1),
    "recorded_at": timezone.make_aware(timezone.datetime(2024, 12, 20, 12)),
    "effective_on": date(2025, 1, 1),
    "before": "not_assessed",
    "state": "graded",
    "letter": "B",
    "score": 84_0000,
    "scheme": "customer_value",
    "required_margin": 30_00,
    "margin_points": 70,
    "potential_points": 90,
    "bonus": 105,
    "expected_margin": 18_00,
    "potential_sales": 4_000_000_00,
    "history_sales": 1_500_000_00,
    "has_need": True,
    "budget_state": BudgetState.CONFIRMED,
    "budget_amount": 4_000_000_00,
    "budget_fits_pricing": True,
    "has_timetable": True,
    "knows_decision_makers": True,
    "expected_close_on": date(2025, 9, 30),
    "has_begun_selection": True,
}

NOT_GRADABLE = {
    "state": "not_gradable",
    "letter": None,
    "score": None,
    "missing": 1,
    "has_need": False,
    "required_margin": None,
    "margin_points": None,
    "potential_points": None,
    "bonus": None,
}
