"""`publish_policy FILE`: a policy version written as plain data."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crm.models import Role
from grading.models import GradingPolicy
from grading.policy import SHIPPED, Band, LineRule, Scheme
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def publish(tmp_path):
    def publish_policy(content, *options):
        file, out = tmp_path / "policy.json", StringIO()
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        call_command("publish_policy", str(file), *options, stdout=out)
        return out.getvalue()

    return publish_policy


def test_what_the_file_leaves_out_is_as_shipped(publish):
    assert publish({"note": "as before"}) == "Published policy v2: as before\n"
    rules = GradingPolicy.objects.current().as_rules()
    assert (rules.number, rules.limits, rules.required_margin) == (2, SHIPPED.limits, SHIPPED.required_margin)
    assert sorted(rules.bonus, key=str) == sorted(SHIPPED.bonus, key=str)


def test_bands_limits_weights_and_rules_of_lines_are_read_exactly(publish):
    publish(
        {
            "weights": {"margin": 40, "potential": 60},
            "limits": {"A": "88.5", "B": "75", "C": "60"},
            "potential": [{"from": None, "points": 60}, {"from": "50000.50", "points": 100}],
            "lines": {
                "tourism": {"scheme": "close_horizon"},
                "police": {"smallest_budget": "1000", "required_margins": {"2025": "32", "2026": "33.5"}},
            },
        }
    )
    rules = GradingPolicy.objects.current().as_rules()
    assert (rules.margin_weight, rules.a_from) == (40, 88_5000)
    assert set(rules.potential) == {Band(60, None), Band(100, 50_000_50)}
    assert rules.lines == {
        "tourism": LineRule(scheme=Scheme.CLOSE_HORIZON),
        "police": LineRule(smallest_budget=1_000_00, required_margins=((2025, 32_00), (2026, 33_50))),
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "policy.json"),
        ({"band": []}, "the policy has no band; it knows bonus"),
        ({"lines": {"railway": {}}}, "lines has no railway"),
        ({"lines": {"police": {"colour": 1}}}, "police has no colour"),
        ({"potential": [{"from": "1", "points": 60}]}, "needs one lowest band"),
        ({"potential": [{"from": None, "points": 90}, {"from": "1", "points": 60}]}, "must rise with its limits"),
        ({"required_margin": "30.001"}, "more than two decimals"),
        ({"weights": {"margin": 50, "potential": 60}}, "weights_sum_to_100"),
        ({"limits": {"A": "70", "B": "80"}}, "limits_fall"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_whole(publish, content, reason):
    with pytest.raises(CommandError, match=reason):
        publish(content)
    assert GradingPolicy.objects.count() == 1


def test_only_who_may_edit_policies_publishes_one(publish):
    UserFactory(username="boss", role=Role.EXECUTIVE)
    head = UserFactory(username="head", role=Role.SALES_MANAGEMENT)
    with pytest.raises(CommandError, match="boss may not publish policies"):
        publish({}, "--as", "boss")
    publish({}, "--as", "head")
    assert GradingPolicy.objects.current().published_by == head
