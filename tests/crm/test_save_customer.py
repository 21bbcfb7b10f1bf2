"""Customers entered and changed by hand; the people there too."""

import pytest
from django.urls import reverse

from crm.actions.customers import save_customer
from crm.models import Change, Contact, Customer, CustomerLine, Division, LineMember, ProductLine, Role
from tests.factories import BranchFactory, ContactFactory, CustomerFactory, UserFactory
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

NEW = reverse("crm:create-customer")
CREDIT = "91330000MA27XX001A"


def edit(customer) -> str:
    return reverse("crm:edit-customer", args=[customer.pk])


def typed(customer=None, **values) -> dict:
    """What the form sends: the record as it is, and what the person typed."""
    known = {}
    if customer is not None:
        names = ("name", "short_name", "code", "kind", "credit_code", "industry", "address", "website", "note")
        known = {name: getattr(customer, name) for name in names} | {"branch": customer.branch_id or ""}
    return {"version": 0, "kind": "customer"} | known | ({"version": customer.version} if customer else {}) | values


def errors(answer) -> dict:
    assert answer.status_code == 422
    return {name: list(messages) for name, messages in answer.context["form"].errors.items()}


def test_a_customer_is_entered_with_its_product_lines(north, north_region, client_of):
    police = ProductLine.objects.get(code="police")
    answer = client_of(north).post(
        NEW, typed(name="杭州市公安局", region=north_region.pk, product_lines=[police.pk], division="330106")
    )
    customer = Customer.objects.get()
    assert answer.url == reverse("crm:view-customer", args=[customer.pk])
    assert (customer.code, customer.region, customer.version) == (f"K{customer.pk:06}", north_region, 1)
    assert customer.division.code == "330106"
    assert customer.lines.get().product_line == police
    assert Change.objects.of(customer).get().by == north


def test_the_form_offers_ones_own_region_and_leaves_it_out_when_changing(north, north_region, south_region, client_of):
    client = client_of(north)
    form = client.get(NEW).context["form"]
    assert [region.code for region in form.fields["region"].queryset] == ["north"]
    assert form.initial["region"] == north_region.pk
    assert "region" not in client.get(edit(CustomerFactory(region=north_region))).context["form"].fields
    assert errors(client.post(NEW, typed(name="甲", region=south_region.pk))).keys() == {"region"}


