"""What those who write do while others follow: one deed after the other, each in a transaction open for a while."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import takewhile
from random import Random
from threading import Event
from time import sleep
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.actions.changes import EditedMeanwhile
from crm.actions.contacts import remove_contact, save_contact
from crm.actions.customers import LineExists, add_line, save_customer
from crm.actions.lines import save_member
from crm.actions.merge_customers import MergeRefused, merge_customers
from crm.actions.named import save_named
from crm.actions.people import save_person
from crm.actions.sales import delete_sale, save_sale
from crm.actions.undo_batch import UndoRefused
from crm.actions.undo_merge import undo_merge
from crm.models import (
    Contact,
    Customer,
    CustomerLine,
    CustomerMerge,
    LineMember,
    PolicyState,
    ProductLine,
    Region,
    Role,
    Sale,
    User,
)
from grading.actions.assessments import save_assessment
from grading.actions.policies import PolicyAlreadyPublished, draft_next_version, publish_policy, save_draft_parts
from grading.actions.runs import RunUnderWay
from grading.models import Assessment, GradingPolicy

REFUSED = (
    EditedMeanwhile,
    IntegrityError,
    LineExists,
    MergeRefused,
    PolicyAlreadyPublished,
    RunUnderWay,
    UndoRefused,
)
COLLEAGUE = "colleague"


class ChangedItsMind(Exception):
    """The writer rolls back what it did."""


class Writer:
    """Does one thing after the other, each in a transaction that stays open for a random while."""

    def __init__(self, seed: int, stop: Event) -> None:
        self.random, self.stop, self.done = Random(seed), stop, Counter[str]()

    def work(self) -> Counter[str]:
        try:
            for deed in takewhile(lambda _deed: not self.stop.is_set(), self.deeds()):
                self.do(deed)
        finally:
            connection.close()
        return self.done

    def deeds(self) -> Iterator[Callable]:
        """Every deed once in a random order, and again in another one."""
        while True:
            yield from self.random.sample(DEEDS, len(DEEDS))

    def do(self, deed: Callable) -> None:
        try:
            with transaction.atomic():
                deed(self)
                sleep(self.random.choice((0, 0, 0.002, 0.01, 0.05, 0.3)))
                if self.random.random() < 0.1:
                    raise ChangedItsMind
            self.done[deed.__name__] += 1
        except ChangedItsMind:
            self.done["rolled back"] += 1
        except REFUSED:
            self.done["refused"] += 1

    def one(self, records: Any) -> Any:
        """One of the records that are there."""
        return self.random.choice(list(records))

    def word(self) -> str:
        return f"客户{self.random.randrange(10**6)}"


def colleagues() -> QuerySet:
    """The people who are changed: those who follow stay who they are."""
    return User.objects.filter(username__startswith=COLLEAGUE)


def make_customer(writer: Writer) -> None:
    region = writer.one(Region.objects.all())
    customer = Customer(name=writer.word(), region=region)
    save_customer(customer=customer, version=0, by=None, product_lines=ProductLine.objects.order_by("?")[:1])


def rename_customer(writer: Writer) -> None:
    customer = writer.one(Customer.objects.filter(deleted_at=None))
    customer.name = writer.word()
    save_customer(customer=customer, version=customer.version, by=None)


def move_customer(writer: Writer) -> None:
    customer = writer.one(Customer.objects.filter(deleted_at=None))
    customer.region = writer.one(Region.objects.exclude(pk=customer.region_id))
    save_customer(customer=customer, version=customer.version, by=None)


def delete_customer(writer: Writer) -> None:
    if Customer.objects.filter(deleted_at=None).count() < 30:
        return
    customer = writer.one(Customer.objects.filter(deleted_at=None))
    customer.deleted_at = timezone.now()
    save_customer(customer=customer, version=customer.version, by=None)


def open_line(writer: Writer) -> None:
    customer = writer.one(Customer.objects.filter(deleted_at=None))
    add_line(customer=customer, product_line=writer.one(ProductLine.objects.all()), by=None)


def make_sale(writer: Writer) -> None:
    sale = Sale(line=writer.one(CustomerLine.objects.all()), signed_on=timezone.localdate(), amount=100)
    save_sale(sale=sale, version=0, by=None)


def change_sale(writer: Writer) -> None:
    sale = writer.one(Sale.objects.filter(deleted_at=None))
    sale.amount = writer.random.randrange(10**9)
    save_sale(sale=sale, version=sale.version, by=None)


def move_sale(writer: Writer) -> None:
    sale = writer.one(Sale.objects.filter(deleted_at=None))
    sale.line = writer.one(CustomerLine.objects.all())
    save_sale(sale=sale, version=sale.version, by=None)


def take_sale_back(writer: Writer) -> None:
    sale = writer.one(Sale.objects.filter(deleted_at=None))
    delete_sale(sale=sale, version=sale.version, by=None)


def grade(writer: Writer) -> None:
    assessment = writer.one(Assessment.objects.select_related("line__customer"))
    assessment.has_need = not assessment.has_need
    save_assessment(assessment=assessment, version=assessment.version, by=User.objects.get(username="head"))


def join_or_leave(writer: Writer) -> None:
    line = writer.one(CustomerLine.objects.all())
    manager = User.objects.get(username="manager")
    member = LineMember.objects.current().filter(line=line, user=manager).first()
    member = member or LineMember(line=line, user=manager, why="x", from_on=timezone.localdate())
    member.until_on = member.from_on if member.pk else None
    save_member(member=member, by=None)


def meet_contact(writer: Writer) -> None:
    contact = Contact(name=writer.word(), customer=writer.one(Customer.objects.filter(deleted_at=None)))
    save_contact(contact=contact, version=0, by=None)


def change_contact(writer: Writer) -> None:
    contact = writer.one(Contact.objects.filter(deleted_at=None))
    contact.title = writer.word()
    save_contact(contact=contact, version=contact.version, by=None)


def move_contact(writer: Writer) -> None:
    contact = writer.one(Contact.objects.filter(deleted_at=None))
    contact.customer = writer.one(Customer.objects.filter(deleted_at=None))
    save_contact(contact=contact, version=contact.version, by=None)


def lose_contact(writer: Writer) -> None:
    contact = writer.one(Contact.objects.filter(deleted_at=None))
    remove_contact(contact=contact, version=contact.version, by=None)


def hire(writer: Writer) -> None:
    number, region = writer.random.randrange(10**9), writer.one(Region.objects.all())
    person = User(username=f"{COLLEAGUE}{number}", name=writer.word(), role=Role.SALES_MANAGER, region=region)
    save_person(person=person, version=0, by=None)


def rename_person(writer: Writer) -> None:
    person = writer.one(colleagues())
    person.name = writer.word()
    save_person(person=person, version=person.version, by=None)


def move_person(writer: Writer) -> None:
    person = writer.one(colleagues())
    person.region = writer.one(Region.objects.exclude(pk=person.region_id))
    save_person(person=person, version=person.version, by=None)


def guide_person(writer: Writer) -> None:
    """By one who was there before: two who guide each other would wait for each other."""
    person = writer.one(colleagues().exclude(pk=colleagues().earliest("pk").pk))
    person.guided_by = writer.one(colleagues().filter(pk__lt=person.pk))
    save_person(person=person, version=person.version, by=None)


def leave_or_return(writer: Writer) -> None:
    person = writer.one(colleagues())
    person.is_active = not person.is_active
    save_person(person=person, version=person.version, by=None)


def rename_region(writer: Writer) -> None:
    if writer.random.random() < 0.1:
        region = writer.one(Region.objects.all())
        region.code = f"region-{writer.random.randrange(10**6)}"
        save_named(row=region, by=None)


def edit_policy(writer: Writer) -> None:
    """Bands of a draft; now and then the draft is published and another begun."""
    draft = GradingPolicy.objects.filter(state=PolicyState.DRAFT).order_by("-number").first()
    if draft is None:
        draft_next_version(policy=GradingPolicy.objects.current(), by=None)
    elif writer.random.random() < 0.2:
        publish_policy(policy=draft, by=None)
    else:
        band = writer.one(draft.bands.all())
        band.points = writer.random.randrange(100)
        save_draft_parts(policy=draft, parts=[band], removed=[], by=None)


def merge(writer: Writer) -> None:
    if Customer.objects.filter(deleted_at=None).count() < 30:
        return
    pair = writer.random.sample(list(Customer.objects.filter(deleted_at=None)), 2)
    survivor, loser = sorted(pair, key=lambda one: one.region_id)
    versions, by = (survivor.version, loser.version), User.objects.get(username="head")
    merge_customers(survivor=survivor, loser=loser, versions=versions, from_loser=(), by=by)


def part_again(writer: Writer) -> None:
    """The latest merge, which has the best chance that nobody has built on it yet."""
    latest = CustomerMerge.objects.filter(undone_at=None).order_by("-pk").first()
    if latest is not None:
        undo_merge(merge=latest, by=User.objects.get(username="head"))


DEEDS = (
    make_customer,
    rename_customer,
    move_customer,
    delete_customer,
    open_line,
    make_sale,
    make_sale,
    change_sale,
    move_sale,
    take_sale_back,
    grade,
    grade,
    join_or_leave,
    meet_contact,
    change_contact,
    move_contact,
    lose_contact,
    hire,
    rename_person,
    move_person,
    guide_person,
    leave_or_return,
    rename_region,
    edit_policy,
    merge,
    part_again,
)
