"""What the pages of a merge show: both customers side by side, and what went over."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from crm.actions.merge_customers import CHOOSABLE
from crm.merge_forms import words
from crm.models import Contact, Customer, CustomerLine, CustomerMerge, Sale, User


@dataclass(frozen=True)
class Side:
    """A fact of both customers that is not to be chosen: it is the same, or it follows from who stays."""

    label: str
    survivor: str
    loser: str


def sides(survivor: Customer, loser: Customer, user: User) -> list[Side]:
    """Where both stand, what they have, and the fields in which they are the same."""
    pair = (survivor, loser)
    contacts = _numbers(Contact.objects.visible_to(user).filter(customer__in=pair), "customer")
    sales = _numbers(Sale.objects.visible_to(user).filter(line__customer__in=pair), "line__customer")
    same = [name for name in CHOOSABLE if getattr(survivor, name) == getattr(loser, name) and getattr(survivor, name)]
    return [
        Side(_("Region"), *(_place(one) for one in pair)),
        Side(_("Product lines"), *(_lines(one) for one in pair)),
        Side(_("Contacts"), *(str(contacts.get(one.pk, 0)) for one in pair)),
        Side(_("Number of sales"), *(str(sales.get(one.pk, 0)) for one in pair)),
        *(Side(_label(name), *(words(one, name) for one in pair)) for name in same),
    ]


def counts_in_words(merge: CustomerMerge) -> list[tuple[str, str]]:
    """How much went over, by what it is."""
    labels = {
        "contacts": _("Contacts"),
        "children": _("Customers that belonged to it"),
        "lines": _("Product lines that only it had"),
        "retired": _("Product lines of both: its line is switched off"),
        "sales": _("Sales that went to the other line"),
        "sales_kept": _("Sales with a contract number that the other line has: they stay and count no more"),
        "memberships": _("Memberships"),
        "assessments": _("Assessments that went to the other line"),
        "assessments_kept": _("Assessments of years that the other line has too, or of closed years: they stay"),
    }
    found = [(label, merge.counts.get(name, 0)) for name, label in labels.items()]
    return [(label, number_format(count, use_l10n=True, force_grouping=True)) for label, count in found if count]


def retired_lines(merge: CustomerMerge) -> QuerySet[CustomerLine]:
    """The lines that were switched off, with the grades that they had."""
    lines = CustomerLine.objects.filter(customer=merge.loser, is_active=False)
    return lines.select_related("product_line").order_by("product_line__position", "pk")


def _numbers(records: QuerySet, path: str) -> dict[int, int]:
    return dict(records.order_by().values_list(path).annotate(number=Count("pk")))


def _place(customer: Customer) -> str:
    return " · ".join(str(place) for place in (customer.region, customer.branch) if place)


def _lines(customer: Customer) -> str:
    lines: list[CustomerLine] = customer.active_lines  # type: ignore[attr-defined]
    return _(", ").join(str(line.product_line) for line in lines) or _("nothing")


def _label(name: str) -> str:
    return str(Customer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
