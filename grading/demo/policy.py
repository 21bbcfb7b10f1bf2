"""The demo company's policy: the shipped one, with a margin required of each line, and tourism by close horizon."""

from typing import Any

from crm.lib.money import percent
from grading.demo.figures import REQUIRED_MARGINS


def policy(first_year: int) -> dict[str, Any]:
    """The version that counts from the first year on, as `publish_policy` reads it."""
    return {
        "note": "旅游线按成交期限分级",
        "lines": {
            line: {
                "scheme": "close_horizon" if line == "tourism" else "customer_value",
                "required_margins": {str(first_year): str(percent(margin))},
            }
            for line, margin in REQUIRED_MARGINS.items()
        },
    }
