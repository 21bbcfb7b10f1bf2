"""The administration: who enters, what exists there for whom, and that it writes as every other door does."""

from datetime import date

import pytest
from django.contrib import admin
from django.contrib.admin.sites import all_sites
from django.urls import reverse
from django.utils import timezone

from crm.administration.scoped import ScopedAdmin
from crm.models import ApiToken, Change, Contact, Customer, LineMember, ProductLine, Region, Role, Sale, User, Way
from crm.permissions import ROLES, Permission
from grading.actions.policies import draft_next_version
from grading.models import Assessment, CycleState, Grade, GradingPolicy
from tests.factories import (
    AssessmentFactory,
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CustomerLineFactory,
    CycleFactory,
    LineMemberFactory,
    SaleFactory,
    UserFactory,
)

ALL = [(model._meta.app_label, model._meta.model_name) for model in admin.site._registry]
OF_CUSTOMERS = ["customer", "contact", "customerline", "linemember", "sale"]
ENTERS = [role for role in Role if Permission.USE_ADMIN in ROLES[role]]


def listed(model, app="crm"):
    return reverse(f"admin:{app}_{model}_changelist")


def change_of(record):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def add(model, app="crm"):
    return reverse(f"admin:{app}_{model}_add")


def form_of(client, url):
    """What a browser would send back of the form as it stands."""
    form = client.get(url).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def errors_of(answer):
    return [str(error) for errors in answer.context["errors"] for error in errors]


@pytest.fixture
def administrator(db):
    return UserFactory(username="admin", role=Role.ADMINISTRATOR)


@pytest.fixture
def southern(south_region):
    """A line in the other region with one record of every kind."""
    line = CustomerLineFactory(customer__region=south_region, customer__name="广州市公安局")
    return {
        "customer": line.customer,
        "contact": ContactFactory(customer=line.customer),
        "customerline": line,
        "linemember": LineMemberFactory(line=line),
        "sale": SaleFactory(line=line),
        "assessment": AssessmentFactory(line=line),
    }


@pytest.fixture
def northern(north_region):
    return CustomerLineFactory(customer__region=north_region, customer__name="北京市公安局")


# --- who enters


@pytest.mark.parametrize("role", Role)
def test_only_the_roles_that_keep_something_here_enter(client_of, role, north_region):
    user = UserFactory(role=role, region=north_region, branch=BranchFactory(region=north_region))
    answer = client_of(user).get(reverse("admin:index"), follow=True)
    assert answer.status_code == (200 if role in ENTERS else 403)


def test_djangos_own_flags_open_nothing(client_of, db):
    user = UserFactory(role=Role.EXECUTIVE, is_staff=True, is_superuser=True)
    assert client_of(user).get(reverse("admin:index"), follow=True).status_code == 403


def test_who_is_not_signed_in_signs_in_where_everybody_does(client, db):
    answer = client.get(listed("customer"), follow=True)
    assert answer.redirect_chain[-1][0].startswith(f"{reverse('account_login')}?next=")


def test_who_has_left_does_not_enter(client_of, head_office):
    client = client_of(head_office)
    User.objects.filter(pk=head_office.pk).update(is_active=False)
    assert client.get(reverse("admin:index")).status_code == 302


def test_only_scoped_records_are_shown():
    [site] = all_sites
    assert all(isinstance(shown, ScopedAdmin) for shown in site._registry.values())


def test_nothing_can_be_deleted(rf, head_office):
    request = rf.get("/")
    request.user = head_office
    assert not any(shown.has_delete_permission(request) for shown in admin.site._registry.values())


@pytest.mark.parametrize(("app", "model"), ALL)
def test_every_list_and_record_opens_for_head_office(client_of, head_office, southern, app, model):
    client = client_of(head_office)
    answer = client.get(listed(model, app))
    assert answer.status_code == 200
    record = answer.context["cl"].result_list.first()
    if record is not None and (app, model) != ("crm", "apitoken"):
        assert client.get(change_of(record)).status_code == 200
        assert client.get(change_of(record).replace("change", "history")).status_code == 200


# --- an administrator keeps settings and people, and sees no customers