def test_a_customer_is_changed_in_a_new_version(north, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    branch = BranchFactory(region=north_region)
    client_of(north).post(edit(customer), typed(customer, short_name="杭公", branch=branch.pk))
    customer.refresh_from_db()
    assert (customer.short_name, customer.branch, customer.version) == ("杭公", branch, 2)


def test_a_branch_office_of_another_region_is_refused(head_office, north_region, south_region, client_of):
    branch = BranchFactory(region=south_region)
    answer = client_of(head_office).post(NEW, typed(name="甲", region=north_region.pk, branch=branch.pk))
    assert errors(answer) == {"branch": ["This branch office belongs to another region."]}


def test_codes_are_taken_within_the_region_only(north, north_region, south_region, client_of):
    CustomerFactory(region=south_region, code="C1", credit_code=CREDIT, name="南")
    client = client_of(north)
    assert client.post(NEW, typed(name="北", region=north_region.pk, code="C1", credit_code=CREDIT)).status_code == 302
    for values in ({"code": "C1"}, {"credit_code": CREDIT}):
        answer = client.post(NEW, typed(name="又一个局", region=north_region.pk, **values))
        assert errors(answer) == {
            "__all__": [f"Another customer of the region has this {'code' if 'code' in values else 'credit code'}."]
        }


def test_a_customer_called_nearly_so_is_shown_first(north, north_region, south_region, client_of):
    CustomerFactory(region=south_region, name="杭州市公安局")
    own = CustomerFactory(region=north_region, name="杭州市公安局")
    client = client_of(north)
    answer = client.post(NEW, typed(name="杭州公安局", region=north_region.pk))
    assert (answer.status_code, answer.context["similar"]) == (422, [own])
    assert Customer.objects.count() == 2
    client.post(NEW, typed(name="杭州公安局", region=north_region.pk, is_confirmed="on"))
    assert Customer.objects.filter(name="杭州公安局", region=north_region).exists()


def test_only_a_new_name_is_compared(north, north_region, client_of):
    CustomerFactory(region=north_region, name="杭州市公安局")
    customer = CustomerFactory(region=north_region, name="杭州公安局")
    assert client_of(north).post(edit(customer), typed(customer, note="改")).status_code == 302
    customer.refresh_from_db()
    assert client_of(north).post(edit(customer), typed(customer, name="杭州市公安局。")).status_code == 422


def test_what_somebody_else_changed_is_shown_and_what_was_typed_stays(north, north_region, head_office, client_of):
    customer = CustomerFactory(region=north_region, industry="公安", note="旧")
    sent = typed(customer, note="我的")
    customer.industry, customer.note = "警务", "他的"
    save_customer(customer=customer, version=1, by=head_office)
    answer = client_of(north).post(edit(customer), sent)
    assert answer.status_code == 409
    clashes = {clash.label: (clash.theirs, clash.by, clash.is_taken_over) for clash in answer.context["clashes"]}
    assert clashes == {"Industry": ("警务", "销售管理", True), "Note": ("他的", "销售管理", False)}
    form = answer.context["form"]
    assert (form["industry"].value(), form["note"].value(), form["version"].value()) == ("警务", "我的", "2")
    customer.refresh_from_db()
    assert customer.note == "他的"
    client_of(north).post(edit(customer), form.data)
    customer.refresh_from_db()
    assert (customer.industry, customer.note, customer.version) == ("警务", "我的", 3)


def test_a_parent_out_of_sight_that_was_set_meanwhile_is_not_named_and_stays(
    north, north_region, south_region, south_user, client_of
):
    customer = CustomerFactory(region=north_region, parent=CustomerFactory(region=north_region))
    sent = typed(customer, note="我的", parent=customer.parent.code)
    customer.parent = hidden = CustomerFactory(region=south_region, name="广州市公安局")
    save_customer(customer=customer, version=1, by=UserFactory(role=Role.SALES_MANAGEMENT))
    Change.objects.update(by=south_user)
    answer = client_of(north).post(edit(customer), sent)
    assert [(clash.theirs, clash.by) for clash in answer.context["clashes"]] == [("–", "")]
    page = answer.content.decode()
    assert (hidden.name in page, hidden.code in page, str(south_user) in page) == (False, False, False)
    client_of(north).post(edit(customer), answer.context["form"].data)
    customer.refresh_from_db()
    assert (customer.parent, customer.note) == (hidden, "我的")


def test_a_parent_and_a_branch_changed_meanwhile_are_named(north, north_region, head_office, client_of):
    customer = CustomerFactory(region=north_region)
    sent = typed(customer, note="我的")
    customer.parent = CustomerFactory(region=north_region, name="总局")
    customer.branch = BranchFactory(region=north_region, name="杭州分公司")
    save_customer(customer=customer, version=1, by=head_office)
    answer = client_of(north).post(edit(customer), sent)
    assert {clash.theirs for clash in answer.context["clashes"]} == {"总局", "杭州分公司"}
    client_of(north).post(edit(customer), answer.context["form"].data)
    customer.refresh_from_db()
    assert (customer.parent.name, customer.branch.name, customer.note) == ("总局", "杭州分公司", "我的")


def test_a_parent_is_found_within_sight_only(north, north_region, south_region, client_of):
    parent = CustomerFactory(region=north_region, code="P1", name="总局")
    CustomerFactory(region=south_region, code="S1", name="南局")
    customer = CustomerFactory(region=north_region)
    client = client_of(north)
    for word in ("P1", "总局", "P1 · 总局"):
        Customer.objects.filter(pk=customer.pk).update(parent=None)
        customer.refresh_from_db()
        client.post(edit(customer), typed(customer, parent=word))
        customer.refresh_from_db()
        assert customer.parent == parent, word
    for word in ("S1", "南局", "没有", "S1 · 南局"):
        said = f"There is no customer “{word}”, or more than one."
        assert errors(client.post(edit(customer), typed(customer, parent=word))) == {"parent": [said]}
    client.post(edit(customer), typed(customer, parent=""))
    customer.refresh_from_db()
    assert customer.parent is None


def test_a_parent_out_of_sight_shows_as_absent_and_stays(north, north_region, south_region, client_of):
    hidden = CustomerFactory(region=south_region, name="南局甲")
    customer = CustomerFactory(region=north_region, parent=hidden)
    client = client_of(north)
    assert "南局甲" not in client.get(edit(customer)).content.decode()
    client.post(edit(customer), typed(customer, note="改", parent=""))
    customer.refresh_from_db()
    assert (customer.parent, customer.note) == (hidden, "改")


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_nobody_stands_above_himself(north, north_region, client_of, depth):
    customer = CustomerFactory(region=north_region)
    lowest = customer
    for _ in range(depth):
        lowest = CustomerFactory(region=north_region, parent=lowest)
    answer = client_of(north).post(edit(customer), typed(customer, parent=lowest.code))
    assert errors(answer).keys() == {"parent"}
    customer.refresh_from_db()
    assert customer.parent is None


def test_who_sees_only_his_own_needs_a_product_line(north_region, client_of):
    manager = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    client = client_of(manager)
    refused = client.post(NEW, typed(name="甲局", region=north_region.pk))
    assert "You would not see this customer" in errors(refused)["__all__"][0]
    assert "New customer" in refused.content.decode()
    assert not Customer.objects.exists()
    client.post(NEW, typed(name="甲局", region=north_region.pk, product_lines=[ProductLine.objects.first().pk]))
    assert LineMember.objects.get().user == manager
    assert CustomerLine.objects.get().customer.name == "甲局"


def test_a_customer_of_another_region_is_not_there(south_user, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    contact = ContactFactory(customer=customer)
    client = client_of(south_user)
    addresses = [
        edit(customer),
        *(
            reverse(f"crm:{name}", args=[pk])
            for name, pk in (
                ("create-contact", customer.pk),
                ("edit-contact", contact.pk),
                ("remove-contact", contact.pk),
            )
        ),
    ]
    for address in addresses:
        assert client.get(address).status_code == 404, address
        assert client.post(address, typed(name="改")).status_code == 404, address


def test_a_reader_may_not_write(north_region, client_of):
    customer = CustomerFactory(region=north_region)
    reader = client_of(UserFactory(role=Role.EXECUTIVE))
    for address in (NEW, edit(customer), reverse("crm:create-contact", args=[customer.pk])):
        assert reader.get(address).status_code == 403
    assert NEW not in reader.get(reverse("crm:list-customers")).content.decode()
    page = reader.get(reverse("crm:view-customer", args=[customer.pk])).content.decode()
    assert edit(customer) not in page
    assert "New contact" not in page


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "长" * 201}, "name"),
        ({"name": "甲\x07"}, "name"),
        ({"name": "甲", "credit_code": "9" * 19}, "credit_code"),
        ({"name": "甲", "kind": "x"}, "kind"),
        ({"name": "甲", "division": "没有这个地方"}, "division"),
        ({"name": "甲", "version": "x"}, "version"),
    ],
)
def test_bad_input_is_said_at_its_field(north, north_region, client_of, values, field):
    answer = client_of(north).post(NEW, typed(region=north_region.pk) | values)
    assert errors(answer).keys() == {field}
    assert not Customer.objects.exists()


