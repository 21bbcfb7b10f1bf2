"""Three people tell every story: `north` (staff of region North), `south_user` (another region), `head_office`."""

import time
from importlib import import_module

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import translation
from pytest_django.plugin import blocking_manager_key

from crm.models import Region, Role, User
from grading.models.policy import _published
from tests.factories import RegionFactory, UserFactory
from tests.services.backends import see_others_off

SHIPPED_ROWS = (
    ("crm.migrations.0002_reference", "add_reference"),
    ("crm.migrations.0003_divisions", "add_divisions"),
    ("grading.migrations.0002_shipped_policy", "add_policy"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """A sample is not asked beside the whole that it is drawn from."""
    wholes = {item.path for item in items if item.get_closest_marker("exhaustive")}
    samples = [item for item in items if item.path in wholes and item.get_closest_marker("sample")]
    config.hook.pytest_deselected(items=samples)
    items[:] = [item for item in items if item not in samples]


@pytest.fixture(autouse=True)
def english():
    """Words outside of a page are compared in the source's language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def quick(settings):
    """What no test is about: a password that is hard to guess takes half a second, a client all static files."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True  # a file is looked up when it is asked for


@pytest.fixture(autouse=True)
def own_cache(request, settings):
    """What a test keeps, counts or empties is its own: it starts with an empty cache, and not with the services'."""
    if any(map(request.node.get_closest_marker, ("services", "browser"))):
        return
    if settings.REDIS_URL:
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test"}}
    cache.clear()


@pytest.fixture(autouse=True)
def no_policy_of_another_test():
    """Numbers of policies come again after a test is rolled back; what was published under one is forgotten."""
    _published.clear()


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


def confirm_identity(client: Client, user: User) -> None:
    """Have the session know of a password typed a moment ago, as pages that ask once more expect it."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


@pytest.fixture
def client_of():
    """A browser session of a person who has just signed in by password; pages in English unless told."""

    def sign_in(user: User, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(user)
        confirm_identity(client, user)
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
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            see_others_off()


@pytest.fixture(scope="session", autouse=True)
def rows_are_deleted():
    """To truncate a hundred tables and their indexes takes PostgreSQL seconds; to delete the few rows of a test, none.

    Foreign keys are checked at the end of the one transaction in which it happens. What Django itself keeps of its
    models stays, instead of being made again.
    """
    kept = {"django_content_type", "auth_permission"}

    def deletions(style, connection, **kwargs) -> list[str]:
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        return [f"DELETE FROM {connection.ops.quote_name(table)}" for table in sorted({*tables} - kept)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.core.management.commands.flush.sql_flush", deletions)
        patch.setattr("django.core.management.commands.flush.emit_post_migrate_signal", lambda *args, **kwargs: None)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """Tests that commit are cleaned up by emptying every table; put back what every installation starts with."""
    try:
        return (yield)
    finally:
        if nextitem is not None and _commits(item):
            with item.config.stash[blocking_manager_key].unblock():
                add_shipped_rows()


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
