"""`manage.py issue_api_token`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm.models import ApiToken
from tests.api.conftest import ApiClient


def issue(*arguments):
    printed = StringIO()
    call_command("issue_api_token", *arguments, stdout=printed)
    return printed.getvalue().strip()


def test_it_prints_a_token_that_works(north):
    token = issue("north")
    assert ApiClient(token).read("customers/").status_code == 200
    assert ApiToken.objects.get().scopes == "read"
    assert token not in str(ApiToken.objects.values().get())


def test_it_takes_several_scopes_and_a_last_day(north):
    issue("north", "--scope", "grades:read", "--scope", "assessments:write", "--expires", "2099-12-31")
    token = ApiToken.objects.get()
    assert token.scopes == "grades:read assessments:write"
    assert timezone.localtime(token.expiry).isoformat() == "2100-01-01T00:00:00+08:00"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nobody",),
        ("north", "--scope", "everything"),
        ("north", "--expires", "2001-01-01"),
        ("north", "--expires", "tomorrow"),
    ],
)
def test_it_says_what_is_wrong(north, arguments):
    with pytest.raises(CommandError):
        issue(*arguments)
    assert not ApiToken.objects.exists()


def test_someone_who_left_gets_none(north):
    north.is_active = False
    north.save()
    with pytest.raises(CommandError, match="no active person"):
        issue("north")
