"""Three people tell every story: `north` (staff of region North), `south_user` (another region), `head_office`."""

import pytest
from django.test import Client

from crm.models import Region, Role, User
from tests.factories import RegionFactory, UserFactory


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
