"""What people see when a page cannot be had."""

from unittest.mock import patch

import pytest
from django.core.exceptions import BadRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.models import Role
from crm.views import errors
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
HOME = reverse("crm:home")


def test_an_address_there_is_none_of_is_said_within_the_frame(north, client_of):
    response = client_of(north).get("/nowhere/")
    assert response.status_code == 404
    assert "This page does not exist" in response.content.decode()
    assert reverse("crm:list-customers") in response.content.decode()


def test_a_stranger_gets_it_too_without_the_menu(client):
    response = client.get("/nowhere/", headers={"accept-language": "en"})
    assert response.status_code == 404
    assert "nav-entry" not in response.content.decode()


def test_what_is_not_allowed_is_said_within_the_frame(client_of):
    response = client_of(UserFactory(role=Role.ADMINISTRATOR)).get(reverse("grading:list-policies"))
    assert response.status_code == 403
    assert "nav-entry" in response.content.decode()


def test_a_bad_request_is_said_within_the_frame(north, client_of):
    with patch("crm.views.home.home_panels", side_effect=BadRequest):
        response = client_of(north).get(HOME)
    assert response.status_code == 400
    assert "nav-entry" in response.content.decode()


def test_our_own_error_stands_alone(north, client_of):
    client = client_of(north)
    client.raise_request_exception = False
    with patch("crm.views.home.home_panels", side_effect=ZeroDivisionError):
        response = client.get(HOME)
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_a_form_from_before_the_last_sign_in_is_not_lost(north):
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    client.force_login(north)
    response = client.post(reverse("crm:switch-scope"))
    assert response.status_code == 403
    assert "Nothing was changed." in response.content.decode()


def test_a_program_gets_a_problem_instead():
    response = errors.csrf_failure(RequestFactory().post("/api/v1/"))
    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
