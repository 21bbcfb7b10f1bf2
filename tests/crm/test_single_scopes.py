"""What is asked of the scope in a single place, behind whose page or action nothing else asks it again."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.actions.customers import save_customer
from crm.actions.delegations import DelegationRefused, delegate
from crm.actions.merge_customers import merge_customers
from crm.actions.open_sessions import end_sessions_of, sessions_of
from crm.actions.record_kinds import record_kinds
from crm.carried import access
from crm.delegation_forms import colleagues
from crm.import_kinds.people import rows_of_people
from crm.merge_forms import TransferForm
from crm.models import (
    BranchRegion,
    CompanyAccount,
    CustomerLine,
    CustomerMerge,
    Export,
    OpenSession,
    PersonPlace,
    ProductLine,
    Role,
    SecurityEvent,
    SecurityMatter,
    StoredFile,
)
from crm.person_forms import PersonForm
from crm.place_forms import open_regions
from crm.sight_forms import ExplainSightForm
from crm.visitor import Visitor
from grading.carried import assessments
from grading.models import CycleState
from tests.changes import edit, made
from tests.crm.test_accounts import PASSWORD, is_in, sign_in, visitor
from tests.factories import (
    AssessmentFactory,
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    DelegationFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(north_region):
    return UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)


def test_nobody_delegates_to_whom_he_does_not_see(manager, south_user):
    day = date(2026, 3, 2)
    with pytest.raises(DelegationRefused, match="Choose a colleague"):
        delegate(giver=manager, receiver=south_user, from_on=day, until_on=day, by=manager)


def test_colleagues_are_offered_as_far_as_they_are_seen(manager, north, south_user, head_office):
    assert set(colleagues(manager, manager)) == {north, head_office}


def test_the_list_of_people_goes_out_as_far_as_they_are_seen(north, south_user, head_office):
    assert {row[0] for row in rows_of_people(north)} == {"north", "head"}


def test_ending_a_persons_sessions_ends_nobody_elses(north, south_user):
    guests = []
    for person in (north, south_user):
        person.set_password(PASSWORD)
        person.save()
        guests.append(visitor())
        assert sign_in(guests[-1], name=person.username).status_code == 302
    end_sessions_of(user=north, by=north, visitor=Visitor("10.1.2.3", ""))
    assert [is_in(guest) for guest in guests] == [False, True]
    assert [session.user for session in OpenSession.objects.all()] == [south_user]
    assert len(sessions_of(south_user)) == 1


def test_files_that_wait_are_counted_for_their_maker_alone(north, south_user):
    for number in range(2):
        now = timezone.now()
        file = StoredFile.objects.create(name=f"{number}.csv", content=b"a", size=1, by=south_user, at=now)
        Export.objects.create(list_name="customers", format="csv", language="en", by=south_user, at=now, file=file)
    counts = {carried.key: carried.count for carried in access(north)}
    assert counts["files"] == 0
    assert {carried.key: carried.count for carried in access(south_user)}["files"] == 2


def test_company_accounts_are_their_persons_and_shown_as_far_as_these_are_seen(north, south_user):
    own, other = (
        CompanyAccount.objects.create(user=user, provider="wecom", subject=user.username)
        for user in (north, south_user)
    )
    assert list(CompanyAccount.objects.of(north)) == [own]
    assert list(CompanyAccount.objects.visible_to(north)) == [own]
    assert list(CompanyAccount.objects.visible_to(UserFactory(role=Role.ADMINISTRATOR))) == [own, other]


def test_what_another_region_wrote_before_a_customer_came_is_not_put_back(
    north, south_user, head_office, north_region, south_region, client_of
):
    customer = made(region=south_region, short_name="一")
    change = edit(customer, south_user, short_name="二")
    customer.region = north_region
    save_customer(customer=customer, version=customer.version, by=head_office)
    address = reverse("crm:restore-value", args=["customer", customer.pk, change.sequence, "short_name"])
    assert client_of(north).get(address).status_code == 404
    assert client_of(head_office).get(address).status_code == 200


# --- what is asked behind pages of which only roles that see everything have the permission


def test_who_writes_a_region_writes_no_line_of_another_and_none_of_a_removed_customer(
    north, manager, north_region, south_region
):
    own, other = (CustomerLineFactory(customer__region=region) for region in (north_region, south_region))
    removed = CustomerLineFactory(customer__region=north_region, customer__deleted_at=timezone.now())
    LineMemberFactory(line=own, user=manager)
    LineMemberFactory(line=removed, user=manager)
    assert other.pk
    assert list(CustomerLine.objects.writable_by(north)) == [own]
    assert list(CustomerLine.objects.writable_by(manager)) == [own]


def test_merges_are_there_for_those_who_see_every_region(north, head_office, north_region):
    survivor, loser = (CustomerFactory(region=north_region) for _ in range(2))
    merge_customers(survivor=survivor, loser=loser, versions=(1, 1), from_loser=(), by=head_office)
    assert CustomerMerge.objects.visible_to(north).count() == 0
    assert CustomerMerge.objects.visible_to(head_office).count() == 1


def test_sessions_and_what_happened_to_accounts_are_ones_own(north, south_user, head_office):
    now = timezone.now()
    sessions = [
        OpenSession.objects.create(user=user, key=user.username, signed_in_at=now, last_seen_at=now)
        for user in (north, south_user)
    ]
    events = [
        SecurityEvent.objects.create(user=user, what=SecurityMatter.SIGNED_IN, at=now) for user in (north, south_user)
    ]
    assert list(OpenSession.objects.visible_to(north)) == list(OpenSession.objects.of(north)) == sessions[:1]
    assert list(SecurityEvent.objects.visible_to(north)) == list(SecurityEvent.objects.of(north)) == events[:1]
    assert set(OpenSession.objects.visible_to(head_office)) == set(sessions)


def test_places_are_those_of_people_and_regions_that_are_seen(north, south_user, north_region, south_region):
    places = [
        PersonPlace.objects.create(person=person, region=region, from_on=date(2026, 1, day))
        for day, (person, region) in enumerate(
            ((north, north_region), (south_user, south_region), (south_user, None)), start=1
        )
    ]
    assert list(PersonPlace.objects.visible_to(north).filter(pk__in=[place.pk for place in places])) == places[:1]


def test_histories_are_those_of_records_that_are_seen(north, south_user, north_region, south_region):
    kinds = record_kinds()
    sale, other = (SaleFactory(line__customer__region=region) for region in (north_region, south_region))
    branch = BranchFactory(region=south_region)
    move = BranchRegion.objects.create(branch=branch, region=south_region, from_on=date(2026, 1, 1))
    delegation = DelegationFactory(giver=south_user, receiver=UserFactory(region=south_region))
    hidden = {
        "sale": other,
        "line-member": LineMemberFactory(line=other.line),
        "person": south_user,
        "region": south_region,
        "branch": branch,
        "branch-move": move,
        "delegation": delegation,
    }
    assert [name for name, record in hidden.items() if kinds[name].seen(north).filter(pk=record.pk).exists()] == []
    assert kinds["sale"].seen(north).filter(pk=sale.pk).exists()


def test_a_value_is_put_back_only_where_one_may_write(manager, north_region):
    kinds = record_kinds()
    own, beside = (SaleFactory(line__customer__region=north_region) for _ in range(2))
    contacts = [ContactFactory(customer=sale.line.customer) for sale in (own, beside)]
    LineMemberFactory(line=own.line, user=manager)
    assert list(kinds["sale"].restoring.writable(manager)) == [own]
    assert list(kinds["contact"].restoring.writable(manager)) == contacts[:1]


def test_forms_offer_people_and_places_as_far_as_they_are_seen(north, south_user, north_region, south_region):
    BranchFactory(region=south_region)
    form = PersonForm(instance=UserFactory(region=north_region), by=north)
    assert set(form.fields["region"].queryset) == set(open_regions(north)) == {north_region}
    assert list(form.fields["branch"].queryset) == []
    assert south_user not in form.fields["guided_by"].queryset
    assert south_user not in ExplainSightForm(user=north).fields["person"].queryset
    customer = CustomerFactory(region=north_region)
    transfer = TransferForm(user=north, customer=customer, region=south_region)
    offered = [list(transfer.fields[name].queryset) for name in ("region", "branch", "lead")]
    assert offered == [[], [], []]


def test_assessments_that_wait_are_counted_for_whom_they_wait(manager, north_region):
    CycleFactory(fiscal_year=2026)
    line = CustomerLineFactory(customer__region=north_region, lead=UserFactory(region=north_region))
    AssessmentFactory(line=line, fiscal_year=2026, is_carried_over=True)
    assert [one.count for one in assessments(line.lead)] == [1]
    assert [one.count for one in assessments(manager)] == [0]


def test_a_list_of_assessments_opens_with_those_that_wait_for_oneself(manager, north, north_region, client_of):
    CycleFactory(fiscal_year=2026, state=CycleState.OPEN)
    line = CustomerLineFactory(customer__region=north_region, lead=manager)
    LineMemberFactory(line=line, user=manager)
    AssessmentFactory(line=line, fiscal_year=2026, is_carried_over=True)
    address = reverse("grading:list-assessments")
    assert "state=not_assessed" in client_of(manager).get(address)["Location"]
    assert "state=not_assessed" not in client_of(north).get(address)["Location"]


def test_assessing_is_offered_where_one_may_write_alone(manager, north_region, client_of):
    CycleFactory(fiscal_year=2026, state=CycleState.OPEN)
    police, mms = (ProductLine.objects.get(code=code) for code in ("police", "mms"))
    own = CustomerLineFactory(customer__region=north_region, product_line=police)
    beside = CustomerLineFactory(customer=own.customer, product_line=mms)
    LineMemberFactory(line=own, user=manager)
    page = client_of(manager).get(reverse("crm:view-customer", args=[own.customer.pk])).content.decode()
    offered = [reverse("grading:assess-line", args=[one.pk, 2026]) in page for one in (own, beside)]
    assert offered == [True, False]
    address = reverse("grading:list-cycle-grades", args=[2026])
    assert client_of(manager).get(address).context["writable"] == {own.pk}


def test_the_page_of_an_account_shows_what_happened_to_it_and_its_company_accounts(
    north, south_user, client_of, monkeypatch
):
    monkeypatch.setattr("crm.views.security.configured_providers", lambda: {"wecom": None})
    for user in (north, south_user):
        CompanyAccount.objects.create(user=user, provider="wecom", subject=user.username)
        SecurityEvent.objects.create(user=user, what=SecurityMatter.SIGNED_IN, at=timezone.now())
    own = client_of(north).get(reverse("crm:security")).context
    assert [account.user for account in own["company_accounts"]] == [north]
    theirs = client_of(UserFactory(role=Role.ADMINISTRATOR)).get(reverse("crm:list-sessions", args=[north.pk])).context
    assert {event.user for event in theirs["events"]} == {north}
