"""Rows copied out of PostgreSQL ahead of whoever works on them: to the end, not to the end, and not at all."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import islice

import pytest
from django.db import DataError, connection
from django.db.models import F, IntegerField, Value
from django.db.models.functions import Cast, StrIndex

from crm.lib.copied import CHUNK, NULL, copied, copied_at_once, unescaped
from crm.models import Customer
from tests.factories import RegionFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

NAMES = ["", "杭州市公安局", "tab\tline\nend\r\x0b\x0c\b", "back\\slash", "\\N", "\\\\", '"quoted", 100 %s']


def customers(count):
    region = RegionFactory()
    Customer.objects.bulk_create(
        [Customer(code=f"C{n}", name=f"{NAMES[n % len(NAMES)]}", region=region, pinyin="x" * 300) for n in range(count)]
    )
    return Customer.objects.order_by("pk")


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("copied")]


def test_texts_come_back_as_they_were_stored():
    found = customers(len(NAMES))
    rows = copied_at_once(found.values_list("name", "deleted_at", "version"))
    split = [row.split(b"\t") for row in rows]
    assert [unescaped(name).decode() for name, _gone, _version in split] == NAMES
    assert {(gone, version) for _name, gone, version in split} == {(NULL, b"1")}


def test_all_rows_come_in_order():
    found = customers(3 * CHUNK + 7).values_list("pk")
    chunks = list(copied(found))
    assert [len(chunk) for chunk in chunks] == [CHUNK, CHUNK, CHUNK, 7]
    assert [int(row) for chunk in chunks for row in chunk] == list(found.values_list("pk", flat=True))
    assert not threads()


def test_rows_that_are_all_read_before_they_are_wanted_come_too(monkeypatch):
    class Hurried(ThreadPoolExecutor):
        def submit(self, *call):
            reading = super().submit(*call)
            wait([reading], timeout=1)
            return reading

    monkeypatch.setattr("crm.lib.copied.ThreadPoolExecutor", Hurried)
    found = customers(3 * CHUNK + 7).values_list("pk")
    assert sum(map(len, copied(found))) == 3 * CHUNK + 7
    assert not threads()


def test_no_rows_are_no_chunk():
    assert [row for chunk in copied(Customer.objects.values_list("pk")) for row in chunk] == []


def test_who_stops_early_leaves_no_thread_no_statement_and_a_connection_that_works():
    customers(20_000)
    rows = copied(Customer.objects.values_list("pk", "pinyin"))
    assert list(islice(rows, 1))
    began = time.perf_counter()
    rows.close()
    assert time.perf_counter() - began < 5
    assert not threads()
    assert Customer.objects.count() == 20_000


def test_what_goes_wrong_on_the_way_is_raised_where_the_rows_are_wanted():
    customers(3 * CHUNK)
    last = Customer.objects.order_by("pk").last()
    Customer.objects.filter(pk=last.pk).update(code="")
    halves = Customer.objects.order_by("pk").annotate(
        share=Cast(Value(1), IntegerField()) / StrIndex(F("code"), Value("C"))
    )
    rows = copied(halves.values_list("pk", "share"))
    with pytest.raises(DataError):
        list(rows)
    assert connection.is_usable()
    assert not threads()