def test_an_administrator_finds_settings_people_and_audit(client_of, administrator):
    apps = client_of(administrator).get(reverse("admin:index")).context["app_list"]
    shown = {model["object_name"] for app in apps for model in app["models"]}
    places = {"Region", "Branch", "Department", "ProductLine", "Division"}
    assert shown == places | {"User", "Change", "Job", "Export", "ApiToken", "SecurityEvent", "CompanyAccount"}


@pytest.mark.parametrize("model", OF_CUSTOMERS)
def test_an_administrator_sees_no_customers(client_of, administrator, southern, model):
    client = client_of(administrator)
    assert client.get(listed(model)).status_code == 403
    assert client.get(change_of(southern[model])).status_code in (403, 404)
    assert client.get(change_of(southern[model]).replace("change", "history")).status_code in (403, 404)


def test_an_administrator_reads_changes_of_settings_but_none_of_customers(client_of, administrator, head_office):
    client = client_of(head_office)
    client.post(add("contact"), {"customer": CustomerFactory().pk, "name": "张伟", "read_version": 0})
    own = client_of(administrator)
    own.post(add("region"), {"code": "west", "name": "西部大区", "position": 1, "is_active": "on", "read_version": 0})
    assert {row.table for row in Change.objects.all()} == {"crm_contact", "crm_region"}
    assert {row.table for row in own.get(listed("change")).context["cl"].result_list} == {"crm_region"}


def test_an_administrator_makes_a_region_and_its_change_is_kept(client_of, administrator):
    data = {"code": "west", "name": "西部大区", "position": 1, "is_active": "on", "read_version": 0}
    assert client_of(administrator).post(add("region"), data).status_code == 302
    change = Change.objects.of(Region.objects.get(code="west")).get()
    assert (change.by, change.way, change.before) == (administrator, Way.ADMIN, None)


# --- another region's records do not exist


@pytest.mark.parametrize("model", [*OF_CUSTOMERS, "assessment"])
def test_another_regions_record_does_not_exist(client_of, north, southern, model):
    record, app = southern[model], "grading" if model == "assessment" else "crm"
    client = client_of(north)
    assert list(client.get(listed(model, app)).context["cl"].result_list) == []
    assert client.get(change_of(record)).status_code == 404
    assert client.post(change_of(record), {"name": "mine"}).status_code == 404
    assert client.get(change_of(record).replace("change", "history")).status_code == 404
    assert client.get(change_of(record).replace("change", "delete")).status_code == 404


@pytest.mark.parametrize(
    ("app", "model", "field", "found"),
    [
        ("crm", "contact", "customer", "customer"),
        ("crm", "sale", "line", "customerline"),
        ("grading", "assessment", "line", "customerline"),
    ],
)
def test_autocomplete_offers_ones_own_region_only(client_of, north, southern, northern, app, model, field, found):
    params = {"app_label": app, "model_name": model, "field_name": field}
    for term in ("", "公安局", "gzsgaj"):
        answer = client_of(north).get(reverse("admin:autocomplete"), params | {"term": term})
        ids = {row["id"] for row in answer.json()["results"]}
        assert str(southern[found].pk) not in ids
        assert bool(ids) == (term != "gzsgaj")


def test_links_offer_ones_own_region_only(client_of, north, north_region, southern):
    BranchFactory(region=southern["customer"].region)
    own = BranchFactory(region=north_region)
    form = client_of(north).get(add("customer")).context["adminform"].form
    assert list(form.fields["region"].queryset) == [north_region]
    assert list(form.fields["branch"].queryset) == [own]
    lead = UserFactory(role=Role.ACCOUNT_MANAGER, region=north_region)
    UserFactory(role=Role.ACCOUNT_MANAGER, region=southern["customer"].region)
    line_form = client_of(north).get(add("customerline")).context["adminform"].form
    assert list(line_form.fields["lead"].queryset) == [lead]


