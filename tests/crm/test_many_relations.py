"""What belongs to more than a thousand records is looked up at once: SQLite takes no longer chain of OR."""

import csv

import pytest

from crm.actions import data_imports
from crm.actions.work_on_import import work_on_import
from crm.models import Customer, CustomerLine, Division, ImportState
from tests.factories import CustomerFactory
from tests.undo import undo_import

pytestmark = pytest.mark.django_db

MANY = 1100


@pytest.fixture
def customers(north_region):
    """Each in a division of its own."""
    divisions = Division.objects.order_by("pk")[:MANY]
    made = [
        CustomerFactory.build(code=f"{number:06}", name=f"第{number}局", division=division, region=north_region)
        for number, division in enumerate(divisions)
    ]
    assert len(made) == MANY
    return Customer.objects.bulk_create(made)


def test_each_customer_of_a_file_says_its_own_division(customers, north, client_of):
    answer = client_of(north, "en").post("/exports/customers/?columns=code,division", {"format": "csv"})
    _head, *rows = csv.reader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines())
    assert sorted(rows) == sorted([one.name, one.code, one.division.code] for one in customers)


def test_an_import_that_opened_a_line_for_each_is_taken_back(customers, head_office):
    rows = ["客户编码,产品线", *(f"{customer.code},公安" for customer in customers)]
    one = data_imports.upload_import(kind="customers", name="a.csv", content="\n".join(rows).encode(), by=head_office)
    data_imports.start_import(data_import=one, by=head_office)
    work_on_import(job_id=one.job_id)
    assert CustomerLine.objects.filter(is_active=True).count() == MANY
    one.refresh_from_db()
    assert undo_import(data_import=one, by=head_office).state == ImportState.UNDONE
    assert not CustomerLine.objects.filter(is_active=True).exists()
