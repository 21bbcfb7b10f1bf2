"""The base: customers, their contacts, product lines and sales, regions, product lines and people."""

from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from crm.actions import customers as customer_actions
from crm.actions import sales as sale_actions
from crm.actions.contacts import save_contact
from crm.actions.hierarchy import StandsAboveItself
from crm.api import serializers
from crm.api.resources import Changeable, Creatable
from crm.api.sync import Feed, Synced
from crm.api.sync_windows import Window
from crm.filters import ContactFilter, CustomerFilter, CustomerLineFilter, PersonFilter, SaleFilter
from crm.lib.filtering import ListFilters
from crm.models import Contact, Customer, CustomerLine, ProductLine, Region, Sale, User, Way
from crm.permissions import Permission


class ReferenceFilter(ListFilters):
    """Reference rows have no filters."""

    orderings = {"id": "pk", "code": "code", "position": "position"}


class RegionViewSet(Synced):
    """The regions you see."""

    queryset = Region.objects.all()
    serializer_class = serializers.RegionSerializer
    filterset_class = ReferenceFilter
    default_ordering = "position"
    permissions = {"list": Permission.VIEW_REFERENCE, "retrieve": Permission.VIEW_REFERENCE}
    scopes = {"list": ("read", "grades:read"), "retrieve": ("read", "grades:read")}

    def get_queryset(self) -> QuerySet:
        return self.queryset.all().visible_to(self.person)


class ProductLineViewSet(Synced):
    """The product lines."""

    queryset = ProductLine.objects.all()
    serializer_class = serializers.ProductLineSerializer
    filterset_class = ReferenceFilter
    default_ordering = "position"
    permissions = {"list": Permission.VIEW_REFERENCE, "retrieve": Permission.VIEW_REFERENCE}
    scopes = {"list": ("read", "grades:read"), "retrieve": ("read", "grades:read")}

    def get_queryset(self) -> QuerySet:
        return self.queryset.all()


class CustomerViewSet(Changeable, Synced):
    """Customers with the grades in force of their product lines."""

    queryset = Customer.objects.all()
    serializer_class = serializers.CustomerSerializer
    filterset_class = CustomerFilter
    permissions = {
        "list": Permission.VIEW_CUSTOMERS,
        "retrieve": Permission.VIEW_CUSTOMERS,
        "create": Permission.EDIT_CUSTOMER,
        "partial_update": Permission.EDIT_CUSTOMER,
    }
    refusals = {
        customer_actions.OutOfReach: 403,
        customer_actions.MayNotTransfer: 403,
        customer_actions.LineExists: 409,
        StandsAboveItself: 409,
    }
    feed = Feed(customer="pk", shows=("region", "branch", "division", "parent", "lines", "lines__product_line"))

    def get_queryset(self) -> QuerySet:
        parents = Customer.objects.visible_to(self.person).filter(pk=OuterRef("parent_id"))
        return super().get_queryset().annotate(visible_parent=Subquery(parents.values("pk")))

    def is_writable(self, record: Any) -> bool:
        return True  # who sees a customer keeps its facts; its lines are another matter

    def save(self, serializer: serializers.CustomerSerializer) -> Customer:
        try:
            return customer_actions.save_customer(
                customer=serializer.record,
                version=serializer.read_version,
                by=self.person,
                way=Way.API,
                product_lines=serializer.validated_data.get("product_lines", ()),
            )
        except customer_actions.BranchElsewhere as refusal:
            raise ValidationError({"branch": [ErrorDetail(str(refusal), "other_region")]}) from refusal


