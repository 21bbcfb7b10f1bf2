"""The big list of naughty strings through every text of customers, contacts, sales and assessments, by every door.

The list is not shipped: HENGKE_REAL_DATA names the folder that holds naughty_strings.
"""

import json
import os
from pathlib import Path

import pytest
from django.conf import settings as product
from django.urls import reverse

from crm.actions.tokens import issue_token
from tests.api.conftest import ApiClient
from tests.crm import naughty
from tests.crm.naughty import CODES, TEXTS
from tests.factories import AssessmentFactory, ContactFactory, CustomerFactory, CustomerLineFactory, SaleFactory
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
    customer = CustomerFactory(region=north_region)
    line = CustomerLineFactory(customer=customer)
    return {
        "customer": customer,
        "contact": ContactFactory(customer=customer),
        "sale": SaleFactory(line=line),
        "assessment": AssessmentFactory(line=line),
    }


@pytest.mark.parametrize("kind", list(TEXTS))
def test_the_api_keeps_each_or_refuses_it_by_name(records, north, strings, kind):
    client = ApiClient(issue_token(user=north, scopes=("read", "write", "assessments:write")))
    naughty.send_each(records[kind], TEXTS[kind] + CODES.get(kind, ()), strings, naughty.by_api(client, f"{kind}s"))


@pytest.mark.parametrize("kind", ["customer", "contact", "sale"])
def test_the_forms_of_the_administration_keep_each_or_refuse_it_by_name(records, head_office, client_of, strings, kind):
    send = naughty.by_administration(client_of(head_office))
    naughty.send_each(records[kind], TEXTS[kind] + CODES.get(kind, ()), strings, send)


def test_the_assessments_page_keeps_each_note_or_refuses_it(records, north, client_of, strings):
    send = naughty.by_assessment_page(client_of(north))
    naughty.send_each(records["assessment"], TEXTS["assessment"], strings, send)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_an_import_keeps_each_or_rejects_its_row(north_region, tmp_path, strings, suffix):
    published_cycle()
    naughty.import_strings(tmp_path, suffix, naughty.for_files(strings))


def test_pages_show_them_escaped(records, north, client_of, strings):
    client, customer = client_of(north), records["customer"]
    page = reverse("crm:view-customer", args=[customer.pk])
    urls = [page, reverse("grading:save-assessment", args=[records["assessment"].pk])]
    for written in (one for one in strings if "<" in one):
        for kind, record in records.items():
            cut = {name: written[: record._meta.get_field(name).max_length] for name in TEXTS[kind]}
            type(record)._default_manager.filter(pk=record.pk).update(**cut)
        naughty.assert_harmless(client, urls, written[:60])
        assert naughty.shown_on(client, page, written[:60])