@pytest.mark.parametrize("model", ["contact", "sale", "linemember"])
def test_a_link_to_another_region_is_no_choice(client_of, north, southern, model):
    link = "customer" if model == "contact" else "line"
    target = southern["customer"] if model == "contact" else southern["customerline"]
    data = {link: target.pk, "name": "x", "signed_on": "2026-01-01", "amount": "1", "read_version": 0}
    data |= {"user": north.pk, "why": "x", "from_on": "2026-01-01"}
    before = {Contact: Contact.objects.count(), Sale: Sale.objects.count(), LineMember: LineMember.objects.count()}
    answer = client_of(north).post(add(model), data)
    assert answer.status_code == 200
    assert any("valid choice" in error for error in errors_of(answer))
    assert {kept: kept.objects.count() for kept in before} == before


def test_the_filters_offer_ones_own_region_only(client_of, north, southern, northern):
    content = client_of(north).get(listed("customer")).content.decode()
    assert "North" in content
    assert "South" not in content


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        ("customer", "parent__name__startswith"),
        ("customer", "region__customers__parent__credit_code__startswith"),
        ("customer", "region__user__email__startswith"),
        ("customer", "branch__user__password__startswith"),
        ("linemember", "user__password__startswith"),
        ("linemember", "user__name__gt"),
        ("sale", "line__customer__region__customers__note__contains"),
    ],
)
def test_a_list_cannot_be_asked_past_its_filters(client_of, north, northern, model, lookup):
    assert client_of(north).get(listed(model), {lookup: "a"}).status_code == 400


def test_memberships_are_not_found_by_who_is_out_of_sight(client_of, north, south_user, northern):
    LineMemberFactory(line=northern, user=south_user)
    client = client_of(north)
    assert list(client.get(listed("linemember"), {"q": str(south_user)}).context["cl"].queryset) == []
    assert client.get(listed("linemember"), {"user__id__exact": south_user.pk}).status_code == 400


def test_a_filter_by_another_regions_branch_finds_what_no_branch_finds(client_of, north, south_region, northern):
    branches = [BranchFactory(region=northern.customer.region), BranchFactory(region=south_region)]
    Customer.objects.filter(pk=northern.customer_id).update(branch=branches[1])
    client = client_of(north)
    BranchFactory(region=northern.customer.region)  # one choice alone is not offered
    for branch in (branches[1].pk, 999_999):
        assert list(client.get(listed("customer"), {"branch__id__exact": branch}).context["cl"].queryset) == []


def test_a_linked_record_of_another_region_shows_as_absent_and_stays(client_of, north, southern, northern):
    Customer.objects.filter(pk=northern.customer_id).update(parent=southern["customer"])
    client, url = client_of(north), change_of(northern.customer)
    assert "广州" not in client.get(url).content.decode()
    answer = client.post(url, form_of(client, url) | {"note": "new"})
    assert answer.status_code == 302
    customer = Customer.objects.get(pk=northern.customer_id)
    assert (customer.note, customer.parent) == ("new", southern["customer"])


def test_a_person_of_another_region_shows_as_absent_in_lists(client_of, north, south_user, northern):
    type(northern).objects.filter(pk=northern.pk).update(lead=south_user)
    content = client_of(north).get(listed("customerline")).content.decode()
    assert str(northern.customer) in content
    assert str(south_user) not in content
    assert str(south_user) not in client_of(north).get(change_of(northern)).content.decode()


def test_a_customer_cannot_be_given_away_to_another_region(client_of, north, northern, south_region):
    client, url = client_of(north), change_of(northern.customer)
    answer = client.post(url, form_of(client, url) | {"region": south_region.pk})
    assert answer.status_code == 200
    assert Customer.objects.get(pk=northern.customer_id).region != south_region


# --- writing goes through the actions


def test_a_saved_customer_is_found_by_its_new_initials(client_of, north, northern):
    client, url = client_of(north), change_of(northern.customer)
    assert client.post(url, form_of(client, url) | {"name": "天津市交通局"}).status_code == 302
    customer = Customer.objects.search("tjsjtj").get()
    assert customer.version == 2
    change = Change.objects.of(customer).get()
    assert (change.by, change.way, change.after["name"]) == (north, Way.ADMIN, "天津市交通局")
    assert "天津市交通局" in client.get(url.replace("change", "history")).content.decode()


