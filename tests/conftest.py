"""Three people tell every story: `north` (staff of region North), `south_user` (another region), `head_office`."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import translation
from pytest_django.plugin import blocking_manager_key

from crm.models import Region, Role, User
from grading.models.policy import _published_rules
from tests.factories import RegionFactory, UserFactory

SHIPPED_ROWS = (
    ("crm.migrations.0002_reference", "add_reference"),
    ("crm.migrations.0003_divisions", "add_divisions"),
    ("grading.migrations.0002_shipped_policy", "add_policy"),
)


@pytest.fixture(autouse=True)
def english():
    """Words outside of a page are compared in the source's language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def no_policy_of_another_test():
    """Numbers of policies come again after a test is rolled back; what was published under one is forgotten."""
    _published_rules.cache_clear()


@pytest.fixture
def north_region(db) -> Region:
    return RegionFactory(code="north", name="华北大区", name_en="North")


@pytest.fixture
def south_region(db) -> Region:
    return RegionFactory(code="south", name="华南大区", name_en="South")


@pytest.fixture
def north(north_region) -> User:
    return UserFactory(username="north", name="北方员工", role=Role.REGIONAL_STAFF, region=north_region)


@pytest.fixture
def south_user(south_region) -> User:
    return UserFactory(username="south", name="南方员工", role=Role.REGIONAL_STAFF, region=south_region)


@pytest.fixture
def head_office(db) -> User:
    return UserFactory(username="head", name="销售管理", role=Role.SALES_MANAGEMENT)


@pytest.fixture
def client_of():
    """A browser session of a person; pages in English unless told."""

    def sign_in(user: User, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The token package leaves a table behind that no model speaks for; PostgreSQL empties no table before it.

    Who waits a minute for a lock there is told by whom it is held, instead of waiting for ever.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS knox_authtoken")
        if connection.vendor == "postgresql":
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            cursor.execute(f"ALTER DATABASE {name} SET lock_timeout = '60s'")
            cursor.execute("SET lock_timeout = '60s'")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """Tests that commit are cleaned up by emptying every table; put back what every installation starts with."""
    outcome = yield
    if nextitem is not None and _commits(item):
        with item.config.stash[blocking_manager_key].unblock():
            add_shipped_rows()
    return outcome


def _commits(item) -> bool:
    marker = item.get_closest_marker("django_db")
    is_marked = marker is not None and bool(marker.kwargs.get("transaction") or marker.args[:1] == (True,))
    return is_marked or not {"transactional_db", "live_server"}.isdisjoint(item.fixturenames)


def add_shipped_rows() -> None:
    """What the migrations add: product lines, departments, divisions, the policy. Adds only what is not there."""
    for name, add in SHIPPED_ROWS:
        getattr(import_module(name), add)(apps, None)


@pytest.fixture
def one_connection():
    """Requests keep to the test's connection, whose transaction is never committed."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
