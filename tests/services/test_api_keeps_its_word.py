"""The whole API held to its own description, as each role: requests that nobody thinks of never break it.

Schemathesis makes requests from the OpenAPI description, right ones and wrong ones; whatever is sent, no answer is
a server error, and each has a status, a media type and a body that the description knows. HENGKE_SCHEMA_EXAMPLES
is the number of requests of each kind that an operation gets from each role.
"""

import os
from zlib import crc32

import pytest
import schemathesis
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as examples
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from crm.actions.tokens import issue_token
from crm.models import Role, User

pytestmark = [pytest.mark.services, pytest.mark.django_db]

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
FEW = examples(
    max_examples=int(os.environ.get("HENGKE_SCHEMA_EXAMPLES", "2")),
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def company(db, settings, one_connection) -> None:
    settings.API_RATE = (0, 60)
    call_command("load_demo", customers=30, seed=1, verbosity=0)


@pytest.mark.parametrize("role", Role.values)
def test_whatever_a_role_sends_is_answered_as_described(role, company):
    person = User.objects.filter(role=role, is_active=True).order_by("pk").first()
    headers = {"Authorization": f"Bearer {issue_token(user=person, scopes=('read', 'write'))}"}
    app = get_wsgi_application()
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", app, headers=headers)
    asked = 0

    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            asked += _send_some(operation, mode, headers, crc32(role.encode()))

    assert asked > 100


def _send_some(operation, mode: GenerationMode, headers: dict[str, str], number: int) -> int:
    """Send a few requests to an operation; what they write is taken back. Returns how many.

    Each role sends others, the same each time.
    """
    sent = 0

    @seed(number)
    @FEW
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case) -> None:
        nonlocal sent
        with transaction.atomic():
            case.call_and_validate(headers=headers, checks=CHECKS)
            transaction.set_rollback(True)
        sent += 1

    send()
    return sent
