"""Grading policies, to read."""

import pytest
from django.urls import reverse

from crm.models import Role
from grading.models import BandKind, GradingPolicy, PolicyBand
from tests.factories import UserFactory
from tests.pages import queries_of

pytestmark = pytest.mark.django_db
LIST = reverse("grading:list-policies")


def page(number: int) -> str:
    return reverse("grading:view-policy", args=[number])


@pytest.fixture
def draft(db) -> GradingPolicy:
    policy = GradingPolicy.objects.create(number=2)
    PolicyBand.objects.create(policy=policy, kind=BandKind.MARGIN, floor=None, points=60)
    return policy


def test_the_shipped_policy_says_its_bands_weights_and_limits(north, client_of):
    text = " ".join(client_of(north).get(page(1)).content.decode().split())
    assert "points of the margin × 50 % + points of the potential sales × 50 %" in text
    for words in ("-3.00 to below 10.00", "800 and more", "over 0, below 200", "no sales", "below -20.00"):
        assert words in text
    assert "× 1.20" in text


def test_versions_are_listed_with_the_one_in_force(north, client_of):
    text = client_of(north).get(LIST).content.decode()
    assert page(1) in text
    assert "in force" in text


def test_a_draft_is_seen_by_those_who_may_edit_it(north, head_office, draft, client_of):
    assert page(2) not in client_of(north).get(LIST).content.decode()
    assert client_of(north).get(page(2)).status_code == 404
    assert page(2) in client_of(head_office).get(LIST).content.decode()
    assert client_of(head_office).get(page(2)).status_code == 200


def test_a_version_there_is_none_of_is_not_there(north, client_of):
    assert client_of(north).get(page(99)).status_code == 404


def test_an_administrator_may_not_look(client_of):
    client = client_of(UserFactory(role=Role.ADMINISTRATOR))
    assert client.get(LIST).status_code == client.get(page(1)).status_code == 403


def test_it_takes_few_queries(north, client_of):
    assert queries_of(client_of(north), page(1)) <= 10
    assert queries_of(client_of(north), LIST) <= 8


def test_what_a_published_version_says_is_read_once(django_assert_num_queries):
    published = GradingPolicy.objects.for_list().current()
    assert published.published_rules() == published.as_rules()
    with django_assert_num_queries(0):
        assert GradingPolicy(pk=published.pk, published_at=published.published_at).published_rules().number


def test_what_a_draft_says_is_read_each_time():
    draft = GradingPolicy.objects.create(number=99)
    assert draft.published_rules().a_from == 90_0000
    draft.a_from = 95_0000
    assert draft.published_rules().a_from == 95_0000
