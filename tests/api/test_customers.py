"""/api/v1/customers/ and /api/v1/customer-lines/."""

import pytest
from django.utils import timezone

from crm.models import Change, Customer, CustomerRegion, LineMember, ProductLine, Way
from tests.factories import BranchFactory, CustomerFactory, CustomerLineFactory, LineMemberFactory, UserFactory

NEW = {"name": "宁波市交通运输局", "region": "north"}


@pytest.fixture
def client(api, north):
    return api(north)


@pytest.fixture
def manager(north_region):
    return UserFactory(role="account_manager", region=north_region)


def errors(answer):
    assert answer.status_code == 400, answer.content
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


def test_it_shows_a_customer_with_its_lines(client, customer):
    CustomerLineFactory(customer=customer, state="graded", grade="B", score=84_0000, fiscal_year=2026)
    shown = client.read(f"customers/{customer.pk}/").json()
    assert (shown["id"], shown["code"], shown["region"], shown["parent"]) == (customer.pk, "N1", "north", None)
    [line] = shown["lines"]
    assert (line["line"], line["grade"], line["score"], line["fiscal_year"]) == ("police", "B", "84.00", 2026)
    assert client.results("customers/") == [shown]


def test_another_regions_customer_does_not_exist(client, customer, foreign_customer):
    assert [row["id"] for row in client.results("customers/")] == [customer.pk]
    assert client.results("customers/", search="S1") == []
    assert client.read(f"customers/{foreign_customer.pk}/").status_code == 404
    answer = client.send("patch", f"customers/{foreign_customer.pk}/", {"name": "x", "version": 1})
    assert answer.status_code == 404
    assert errors(client.read("customers/", region="south")) == errors(client.read("customers/", region="nowhere"))


def test_a_parent_out_of_sight_shows_as_absent(client, api, head_office, customer, foreign_customer):
    Customer.objects.filter(pk=customer.pk).update(parent=foreign_customer)
    assert client.read(f"customers/{customer.pk}/").json()["parent"] is None
    assert api(head_office).read(f"customers/{customer.pk}/").json()["parent"] == foreign_customer.pk


def test_it_makes_a_customer_with_its_lines(client, north):
    answer = client.send("post", "customers/", NEW | {"product_lines": ["transport", "police"]})
    shown = answer.json()
    assert answer.status_code == 201, shown
    assert answer["Location"].endswith(f"/api/v1/customers/{shown['id']}/")
    assert (shown["code"], shown["version"]) == (f"K{shown['id']:06}", 1)
    assert {line["line"] for line in shown["lines"]} == {"police", "transport"}
    made = Customer.objects.get(pk=shown["id"])
    assert "nbjt" in made.search_text
    assert made.search_text.startswith(made.code.lower())
    dated = CustomerRegion.objects.get(customer=made)
    assert (dated.region.code, dated.from_on) == ("north", timezone.localdate())
    change = Change.objects.of(made).get()
    assert (change.by, change.way, change.before, change.after["code"]) == (north, Way.API, None, made.code)


def test_it_changes_what_was_sent_and_nothing_else(client, customer):
    answer = client.send("patch", f"customers/{customer.pk}/", {"name": "杭州市交通运输局", "version": 1})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["name"], answer.json()["code"], answer.json()["version"]) == ("杭州市交通运输局", "N1", 2)
    customer.refresh_from_db()
    assert "hzjt" in customer.search_text
    change = Change.objects.of(customer).get()
    assert change.before.keys() == {"name", "pinyin", "search_text", "version"}


