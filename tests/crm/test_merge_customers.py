"""Two customers that are one: everything goes to the one that stays, and back again."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.actions.changes import EditedMeanwhile
from crm.actions.contacts import save_contact
from crm.actions.customers import save_customer
from crm.actions.hierarchy import StandsAboveItself
from crm.actions.merge_customers import MergeRefused, merge_customers
from crm.actions.sales import save_sale
from crm.actions.undo_batch import UndoRefused
from crm.actions.undo_merge import undo_merge
from crm.models import Change, Contact, Customer, CustomerLine, CustomerMerge, LineMember, ProductLine, Sale
from tests.factories import (
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def survivor(north_region):
    return CustomerFactory(name="杭州市公安局", code="C1", region=north_region, industry="公安", note="先到")


@pytest.fixture
def loser(south_region):
    return CustomerFactory(name="杭州公安局", code="C2", region=south_region, industry="警务", website="https://a.cn")


@pytest.fixture
def merged(survivor, loser, head_office):
    def merge(*from_loser, pair=None):
        first, second = pair or (survivor, loser)
        for one in (first, second):
            one.refresh_from_db()
        made = merge_customers(
            survivor=first,
            loser=second,
            versions=(first.version, second.version),
            from_loser=from_loser,
            by=head_office,
        )
        for one in (first, second):
            one.refresh_from_db()
        return made

    return merge


def picture() -> dict:
    """All that a merge may touch, without versions."""
    silent = {"version", "facts_changed_at"}
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name not in silent}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in (Customer, Contact, CustomerLine, LineMember, Sale)
    }


def line_of(customer, code="police", **fields):
    return CustomerLineFactory(customer=customer, product_line=ProductLine.objects.get(code=code), **fields)


def test_the_survivor_takes_the_chosen_values_and_the_other_points_to_it(merged, survivor, loser):
    merged("name", "website")
    assert (survivor.name, survivor.industry, survivor.website, survivor.version) == (
        "杭州公安局",
        "公安",
        "https://a.cn",
        2,
    )
    assert "hangzhougonganju" in survivor.search_text
    assert (loser.merged_into, loser.deleted_at is not None, loser.name) == (survivor, True, "杭州公安局")


def test_contacts_children_and_lines_go_over(merged, survivor, loser):
    contact, child = ContactFactory(customer=loser), CustomerFactory(parent=loser, region=loser.region)
    line = line_of(loser, "mms")
    sale = SaleFactory(line=line)
    made = merged()
    for one in (contact, child, line, sale):
        one.refresh_from_db()
    assert (contact.customer, child.parent, line.customer, sale.line) == (survivor, survivor, survivor, line)
    assert (made.counts["contacts"], made.counts["children"], made.counts["lines"]) == (1, 1, 1)
    assert line.is_active


def test_of_a_line_that_both_have_the_losers_is_switched_off_and_its_sales_go_over(merged, survivor, loser):
    lead = UserFactory(region=survivor.region)
    own, other = line_of(survivor, is_active=False), line_of(loser, lead=lead)
    kept = SaleFactory(line=own, contract_no="HT-1")
    same, sale = SaleFactory(line=other, contract_no="HT-1"), SaleFactory(line=other, contract_no="")
    made = merged()
    for one in (own, other, kept, same, sale):
        one.refresh_from_db()
    assert (own.is_active, other.is_active, own.lead) == (True, False, lead)
    assert (kept.line, sale.line, sale.version, same.line) == (own, own, 2, other)
    assert (made.counts["retired"], made.counts["sales"], made.counts["sales_kept"]) == (1, 1, 1)
    assert own.facts_changed_at is not None


def test_who_saw_the_losers_line_sees_the_survivors_once(merged, survivor, loser):
    lead, other_lead, helper = (UserFactory() for _ in range(3))
    own, other = line_of(survivor, lead=lead), line_of(loser, lead=other_lead)
    for line, user, why in (
        (own, lead, "lead"),
        (own, helper, "tour"),
        (other, other_lead, "lead"),
        (other, helper, "tour"),
    ):
        LineMemberFactory(line=line, user=user, why=why)
    merged()
    current = LineMember.objects.current().filter(line=own).values_list("user", "why")
    assert set(current) == {(lead.pk, "lead"), (helper.pk, "tour"), (other_lead.pk, "led the merged line")}
    assert not LineMember.objects.current().filter(line=other).exists()


def test_memberships_that_begin_later_go_over_too(merged, survivor, loser, head_office):
    own, other = line_of(survivor), line_of(loser)
    ahead, both, sooner = UserFactory.create_batch(3)
    week, month = (timezone.localdate() + timedelta(days=days) for days in (7, 30))
    LineMemberFactory(line=other, user=ahead, why="tour", from_on=week)
    LineMemberFactory(line=other, user=both, why="tour", from_on=week)
    LineMemberFactory(line=own, user=both, why="tour")
    LineMemberFactory(line=other, user=sooner, why="tour", from_on=week)
    LineMemberFactory(line=own, user=sooner, why="tour", from_on=month)
    before = picture()
    merge = merged()
    standing = LineMember.objects.not_over().filter(line=own).values_list("user", "from_on")
    assert set(standing) == {(ahead.pk, week), (both.pk, date(2020, 1, 1)), (sooner.pk, week)}
    assert not LineMember.objects.not_over().filter(line=other).exists()
    undo_merge(merge=merge, by=head_office)
    assert picture() == before


def test_a_membership_of_today_goes_over_beside_one_of_later_days(merged, survivor, loser):
    own, other = line_of(survivor), line_of(loser)
    person, week = UserFactory(), timezone.localdate() + timedelta(days=7)
    now = LineMemberFactory(line=other, user=person, why="tour", until_on=week)
    later = LineMemberFactory(line=own, user=person, why="tour", from_on=week)
    merged()
    assert set(LineMember.objects.not_over().filter(line=own)) == {now, later}


def test_of_two_regions_neither_reads_the_others_code(merged, survivor, loser):
    merged()
    reasons = set(Change.objects.exclude(batch=None).values_list("reason", flat=True))
    assert reasons == {"merge with a customer of another region"}


def test_the_credit_code_of_the_one_that_goes_may_be_taken(merged, survivor, loser):
    Customer.objects.filter(pk__in=(survivor.pk, loser.pk)).update(credit_code="91330000MA27XX001A")
    Customer.objects.filter(pk=loser.pk).update(region=survivor.region, credit_code="91330000MA27XX002B")
    merged("credit_code", "code")
    assert (survivor.credit_code, survivor.code) == ("91330000MA27XX002B", "C2")


def test_a_code_that_a_third_customer_of_the_region_has_is_refused(merged, survivor, loser):
    CustomerFactory(region=survivor.region, code="C2")
    with pytest.raises(MergeRefused, match="Another customer of the region has this code"):
        merged("code")
    loser.refresh_from_db()
    assert loser.deleted_at is None


def test_everything_is_in_the_change_log_under_one_batch(merged, head_office, loser, north_region):
    Customer.objects.filter(pk=loser.pk).update(region=north_region)
    ContactFactory(customer=loser)
    made = merged("name")
    changes = Change.objects.filter(batch=made.batch)
    assert sorted(changes.values_list("table", flat=True)) == ["crm_contact", "crm_customer", "crm_customer"]
    assert set(changes.values_list("by", "reason")) == {(head_office.pk, "merge of C2 into C1")}
    assert Change.objects.filter(is_tombstone=True, table="crm_contact", region=loser.region).exists()


def test_neither_is_merged_when_somebody_edited_one_meanwhile(survivor, loser, head_office):
    Customer.objects.filter(pk=loser.pk).update(version=2)
    with pytest.raises(EditedMeanwhile):
        merge_customers(survivor=survivor, loser=loser, versions=(1, 1), from_loser=(), by=head_office)


def test_nothing_is_merged_twice_or_with_itself(merged, survivor, loser):
    merged()
    with pytest.raises(MergeRefused, match="merged already"):
        merged()
    with pytest.raises(MergeRefused, match="with itself"):
        merged(pair=(survivor, survivor))


def test_a_parent_that_is_one_of_the_two_gives_way_to_the_one_above(merged, survivor, loser):
    top = CustomerFactory(region=survivor.region)
    survivor.parent, loser.parent = loser, top
    survivor.save()
    loser.save()
    merged()
    assert survivor.parent == top


def test_a_merge_that_would_put_the_survivor_above_itself_is_refused(merged, survivor, loser):
    middle = CustomerFactory(region=survivor.region, parent=loser)
    survivor.parent = middle
    survivor.save()
    with pytest.raises(StandsAboveItself):
        merged()


def test_an_undo_restores_everything(merged, survivor, loser, head_office):
    lead = UserFactory()
    own, other = line_of(survivor, is_active=False), line_of(loser, lead=lead)
    for line in (own, other):
        LineMemberFactory(line=line, user=lead, why="tour")
        SaleFactory(line=line, contract_no="HT-1")
        SaleFactory(line=line)
    SaleFactory(line=line_of(loser, "mms"))
    ContactFactory(customer=loser)
    CustomerFactory(parent=loser)
    before = picture()
    made = merged("name", "code", "website", "parent")
    assert picture() != before
    undone = undo_merge(merge=made, by=head_office)
    assert picture() == before
    assert (undone.undone_by, undone.undone_at is not None) == (head_office, True)
    with pytest.raises(UndoRefused, match="undone already"):
        undo_merge(merge=made, by=head_office)


def test_after_an_undo_the_two_may_be_merged_again(merged, survivor, loser, head_office):
    undo_merge(merge=merged(), by=head_office)
    merged(pair=(loser, survivor))
    assert survivor.merged_into == loser


def refused(merge, by):
    before = picture()
    with pytest.raises(UndoRefused) as refusal:
        undo_merge(merge=merge, by=by)
    assert picture() == before
    assert not CustomerMerge.objects.get(pk=merge.pk).undone_at
    return [(one.table, one.object_id, one.reason) for one in refusal.value.conflicts]


def test_an_edit_of_the_survivor_or_of_what_went_over_holds_the_undo_up(merged, survivor, loser, head_office):
    contact = ContactFactory(customer=loser)
    made = merged()
    survivor.note = "改"
    save_customer(customer=survivor, version=survivor.version, by=head_office)
    contact.refresh_from_db()
    save_contact(contact=contact, version=contact.version, by=head_office)
    found = refused(made, head_office)
    assert [(table, pk) for table, pk, _reason in found] == [
        ("crm_customer", survivor.pk),
        ("crm_contact", contact.pk),
    ]
    assert found[0][2].startswith("销售管理 changed it on ")


def test_what_was_added_since_holds_the_undo_up(merged, survivor, loser, head_office):
    line = line_of(loser, "mms")
    made = merged()
    save_contact(contact=Contact(customer=survivor, name="新人"), version=0, by=head_office)
    save_sale(sale=Sale(line=line, signed_on=date(2026, 3, 1), amount=1), version=0, by=head_office)
    assert [reason for _table, _pk, reason in refused(made, head_office)] == [
        "it has contacts by now",
        "it has sales by now",
    ]


def test_a_code_given_to_another_customer_since_holds_the_undo_up(merged, loser, head_office):
    made = merged()
    CustomerFactory(region=loser.region, code=loser.code)
    assert refused(made, head_office) == [
        (
            "crm_customer",
            loser.pk,
            "what it had before is taken by now: Another customer of the region has this code.",
        )
    ]


def test_of_two_merges_the_later_goes_back_first(merged, survivor, loser, head_office, south_region):
    third = CustomerFactory(region=south_region, code="C3")
    first = merged()
    second = merged(pair=(third, survivor))
    loser.refresh_from_db()
    assert loser.merged_into == third
    assert refused(first, head_office)
    undo_merge(merge=second, by=head_office)
    loser.refresh_from_db()
    assert loser.merged_into == survivor
    undo_merge(merge=first, by=head_office)
    loser.refresh_from_db()
    assert (loser.merged_into, loser.deleted_at) == (None, None)


def test_five_hundred_contacts_cost_no_more_queries_than_one(merged, survivor, loser, head_office, north_region):
    def queries(count):
        first, second = (CustomerFactory(region=north_region) for _ in range(2))
        Contact.objects.bulk_create(Contact(customer=second, name=f"联系人{number}") for number in range(count))
        with CaptureQueriesContext(connection) as merging:
            made = merged(pair=(first, second))
        assert first.contacts.count() == count
        with CaptureQueriesContext(connection) as undoing:
            undo_merge(merge=made, by=head_office)
        assert second.contacts.count() == count
        return len(merging), len(undoing)

    few, many = queries(2), queries(500)
    # SQLite writes the rows of an executemany as one statement, and so does COPY.
    assert many[0] <= few[0] + 5
    assert many[1] <= few[1] + 5


def test_the_database_keeps_a_merged_customer_out_of_sight(survivor, loser):
    for fields in ({"merged_into": survivor}, {"merged_into": loser, "deleted_at": "2026-01-01T00:00Z"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Customer.objects.filter(pk=loser.pk).update(**fields)


def test_the_database_keeps_a_code_once_within_a_region_among_the_living(survivor, loser):
    Customer.objects.filter(pk=loser.pk).update(code="C1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=loser.pk).update(region=survivor.region)
    Customer.objects.filter(pk=loser.pk).update(region=survivor.region, deleted_at="2026-01-01T00:00Z")
