"""Makers of records for tests; each makes what it needs and nothing more."""

from datetime import date

import factory
from factory.django import DjangoModelFactory

from crm.lib.pinyin import full_pinyin, search_text
from crm.models import (
    Branch,
    Contact,
    Customer,
    CustomerLine,
    Delegation,
    LineMember,
    ProductLine,
    Region,
    Role,
    Sale,
    User,
)
from grading.models import Assessment, BudgetState, Cycle, CycleState


class RegionFactory(DjangoModelFactory):
    class Meta:
        model = Region
        django_get_or_create = ("code",)

    code = factory.Sequence(lambda n: f"region-{n}")
    name = factory.LazyAttribute(lambda o: o.code)


class BranchFactory(DjangoModelFactory):
    class Meta:
        model = Branch

    code = factory.Sequence(lambda n: f"branch-{n}")
    name = factory.LazyAttribute(lambda o: o.code)
    region = factory.SubFactory(RegionFactory)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    name = factory.LazyAttribute(lambda o: o.username)
    role = Role.SALES_MANAGEMENT


class CustomerFactory(DjangoModelFactory):
    class Meta:
        model = Customer

    code = factory.Sequence(lambda n: f"C{n:06}")
    name = factory.Sequence(lambda n: f"杭州市公安局{n}")
    region = factory.SubFactory(RegionFactory)
    pinyin = factory.LazyAttribute(lambda o: full_pinyin(o.name))
    search_text = factory.LazyAttribute(lambda o: search_text(name=o.name, short_name="", code=o.code))


class ContactFactory(DjangoModelFactory):
    class Meta:
        model = Contact

    customer = factory.SubFactory(CustomerFactory)
    name = "王芳"


class CustomerLineFactory(DjangoModelFactory):
    class Meta:
        model = CustomerLine

    customer = factory.SubFactory(CustomerFactory)
    product_line = factory.LazyFunction(lambda: ProductLine.objects.get(code="police"))


class LineMemberFactory(DjangoModelFactory):
    class Meta:
        model = LineMember

    line = factory.SubFactory(CustomerLineFactory)
    user = factory.SubFactory(UserFactory)
    why = "lead"
    from_on = date(2020, 1, 1)


class SaleFactory(DjangoModelFactory):
    class Meta:
        model = Sale

    line = factory.SubFactory(CustomerLineFactory)
    signed_on = date(2025, 6, 1)
    amount = 1_500_000_00


class AssessmentFactory(DjangoModelFactory):
    """All four elements met; the worked example of DOMAIN §2 with sales of 1,500,000 yuan: 84, B."""

    class Meta:
        model = Assessment

    line = factory.SubFactory(CustomerLineFactory)
    fiscal_year = 2026
    expected_margin = 18_00
    potential_sales = 4_000_000_00
    has_need = True
    budget_state = BudgetState.CONFIRMED
    budget_amount = 4_000_000_00
    budget_fits_pricing = True
    has_timetable = True
    knows_decision_makers = True
    expected_close_on = date(2026, 9, 30)
    has_begun_selection = True


class CycleFactory(DjangoModelFactory):
    class Meta:
        model = Cycle
        django_get_or_create = ("fiscal_year",)

    fiscal_year = 2026
    starts_on = factory.LazyAttribute(lambda o: date(o.fiscal_year, 1, 1))
    state = CycleState.OPEN


class DelegationFactory(DjangoModelFactory):
    """Noted on the receiver as the action does."""

    class Meta:
        model = Delegation
        skip_postgeneration_save = True

    giver = factory.SubFactory(UserFactory)
    receiver = factory.SubFactory(UserFactory)
    from_on = date(2020, 1, 1)
    until_on = date(2030, 1, 1)

    @factory.post_generation
    def note(obj, create, extracted, **kwargs):
        obj.receiver.delegated_until = obj.until_on
        obj.receiver.save(update_fields=["delegated_until"])
