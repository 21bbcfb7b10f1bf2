"""Importing the people at customers: found by their number, else by customer and name."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.actions.import_rows import Column, Kind, Row, tidied
from crm.actions.references import match_customers
from crm.import_kinds.shared import AT_ONCE, LINE_COLUMNS, streamed, written, written_code, yes_or_no
from crm.lib.batches import batches
from crm.lib.cells import whole, yes_no
from crm.models import Contact, User
from crm.permissions import Permission

_OWN_FIELDS = ("name", "department", "title", "phone", "email", "is_key_person", "note")


def match_contacts(rows: Sequence[Row], user: User | None) -> None:
    """Find each row's contact by number, else by name at the customer; a reason where two there are called so."""
    match_customers(rows, user)
    for row in rows:
        row.fields = {name: row.values[name] for name in _OWN_FIELDS if name in row.values}
    placed = [row for row in rows if "customer" in row.extra and "name" in row.values and not row.is_wrong("id")]
    stored = _Stored(placed)
    for row in placed:
        row.fields["customer"] = row.extra["customer"]
        _choose(row, stored.find(row))


def _choose(row: Row, fitting: Sequence[Contact]) -> None:
    """The contact of a row or none yet; a reason where its number is nobody's there or several are called so."""
    if "id" in row.values and not fitting:
        row.reject(_("this customer has no contact {number}").format(number=row.values["id"]), "id")
    elif len(fitting) > 1:
        said_so = _("the customer has several contacts “{word}”; write the number")
        row.reject(said_so.format(word=row.values["name"]), "name")
    else:
        row.record = fitting[0] if fitting else None


class _Stored:
    """The contacts of the rows' customers, by each way of matching."""

    def __init__(self, rows: Sequence[Row]) -> None:
        customers = {row.extra["customer"].pk: row.extra["customer"] for row in rows}
        self.found: dict[tuple, list[Contact]] = defaultdict(list)
        self.alike: dict[tuple, list[Contact]] = defaultdict(list)
        for some in batches(customers, AT_ONCE):
            for contact in Contact.objects.filter(deleted_at=None, customer__in=some).select_for_update():
                contact.customer = customers[contact.customer_id]
                named = (contact.customer_id, contact.name)
                self.found["id", contact.customer_id, contact.pk].append(contact)
                self.found[named].append(contact)
                self.alike[tidied(named)].append(contact)

    def find(self, row: Row) -> list[Contact]:
        """The contacts that a row may mean, which gets its key by it."""
        customer = row.extra["customer"].pk
        if "id" in row.values:
            row.key = ("id", customer, row.values["id"])
            return self.found.get(row.key, [])
        row.key = (customer, row.values["name"])
        return self.found.get(row.key, []) or self._alike(row)

    def _alike(self, row: Row) -> list[Contact]:
        """The contacts that a name with other spaces or widths of signs means; they keep their own."""
        fitting = self.alike.get(tidied(row.key), [])
        if fitting:
            row.fields.pop("name")
        return fitting


def rows_of_contacts(user: User) -> Iterator[Sequence[Any]]:
    """The contacts that exist for a person."""
    for one in streamed(Contact.objects.visible_to(user).select_related("customer__region")):
        yield (
            one.pk,
            one.customer.code,
            one.customer.region.code,
            one.name,
            one.department,
            one.title,
            one.phone,
            one.email,
            yes_or_no(one.is_key_person),
            one.note,
        )


CONTACTS = Kind(
    name="contacts",
    model=Contact,
    permission=Permission.EDIT_CUSTOMER,
    columns=(
        Column(
            "id",
            whole,
            ("联系人编号", "contact number"),
            about=gettext_lazy("The number that an export shows; empty for a new one."),
            is_key=True,
        ),
        *LINE_COLUMNS[:2],
        Column("name", written, ("姓名", "联系人", "name", "contact"), True),
        Column("department", written, ("部门", "department")),
        Column("title", written, ("职务", "职位", "title")),
        Column("phone", written_code, ("电话", "手机", "phone")),
        Column("email", written, ("邮箱", "电子邮件", "e-mail", "email")),
        Column("is_key_person", yes_no, ("关键人", "key person")),
        Column("note", written, ("备注", "note")),
    ),
    match=match_contacts,
    rows=rows_of_contacts,
)