def test_a_change_by_someone_else_meanwhile_is_not_overwritten(client_of, north, northern):
    client, url = client_of(north), change_of(northern.customer)
    mine = form_of(client, url) | {"note": "mine"}
    client.post(url, form_of(client, url) | {"note": "theirs"})
    answer = client.post(url, mine)
    assert "Someone else changed this meanwhile" in answer.content.decode()
    assert "mine" in answer.content.decode()
    assert Customer.objects.get(pk=northern.customer_id).note == "theirs"


def test_a_saved_sale_marks_its_line_and_shows_yuan(client_of, north, northern):
    client = client_of(north)
    data = {"line": northern.pk, "signed_on": "2026-01-01", "amount": "1500000.50", "read_version": 0}
    assert client.post(add("sale"), data).status_code == 302
    assert Sale.objects.get().amount == 1_500_000_50
    northern.refresh_from_db()
    assert northern.facts_changed_at is not None
    assert "1,500,000.50" in client.get(listed("sale")).content.decode()


def test_a_saved_assessment_regrades(client_of, north, northern):
    CycleFactory(fiscal_year=2026, state=CycleState.PUBLISHED, published_at=timezone.now())
    assessment = AssessmentFactory(line=northern, fiscal_year=2026)
    client, url = client_of(north), change_of(assessment)
    assert client.post(url, form_of(client, url) | {"potential_sales": "9000000"}).status_code == 302
    assert Assessment.objects.get().potential_sales == 9_000_000_00
    record = Grade.objects.get(line=northern).record
    assert (record.letter, record.score, record.by) == ("B", 85_0000, north)


def test_an_assessment_of_a_closed_year_is_refused_with_a_sentence(client_of, north, northern):
    moment = timezone.now()
    CycleFactory(fiscal_year=2026, state=CycleState.CLOSED, published_at=moment, closed_at=moment)
    client, url = client_of(north), change_of(AssessmentFactory(line=northern, fiscal_year=2026))
    answer = client.post(url, form_of(client, url) | {"note": "late"})
    assert "its grades are history" in answer.content.decode()
    assert Assessment.objects.get().note == ""


def test_a_line_is_added_once(client_of, north, northern):
    data = {"customer": northern.customer_id, "product_line": northern.product_line_id, "is_active": "on"}
    assert client_of(north).post(add("customerline"), data).status_code == 200
    other = CustomerFactory(region=north.region)
    assert client_of(north).post(add("customerline"), data | {"customer": other.pk}).status_code == 302
    assert other.lines.get().product_line == northern.product_line


def test_a_new_lead_sees_the_line_and_the_former_no_more(client_of, north, northern):
    first, second = (UserFactory(role=Role.ACCOUNT_MANAGER, region=north.region) for _ in range(2))
    client, url = client_of(north), change_of(northern)
    for lead in (first, second):
        assert client.post(url, form_of(client, url) | {"lead": lead.pk}).status_code == 302
    assert not Customer.objects.visible_to(first).exists()
    assert Customer.objects.visible_to(second).get() == northern.customer
    assert LineMember.objects.get(user=first).until_on == timezone.localdate()


def test_only_who_may_lead_a_customer_is_offered_and_taken(client_of, head_office, northern, south_region):
    region = northern.customer.region
    former = UserFactory(role=Role.CONSULTANT, region=region)
    type(northern).objects.filter(pk=northern.pk).update(lead=former)
    fits = UserFactory(role=Role.ACCOUNT_MANAGER, region=region)
    UserFactory(role=Role.ACCOUNT_MANAGER, region=region, is_active=False)
    elsewhere = UserFactory(role=Role.ACCOUNT_MANAGER, region=south_region)
    client, url = client_of(head_office), change_of(northern)
    assert set(client.get(url).context["adminform"].form.fields["lead"].queryset) == {former, fits}
    data = {"customer": northern.customer_id, "is_active": "on", "lead": elsewhere.pk}
    police, other = ProductLine.objects.exclude(pk=northern.product_line_id)[:2]
    answer = client.post(add("customerline"), data | {"product_line": police.pk})
    assert "belongs to another region" in answer.content.decode()
    assert client.post(add("customerline"), data | {"product_line": other.pk, "lead": fits.pk}).status_code == 302
    assert client.post(url, form_of(client, url) | {"is_active": ""}).status_code == 302