def test_it_refuses_what_someone_else_changed_meanwhile(client, customer):
    Customer.objects.filter(pk=customer.pk).update(version=5, note="theirs")
    answer = client.send("patch", f"customers/{customer.pk}/", {"note": "mine", "version": 1})
    assert (answer.status_code, answer.json()["code"], answer.json()["version"]) == (412, "edited_meanwhile", 5)
    customer.refresh_from_db()
    assert customer.note == "theirs"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": None}, "name", "null"),
        ({"name": "x" * 201}, "name", "max_length"),
        ({"name": "a\x07b"}, "name", "control_character"),
        ({"name": ["x"]}, "name", "invalid"),
        ({"region": "south"}, "region", "does_not_exist"),
        ({"region": "nowhere"}, "region", "does_not_exist"),
        ({"region": 1}, "region", "invalid"),
        ({"region": "no\x00rth"}, "region", "does_not_exist"),
        ({"kind": "tree"}, "kind", "invalid_choice"),
        ({"parent": 10**18}, "parent", "does_not_exist"),
        ({"parent": 10**30}, "parent", "incorrect_type"),
        ({"parent": True}, "parent", "incorrect_type"),
        ({"parent": "1"}, "parent", "incorrect_type"),
        ({"colour": "red"}, "colour", "unknown_field"),
        ({"id": 7}, "id", "read_only"),
        ({"lines": []}, "lines", "read_only"),
        ({"version": 1}, "version", "read_only"),
        ({"product_lines": ["police", "poetry"]}, "product_lines", "does_not_exist"),
        ({"product_lines": "police"}, "product_lines", "not_a_list"),
        ({"product_lines": {"police": 1}}, "product_lines", "not_a_list"),
    ],
)
def test_it_names_the_field_that_is_wrong(client, foreign_customer, changes, field, code):
    count = Customer.objects.count()
    assert errors(client.send("post", "customers/", NEW | changes)) == {(field, code)}
    assert Customer.objects.count() == count


def test_a_change_needs_the_version_that_was_read(client, customer):
    answer = client.send("patch", f"customers/{customer.pk}/", {"note": "x"})
    assert errors(answer) == {("version", "required")}


def test_a_parent_in_another_region_is_no_choice(client, customer, foreign_customer):
    answer = client.send("patch", f"customers/{customer.pk}/", {"parent": foreign_customer.pk, "version": 1})
    assert errors(answer) == {("parent", "does_not_exist")}


def test_lines_are_not_added_by_changing_the_customer(client, customer):
    answer = client.send("patch", f"customers/{customer.pk}/", {"product_lines": ["police"], "version": 1})
    assert errors(answer) == {("product_lines", "fixed")}


def test_a_credit_code_is_unique_within_the_region_only(client, customer, foreign_customer):
    Customer.objects.filter(pk=foreign_customer.pk).update(credit_code="91330000MA27XX001A")
    first = client.send("post", "customers/", NEW | {"credit_code": "91330000MA27XX001A"})
    assert first.status_code == 201, first.content
    second = client.send("post", "customers/", NEW | {"credit_code": "91330000MA27XX001A"})
    assert second.json()["errors"][0]["message"] == "Another customer of the region has this credit code."


def test_a_code_is_unique_within_the_region_only(client, customer, foreign_customer):
    Customer.objects.filter(pk=foreign_customer.pk).update(code="X1")
    first = client.send("post", "customers/", NEW | {"code": "X1"})
    assert first.status_code == 201, first.content
    second = client.send("post", "customers/", NEW | {"code": "X1"})
    assert second.json()["errors"][0]["message"] == "Another customer of the region has this code."


