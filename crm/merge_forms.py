"""What people choose when two customers become one, when one goes to another region, or when they are different."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.actions.merge_customers import CHOOSABLE
from crm.change_words import field_words
from crm.models import Branch, Customer, Region, User

SURVIVOR, LOSER = "survivor", "loser"
EMPTY = "—"


class MergeForm(forms.Form):
    """Of each field in which two customers differ, whose value stays."""

    def __init__(self, *args: Any, survivor: Customer, loser: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for side, one in ((SURVIVOR, survivor), (LOSER, loser)):
            version = forms.IntegerField(min_value=0, widget=forms.HiddenInput, initial=one.version)
            self.fields[f"{side}_version"] = version
        for name in CHOOSABLE:
            if getattr(survivor, name) != getattr(loser, name):
                self.fields[name] = self._choice(name, survivor, loser)

    def choices(self) -> list[forms.BoundField]:
        """The fields to choose from."""
        return [self[name] for name in CHOOSABLE if name in self.fields]

    @property
    def versions(self) -> tuple[int, int]:
        """The versions of both that the person saw."""
        return self.cleaned_data[f"{SURVIVOR}_version"], self.cleaned_data[f"{LOSER}_version"]

    @property
    def from_loser(self) -> list[str]:
        """The fields whose value is taken from the one that goes."""
        return [name for name in CHOOSABLE if self.cleaned_data.get(name) == LOSER]

    def _choice(self, name: str, survivor: Customer, loser: Customer) -> forms.ChoiceField:
        """What stays is the survivor's, unless it says nothing."""
        return forms.ChoiceField(
            label=Customer._meta.get_field(name).verbose_name,  # type: ignore[union-attr]
            choices=[(SURVIVOR, words(survivor, name)), (LOSER, words(loser, name))],
            initial=SURVIVOR if getattr(survivor, name) else LOSER,
            widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        )


def words(customer: Customer, name: str) -> str:
    """A customer's value as people read it."""
    value = getattr(customer, name)
    if name in ("parent", "division") and value is not None:
        return str(value)
    return field_words(Customer, name, value)


class TransferForm(forms.Form):
    """Where a customer goes, who leads it there, and why."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    region = forms.ModelChoiceField(label=_("New region"), queryset=Region.objects.none())
    branch = forms.ModelChoiceField(
        label=_("Branch office there"), queryset=Branch.objects.none(), required=False, empty_label=EMPTY
    )
    lead = forms.ModelChoiceField(
        label=_("New lead"),
        queryset=User.objects.none(),
        required=False,
        empty_label=EMPTY,
        help_text=_("For the product lines whose lead does not belong to the new region; else they have none."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    def __init__(self, *args: Any, user: User, customer: Customer, region: Region | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(version=customer.version, region=region)
        regions, branches, leads = (self.fields[name] for name in ("region", "branch", "lead"))
        seen = Region.objects.visible_to(user).filter(is_active=True).exclude(pk=customer.region_id)
        regions.queryset = seen.order_by("position", "code")  # type: ignore[attr-defined]
        if region is not None:
            there = Branch.objects.visible_to(user).filter(region=region, is_active=True)
            branches.queryset = there.order_by("position", "code")  # type: ignore[attr-defined]
            people = User.objects.visible_to(user).who_may_lead(region.pk)
            leads.queryset = people.order_by("name", "username")  # type: ignore[attr-defined]


class DifferentForm(forms.Form):
    """Why customers with one credit code are not one customer."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("For the next one who looks: “one is the bureau, the other its technical institute”."),
    )
