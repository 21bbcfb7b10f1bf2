"""A few strings of each nasty kind through every door; the whole list stands in tests/real_data."""

import pytest
from django.urls import reverse

from crm.actions.tokens import issue_token
from tests.api.conftest import ApiClient
from tests.crm import naughty
from tests.crm.naughty import CODES, NAUGHTY, TEXTS
from tests.factories import AssessmentFactory, ContactFactory, CustomerFactory, CustomerLineFactory, SaleFactory
from tests.pages import published_cycle

pytestmark = pytest.mark.django_db
KINDS = ("customer", "contact", "sale", "assessment")


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


@pytest.mark.parametrize("kind", KINDS)
def test_the_api_keeps_each_or_refuses_it_by_name(records, north, kind):
    client = ApiClient(issue_token(user=north, scopes=("read", "write", "assessments:write")))
    fields = TEXTS[kind] + CODES.get(kind, ())
    naughty.send_each(records[kind], fields, NAUGHTY, naughty.by_api(client, f"{kind}s"))


@pytest.mark.parametrize("kind", ["customer", "contact", "sale"])
def test_the_forms_of_the_administration_keep_each_or_refuse_it_by_name(records, head_office, client_of, kind):
    fields = TEXTS[kind] + CODES.get(kind, ())
    send = naughty.by_administration(client_of(head_office))
    naughty.send_each(records[kind], fields, NAUGHTY, send)


def test_the_assessments_page_keeps_each_note_or_refuses_it(records, north, client_of):
    send = naughty.by_assessment_page(client_of(north))
    naughty.send_each(records["assessment"], TEXTS["assessment"], NAUGHTY, send)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_an_import_keeps_each_or_rejects_its_row(north_region, tmp_path, suffix):
    published_cycle()
    naughty.import_strings(tmp_path, suffix, naughty.for_files(NAUGHTY))


def test_pages_show_them_escaped(records, north, client_of):
    client, customer, assessment = client_of(north), records["customer"], records["assessment"]
    page = reverse("crm:view-customer", args=[customer.pk])
    urls = [page, reverse("crm:list-customers"), reverse("grading:save-assessment", args=[assessment.pk])]
    for written in (one for one in NAUGHTY if "<" in one):
        for kind, record in records.items():
            type(record)._default_manager.filter(pk=record.pk).update(**dict.fromkeys(TEXTS[kind], written))
        naughty.assert_harmless(client, urls, written)
        assert naughty.shown_on(client, page, written)
