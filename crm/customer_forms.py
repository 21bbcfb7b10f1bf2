"""What people enter about customers and the people there."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.references import customers_by_word
from crm.forms import VersionedRecordForm, WholeRecordForm
from crm.models import Branch, Contact, Customer, Division, ProductLine, Region, User

BETWEEN = " · "  # a code and a name in one box


def coded(record: Any) -> str:
    """A record by its code and name, as boxes that find records show it."""
    return f"{record.code}{BETWEEN}{record}"


class LookUpField(forms.CharField):
    """A record that is too many to be offered as a choice: found by what is typed, suggested while typing."""

    def __init__(self, *, suggest: Any, **kwargs: Any) -> None:
        self.suggest = suggest
        super().__init__(required=False, max_length=250, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "autocomplete": "off"}

    def prepare_value(self, value: Any) -> Any:
        return coded(value) if isinstance(value, Customer | Division) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial) or "", data)

    def offered_at(self, name: str) -> dict[str, str]:
        """The attributes that fill the list of suggestions beside the box."""
        return {
            "list": f"{name}-suggestions",
            "hx-get": str(self.suggest),
            "hx-trigger": "input changed delay:300ms",
            "hx-target": f"#{name}-suggestions",
        }


class CustomerForm(WholeRecordForm, VersionedRecordForm):
    """A customer: the facts that everyone who sees it keeps. Its region changes by a transfer."""

    parent = LookUpField(
        label=_("Parent"),
        suggest=reverse_lazy("crm:find-customers"),
        help_text=_("The customer that it belongs to: its code or full name."),
    )
    division = LookUpField(
        label=_("Division"),
        suggest=reverse_lazy("crm:find-divisions"),
        help_text=_("Its national code, or its name where only one is called so."),
    )
    product_lines = forms.ModelMultipleChoiceField(
        label=_("Product lines"),
        queryset=ProductLine.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Those that it buys from us, or may buy."),
    )
    is_confirmed = forms.BooleanField(label=_("It is another customer: save it all the same"), required=False)

    class Meta:
        model = Customer
        fields = (
            *("name", "short_name", "code", "kind", "credit_code", "industry", "parent"),
            *("region", "branch", "division", "address", "website", "note"),
        )
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.seen = Customer.objects.visible_to(user)
        self.fields["code"].required = False
        for name in ("parent", "division"):
            box: Any = self.fields[name]
            box.widget.attrs |= box.offered_at(name)
            self.initial[name] = getattr(self.instance, name)
        if self._has_hidden_parent():
            self.initial["parent"] = None
        self._offer_places()
        if self.instance.pk:
            del self.fields["region"], self.fields["product_lines"]
        else:
            self.fields["code"].help_text = gettext("Left empty, the customer gets a number.")
            lines: Any = self.fields["product_lines"]
            lines.queryset = ProductLine.objects.filter(is_active=True).order_by("position", "code")

    def clean_parent(self) -> Customer | None:
        """A customer within the person's sight; one out of it shows as absent and stays."""
        word = self.cleaned_data["parent"].strip()
        if not word:
            return self.instance.parent if self._has_hidden_parent() else None
        if self.instance.parent_id and word == self.initial_text("parent"):
            return self.instance.parent
        found = self._customers(word) or self._customers(word.partition(BETWEEN)[0])
        if len(found) != 1:
            raise ValidationError(gettext("There is no customer “{word}”, or more than one.").format(word=word))
        if found[0].pk == self.instance.pk:
            raise ValidationError(gettext("A customer cannot be its own parent."))
        return found[0]

    def clean_division(self) -> Division | None:
        """A division by its code or name."""
        word = self.cleaned_data["division"].strip()
        if not word:
            return None
        code = word.partition(BETWEEN)[0]
        found = list(Division.objects.filter(Q(code=code) | Q(name=word))[:2])
        if len(found) != 1:
            raise ValidationError(gettext("There is no division “{word}”, or more than one.").format(word=word))
        return found[0]

    def clean_code(self) -> str:
        """A customer keeps its code; an empty box takes none away."""
        return self.cleaned_data["code"] or self.instance.code

    def clean_branch(self) -> Branch | None:
        """One out of the person's sight shows as absent and stays."""
        branches: Any = self.fields["branch"]
        chosen, own = self.cleaned_data["branch"], self.instance.branch
        is_hidden = own is not None and not branches.queryset.filter(pk=own.pk).exists()
        return own if chosen is None and is_hidden else chosen

    def clean(self) -> dict[str, Any]:
        """The branch office belongs to the region."""
        cleaned = super().clean() or self.cleaned_data
        region = cleaned.get("region") or (self.instance.region if self.instance.pk else None)
        branch = cleaned.get("branch")
        if branch and region and branch.region_id != region.pk and branch.pk != self.instance.branch_id:
            self.add_error("branch", gettext("This branch office belongs to another region."))
        return cleaned

    def initial_text(self, name: str) -> str:
        """What the box of a looked-up record shows at first."""
        value = self.fields[name].prepare_value(self.initial.get(name))
        return value or ""

    def _get_validation_exclusions(self) -> set[str]:
        """A new customer without a code gets one when it is saved."""
        names = super()._get_validation_exclusions()  # type: ignore[misc]
        return names if self.cleaned_data.get("code") else {*names, "code"}

    def _has_hidden_parent(self) -> bool:
        parent = self.instance.parent_id
        return parent is not None and not self.seen.filter(pk=parent).exists()

    def _customers(self, word: str) -> list[Customer]:
        return customers_by_word([word], self.user).get(word, [])

    def _offer_places(self) -> None:
        regions: Any = self.fields["region"]
        branches: Any = self.fields["branch"]
        regions.queryset = Region.objects.visible_to(self.user).filter(is_active=True).order_by("position", "code")
        offered = Q(is_active=True)
        if self.instance.pk:
            offered = (offered & Q(region=self.instance.region_id)) | Q(pk=self.instance.branch_id)
        seen = Branch.objects.visible_to(self.user).filter(offered)
        branches.queryset = seen.order_by("region__position", "position", "code")
        branches.empty_label = "—"
        if not (self.instance.pk or self.user.sees_all_regions):
            self.initial.update(region=self.user.region_id, branch=self.user.branch_id)


class ContactForm(WholeRecordForm, VersionedRecordForm):
    """A person at a customer."""

    class Meta:
        model = Contact
        fields = ("name", "department", "title", "phone", "email", "is_key_person", "note")
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}