# --- people


def test_a_person_is_made_and_can_sign_in(client_of, client, administrator, north_region):
    data = {
        "username": "li",
        "name": "李娜",
        "role": Role.REGIONAL_STAFF,
        "region": north_region.pk,
        "is_active": "on",
        "new_password": "a-long-enough-secret",
        "read_version": 0,
    }
    assert client_of(administrator).post(add("user"), data).status_code == 302
    person = User.objects.get(username="li")
    assert client.login(username="li", password="a-long-enough-secret")
    [change] = Change.objects.of(person)
    assert person.password not in str(change.after)
    assert (person.is_staff, person.is_superuser) == (False, False)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"role": Role.SALES_MANAGER}, "This role belongs to a region: choose it."),
        ({"role": Role.BRANCH_GM}, "This role belongs to a branch office: choose it."),
        ({"role": Role.EXECUTIVE, "new_password": "short"}, "This password is too short."),
    ],
)
def test_a_person_that_makes_no_sense_is_refused_with_a_sentence(client_of, administrator, values, sentence):
    answer = client_of(administrator).post(add("user"), {"username": "li", "is_active": "on"} | values)
    assert any(sentence in error for error in errors_of(answer))
    assert not User.objects.filter(username="li").exists()


def test_nobody_locks_himself_out(client_of, administrator):
    client, url = client_of(administrator), change_of(administrator)
    answer = client.post(url, form_of(client, url) | {"role": Role.EXECUTIVE})
    assert "You cannot take your own access to people away" in answer.content.decode()


def test_a_password_is_kept_unless_a_new_one_is_written(client_of, administrator, north):
    north.set_password("the-old-long-secret")
    north.save()
    client, url = client_of(administrator), change_of(north)
    assert client.post(url, form_of(client, url) | {"name": "新名"}).status_code == 302
    north.refresh_from_db()
    assert north.check_password("the-old-long-secret")
    assert north.name == "新名"


def test_regional_staff_finds_no_people(client_of, north):
    assert client_of(north).get(listed("user")).status_code == 403


def test_a_token_shows_who_holds_it_and_no_secret(client_of, administrator, head_office):
    _kept, token = ApiToken.objects.create(user=head_office, name="ERP")
    content = client_of(administrator).get(listed("apitoken")).content.decode()
    assert "ERP" in content
    assert token not in content  # its row is named by a digest, from which nobody makes the token


# --- policies


@pytest.fixture
def published(db):
    return GradingPolicy.objects.get(number=1)


@pytest.fixture
def draft(published):
    return draft_next_version(policy=published, by=None)


def act(client, name, *policies):
    data = {"action": name, "_selected_action": [policy.pk for policy in policies]}
    return client.post(listed("gradingpolicy", "grading"), data, follow=True)


def policy_form(client, url):
    """The form with its inlines as a browser would send it."""
    context = client.get(url).context
    data = form_of(client, url)
    for inline in context["inline_admin_formsets"]:
        formset = inline.formset
        for form in [formset.management_form, *formset.forms]:
            values = {form.add_prefix(name): form[name].value() for name in form.fields}
            data |= {name: value for name, value in values.items() if value is not None}
    return data


def test_a_published_policy_cannot_be_edited(client_of, head_office, published):
    client, url = client_of(head_office), change_of(published)
    page = client.get(url)
    assert page.context["has_change_permission"] is False
    assert "8,000,000.00" in page.content.decode()
    assert client.post(url, {"margin_weight": 60, "potential_weight": 40}).status_code == 403
    published.refresh_from_db()
    assert published.margin_weight == 50


def test_the_next_version_says_what_this_one_says(client_of, head_office, published):
    act(client_of(head_office), "draft_next", published)
    draft = GradingPolicy.objects.get(number=2)
    rules = GradingPolicy.objects.for_list().get(pk=draft.pk).as_rules()
    assert (draft.state, draft.published_at) == ("draft", None)
    was = GradingPolicy.objects.for_list().get(pk=published.pk).as_rules()
    assert (rules.potential, rules.lines, rules.a_from) == (was.potential, was.lines, was.a_from)


