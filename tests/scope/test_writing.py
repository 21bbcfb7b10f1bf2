"""Who sees something may not yet write it, and writes nothing where he could not see it afterwards."""

import pytest

from crm.actions.customers import OutOfReach, add_line, save_customer
from crm.models import Customer, LineMember, ProductLine, Sale
from grading.models import Assessment
from tests.factories import CustomerFactory
from tests.scope.asking import browser_of
from tests.scope.company import Company
from tests.scope.doors import imported

pytestmark = pytest.mark.django_db


def post(browser, path: str, body: dict):
    return browser.post(f"/api/v1/{path}/", body, content_type="application/json")


def test_nobody_adds_a_customer_that_he_would_not_see(company: Company):
    """Who serves some customers names a product line of the new one, and becomes its member."""
    browser = browser_of(company.people["account_manager"])
    new = {"name": "新客户", "code": "N-1", "region": "north"}
    assert post(browser, "customers", new).status_code == 403
    assert not Customer.objects.filter(code="N-1").exists()
    assert post(browser, "customers", new | {"product_lines": ["police"]}).status_code == 201


def test_nobody_adds_a_customer_to_another_region(company: Company):
    police = ProductLine.objects.get(code="police")
    customer = CustomerFactory.build(region=company.south.region, code="N-1")
    with pytest.raises(OutOfReach):
        save_customer(customer=customer, version=0, by=company.people["account_manager"], product_lines=[police])


def test_who_adds_a_line_becomes_its_member_only_where_he_could_not_write_it_otherwise(company: Company):
    tourism, urban = ProductLine.objects.exclude(code__in=["police", "emergency"])[:2]
    seller, customer = company.people["sales_manager"], company.north.own.customer
    line = add_line(customer=customer, product_line=tourism, by=seller)
    assert LineMember.objects.filter(line=line, user=seller).exists()
    line = add_line(customer=customer, product_line=urban, by=company.north.staff)
    assert not LineMember.objects.filter(line=line).exists()


def test_a_line_of_somebody_else_takes_no_sale_and_no_assessment(company: Company):
    browser = browser_of(company.people["sales_manager"])
    line = company.beside.line
    sale = {"customer_line": line.pk, "signed_on": "2026-01-05", "amount": "1.00"}
    answers = [
        post(browser, "sales", sale),
        post(browser, "assessments", {"customer_line": line.pk, "fiscal_year": 2024}),
    ]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert {answer.json()["errors"][0]["code"] for answer in answers} == {"not_yours"}
    assert not Sale.objects.filter(line=line, signed_on="2026-01-05").exists()
    assert not Assessment.objects.filter(line=line, fiscal_year=2024).exists()


def test_a_file_writes_no_line_of_somebody_else(company: Company):
    rows = ["客户,产品线,签约日期,金额", f"{company.north.own.customer.code},emergency,2026-01-05,100"]
    one = imported("sales", "\n".join(rows), company.people["sales_manager"])
    assert one.report["counts"]["rejected"] == 1
    assert "may not write" in one.report["errors"][0]["reason"]
