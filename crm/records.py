"""The kinds of records of this app whose history people read, and how each goes back to an older value."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.actions.contacts import save_contact
from crm.actions.customers import BranchElsewhere, OutOfReach, save_customer
from crm.actions.lines import MayNotLead, save_line
from crm.actions.record_kinds import RecordKind, Restoring, Topic
from crm.actions.sales import save_sale
from crm.memberships import why_in_words
from crm.models import (
    ApiToken,
    Branch,
    BranchRegion,
    Contact,
    Customer,
    CustomerLine,
    Delegation,
    Department,
    Division,
    LineMember,
    ProductLine,
    Region,
    Sale,
    User,
)
from crm.models.named import label_of
from crm.permissions import Permission

NAMED = ("name", "name_en")
LINE = ("customer__name", "product_line__name", "product_line__name_en")


def first_of(parts: Sequence[str]) -> str:
    """The first of a few texts that says something."""
    return next((part for part in parts if part), "")


def in_language(parts: Sequence[str]) -> str:
    """A reference row's name in the reader's language."""
    return label_of(parts[0], parts[1])


def of_line(parts: Sequence[str]) -> str:
    """A customer line: who buys, and what."""
    return f"{parts[0]} · {label_of(parts[1], parts[2])}"


def columns_from(path: str, columns: Sequence[str] = LINE) -> tuple[str, ...]:
    """Columns of a record that another one leads to."""
    return tuple(f"{path}__{column}" for column in columns)


def all_of(model: Any) -> Callable[[User], QuerySet]:
    """Records that are the same for everyone who may read about them at all."""
    return lambda user: model.objects.all()


# Removed memberships and sales are among them: that they were removed is history too.
def _members(user: User) -> QuerySet[LineMember]:
    return LineMember.objects.filter(line__in=CustomerLine.objects.visible_to(user))


def _sales(user: User) -> QuerySet[Sale]:
    return Sale.objects.filter(line__in=CustomerLine.objects.visible_to(user))


def _customers(user: User) -> QuerySet[Customer]:
    return Customer.objects.visible_to(user)


def _contacts(user: User) -> QuerySet[Contact]:
    return Contact.objects.filter(customer__in=Customer.objects.visible_to(user))


def _save_customer(record: Customer, **how: Any) -> None:
    save_customer(customer=record, **how)


def _save_contact(record: Contact, **how: Any) -> None:
    save_contact(contact=record, **how)


def _save_sale(record: Sale, **how: Any) -> None:
    save_sale(sale=record, **how)


def _save_line(record: CustomerLine, *, version: int, **how: Any) -> None:
    save_line(line=record, **how)


def _settings(name: str, model: Any, columns: tuple[str, ...] = NAMED) -> RecordKind:
    named = in_language if columns == NAMED else first_of
    return RecordKind(name, model, Topic.SETTINGS, Permission.VIEW_AUDIT, all_of(model), columns, named)


# Moving a customer to another region is a decision of its own, with dated rows: it is no value to put back.
_CUSTOMER = Restoring(
    Permission.EDIT_CUSTOMER,
    _customers,
    (
        *("code", "name", "short_name", "kind", "credit_code", "industry", "parent", "branch", "division"),
        *("address", "website", "note"),
    ),
    _save_customer,
    {OutOfReach: None, BranchElsewhere: None},
)
_CONTACT = Restoring(
    Permission.EDIT_CUSTOMER,
    lambda user: Contact.objects.visible_to(user),
    ("name", "department", "title", "phone", "email", "is_key_person", "note"),
    _save_contact,
)
_LINE = Restoring(
    Permission.EDIT_CUSTOMER,
    lambda user: CustomerLine.objects.writable_by(user),
    ("is_active", "lead"),
    _save_line,
    {MayNotLead: None},
)
_SALE = Restoring(
    Permission.EDIT_SALE,
    lambda user: Sale.objects.writable_by(user),
    ("contract_no", "signed_on", "amount", "note"),
    _save_sale,
)
# What grading writes on a line has a history of its own: the grade records.
_LABELS = frozenset(
    {"state", "grade", "score", "fiscal_year", "expected_close_on", "potential_sales", "last_contact_on"}
)

KINDS = (
    RecordKind(
        *("customer", Customer, Topic.EDITS, Permission.VIEW_CUSTOMERS, _customers, ("name",), first_of),
        restoring=_CUSTOMER,
    ),
    RecordKind(
        "customer-line",
        CustomerLine,
        Topic.EDITS,
        Permission.VIEW_CUSTOMERS,
        lambda user: CustomerLine.objects.visible_to(user),
        LINE,
        of_line,
        restoring=_LINE,
        silent=_LABELS,
    ),
    RecordKind(
        *("contact", Contact, Topic.EDITS, Permission.VIEW_CUSTOMERS, _contacts, ("name",), first_of),
        restoring=_CONTACT,
    ),
    RecordKind(
        "line-member",
        LineMember,
        Topic.PEOPLE,
        Permission.VIEW_CUSTOMERS,
        _members,
        columns_from("line"),
        of_line,
        words={"why": why_in_words},
    ),
    RecordKind(
        "sale",
        Sale,
        Topic.SALES,
        Permission.VIEW_SALES,
        _sales,
        ("contract_no", "signed_on"),
        first_of,
        restoring=_SALE,
    ),
    RecordKind(
        "person",
        User,
        Topic.SETTINGS,
        Permission.VIEW_AUDIT,
        lambda user: User.objects.visible_to(user),
        ("name", "username"),
        first_of,
    ),
    RecordKind(
        "region",
        Region,
        Topic.SETTINGS,
        Permission.VIEW_AUDIT,
        lambda user: Region.objects.visible_to(user),
        NAMED,
        in_language,
    ),
    RecordKind(
        "branch",
        Branch,
        Topic.SETTINGS,
        Permission.VIEW_AUDIT,
        lambda user: Branch.objects.visible_to(user),
        NAMED,
        in_language,
    ),
    RecordKind(
        "branch-move",
        BranchRegion,
        Topic.SETTINGS,
        Permission.VIEW_AUDIT,
        lambda user: BranchRegion.objects.visible_to(user),
        columns_from("branch", NAMED),
        in_language,
    ),
    RecordKind(
        "delegation",
        Delegation,
        Topic.SETTINGS,
        Permission.VIEW_AUDIT,
        lambda user: Delegation.objects.visible_to(user),
        ("giver__name", "receiver__name"),
        " → ".join,
    ),
    _settings("department", Department),
    _settings("product-line", ProductLine),
    # The number by which the log knows a token is no key, and a revoked one is gone: its rows tell its name.
    RecordKind(
        "api-token",
        ApiToken,
        Topic.SETTINGS,
        Permission.VIEW_AUDIT,
        lambda user: ApiToken.objects.none(),
        (),
        first_of,
        labels={"user": _("person"), "expiry": _("expires at")},
        silent=frozenset({"digest", "token_key"}),
    ),
    RecordKind(
        *("division", Division, Topic.SETTINGS, Permission.VIEW_AUDIT, all_of(Division), ("name",), first_of),
        is_changed=False,
    ),
)
