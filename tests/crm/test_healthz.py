"""Alive and ready, for whoever watches the servers."""

from socket import socket
from unittest.mock import patch

import pytest
from django.db import OperationalError


def test_alive_asks_nothing_of_the_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"alive\n")


@pytest.mark.django_db
def test_ready_names_its_parts(client, settings):
    settings.REDIS_URL = ""
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ready": True, "parts": {"database": "ok", "migrations": "ok"}}


@pytest.mark.django_db
def test_not_ready_without_the_database(client):
    with patch("crm.views.health.connection.cursor", side_effect=OperationalError):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["database"] == "failed"


@pytest.mark.django_db
def test_not_ready_while_migrations_are_missing(client):
    with patch("crm.views.health.MigrationExecutor.migration_plan", return_value=["one"]):
        response = client.get("/readyz")
    assert (response.status_code, response.json()["parts"]["migrations"]) == (503, "failed")


@pytest.mark.django_db
def test_not_ready_without_the_broker(client, settings):
    with socket() as taken_by_nobody:
        taken_by_nobody.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{taken_by_nobody.getsockname()[1]}/0"
    response = client.get("/readyz")
    assert (response.status_code, response.json()["parts"]["broker"]) == (503, "failed")