def test_a_draft_is_edited_with_its_parts(client_of, head_office, draft):
    client, url = client_of(head_office), change_of(draft)
    data = policy_form(client, url) | {"margin_weight": 60, "potential_weight": 40}
    best = draft.bands.filter(kind="potential").order_by("-points").first()
    [row] = [name.removesuffix("-id") for name, value in data.items() if name.endswith("-id") and value == best.pk]
    answer = client.post(url, data | {f"{row}-floor": "9000000"})
    assert answer.status_code == 302, errors_of(answer)
    draft.refresh_from_db()
    best.refresh_from_db()
    assert (draft.margin_weight, best.floor) == (60, 9_000_000_00)
    assert Change.objects.of(best).get().after == {"floor": 9_000_000_00}


def test_a_draft_that_makes_no_sense_is_refused_with_a_sentence(client_of, head_office, draft):
    client, url = client_of(head_office), change_of(draft)
    answer = client.post(url, policy_form(client, url) | {"margin_weight": 60, "a_from": 70})
    assert set(errors_of(answer)) == {"The two weights sum to 100.", "The limits fall from A to C and stay above 0."}


def test_two_lowest_bands_are_refused_with_a_sentence(client_of, head_office, draft):
    client, url = client_of(head_office), change_of(draft)
    data = policy_form(client, url)
    total = int(data["bands-TOTAL_FORMS"])
    data |= {"bands-TOTAL_FORMS": total + 1, f"bands-{total}-kind": "bonus", f"bands-{total}-points": 100}
    answer = client.post(url, data | {f"bands-{total}-policy": draft.pk})
    assert "Two rows say something of the same" in answer.content.decode()
    assert draft.bands.filter(kind="bonus", floor=None).count() == 1


def test_a_draft_is_published_once(client_of, head_office, draft):
    client = client_of(head_office)
    assert "Policy v2 is in force." in act(client, "publish_version", draft).content.decode()
    draft.refresh_from_db()
    assert (draft.state, draft.published_by) == ("published", head_office)
    assert "published and never edited" in act(client, "publish_version", draft).content.decode()


def test_a_draft_without_its_lowest_band_is_not_published(client_of, head_office, draft):
    draft.bands.filter(kind="bonus", floor=None).delete()
    assert "no lowest" in act(client_of(head_office), "publish_version", draft).content.decode()
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_one_version_at_a_time(client_of, head_office, draft, published):
    assert "Choose one version." in act(client_of(head_office), "publish_version", draft, published).content.decode()


def test_drafts_exist_for_those_who_edit_them(client_of, north, draft, published):
    client = client_of(north)
    assert list(client.get(listed("gradingpolicy", "grading")).context["cl"].result_list) == [published]
    assert client.get(change_of(draft)).status_code == 404
    act(client, "publish_version", draft)
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_what_only_the_product_writes_is_read_only(rf, head_office):
    request = rf.get("/")
    request.user = head_office
    registry = {model.__name__: shown for model, shown in admin.site._registry.items()}
    for name in ("Cycle", "GradingRun", "Grade", "GradeRecord", "Change", "Job", "ApiToken", "Division"):
        shown = registry[name]
        assert not shown.has_add_permission(request)
        assert not shown.has_change_permission(request)


@pytest.mark.parametrize("model", [*OF_CUSTOMERS])
def test_a_list_costs_the_same_for_one_and_for_many(
    client_of, head_office, django_assert_max_num_queries, north_region, model
):
    for _ in range(12):
        line = CustomerLineFactory(customer__region=north_region)
        ContactFactory(customer=line.customer)
        LineMemberFactory(line=line, user__region=north_region, from_on=date(2026, 1, 1))
        SaleFactory(line=line)
    client = client_of(head_office)
    with django_assert_max_num_queries(14):
        client.get(listed(model))


def test_pages_keep_to_the_content_security_policy(client_of, head_office, southern):
    for url in (reverse("admin:index"), listed("sale"), change_of(southern["sale"]), add("customer")):
        content = client_of(head_office).get(url).content.decode()
        assert "<script>" not in content
        assert " style=" not in content
        assert "<style" not in content
