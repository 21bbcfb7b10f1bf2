"""What people enter about grades."""

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.forms import DayInput, FigureInput, VersionedRecordForm, WanFormField
from grading.models import Assessment

FIGURES = ("expected_margin", "potential_sales")
BUDGET = ("budget_state", "budget_amount", "budget_fits_pricing")


class AssessmentForm(VersionedRecordForm):
    """The assessment of a customer line for a fiscal year."""

    class Meta:
        model = Assessment
        fields = (
            "expected_margin",
            "potential_sales",
            "has_need",
            "budget_state",
            "budget_amount",
            "budget_fits_pricing",
            "has_timetable",
            "knows_decision_makers",
            "expected_close_on",
            "has_begun_selection",
            "has_system",
            "note",
        )
        field_classes = {"potential_sales": WanFormField, "budget_amount": WanFormField}
        widgets = {
            "expected_margin": FigureInput,
            "potential_sales": FigureInput,
            "budget_amount": FigureInput,
            "expected_close_on": DayInput(),
            "budget_state": forms.RadioSelect,
            "note": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "expected_margin": _("Of what the customer would buy in this line in the year; a grade needs it."),
            "potential_sales": _("What the customer could buy from us in this line in the year; a grade needs it."),
            "budget_amount": _("Planned or confirmed for this year."),
            "budget_fits_pricing": _("A person has confirmed that the amount fits."),
            "expected_close_on": _("Must lie in the fiscal year."),
            "has_begun_selection": _("Decides only where a line is graded by close horizon."),
        }

    @property
    def figures(self) -> list[forms.BoundField]:
        """The two figures of the score."""
        return [self[name] for name in FIGURES]


class RunForm(forms.Form):
    """What a run needs to know."""

    as_of = forms.DateField(
        label=_("Grading date"),
        widget=DayInput(),
        help_text=_("Sales of the 24 months before this day count for the bonus."),
    )