def test_nobody_comes_to_stand_above_himself(client, customer):
    child = client.send("post", "customers/", NEW | {"parent": customer.pk}).json()
    answer = client.send("patch", f"customers/{customer.pk}/", {"parent": child["id"], "version": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "stands_above_itself")


def test_head_office_moves_a_customer_and_its_past_stays(api, head_office, customer, south_region):
    answer = api(head_office).send("patch", f"customers/{customer.pk}/", {"region": "south", "version": 1})
    assert answer.json()["region"] == "south"
    assert CustomerRegion.objects.get(customer=customer).region == south_region


def test_who_sees_only_his_own_needs_a_line_to_make_a_customer(api, manager):
    client = api(manager)
    refused = client.send("post", "customers/", NEW)
    assert (refused.status_code, refused.json()["code"]) == (403, "out_of_reach")
    assert not Customer.objects.exists()
    made = client.send("post", "customers/", NEW | {"product_lines": ["police"]})
    assert made.status_code == 201, made.content
    assert LineMember.objects.get().user == manager
    assert [row["id"] for row in client.results("customers/")] == [made.json()["id"]]


def test_a_branch_manager_makes_customers_of_his_branch(api, north_region):
    own, other = BranchFactory(region=north_region), BranchFactory(region=north_region)
    client = api(UserFactory(role="branch_gm", branch=own, region=north_region))
    assert client.send("post", "customers/", NEW | {"branch": other.code}).status_code == 403
    assert client.send("post", "customers/", NEW | {"branch": own.code}).status_code == 201


def test_lists_cost_the_same_queries_whatever_their_size(client, north_region, django_assert_max_num_queries):
    for _ in range(4):
        CustomerLineFactory(customer=CustomerFactory(region=north_region, parent=CustomerFactory(region=north_region)))
    client.results("customers/")
    for path in ("customers/", "customer-lines/"):
        for size in (1, 8):
            with django_assert_max_num_queries(6):
                client.results(path, page_size=size, region="north")


def test_line_grade_and_state_must_hold_in_the_same_line(client, customer):
    mms = ProductLine.objects.get(code="mms")
    CustomerLineFactory(customer=customer, state="graded", grade="A", score=95_0000)
    CustomerLineFactory(customer=customer, product_line=mms, state="not_gradable")
    assert len(client.results("customers/", line="police", grade="A")) == 1
    assert client.results("customers/", line="mms", grade="A") == []
    assert len(client.results("customers/", line=["mms", "police"], state="graded")) == 1


def test_people_type_initials(client, customer):
    assert len(client.results("customers/", search="hzga")) == 1
    assert client.results("customers/", search="hzga nowhere") == []


def test_it_shows_a_line_with_its_labels(client, customer, north, south_user):
    line = CustomerLineFactory(customer=customer, lead=north, potential_sales=4_000_000_00)
    shown = client.read(f"customer-lines/{line.pk}/").json()
    assert shown["customer"] == {"id": customer.pk, "name": customer.name, "code": "N1", "region": "north"}
    assert (shown["line"], shown["lead"]) == ("police", {"id": north.pk, "name": "北方员工"})
    assert (shown["state"], shown["grade"], shown["potential_sales"]) == ("not_assessed", None, "4000000.00")
    line.lead = south_user
    line.save()
    assert client.read(f"customer-lines/{line.pk}/").json()["lead"] is None


def test_another_regions_line_does_not_exist(api, south_user, customer):
    line = CustomerLineFactory(customer=customer)
    client = api(south_user)
    assert client.results("customer-lines/") == []
    assert client.read(f"customer-lines/{line.pk}/").status_code == 404
    answer = client.send("post", "customer-lines/", {"customer": customer.pk, "line": "mms"})
    assert errors(answer) == {("customer", "does_not_exist")}


def test_it_adds_a_line_once(client, customer):
    body = {"customer": customer.pk, "line": "mms"}
    made = client.send("post", "customer-lines/", body)
    assert (made.status_code, made.json()["customer"]["id"]) == (201, customer.pk)
    again = client.send("post", "customer-lines/", body)
    assert (again.status_code, again.json()["code"]) == (409, "line_exists")


def test_labels_are_not_written_here(client, customer):
    answer = client.send("post", "customer-lines/", {"customer": customer.pk, "line": "mms", "grade": "A"})
    assert errors(answer) == {("grade", "read_only")}


def test_who_adds_a_line_may_write_it(api, manager, customer):
    LineMemberFactory(line=CustomerLineFactory(customer=customer), user=manager)
    made = api(manager).send("post", "customer-lines/", {"customer": customer.pk, "line": "mms"})
    assert LineMember.objects.filter(line=made.json()["id"], user=manager).exists()
