"""The moments of `changed_since`: with whatever offset RFC 3339 allows, and nothing else."""

from datetime import datetime, timedelta, timezone

import pytest

from crm.actions.customers import save_customer
from tests.api.conftest import changed


@pytest.mark.parametrize("minutes", [1439, -1439, 960, 480, 0])
def test_every_offset_is_understood(api, north, customer, minutes):
    save_customer(customer=changed(customer, note="new"), version=1, by=None)
    zone, client = timezone(timedelta(minutes=minutes)), api(north)
    before, after = (
        client.results("customers/", changed_since=(datetime.now(zone) + hours).isoformat(timespec="seconds"))
        for hours in (timedelta(hours=-1), timedelta(hours=1))
    )
    assert ([row["id"] for row in before], after) == ([customer.pk], [])


@pytest.mark.parametrize(
    "word",
    [
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00Z",
        "2026-11-30T00:00:00+24:00",
        "２０２６-11-30T00:00:00Z",
        "2026-11-30T00:00:0٣Z",
    ],
)
def test_what_is_no_moment_is_refused(api, north, word):
    refused = api(north).read("customers/", changed_since=word)
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["changed_since"]
