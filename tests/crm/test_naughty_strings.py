"""A few strings of each nasty kind through every door; the whole list stands in tests/real_data."""

import pytest

from crm.actions.tokens import issue_token
from tests.api.conftest import ApiClient
from tests.crm import naughty
from tests.crm.naughty import NAUGHTY, texts_of
from tests.pages import published_cycle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_RATE = (0, 1)


@pytest.fixture
def records(north_region):
    published_cycle()
    return naughty.make_records(north_region)


@pytest.mark.parametrize("kind", naughty.BY_API)
def test_the_api_keeps_each_or_refuses_it_by_name(records, north, kind):
    client = ApiClient(issue_token(user=north, scopes=("read", "write", "assessments:write")))
    naughty.send_each(records[kind], texts_of(kind), NAUGHTY, naughty.by_api(client, f"{kind}s"))


@pytest.mark.parametrize("kind", naughty.BY_ADMINISTRATION)
def test_the_forms_of_the_administration_keep_each_or_refuse_it_by_name(records, head_office, client_of, kind):
    send = naughty.by_administration(client_of(head_office), records[kind])
    naughty.send_each(records[kind], texts_of(kind), NAUGHTY, send)


@pytest.mark.parametrize("kind", naughty.PAGES)
def test_the_pages_keep_each_or_refuse_it_by_name(records, head_office, client_of, kind):
    send = naughty.by_page(client_of(head_office), kind)
    naughty.send_each(records[kind], texts_of(kind), NAUGHTY, send)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_an_import_keeps_each_or_rejects_its_row(north_region, tmp_path, suffix):
    published_cycle()
    naughty.import_strings(tmp_path, suffix, naughty.for_files(NAUGHTY, suffix))


def test_pages_show_them_escaped(records, head_office, client_of):
    client = client_of(head_office)
    for written in (one for one in NAUGHTY if "<" in one):
        naughty.hold(records, written)
        naughty.assert_shown_harmlessly(client, records, written)
