"""One field of many customers changed at once: chosen, shown, confirmed, reported, taken back."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm import tasks
from crm.actions.bulk_changes import set_up_bulk_change, start_bulk_change
from crm.actions.bulk_steps import BulkRefused
from crm.actions.customers import save_customer
from crm.actions.work_on_bulk_change import work_on_bulk_change
from crm.models import BulkChange, BulkState, Change, Customer, CustomerKind, Division, JobState, Role, User, Way
from tests.changes import edit
from tests.factories import BranchFactory, CustomerFactory, LineMemberFactory, UserFactory
from tests.pages import queries_of

pytestmark = pytest.mark.django_db
LIST = reverse("crm:list-customers")
CHOOSE = reverse("crm:choose-rows", args=["customers"])


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **kwargs: None)


@pytest.fixture
def three(north_region) -> list[Customer]:
    return [CustomerFactory(region=north_region, industry=industry) for industry in ("公安", "应急", "")]


def choose(client: Client, customers=(), query: str = "", **data) -> BulkChange:
    """Tick rows of the list and go on."""
    response = client.post(f"{CHOOSE}{query}", {"number": [one.pk for one in customers], **data})
    made = BulkChange.objects.latest("pk")
    assert response["Location"] == reverse("crm:set-up-bulk-change", args=[made.pk])
    return made


def set_up(client: Client, bulk: BulkChange, field: str, value, **data):
    return client.post(f"{reverse('crm:set-up-bulk-change', args=[bulk.pk])}?field={field}", {field: value, **data})


def shown(client: Client, customers, field: str = "industry", value="公安", **data) -> BulkChange:
    """Everything up to the confirmation."""
    bulk = choose(client, customers)
    response = set_up(client, bulk, field, value, **data)
    assert response["Location"] == page_of(bulk), response.content.decode()
    bulk.refresh_from_db()
    return bulk


def page_of(bulk: BulkChange) -> str:
    return reverse("crm:view-bulk-change", args=[bulk.pk])


def confirm(client: Client, bulk: BulkChange, version: int | None = None) -> BulkChange:
    """Press the button of the confirmation that was shown."""
    version = bulk.version if version is None else version
    client.post(reverse("crm:start-bulk-change", args=[bulk.pk]), {"version": version})
    bulk.refresh_from_db()
    return bulk


def worked(bulk: BulkChange) -> BulkChange:
    work_on_bulk_change(job_id=bulk.job_id)
    bulk.refresh_from_db()
    return bulk


def industries(*customers: Customer) -> list[str]:
    return [Customer.objects.get(pk=one.pk).industry for one in customers]


# --- choosing


def test_the_list_has_boxes_for_those_who_edit_customers(north, three, client_of):
    page = client_of(north).get(LIST).content.decode()
    assert page.count('name="number"') == 3
    assert f'aria-label="{three[0].name}"' in page


@pytest.mark.parametrize("role", [Role.EXECUTIVE, Role.MARKETING])
def test_who_only_reads_gets_no_boxes_and_no_page(three, client_of, role):
    client = client_of(UserFactory(role=role))
    assert 'name="number"' not in client.get(LIST).content.decode()
    assert client.post(CHOOSE, {"number": [three[0].pk]}).status_code == 403
    assert not BulkChange.objects.exists()


def test_a_stranger_is_asked_to_sign_in(client, three):
    assert client.post(CHOOSE, {"number": [three[0].pk]})["Location"].startswith(reverse("account_login"))


def test_an_administrator_changes_no_customers(three, client_of):
    assert client_of(UserFactory(role=Role.ADMINISTRATOR)).post(CHOOSE, {"all": "1"}).status_code == 403


def test_an_empty_list_has_no_bar(north, client_of):
    assert 'id="bulk"' not in client_of(north).get(LIST).content.decode()


def test_all_is_offered_only_where_the_list_goes_on(north, north_region, three, client_of):
    client = client_of(north)
    assert "data-pick-all" not in client.get(LIST).content.decode()
    CustomerFactory.create_batch(30, region=north_region)
    assert "All 33 of this list" in client.get(f"{LIST}?page_size=25").content.decode()


def test_without_a_tick_one_stays_in_the_list_and_is_told_so(north, three, client_of):
    response = client_of(north).post(f"{CHOOSE}?search=a", {}, follow=True)
    assert response.redirect_chain[0][0] == f"{LIST}?search=a"
    assert "No row is selected" in response.content.decode()
    assert not BulkChange.objects.exists()


def test_what_is_out_of_sight_or_no_number_is_not_chosen(north, south_region, three, client_of):
    theirs = CustomerFactory(region=south_region)
    bulk = choose(client_of(north), [three[0], theirs], x=["drop"])
    assert [pk for pk, _version in bulk.chosen] == [three[0].pk]
    client_of(north).post(CHOOSE, {"number": ["x", "-1", "9" * 30]})
    assert BulkChange.objects.count() == 1


def test_all_of_a_filter_is_all_its_pages_and_nothing_else(north, north_region, three, client_of):
    CustomerFactory.create_batch(60, region=north_region, name="石家庄市应急管理局")
    bulk = choose(client_of(north), query="?search=应急管理&page=2&page_size=25", all="1")
    assert bulk.size == 60


def test_all_of_a_list_that_makes_no_sense_is_nothing(north, three, client_of):
    client_of(north).post(f"{CHOOSE}?grade=Z", {"all": "1"})
    assert not BulkChange.objects.exists()


def test_more_than_the_limit_is_refused(north, three, client_of, monkeypatch):
    monkeypatch.setattr("crm.actions.bulk_changes.MOST", 2)
    response = client_of(north).post(CHOOSE, {"all": "1"}, follow=True)
    assert "More than 2 rows" in response.content.decode()


def test_another_list_cannot_be_changed_in_bulk(north, client_of):
    assert client_of(north).post(reverse("crm:choose-rows", args=["people"]), {"all": "1"}).status_code == 404


# --- setting up


def test_the_confirmation_names_the_field_the_value_and_how_many(north, three, client_of):
    client = client_of(north)
    page = client.get(page_of(shown(client, three))).content.decode()
    assert "Change the industry of 3 customers to 公安" in page
    assert "1 has this value already." in page
    assert "Change 2 customers" in page
    assert "应急" in page
    assert industries(*three) == ["公安", "应急", ""]


def test_the_confirmation_speaks_chinese(north, three, client_of):
    client = client_of(north, "zh-hans")
    page = client.get(page_of(shown(client, three))).content.decode()
    assert "把 3 个客户的行业改为“公安”" in page


@pytest.mark.parametrize(
    ("field", "value"), [("kind", "friend"), ("branch", "999999"), ("division", "没有"), ("industry", "长" * 61)]
)
def test_a_value_that_the_customers_form_refuses_is_refused(north, three, client_of, field, value):
    client = client_of(north)
    bulk = choose(client, three)
    assert set_up(client, bulk, field, value).status_code == 422
    bulk.refresh_from_db()
    assert bulk.state == BulkState.CHOSEN


def test_an_empty_box_is_meant_only_with_the_tick(north, three, client_of):
    client = client_of(north)
    bulk = choose(client, three)
    assert "tick that the field is to be emptied" in set_up(client, bulk, "industry", "").content.decode()
    assert set_up(client, bulk, "industry", "公安", is_emptied="on").status_code == 422
    assert set_up(client, bulk, "industry", "", is_emptied="on").status_code == 302
    bulk.refresh_from_db()
    assert "Empty the industry of 3 customers" in client.get(page_of(bulk)).content.decode()
    confirm(client, bulk)
    assert industries(*three) == ["", "", ""]


def test_branch_offices_are_those_of_the_one_region_in_use(head_office, north_region, south_region, three, client_of):
    ours, closed = BranchFactory(region=north_region), BranchFactory(region=north_region, is_active=False)
    theirs = BranchFactory(region=south_region)
    client = client_of(head_office)
    bulk = choose(client, three)
    offered = client.get(f"/bulk-changes/{bulk.pk}/set-up/?field=branch").context["form"].fields["branch"].queryset
    assert list(offered) == [ours]
    for wrong in (closed, theirs):
        assert set_up(client, bulk, "branch", wrong.pk).status_code == 422


def test_customers_of_two_regions_have_no_branch_office_in_common(head_office, south_region, three, client_of):
    client = client_of(head_office)
    bulk = choose(client, [*three, CustomerFactory(region=south_region)])
    page = client.get(f"/bulk-changes/{bulk.pk}/set-up/?field=branch").content.decode()
    assert "filter the list by region" in page
    with pytest.raises(BulkRefused, match="several regions"):
        set_up_bulk_change(bulk_change=bulk, field="branch", value=None, by=head_office)


@pytest.mark.parametrize("field", ["region", "name", "code", "credit_code", "version"])
def test_what_is_no_plain_field_is_not_offered(north, three, client_of, field):
    bulk = choose(client_of(north), three)
    with pytest.raises(BulkRefused):
        set_up_bulk_change(bulk_change=bulk, field=field, value="1", by=north)


@pytest.mark.parametrize("field", ["industry", "kind", "branch", "division"])
def test_each_field_can_be_changed(north, north_region, three, client_of, field):
    branch, division = BranchFactory(region=north_region), Division.objects.first()
    value = {"industry": "交通", "kind": "agent", "branch": branch.pk, "division": division.code}[field]
    client = client_of(north)
    bulk = confirm(client, shown(client, three, field, value))
    assert bulk.report["counts"] == {"changed": 3, "unchanged": 0, "meanwhile": 0, "gone": 0}
    attribute = Customer._meta.get_field(field).attname
    assert set(Customer.objects.values_list(attribute, flat=True)) == {value}


# --- confirming


def test_a_few_are_changed_at_once_each_in_a_new_version_and_in_the_log(north, three, client_of):
    client = client_of(north)
    bulk = confirm(client, shown(client, three))
    assert (bulk.state, bulk.job) == (BulkState.DONE, None)
    assert bulk.report["counts"] == {"changed": 2, "unchanged": 1, "meanwhile": 0, "gone": 0}
    assert industries(*three) == ["公安", "公安", "公安"]
    changes = Change.objects.filter(batch=bulk.batch).order_by("object_id")
    assert [(one.object_id, one.before, one.after, one.by, one.way) for one in changes] == [
        (customer.pk, {"industry": was, "version": 1}, {"industry": "公安", "version": 2}, north, Way.BULK)
        for customer, was in ((three[1], "应急"), (three[2], ""))
    ]
    assert Customer.objects.get(pk=three[0].pk).version == 1


def test_what_somebody_else_has_changed_since_is_left_alone_and_listed(north, head_office, three, client_of):
    client = client_of(north)
    bulk = shown(client, three)
    edit(three[1], by=head_office, industry="水利")
    page = client.get(page_of(confirm(client, bulk))).content.decode()
    assert industries(*three) == ["公安", "水利", "公安"]
    assert bulk.report["counts"] == {"changed": 1, "unchanged": 1, "meanwhile": 1, "gone": 0}
    assert "Left alone" in page
    assert f'href="/customers/{three[1].pk}/"' in page


def test_what_left_ones_sight_meanwhile_is_counted_and_not_named(north, south_region, head_office, three, client_of):
    client = client_of(north)
    bulk = shown(client, three)
    three[1].region = south_region
    save_customer(customer=three[1], version=1, by=head_office)
    page = client.get(page_of(confirm(client, bulk))).content.decode()
    assert bulk.report["counts"] == {"changed": 1, "unchanged": 1, "meanwhile": 0, "gone": 1}
    assert three[1].name not in page
    assert industries(three[1]) == ["应急"]


def test_pressed_twice_it_is_done_once(north, three, client_of):
    client = client_of(north)
    bulk = confirm(client, shown(client, three))
    batch = bulk.batch
    assert confirm(client, bulk).batch == batch
    assert Change.objects.filter(way=Way.BULK).count() == 2


def test_a_confirmation_of_before_it_was_set_up_anew_confirms_nothing(north, three, client_of):
    client = client_of(north)
    bulk = shown(client, three)
    old = bulk.version
    set_up(client, bulk, "kind", "agent")
    bulk = confirm(client, bulk, old)
    assert bulk.state == BulkState.SHOWN
    assert "set up anew in another window" in client.get(page_of(bulk)).content.decode()
    assert set(Customer.objects.values_list("kind", flat=True)) == {CustomerKind.CUSTOMER}


def test_nothing_is_confirmed_before_it_is_set_up(north, three, client_of):
    bulk = choose(client_of(north), three)
    with pytest.raises(BulkRefused):
        start_bulk_change(bulk_change=bulk, version=0, by=north)


def test_where_all_have_the_value_there_is_nothing_to_confirm(north, three, client_of):
    client = client_of(north)
    page = client.get(page_of(shown(client, three[:1]))).content.decode()
    assert "There is nothing to change" in page
    assert "/start/" not in page


def test_nobody_puts_customers_out_of_his_own_sight(north_region, three, client_of):
    own, other = (BranchFactory(region=north_region) for _ in range(2))
    Customer.objects.filter(region=north_region).update(branch=own)
    client = client_of(UserFactory(role=Role.BRANCH_GM, region=north_region, branch=own))
    bulk = shown(client, three, "branch", other.pk)
    answer = client.post(reverse("crm:start-bulk-change", args=[bulk.pk]), {"version": bulk.version}, follow=True)
    assert "would not see all of these records" in answer.content.decode()
    assert not Customer.objects.filter(branch=other).exists()


def test_a_branch_office_that_was_closed_meanwhile_is_refused(north, north_region, three, client_of):
    branch = BranchFactory(region=north_region)
    client = client_of(north)
    bulk = shown(client, three, "branch", branch.pk)
    branch.is_active = False
    branch.save()
    assert confirm(client, bulk).state == BulkState.SHOWN
    assert not Customer.objects.filter(branch=branch).exists()


def test_a_job_that_is_refused_says_why_and_can_be_set_up_again(north, north_region, client_of):
    many(north_region, 201)
    branch, client = BranchFactory(region=north_region), client_of(north)
    bulk = choose(client, all="1")
    set_up(client, bulk, "branch", branch.pk)
    bulk.refresh_from_db()
    confirm(client, bulk)
    branch.is_active = False
    branch.save()
    bulk = worked(bulk)
    assert (bulk.state, bulk.job.state) == (BulkState.FAILED, JobState.FAILED)
    page = client.get(page_of(bulk)).content.decode()
    assert "Nothing was changed. Select a valid choice" in page
    assert f"/bulk-changes/{bulk.pk}/set-up/" in page
    set_up(client, bulk, "industry", "公安")
    bulk.refresh_from_db()
    assert worked(confirm(client, bulk)).report["counts"]["changed"] == 201


def test_given_up_it_changes_nothing_and_starts_no_more(north, three, client_of):
    client = client_of(north)
    bulk = shown(client, three)
    client.post(reverse("crm:cancel-bulk-change", args=[bulk.pk]))
    assert confirm(client, bulk).state == BulkState.CANCELLED
    assert industries(*three) == ["公安", "应急", ""]
    assert "was given up" in client.get(page_of(bulk)).content.decode()


def test_another_persons_bulk_change_does_not_exist(north, head_office, north_region, three, client_of):
    bulk = shown(client_of(north), three)
    for other in (head_office, UserFactory(role=Role.REGIONAL_STAFF, region=north_region)):
        client = client_of(other)
        for name in ("view", "set-up"):
            assert client.get(reverse(f"crm:{name}-bulk-change", args=[bulk.pk])).status_code == 404
        for name in ("start", "cancel", "undo"):
            address = reverse(f"crm:{name}-bulk-change", args=[bulk.pk])
            assert client.post(address, {"version": bulk.version}).status_code == 404
        assert "customers to" not in client.get("/bulk-changes/").content.decode()
        with pytest.raises(BulkRefused):
            start_bulk_change(bulk_change=bulk, version=bulk.version, by=other)


def test_who_serves_a_few_customers_changes_those(north_region, client_of):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    mine = LineMemberFactory(user=manager, line__customer__region=north_region).line.customer
    other = CustomerFactory(region=north_region, industry="应急")
    client = client_of(manager)
    bulk = confirm(client, shown(client, [mine, other]))
    assert bulk.report["counts"]["changed"] == 1
    assert industries(mine, other) == ["公安", "应急"]


# --- many


def many(region, count: int = 1000) -> None:
    CustomerFactory.create_batch(count, region=region, industry="应急")


def test_a_thousand_are_changed_by_a_job(north, north_region, client_of):
    many(north_region)
    client = client_of(north)
    bulk = choose(client, all="1")
    set_up(client, bulk, "industry", "公安")
    bulk.refresh_from_db()
    bulk = confirm(client, bulk)
    assert (bulk.state, bulk.job.state) == (BulkState.CHANGING, JobState.QUEUED)
    assert "It goes on when you close this page" in client.get(page_of(bulk)).content.decode()
    assert client.get(reverse("crm:view-bulk-progress", args=[bulk.pk])).status_code == 200
    bulk = worked(bulk)
    assert (bulk.state, bulk.job.state) == (BulkState.DONE, JobState.DONE)
    assert bulk.report["counts"]["changed"] == 1000
    assert set(Customer.objects.values_list("industry", "version")) == {("公安", 2)}
    assert Change.objects.filter(batch=bulk.batch).count() == 1000


def test_a_job_that_runs_twice_changes_once(north, north_region, client_of):
    many(north_region, 201)
    bulk = a_job(north, client_of)
    worked(worked(bulk))
    assert Change.objects.filter(way=Way.BULK).count() == 201


def test_a_job_that_was_given_up_changes_nothing(north, north_region, client_of):
    many(north_region, 201)
    bulk = a_job(north, client_of)
    client_of(north).post(reverse("crm:cancel-bulk-change", args=[bulk.pk]))
    assert worked(bulk).state == BulkState.CANCELLED
    assert not Change.objects.filter(way=Way.BULK).exists()


def test_a_job_that_was_ended_under_way_changes_nothing(north, north_region, client_of, monkeypatch):
    many(north_region, 201)
    bulk = a_job(north, client_of)
    monkeypatch.setattr("crm.actions.work_on_bulk_change.finish_job", lambda job_id, done: False)
    assert worked(bulk).state == BulkState.CANCELLED
    assert not Change.objects.filter(way=Way.BULK).exists()


@pytest.mark.parametrize("is_undo", [False, True])
def test_what_breaks_a_job_is_for_the_job_and_not_for_the_page(north, north_region, client_of, is_undo):
    many(north_region, 201)
    bulk = a_job(north, client_of)
    if is_undo:
        client_of(north).post(reverse("crm:undo-bulk-change", args=[worked(bulk).pk]))
        bulk.refresh_from_db()
    tasks.work_on_bulk_change.on_failure(RuntimeError("disk full"), "id", (), {"job_id": bulk.job_id}, None)
    page = client_of(north).get(page_of(bulk)).content.decode()
    assert "Something went wrong here. It has been noted." in page
    assert "disk full" not in page
    bulk.refresh_from_db()
    assert bulk.job.error == "RuntimeError: disk full"


def a_job(by: User, client_of) -> BulkChange:
    client = client_of(by)
    bulk = choose(client, all="1")
    set_up(client, bulk, "industry", "公安")
    bulk.refresh_from_db()
    return confirm(client, bulk)


def test_its_statements_do_not_grow_with_its_rows(north, north_region, client_of):
    client = client_of(north)
    counts = []
    for number in (5, 100):
        many(north_region, number)
        bulk = choose(client, all="1")
        set_up(client, bulk, "industry", f"行业{number}")
        bulk.refresh_from_db()
        with CaptureQueriesContext(connection) as queries:
            start_bulk_change(bulk_change=bulk, version=bulk.version, by=north)
        counts.append(len(queries))
        assert bulk.state == BulkState.DONE
    assert counts[0] == counts[1] < 20


def test_the_list_keeps_its_budget_with_boxes(head_office, north_region, client_of):
    many(north_region, 60)
    client = client_of(head_office)
    assert queries_of(client, f"{LIST}?page_size=25") == queries_of(client, f"{LIST}?page_size=50") <= 15


# --- taking it back


def undo(client: Client, bulk: BulkChange):
    response = client.post(reverse("crm:undo-bulk-change", args=[bulk.pk]))
    bulk.refresh_from_db()
    return response


def test_it_is_taken_back_as_a_whole_and_the_log_says_so(north, three, client_of):
    client = client_of(north)
    bulk = confirm(client, shown(client, three))
    assert "2 customers that it changed" in client.get(f"/bulk-changes/{bulk.pk}/undo/").content.decode()
    undo(client, bulk)
    assert bulk.state == BulkState.UNDONE
    assert industries(*three) == ["公安", "应急", ""]
    told = set(Change.objects.filter(batch=bulk.undo_batch).values_list("way", "reason", "by"))
    assert told == {("bulk", f"undo of bulk change {bulk.pk}", north.pk)}
    assert "former value again" in client.get(page_of(bulk)).content.decode()


def test_one_edited_customer_keeps_all_and_is_named(north, head_office, three, client_of):
    client = client_of(north)
    bulk = confirm(client, shown(client, three))
    edit(three[1], by=head_office, note="改")
    response = undo(client, bulk)
    assert response.status_code == 409
    assert f'href="/customers/{three[1].pk}/"' in response.content.decode()
    assert "销售管理 changed it on" in response.content.decode()
    assert (bulk.state, industries(*three)) == (BulkState.DONE, ["公安", "公安", "公安"])


def test_a_later_bulk_change_of_the_same_customers_goes_first(north, three, client_of):
    client = client_of(north)
    first = confirm(client, shown(client, three))
    second = confirm(client, shown(client, three, value="交通"))
    assert undo(client, first).status_code == 409
    undo(client, second)
    assert industries(*three) == ["公安", "公安", "公安"]
    assert undo(client, first).status_code == 302
    assert industries(*three) == ["公安", "应急", ""]


def test_what_one_sees_no_more_holds_the_undo_up(north, south_region, three, client_of):
    client = client_of(north)
    bulk = confirm(client, shown(client, three))
    Customer.objects.filter(pk=three[1].pk).update(region=south_region)
    response = undo(client, bulk)
    assert "you do not see this record" in response.content.decode()
    assert three[1].name not in response.content.decode()


def test_nothing_is_undone_twice_or_before_it_was_done(north, three, client_of):
    client = client_of(north)
    bulk = shown(client, three)
    assert undo(client, bulk).status_code == 409
    confirm(client, bulk)
    undo(client, bulk)
    assert undo(client, bulk).status_code == 409
    assert client.get(f"/bulk-changes/{bulk.pk}/undo/").status_code == 409


def test_many_are_taken_back_by_a_job_or_refused_by_it(north, north_region, head_office, client_of):
    many(north_region, 201)
    bulk = worked(a_job(north, client_of))
    undo(client_of(north), bulk)
    assert bulk.state == BulkState.UNDOING
    edited = Customer.objects.first()
    edit(edited, by=head_office, industry="水利")
    bulk = worked(bulk)
    assert (bulk.state, bulk.job.state) == (BulkState.DONE, JobState.FAILED)
    page = client_of(north).get(page_of(bulk)).content.decode()
    assert "as a whole or not at all" in page
    assert f'href="/customers/{edited.pk}/"' in page
    assert Customer.objects.filter(industry="公安").count() == 200


def test_a_thousand_are_taken_back(north, north_region, client_of):
    many(north_region)
    bulk = worked(a_job(north, client_of))
    undo(client_of(north), bulk)
    assert worked(bulk).state == BulkState.UNDONE
    assert set(Customer.objects.values_list("industry", "version")) == {("应急", 3)}


# --- the list of one's own


def test_an_empty_list_says_what_to_do(north, client_of):
    assert "You have changed nothing in bulk yet" in client_of(north).get("/bulk-changes/").content.decode()


def test_the_list_leads_to_each_report(north, three, client_of):
    client = client_of(north)
    bulk = confirm(client, shown(client, three))
    page = client.get("/bulk-changes/").content.decode()
    assert "Change the industry of 3 customers to 公安" in page
    assert page_of(bulk) in page


def test_the_list_asks_no_more_of_the_database_for_more_rows(north, north_region, three, client_of):
    client = client_of(north)
    counts = []
    for _ in range(3):
        shown(client, three, "branch", BranchFactory(region=north_region).pk)
        shown(client, three, "division", Division.objects.first().code)
        counts.append(queries_of(client, "/bulk-changes/"))
    assert counts[0] == counts[2] <= 10


def test_the_history_tells_the_way(north, three, client_of):
    client = client_of(north)
    bulk = confirm(client, shown(client, three))
    page = client.get(f"/history/?batch={bulk.batch}").content.decode()
    assert "bulk change" in page
    assert three[1].name in page
