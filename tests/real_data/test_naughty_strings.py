"""The big list of naughty strings through every text of customers, contacts, people, sales and assessments.

The list is not shipped: HENGKE_REAL_DATA names the folder that holds naughty_strings.
"""

import json
import os
from pathlib import Path

import pytest
from django.conf import settings as product

from crm.actions.tokens import issue_token
from tests.api.conftest import ApiClient
from tests.crm import naughty
from tests.crm.naughty import TEXTS, texts_of
from tests.pages import published_cycle

pytestmark = [pytest.mark.real_data, pytest.mark.django_db]


@pytest.fixture(scope="module")
def strings() -> list[str]:
    folder = Path(os.environ.get("HENGKE_REAL_DATA", product.BASE_DIR.parent / "shared" / "data")) / "naughty_strings"
    assert folder.is_dir(), f"{folder} is missing: HENGKE_REAL_DATA names the folder that holds naughty_strings"
    return json.loads((folder / "blns.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_RATE = (0, 1)


@pytest.fixture
def records(north_region):
    published_cycle()
    return naughty.make_records(north_region)


@pytest.mark.parametrize("kind", naughty.BY_API)
def test_the_api_keeps_each_or_refuses_it_by_name(records, north, strings, kind):
    client = ApiClient(issue_token(user=north, scopes=("read", "write", "assessments:write")))
    naughty.send_each(records[kind], texts_of(kind), strings, naughty.by_api(client, f"{kind}s"))


@pytest.mark.parametrize("kind", naughty.BY_ADMINISTRATION)
def test_the_forms_of_the_administration_keep_each_or_refuse_it_by_name(records, head_office, client_of, strings, kind):
    send = naughty.by_administration(client_of(head_office), records[kind])
    names = TEXTS[kind] if kind == "person" else texts_of(kind)  # its page has the same form with the same rules
    naughty.send_each(records[kind], names, strings, send)


@pytest.mark.parametrize("kind", naughty.PAGES)
def test_the_pages_keep_each_or_refuse_it_by_name(records, head_office, client_of, strings, kind):
    send = naughty.by_page(client_of(head_office), kind)
    naughty.send_each(records[kind], texts_of(kind), strings, send)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_an_import_keeps_each_or_rejects_its_row(north_region, tmp_path, strings, suffix):
    published_cycle()
    naughty.import_strings(tmp_path, suffix, naughty.for_files(strings, suffix))


def test_pages_show_them_escaped(records, head_office, client_of, strings):
    client = client_of(head_office)
    for written in dict.fromkeys(one[:60] for one in strings if "<" in one[:60]):
        naughty.hold(records, written)
        naughty.assert_shown_harmlessly(client, records, written)
