"""The form in which what a person carries gets its successors."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.actions.hand_over import Area, HandOverRefused, Successors
from crm.actions.lines import LEAD
from crm.carried import Carried, Led
from crm.delegation_forms import ColleagueField, colleagues
from crm.models import CustomerLine, LineMember, User
from crm.models.fields import LineField

_SAME = _("as chosen above")


class HandOverForm(forms.Form):
    """One successor for everything, or others for parts of it; and whether the person leaves."""

    successor = ColleagueField(
        label=_("Successor"),
        required=False,
        queryset=User.objects.none(),
        empty_label="—",
        help_text=_("Takes over everything for which nobody else is chosen."),
    )
    members = ColleagueField(
        label=_("Other customers that he works on"), required=False, queryset=User.objects.none(), empty_label=_SAME
    )
    guided = ColleagueField(
        label=_("People whom he guides"), required=False, queryset=User.objects.none(), empty_label=_SAME
    )
    leaves = forms.BooleanField(
        label=_("The person leaves the company"),
        required=False,
        help_text=_("He can no longer sign in: sessions and API tokens end at once."),
    )
    reason = LineField(_("Reason"), max_length=200, blank=True).formfield()

    def __init__(
        self,
        *args: Any,
        person: User,
        by: User,
        carried: Sequence[Carried],
        led: Sequence[Led],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        keys = {one.key for one in carried}
        everyone = colleagues(by, person)
        leads = everyone.who_may_lead().filter(region__in=_regions_led(person)) if led else everyone
        self.fields["successor"].queryset = leads  # type: ignore[attr-defined]
        self.fields["members"].queryset = _in_regions(everyone, _regions_worked_on(person))  # type: ignore[attr-defined]
        self.fields["guided"].queryset = _in_regions(everyone, _regions_of_guided(person))  # type: ignore[attr-defined]
        self.led = led if len(led) > 1 else ()
        for one in self.led:
            there = leads.filter(region=one.area.region)
            self.fields[_name(one.area)] = ColleagueField(
                label=one.label, required=False, queryset=there, empty_label=_SAME
            )
        self.order_fields(["successor", *(_name(one.area) for one in self.led), "members", "guided"])
        needed = {"successor": {"lines", "members", "guided"}, "members": {"members"}, "guided": {"guided"}}
        for name, reasons in needed.items():
            if not reasons & keys:
                del self.fields[name]
        if not person.is_active:
            del self.fields["leaves"]

    @property
    def successors(self) -> Successors:
        """What was chosen."""
        values = self.cleaned_data
        lines = {one.area: values.get(_name(one.area)) for one in self.led}
        return Successors(
            everything=values.get("successor"),
            lines={area: one for area, one in lines.items() if one is not None},
            members=values.get("members"),
            guided=values.get("guided"),
        )

    def add_refusal(self, refusal: HandOverRefused) -> None:
        """Say at the field what the action refused."""
        name = _name(refusal.field) if isinstance(refusal.field, Area) else refusal.field
        self.add_error(name if name in self.fields else None, str(refusal))


def _name(area: Area) -> str:
    return f"line_{area.product_line}_{area.region}"


def _regions_led(person: User) -> Any:
    return CustomerLine.objects.led_by(person).values("customer__region")


def _regions_worked_on(person: User) -> Any:
    return LineMember.objects.not_over().of_person(person).exclude(why=LEAD).values("line__customer__region")


def _regions_of_guided(person: User) -> Any:
    return User.objects.filter(guided_by=person, region__isnull=False).values("region")


def _in_regions(people: Any, regions: Iterable[Any]) -> Any:
    """People of these regions, and those of none."""
    return people.filter(Q(region__in=regions) | Q(region=None))
