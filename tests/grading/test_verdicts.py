"""Verdicts: previewed without storing anything, and read back as they were recorded."""

from datetime import date

import pytest
import time_machine
from django.utils import timezone

from crm.models import CustomerLine, Sale
from grading.actions.verdicts import explanation_of, history_sales, preview
from grading.models import Assessment, Grade, GradingPolicy, RequiredMargin
from tests.factories import CustomerLineFactory, CycleFactory, SaleFactory
from tests.grading.company import AS_OF, assessed_line, record_of, run_through

pytestmark = pytest.mark.django_db


def test_a_preview_says_what_a_run_would_record_and_stores_nothing():
    line = assessed_line(history=1_500_000_00)
    facts = Assessment.objects.select_related("line__product_line").get().facts(1_500_000_00)
    previewed = preview(facts=facts, fiscal_year=2026, as_of=AS_OF)
    assert not Grade.objects.exists()
    run_through(CycleFactory())
    assert record_of(line).grading() == previewed.grading
    assert record_of(line).facts("police") == previewed.facts


def test_a_preview_is_as_of_today_and_in_the_companys_fiscal_year(settings):
    settings.FISCAL_YEAR_START_MONTH = 4
    assessed_line(expected_close_on=date(2027, 3, 31))
    facts = Assessment.objects.select_related("line__product_line").get().facts(0)
    assert preview(facts=facts, fiscal_year=2026).grading.letter == "B"
    assert preview(facts=facts, fiscal_year=2027).grading.reasons == ("close_date_outside",)


def test_a_stored_verdict_is_read_back_and_not_computed_from_todays_facts_or_policy():
    line = assessed_line(history=1_500_000_00)
    run_through(CycleFactory())
    record, policy = record_of(line), GradingPolicy.objects.get(number=1)
    before = explanation_of(record, line_code="police", policy=policy.as_rules())
    Assessment.objects.update(expected_margin=60_00)
    Sale.objects.all().delete()
    RequiredMargin.objects.create(policy=policy, product_line=line.product_line, from_year=2020, margin=5_00)
    after = explanation_of(record_of(line), line_code="police", policy=policy.as_rules())
    assert after == before
    assert [(part.factor, part.points) for part in after.parts] == [
        ("expected_margin", 70),
        ("potential_sales", 90),
        ("history_sales", 105),
    ]


def test_a_stored_verdict_without_a_grade_says_why():
    line = assessed_line(has_need=False)
    run_through(CycleFactory())
    rules = GradingPolicy.objects.current().as_rules()
    found = explanation_of(record_of(line), line_code="police", policy=rules)
    assert [reason.code for reason in found.reasons] == ["need"]


def test_the_sales_of_two_years_are_those_of_the_24_months_before_the_grading_date():
    line = CustomerLineFactory()
    for day, amount in ((date(2023, 12, 31), 1), (date(2024, 1, 1), 10), (date(2025, 12, 31), 100), (AS_OF, 1000)):
        SaleFactory(line=line, signed_on=day, amount=amount)
    SaleFactory(line=line, signed_on=date(2025, 5, 5), amount=5, deleted_at=timezone.now())
    SaleFactory(signed_on=date(2025, 5, 5))
    assert history_sales(line, as_of=AS_OF) == 110
    with time_machine.travel("2025-12-31T16:30:00Z", tick=False):  # 1 January in Shanghai
        assert history_sales(line) == 110


def test_without_sales_the_sum_is_zero():
    assert history_sales(CustomerLineFactory()) == 0
    assert CustomerLine.objects.count() == 1
