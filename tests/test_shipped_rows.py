"""Tests that commit leave the next test what every installation starts with."""

import pytest

from crm.models import Department, Division, ProductLine
from grading.models import GradingPolicy


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_finds_the_shipped_rows():
    assert (ProductLine.objects.count(), GradingPolicy.objects.current().bands.count()) == (7, 14)


@pytest.mark.parametrize("time", [1, 2])
def test_and_so_does_the_next(time, transactional_db):
    assert ProductLine.objects.count() == 7
    assert Department.objects.exists()
    assert Division.objects.exists()
    assert GradingPolicy.objects.current().number == 1
