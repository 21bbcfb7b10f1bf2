"""What a reader is not shown, he can neither filter nor sort by: else he would find it out by asking."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.utils.module_loading import import_string

from crm.actions.exports import listed_by_name
from crm.filters import CustomersOfLineFilter
from crm.models import Contact, CustomerLine, ProductLine, Role, User
from crm.permissions import can
from grading.filters import PastGradeFilter
from tests.factories import UserFactory
from tests.scope.asking import ask, browser_of
from tests.scope.company import YEAR, Company

pytestmark = pytest.mark.django_db
# Columns that are shown under another name, or are made of what is shown; each says where the reader sees it.
SEARCHED = {"search_text": "name, short name and code", "pinyin": "the name", "position": "the order of the choices"}
# What nobody but its owner and administrators is shown of people, or the lists show to nobody.
HIDDEN_WORDS = ("phone", "email", "note", "address", "password", "title", "deleted_at", "last_login", "username")
# Shown under another name, or by a record that the same readers see; each with where.
DECLARED = {
    "customer-lines": {"kind"},  # the customer's own
    "grades": {"letter", "recorded_at", "code"},  # as grade, graded_at, customer.code
}
RESOURCES = [(prefix, view) for routes in settings.API_ROUTES for prefix, view in import_string(routes)]


def columns_of(filters: Any) -> set[str]:
    """Every column by which a list's filters narrow or sort it; what a method does is asked of it below."""
    narrowed = {item.field_name for item in filters.base_filters.values() if item.field_name and not item.method}
    return narrowed | set(filters.orderings.values())


def shown_by(serializer: Any, path: str = "") -> set[str]:
    """The sources of what a resource shows, embedded records included."""
    found = set()
    for name, field in serializer.fields.items():
        source = name if field.source in (None, "*") else field.source.replace(".", "__")
        found |= {name, source, f"{path}{source}"}
        embedded = getattr(field, "shown_by", None) or getattr(field, "child", None)
        if hasattr(embedded, "_declared_fields"):
            found |= shown_by(embedded() if isinstance(embedded, type) else embedded, f"{path}{source}__")
    return found


@pytest.mark.parametrize(("prefix", "view"), RESOURCES, ids=[prefix for prefix, _view in RESOURCES])
def test_the_api_filters_and_sorts_by_what_it_shows(prefix, view):
    """The last part of each column's path is a field of the resource, of a record that it embeds, or declared above."""
    serializer = view.serializer_class()
    shown = {name.rpartition("__")[2] for name in shown_by(serializer)} | {"pk", "id", *SEARCHED}
    shown |= {"line", "product_line", "region", "customer", "lead"} & {*serializer.fields} | linked(view)
    own = {column.rpartition("__")[2] for column in columns_of(view.filterset_class)}
    assert own - shown - DECLARED.get(prefix, set()) == set()


def linked(view: Any) -> set[str]:
    """What leads to records that have their own scope: the choices of such a filter are those that the reader sees."""
    scoped = ("region", "customer", "lead", "line", "product_line", "branch", "customer_line")
    return {name for name in scoped if any(column.endswith(name) for column in columns_of(view.filterset_class))}


def test_no_filter_reads_what_lists_hide():
    every = [view.filterset_class for _prefix, view in RESOURCES] + [CustomersOfLineFilter, PastGradeFilter]
    read = {column for filters in every for column in columns_of(filters)}
    assert [column for column in read if column.rpartition("__")[2] in HIDDEN_WORDS] == []


def test_the_administration_sorts_by_no_person_and_searches_what_it_shows():
    for model, shown in admin.site._registry.items():
        visible = {*shown.fields, *shown.list_display} if shown.fields else {*shown.list_display}
        for path in shown.search_fields:
            name = path.partition("__")[0]
            assert name in visible or path.endswith("search_text"), (model, path)


# --- by asking


def names_in(answer) -> list:
    return [row.pk for row in answer.context["list"].rows]


@pytest.fixture
def staff(company: Company) -> User:
    return company.people[Role.REGIONAL_STAFF.value]


PAGES = (
    "/customers/",
    f"/grading/cycles/{YEAR}/grades/",
    "/grading/board/",
    "/api/v1/customers/",
    "/api/v1/customer-lines/",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_lead_out_of_sight_is_answered_as_one_that_is_not_there(company, staff, path):
    browser = browser_of(staff)
    answers = [
        ask(browser, "GET", path, {"line": "police", "lead": str(lead)})
        for lead in (company.south.seller.pk, 99_999_999)
    ]
    assert {answer.status_code for answer in answers} == {400}
    assert not any(b"SUEDMARK" in answer.read for answer in answers)


@pytest.mark.parametrize("hidden", ["138", "喜好", "@example.cn", "处长"])
def test_searching_contacts_finds_no_phone_note_address_or_title(company, staff, hidden):
    """Their names and their customers' alone."""
    assert Contact.objects.visible_to(staff).filter(name__contains="联系人").exists()
    answer = ask(browser_of(staff), "GET", "/api/v1/contacts/", {"search": hidden})
    assert answer.json()["results"] == []


@pytest.mark.parametrize("hidden", ["喜好", "备注", "行业", "example.cn", "路"])
def test_searching_customers_finds_no_note_and_no_address(company, staff, hidden):
    browser = browser_of(staff)
    assert ask(browser, "GET", "/api/v1/customers/", {"search": hidden}).json()["results"] == []
    assert names_in(ask(browser, "GET", "/customers/", {"search": hidden})) == []


def test_people_are_found_by_no_user_name_and_no_address(company, staff):
    browser = browser_of(staff)
    for hidden in ("north-seller", "@x.cn"):
        assert ask(browser, "GET", "/api/v1/people/", {"search": hidden}).json()["results"] == []


def test_no_list_is_sorted_by_a_lead_out_of_sight(company, staff):
    """A lead who is hidden stands as nobody; sorted by him, his line would stand elsewhere than nobody's."""
    browser, path = browser_of(staff), "/admin/crm/customerline/"
    orders = []
    for lead in (company.south.seller, None):
        CustomerLine.objects.filter(pk=company.north.own.line.pk).update(lead=lead)
        orders.append(
            [[row.pk for row in ask(browser, "GET", f"{path}?o={at}").context["cl"].result_list] for at in range(-7, 8)]
        )
    assert orders[0] == orders[1]


@pytest.mark.parametrize("name", ["lead", "lead__name", "note", "-customer__note", "password"])
@pytest.mark.parametrize("path", PAGES)
def test_no_list_takes_an_order_that_it_does_not_offer(company, staff, path, name):
    assert ask(browser_of(staff), "GET", path, {"ordering": name, "line": "police"}).status_code == 400


@pytest.mark.parametrize("listed", listed_by_name())
def test_a_file_has_no_column_that_the_page_does_not_offer(company, staff, listed):
    in_path = f"cycle={YEAR}" if listed == "cycle-grades" else f"record=customer/{company.north.own.customer.pk}"
    path = f"/exports/{listed}/?columns=note,pinyin,password&{in_path}"
    people = (staff, company.head, UserFactory(role=Role.ADMINISTRATOR))
    person = next(one for one in people if can(one, listed_by_name()[listed].permission))
    assert ask(browser_of(person), "POST", path, {"format": "csv"}).status_code == 400
    assert ProductLine.objects.exists()
