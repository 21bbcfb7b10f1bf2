"""Storing many records at once, the same on both databases."""

from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.lib import bulk
from crm.lib.bulk import among, append_all, insert_all, maker_of, update_all
from crm.models import Change, Customer, CustomerLine, ProductLine, Sale, User
from tests.factories import CustomerFactory, CustomerLineFactory

pytestmark = pytest.mark.django_db

ODD = ["a\tb", "a\nb\r\n", "\\N", "\\", "\\t", "", "引’号\"'", "😀", " "]


@pytest.fixture(autouse=True, params=["many", "few"])
def way(request, monkeypatch):
    """Both ways of inserting."""
    monkeypatch.setattr(bulk, "_FEW", 0 if request.param == "many" else 1000)


def test_texts_days_truths_and_nothing_come_back_as_they_were():
    line = CustomerLineFactory()
    made = [Sale(line=line, signed_on=date(2026, 1, 1), amount=-number, note=odd) for number, odd in enumerate(ODD)]
    insert_all(Sale, made)
    stored = Sale.objects.in_bulk([one.pk for one in made])
    assert [(stored[one.pk].note, stored[one.pk].amount, stored[one.pk].deleted_at) for one in made] == [
        (odd, -number, None) for number, odd in enumerate(ODD)
    ]
    assert not made[0]._state.adding


def test_json_comes_back_as_it_was(head_office):
    made = insert_all(
        Change, [Change(transaction=1, table="t", object_id=1, before=None, after={"a": ODD}, at="2026-01-01T00:00Z")]
    )
    stored = Change.objects.get(pk=made[0].pk)
    assert (stored.before, stored.after) == (None, {"a": ODD})


def test_moments_are_stamped_and_numbers_follow_on():
    before = CustomerFactory()
    made = CustomerFactory.build(region=before.region)
    insert_all(Customer, [made])
    assert Customer.objects.get(pk=made.pk).created_at is not None
    assert CustomerFactory(region=before.region).pk > made.pk > before.pk


def test_what_was_named_before_it_was_stored_is_found():
    line = CustomerLine(customer=CustomerFactory(), product_line=ProductLine.objects.get(code="police"))
    sale = Sale(line=line, signed_on=date(2026, 1, 1), amount=1)
    insert_all(CustomerLine, [line])
    insert_all(Sale, [sale])
    assert Sale.objects.get().line == line


def test_what_the_database_refuses_is_an_error_of_the_framework():
    line = CustomerLineFactory()
    twice = [Sale(line=line, signed_on=date(2026, 1, 1), amount=1, contract_no="1") for _ in range(2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_all(Sale, twice)


def test_some_fields_of_many_records_are_changed_and_no_other():
    customers = [CustomerFactory(note=odd) for odd in ODD]
    for customer, odd in zip(customers, reversed(ODD), strict=True):
        customer.note, customer.parent, customer.name = odd, customers[0] if customer != customers[0] else None, "x"
    update_all(Customer, customers, ["note", "parent"])
    stored = Customer.objects.in_bulk()
    assert [stored[one.pk].note for one in customers] == ODD[::-1]
    assert {stored[one.pk].parent_id for one in customers} == {None, customers[0].pk}
    assert "x" not in {one.name for one in stored.values()}


def test_nothing_to_do_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        update_all(Customer, [], ["note"])
        update_all(Customer, [Customer()], [])


def test_rows_that_nobody_needs_as_records_are_stored_as_they_are(head_office):
    moment, batch = timezone.now(), uuid4()
    names = ("transaction", "table", "object_id", "version", "before", "after", "reason", "is_tombstone")
    rows = [(1, "t", number, 0, None, {"a": odd}, odd, bool(number % 2)) for number, odd in enumerate(ODD)]
    told = [(*row, head_office.pk, "job", batch, moment) for row in rows]
    append_all(Change, (*names, "by_id", "way", "batch", "at"), told)
    stored = Change.objects.filter(batch=batch, by=head_office, at=moment, way="job").order_by("object_id")
    assert list(stored.values_list(*names)) == rows
    append_all(Change, names, [])


@pytest.mark.parametrize("model", [Customer, Sale, User])
def test_a_made_record_is_as_the_model_makes_it_and_shares_nothing(model):
    make, own = maker_of(model), model()
    made, other = make(), make()
    apart = {"_state", "date_joined"}
    assert {k: v for k, v in vars(made).items() if k not in apart} == {
        k: v for k, v in vars(own).items() if k not in apart
    }
    assert made._state.adding
    assert made._state is not other._state
    assert made._state.fields_cache is not other._state.fields_cache


def test_a_default_that_is_reckoned_is_reckoned_for_each():
    make = maker_of(User)
    assert make().date_joined < make().date_joined <= timezone.now()


def test_a_record_is_completed_before_it_is_written():
    region = CustomerFactory().region
    made = [CustomerFactory.build(region=region, name=f"客户{at}", search_text="") for at in range(3)]
    insert_all(Customer, made, lambda one: setattr(one, "search_text", one.name))
    stored = Customer.objects.filter(search_text__startswith="客户").order_by("pk")
    assert [one.search_text for one in stored] == ["客户0", "客户1", "客户2"]


def test_records_are_found_among_many_texts():
    for code in ODD[:-1]:
        CustomerFactory(code=code or "empty")
    assert Customer.objects.filter(code__in=among([*ODD, "none"])).count() == len(ODD) - 2
    assert not Customer.objects.filter(code__in=among([])).exists()
