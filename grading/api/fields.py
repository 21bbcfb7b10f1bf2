"""Fields that only grading has."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.fields import MoneyField
from grading.policy import BudgetState

WORDS = [state.value for state in BudgetState]
PARTS = {"state", "amount", "fits_pricing"}
OBJECT = {
    "type": "object",
    "required": ["state"],
    "properties": {
        "state": {"type": "string", "enum": WORDS},
        "amount": {"type": ["string", "null"], "example": "4000000.00"},
        "fits_pricing": {"type": "boolean", "default": False},
    },
}


class BudgetSerializer(serializers.Serializer):
    """A budget as it is shown."""

    state = serializers.ChoiceField(choices=WORDS)
    amount = MoneyField(allow_null=True)
    fits_pricing = serializers.BooleanField()


@extend_schema_field({"oneOf": [OBJECT, {"type": "boolean"}, {"type": "string", "enum": WORDS}]})
class BudgetField(serializers.Field):
    """The budget of the year. A bare true, "planned" or "confirmed" also says that it fits our pricing policy."""

    shown_by = BudgetSerializer
    default_error_messages = {
        "invalid": _("Write true, false, none, planned, confirmed, or an object with state, amount and fits_pricing."),
    }

    def __init__(self, **kwargs) -> None:
        super().__init__(**{**kwargs, "source": "*"})

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, bool):
            data = BudgetState.CONFIRMED if data else BudgetState.NONE
        if isinstance(data, str):
            return self._parts(data, amount=None, fits_pricing=data != BudgetState.NONE)
        if not isinstance(data, dict) or data.keys() - PARTS or "state" not in data:
            self.fail("invalid")
        amount = data.get("amount")
        return self._parts(
            data["state"],
            amount=None if amount is None else MoneyField().run_validation(amount),
            fits_pricing=data.get("fits_pricing", False),
        )

    def to_representation(self, value: Any) -> dict[str, Any]:
        return budget(value)

    def _parts(self, state: Any, *, amount: int | None, fits_pricing: Any) -> dict[str, Any]:
        if state not in WORDS or not isinstance(fits_pricing, bool):
            self.fail("invalid")
        if amount is not None and amount < 0:
            raise serializers.ValidationError(_("A budget cannot be negative."), "min_value")
        return {"budget_state": state, "budget_amount": amount, "budget_fits_pricing": fits_pricing}


def budget(facts: Any) -> dict[str, Any]:
    """The budget of an assessment, a record or facts."""
    amount = facts.budget_amount
    return {
        "state": str(facts.budget_state),
        "amount": None if amount is None else MoneyField().to_representation(amount),
        "fits_pricing": facts.budget_fits_pricing,
    }
