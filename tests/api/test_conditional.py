"""ETag and If-None-Match on what is read, If-Match on what is changed."""

import pytest

from crm.models import Customer
from tests.factories import ContactFactory, CustomerFactory, CustomerLineFactory


@pytest.fixture
def client(api, north):
    return api(north)


@pytest.fixture
def path(customer):
    return f"/api/v1/customers/{customer.pk}/"


def patched(client, path, body, tag):
    return client.patch(path, body, content_type="application/json", headers={"if-match": tag})


@pytest.mark.parametrize(
    "path", ["customers/", "customers/?page_size=1", "grades/", "regions/", "policies/", "cycles/"]
)
def test_what_one_has_is_not_sent_again(client, customer, north_region, path):
    CustomerFactory(region=north_region)
    first = client.get(f"/api/v1/{path}")
    assert first["ETag"].startswith('W/"')
    assert first["Cache-Control"] == "private, no-cache"
    again = client.get(f"/api/v1/{path}", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_what_changed_is_sent(client, customer, path):
    tag = client.get(path)["ETag"]
    assert client.get(path, headers={"if-none-match": tag}).status_code == 304
    CustomerLineFactory(customer=customer)
    answer = client.get(path, headers={"if-none-match": tag})
    assert (answer.status_code, len(answer.json()["lines"])) == (200, 1)
    assert answer["ETag"] != tag


def test_another_language_is_another_answer(client, api, head_office, path):
    path = "/api/v1/grades/preview/"
    body = {"line": "police", "fiscal_year": 2026}
    english = client.post(path, body, content_type="application/json")
    chinese = client.post(path, body, content_type="application/json", headers={"accept-language": "zh-hans"})
    assert english["ETag"] != chinese["ETag"]


def test_several_tags_and_any_tag_are_understood(client, path):
    tag = client.get(path)["ETag"]
    for said in (f'"other", W/{tag}', "*"):
        assert client.get(path, headers={"if-none-match": said}).status_code == 304
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_a_change_may_name_the_tag_in_place_of_the_version(client, path, customer):
    first = client.get(path)
    answer = patched(client, path, {"note": "mine"}, first["ETag"])
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert answer["ETag"] == client.get(path)["ETag"]
    late = patched(client, path, {"note": "theirs"}, first["ETag"])
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (412, "edited_meanwhile", 2)
    assert Customer.objects.get(pk=customer.pk).note == "mine"


@pytest.mark.parametrize("tag", ['"no-version"', '"99-abc"', "nonsense", ""])
def test_a_tag_of_something_else_changes_nothing(client, path, customer, tag):
    assert patched(client, path, {"note": "x"}, tag).status_code == 412
    assert Customer.objects.get(pk=customer.pk).note == ""


def test_the_tag_of_another_record_in_the_same_version_changes_nothing(client, path, customer, north_region):
    others = (CustomerFactory(region=north_region), ContactFactory(customer=customer, pk=customer.pk))
    for other, kind in zip(others, ("customers", "contacts"), strict=True):
        tag = client.get(f"/api/v1/{kind}/{other.pk}/")["ETag"]
        assert patched(client, path, {"note": "x"}, tag).status_code == 412
    assert Customer.objects.get(pk=customer.pk).note == ""


def test_one_fitting_tag_of_several_will_do(client, path):
    tag = client.get(path)["ETag"]
    assert patched(client, path, {"note": "a"}, f'"other", {tag}').status_code == 200


def test_a_weakened_tag_and_any_tag_will_do(client, path):
    assert patched(client, path, {"note": "a"}, f"W/{client.get(path)['ETag']}").status_code == 200
    assert patched(client, path, {"note": "b"}, "*").status_code == 200


def test_tag_and_version_must_not_contradict_each_other(client, path):
    assert patched(client, path, {"note": "a", "version": 7}, client.get(path)["ETag"]).status_code == 412


def test_without_either_the_version_is_asked_for(client, path):
    answer = client.patch(path, {"note": "x"}, content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "version")


def test_another_regions_record_has_no_tag(client, foreign_customer):
    path = f"/api/v1/customers/{foreign_customer.pk}/"
    assert "ETag" not in client.get(path)
    assert patched(client, path, {"note": "x"}, "*").status_code == 404


def test_a_stream_has_no_tag(client, customer):
    assert "ETag" not in client.read("customers/", format="csv")