def test_a_name_like_a_formula_is_kept_as_it_is(north, north_region, client_of):
    client_of(north).post(NEW, typed(name='=SUM(1)<b>"局"', region=north_region.pk))
    customer = Customer.objects.get()
    assert customer.name == '=SUM(1)<b>"局"'
    assert "<b>" not in client_of(north).get(edit(customer)).content.decode()


def test_suggestions_are_of_ones_own_customers(north, north_region, south_region, client_of):
    CustomerFactory(region=north_region, code="N1", name="杭州市公安局")
    CustomerFactory(region=south_region, code="S1", name="杭州市城管局")
    client = client_of(north)
    page = client.get(reverse("crm:find-customers"), {"parent": "杭州"}).content.decode()
    assert "N1 · 杭州市公安局" in page
    assert "S1" not in page
    assert client.get(reverse("crm:find-customers"), {"parent": " "}).content.decode().strip() == ""
    assert "330106" in client.get(reverse("crm:find-divisions"), {"division": "西湖"}).content.decode()


def test_the_form_needs_few_queries(head_office, north_region, client_of):
    client = client_of(head_office)
    customer = CustomerFactory(
        region=north_region, parent=CustomerFactory(), division=Division.objects.get(code="330106")
    )
    assert queries_of(client, edit(customer)) <= 15
    assert queries_of(client, NEW) <= 15


def test_the_pages_are_in_both_languages(north, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    for language, word in (("en", "Save customer"), ("zh-hans", "保存客户")):
        assert word in client_of(north, language).get(edit(customer)).content.decode()


# --- contacts


def contact_form(contact=None, **values):
    known = (
        {name: getattr(contact, name) for name in ("name", "department", "title", "phone", "email")} if contact else {}
    )
    return {"version": contact.version if contact else 0} | known | values


def test_a_contact_is_added_changed_and_removed(north, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    page = reverse("crm:view-customer", args=[customer.pk])
    client = client_of(north)
    assert client.post(reverse("crm:create-contact", args=[customer.pk]), contact_form(name="王芳")).url == page
    contact = Contact.objects.get()
    client.post(reverse("crm:edit-contact", args=[contact.pk]), contact_form(contact, title="处长"))
    contact.refresh_from_db()
    assert (contact.title, contact.version) == ("处长", 2)
    remove = reverse("crm:remove-contact", args=[contact.pk])
    assert client.post(remove, {"version": 1}).status_code == 409
    assert client.post(remove, {"version": "x"}).status_code == 409
    assert client.post(remove, {"version": 2}).url == page
    contact.refresh_from_db()
    assert contact.deleted_at is not None
    assert client.get(remove).status_code == 404
    assert Change.objects.of(contact).count() == 3


def test_a_contact_changed_meanwhile_is_shown(north, north_region, client_of):
    contact = ContactFactory(customer__region=north_region)
    address = reverse("crm:edit-contact", args=[contact.pk])
    sent = contact_form(contact, title="我的")
    client_of(north).post(address, contact_form(contact, title="他的"))
    answer = client_of(north).post(address, sent)
    assert answer.status_code == 409
    assert [(clash.theirs, clash.is_taken_over) for clash in answer.context["clashes"]] == [("他的", False)]
    assert answer.context["form"]["title"].value() == "我的"


def test_a_bad_contact_is_said_at_its_field(north, north_region, client_of):
    customer = CustomerFactory(region=north_region)
    address = reverse("crm:create-contact", args=[customer.pk])
    answer = client_of(north).post(address, contact_form(name="", email="x"))
    assert errors(answer).keys() == {"name", "email"}
