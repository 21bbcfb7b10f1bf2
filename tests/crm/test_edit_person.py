"""Making and changing people on their page: the same rules as in the administration."""

import pytest
from django.urls import reverse

from crm.models import Change, Role, User, Way
from tests.factories import BranchFactory, UserFactory

pytestmark = pytest.mark.django_db
NEW = reverse("crm:create-person")


def edit(person) -> str:
    return reverse("crm:edit-person", args=[person.pk])


def typed(client, address, **changes):
    form = client.get(address).context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in (values | changes).items() if value not in (None, False)}


@pytest.mark.parametrize("role", [Role.SALES_MANAGEMENT, Role.ADMINISTRATOR])
def test_who_keeps_people_makes_one(client_of, north_region, role):
    client = client_of(UserFactory(role=role))
    values = {"username": "li", "name": "李娜", "role": "sales_manager", "region": north_region.pk, "read_version": 0}
    made = client.post(NEW, values | {"new_password": "a-long-enough-secret"})
    person = User.objects.get(username="li")
    assert made.url == reverse("crm:view-person", args=[person.pk])
    assert person.check_password("a-long-enough-secret")
    assert (person.is_active, Change.objects.of(person).get().way) == (True, Way.FORM)
    assert person.places.get().region == north_region


def test_others_may_not(client_of, north, south_user):
    assert client_of(north).get(NEW).status_code == 403
    assert client_of(north).post(edit(north), {"name": "x"}).status_code == 403
    assert client_of(north).get(edit(south_user)).status_code == 403


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"role": "sales_manager"}, "region", "This role belongs to a region: choose it."),
        ({"role": "branch_gm"}, "branch", "This role belongs to a branch office: choose it."),
        ({"role": "executive", "new_password": "short"}, "new_password", "too short"),
        ({"role": "executive", "name": "x" * 600}, "name", "at most 60"),
        ({"role": "executive", "username": "head"}, "username", "already exists"),
        ({"role": "emperor"}, "role", "not one of the available choices"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(client_of, head_office, values, field, sentence):
    answer = client_of(head_office).post(NEW, {"username": "li", "read_version": 0} | values)
    assert answer.status_code == 422
    assert sentence in str(answer.context["form"].errors[field])
    assert not User.objects.filter(username="li").exists()


def test_a_branch_office_of_another_region_is_refused(client_of, head_office, north, south_region):
    client, branch = client_of(head_office), BranchFactory(region=south_region)
    answer = client.post(edit(north), typed(client, edit(north), branch=branch.pk))
    assert "belongs to another region" in str(answer.context["form"].errors["branch"])


def test_nobody_guides_himself(client_of, head_office, north):
    client = client_of(head_office)
    answer = client.post(edit(north), typed(client, edit(north), guided_by=north.pk))
    assert answer.status_code == 422


def test_names_like_formulas_are_names(client_of, head_office, north):
    client = client_of(head_office)
    assert client.post(edit(north), typed(client, edit(north), name="=1+1")).status_code == 302
    north.refresh_from_db()
    assert north.name == "=1+1"


def test_what_someone_else_changed_meanwhile_is_not_overwritten(client_of, head_office, north):
    client = client_of(head_office)
    read = typed(client, edit(north), name="旧")
    assert client.post(edit(north), typed(client, edit(north), name="新")).status_code == 302
    answer = client.post(edit(north), read)
    assert (answer.status_code, "changed this person meanwhile" in answer.content.decode()) == (422, True)
    north.refresh_from_db()
    assert north.name == "新"


def test_page_and_administration_do_not_overwrite_each_other(client_of, north):
    client = client_of(UserFactory(role=Role.ADMINISTRATOR))
    read = typed(client, edit(north), name="页面")
    address = reverse("admin:crm_user_change", args=[north.pk])
    form = client.get(address).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in (values | {"name": "后台"}).items() if value not in (None, False)}
    assert client.post(address, values).status_code == 302
    assert client.post(edit(north), read).status_code == 422
    north.refresh_from_db()
    assert north.name == "后台"


def test_nobody_locks_himself_out(client_of, head_office):
    client = client_of(head_office)
    answer = client.post(edit(head_office), typed(client, edit(head_office), role="executive"))
    assert (answer.status_code, "own access to people" in answer.content.decode()) == (422, True)


def test_the_pages_speak_chinese(client_of, head_office, north):
    client = client_of(head_office, "zh-hans")
    assert "保存人员" in client.get(edit(north)).content.decode()
    assert "新建人员" in client.get(NEW).content.decode()