class ContactViewSet(Changeable, Synced):
    """The people at the customers you see."""

    queryset = Contact.objects.all()
    serializer_class = serializers.ContactSerializer
    filterset_class = ContactFilter
    feed = Feed(customer="customer", shows=("customer__region",))
    permissions = {
        "list": Permission.VIEW_CUSTOMERS,
        "retrieve": Permission.VIEW_CUSTOMERS,
        "create": Permission.EDIT_CUSTOMER,
        "partial_update": Permission.EDIT_CUSTOMER,
    }

    def get_queryset(self) -> QuerySet:
        return self.queryset.all().visible_to(self.person).select_related("customer__region")

    def is_writable(self, record: Any) -> bool:
        return True  # as the customer: who sees it keeps its facts

    def save(self, serializer: serializers.ContactSerializer) -> Contact:
        return save_contact(contact=serializer.record, version=serializer.read_version, by=self.person, way=Way.API)


class PersonViewSet(Synced):
    """The colleagues you see: head office and your region, or everyone."""

    queryset = User.objects.all()
    serializer_class = serializers.PersonSerializer
    filterset_class = PersonFilter
    feed = Feed(shows=("region", "branch", "department", "guided_by"))
    permissions = {"list": Permission.VIEW_REFERENCE, "retrieve": Permission.VIEW_REFERENCE}

    def get_queryset(self) -> QuerySet:
        people = self.queryset.all().visible_to(self.person)
        guides = User.objects.visible_to(self.person).filter(pk=OuterRef("guided_by_id"))
        return people.select_related("region", "branch", "department").annotate(
            visible_guide=Subquery(guides.values("pk"))
        )

    def seen_before(self, window: Window) -> Q:
        was_here = Q(before__region_id=self.person.region_id) | Q(before__region_id=None)
        return Q(pk__in=window.changes(User).filter(was_here).values("object_id"))


class CustomerLineViewSet(Creatable, Synced):
    """Customers in their product lines, with the labels in force."""

    queryset = CustomerLine.objects.all()
    serializer_class = serializers.CustomerLineSerializer
    filterset_class = CustomerLineFilter
    feed = Feed(customer="customer", shows=("customer__region", "product_line", "lead"), fixed=("line",))
    permissions = {
        "list": Permission.VIEW_CUSTOMERS,
        "retrieve": Permission.VIEW_CUSTOMERS,
        "create": Permission.EDIT_CUSTOMER,
    }
    refusals = {customer_actions.LineExists: 409}

    def get_queryset(self) -> QuerySet:
        leads = User.objects.visible_to(self.person).filter(pk=OuterRef("lead_id"))
        return super().get_queryset().annotate(visible_lead=Subquery(leads.values("pk")))

    def save(self, serializer: serializers.CustomerLineSerializer) -> CustomerLine:
        return customer_actions.add_line(**serializer.validated_data, by=self.person, way=Way.API)


class SaleViewSet(Changeable, Synced):
    """Sales. The signed date counts for the sales of the last two years."""

    queryset = Sale.objects.all()
    serializer_class = serializers.SaleSerializer
    filterset_class = SaleFilter
    feed = Feed(customer="line__customer", shows=("line__customer__region", "line__product_line"))
    permissions = {
        "list": Permission.VIEW_SALES,
        "retrieve": Permission.VIEW_SALES,
        "create": Permission.EDIT_SALE,
        "partial_update": Permission.EDIT_SALE,
    }

    def save(self, serializer: serializers.SaleSerializer) -> Sale:
        require_own_line(serializer.record.line, self.person)
        return sale_actions.save_sale(
            sale=serializer.record, version=serializer.read_version, by=self.person, way=Way.API
        )


def require_own_line(line: CustomerLine, user: User) -> None:
    """Raise where the person sees the customer line but may not write it."""
    if not CustomerLine.objects.writable_by(user).filter(pk=line.pk).exists():
        sentence = _("You see this customer line, but it is not yours to change.")
        raise ValidationError({"customer_line": [ErrorDetail(sentence, "not_yours")]})


ROUTES = (
    ("customers", CustomerViewSet),
    ("contacts", ContactViewSet),
    ("people", PersonViewSet),
    ("customer-lines", CustomerLineViewSet),
    ("sales", SaleViewSet),
    ("regions", RegionViewSet),
    ("product-lines", ProductLineViewSet),
)
