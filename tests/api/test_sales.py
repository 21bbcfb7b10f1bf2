"""/api/v1/sales/."""

import pytest

from crm.models import Change, Sale
from tests.factories import CustomerLineFactory, LineMemberFactory, SaleFactory, UserFactory


@pytest.fixture
def line(customer):
    return CustomerLineFactory(customer=customer)


@pytest.fixture
def client(api, north):
    return api(north)


def body(line, **changes):
    return {"customer_line": line.pk, "signed_on": "2025-06-01", "amount": "1500000.00"} | changes


def errors(answer):
    assert answer.status_code == 400, answer.content
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


def test_it_shows_a_sale(client, line, customer):
    sale = SaleFactory(line=line, contract_no="HT-1")
    assert client.results("sales/") == [
        {
            "id": sale.pk,
            "customer": {"id": customer.pk, "name": customer.name, "code": "N1", "region": "north"},
            "customer_line": line.pk,
            "line": "police",
            "contract_no": "HT-1",
            "signed_on": "2025-06-01",
            "amount": "1500000.00",
            "note": "",
            "version": 1,
        }
    ]


def test_another_regions_sales_do_not_exist(api, south_user, line):
    sale = SaleFactory(line=line)
    client = api(south_user)
    assert client.results("sales/") == []
    assert client.read(f"sales/{sale.pk}/").status_code == 404
    assert client.send("patch", f"sales/{sale.pk}/", {"amount": "1", "version": 1}).status_code == 404
    assert errors(client.send("post", "sales/", body(line))) == {("customer_line", "does_not_exist")}
    assert errors(client.read("sales/", customer_line=line.pk)) == errors(client.read("sales/", customer_line=987654))


def test_it_records_a_sale_and_has_the_line_regraded(client, line):
    made = client.send("post", "sales/", body(line))
    assert (made.status_code, made.json()["amount"]) == (201, "1500000.00")
    assert Sale.objects.get().amount == 1_500_000_00
    assert Change.objects.of(Sale.objects.get()).count() == 1
    line.refresh_from_db()
    assert line.facts_changed_at is not None


def test_a_negative_amount_takes_something_back(client, line):
    assert client.send("post", "sales/", body(line, amount="-0.01")).json()["amount"] == "-0.01"


def test_it_changes_a_sale_of_the_version_that_was_read(client, line):
    sale = SaleFactory(line=line)
    changed = client.send("patch", f"sales/{sale.pk}/", {"amount": "12.30", "version": 1}).json()
    assert (changed["amount"], changed["version"]) == ("12.30", 2)
    stale = client.send("patch", f"sales/{sale.pk}/", {"amount": "99", "version": 1})
    assert (stale.status_code, stale.json()["code"]) == (412, "edited_meanwhile")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"amount": "1.234"}, "amount", "too_precise"),
        ({"amount": "1.000"}, "amount", "too_precise"),
        ({"amount": 0.1 + 0.2}, "amount", "too_precise"),
        ({"amount": "1,000"}, "amount", "invalid"),
        ({"amount": ""}, "amount", "invalid"),
        ({"amount": "NaN"}, "amount", "invalid"),
        ({"amount": "1" * 14}, "amount", "too_large"),
        ({"amount": None}, "amount", "null"),
        ({"amount": {}}, "amount", "invalid"),
        ({"signed_on": "2025-02-30"}, "signed_on", "invalid"),
        ({"signed_on": 20250601}, "signed_on", "invalid"),
        ({"contract_no": "x" * 61}, "contract_no", "max_length"),
        ({"customer_line": 10**18}, "customer_line", "does_not_exist"),
        ({"line": "police"}, "line", "read_only"),
    ],
)
def test_it_names_the_field_that_is_wrong(client, line, changes, field, code):
    assert errors(client.send("post", "sales/", body(line) | changes)) == {(field, code)}
    assert not Sale.objects.exists()


def test_a_contract_number_is_unique_in_its_line(client, line):
    SaleFactory(line=line, contract_no="HT-1")
    answer = client.send("post", "sales/", body(line, contract_no="HT-1"))
    assert answer.json()["errors"][0]["message"] == "The customer line already has a sale with this contract number."


def test_a_sale_stays_with_its_line(client, line, customer):
    sale = SaleFactory(line=line)
    answer = client.send("patch", f"sales/{sale.pk}/", {"customer_line": line.pk, "version": 1})
    assert errors(answer) == {("customer_line", "fixed")}


def test_a_member_sees_all_lines_and_writes_only_his_own(api, line, customer):
    own = CustomerLineFactory(customer=customer, product_line_id=line.product_line_id + 1)
    manager = UserFactory(role="sales_manager", region=customer.region)
    LineMemberFactory(line=own, user=manager)
    sale, client = SaleFactory(line=line), api(manager)
    assert [row["id"] for row in client.results("sales/")] == [sale.pk]
    refused = client.send("patch", f"sales/{sale.pk}/", {"amount": "1", "version": 1})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")
    assert errors(client.send("post", "sales/", body(line))) == {("customer_line", "not_yours")}
    assert client.send("post", "sales/", body(own)).status_code == 201


def test_filters_by_day_include_both_ends(client, line):
    for day in ("2025-01-01", "2025-06-30", "2025-07-01"):
        SaleFactory(line=line, signed_on=day)
    found = client.results("sales/", signed_from="2025-01-01", signed_until="2025-06-30")
    assert [row["signed_on"] for row in found] == ["2025-01-01", "2025-06-30"]
    assert errors(client.read("sales/", signed_from="01.01.2025")) == {("signed_from", "invalid")}


def test_a_page_costs_the_same_queries_whatever_its_size(client, line, django_assert_max_num_queries):
    SaleFactory.create_batch(5, line=line)
    client.results("sales/")
    for size in (1, 5):
        with django_assert_max_num_queries(6):
            client.results("sales/", page_size=size)
