"""Customers, the people there, their product lines with members, and sales."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.actions.contacts import save_contact
from crm.actions.customers import BranchElsewhere, LineExists, MayNotTransfer, OutOfReach, add_line, save_customer
from crm.actions.hierarchy import StandsAboveItself
from crm.actions.lines import MayNotLead, save_line, save_member
from crm.actions.sales import save_sale
from crm.administration.scoped import ComparedForm, ScopedAdmin, ScopedFilter, VersionedForm
from crm.models import Contact, Customer, CustomerLine, LineMember, Sale, User, Way
from crm.permissions import Permission


class CustomerRecordAdmin(ScopedAdmin):
    """Records of customers: who keeps customers keeps these."""

    view_permission = Permission.VIEW_CUSTOMERS
    edit_permission = Permission.EDIT_CUSTOMER


@admin.register(Customer)
class CustomerAdmin(CustomerRecordAdmin):
    """Customers, agents and government relations."""

    form = VersionedForm
    fields = (
        "code",
        "name",
        "short_name",
        "kind",
        "credit_code",
        "industry",
        "parent",
        "region",
        "branch",
        "division",
        "address",
        "website",
        "note",
    )
    list_display = ("name", "code", "kind", "region", "branch")
    list_filter = ("kind", ("region", ScopedFilter), ("branch", ScopedFilter))
    search_fields = ("name", "code")
    search_help_text = _("Name / pinyin / initials / code")
    autocomplete_fields = ("parent", "division")
    ordering = ("pinyin", "pk")
    related = ("region", "branch")
    refusals = {
        **CustomerRecordAdmin.refusals,
        OutOfReach: None,
        MayNotTransfer: None,
        BranchElsewhere: None,
        StandsAboveItself: None,
    }

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Search as the customers page does."""
        return queryset.search(search_term), False  # type: ignore[attr-defined]

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the customer with its pinyin, dated region and change."""
        save_customer(customer=record, version=version, by=by, way=Way.ADMIN)


@admin.register(Contact)
class ContactAdmin(CustomerRecordAdmin):
    """People at customers."""

    form = VersionedForm
    fields = ("customer", "name", "department", "title", "phone", "email", "is_key_person", "note")
    list_display = ("name", "title", "customer", "is_key_person")
    list_filter = ("is_key_person",)
    search_fields = ("name", "customer__search_text")
    autocomplete_fields = ("customer",)
    ordering = ("name", "pk")
    related = ("customer",)

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the contact and its change."""
        save_contact(contact=record, version=version, by=by, way=Way.ADMIN)


@admin.register(CustomerLine)
class CustomerLineAdmin(CustomerRecordAdmin):
    """Customers in product lines; state and grade are labels that grading writes."""

    form = ComparedForm
    fields = ("customer", "product_line", "is_active", "lead", "state", "grade", "fiscal_year")
    readonly_fields = ("state", "grade", "fiscal_year")
    fixed = ("customer", "product_line")
    list_display = ("customer", "product_line", "lead", "state", "grade", "fiscal_year", "is_active")
    list_filter = (("product_line", ScopedFilter), "state", "grade", ("customer__region", ScopedFilter), "is_active")
    search_fields = ("customer__search_text",)
    autocomplete_fields = ("customer",)
    ordering = ("customer__pinyin", "pk")
    related = ("customer", "product_line", "lead")
    refusals = {**CustomerRecordAdmin.refusals, LineExists: None, MayNotLead: None}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Of those who may lead the customer, and the one who does."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if "lead" in form.base_fields:
            region, lead = (obj.customer.region_id, obj.lead_id) if obj else (None, None)
            offered = form.base_fields["lead"].queryset
            form.base_fields["lead"].queryset = offered.who_may_lead(region, besides=lead)
        return form

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Add the line, or save who leads it and whether it is active."""
        if record.pk is not None:
            save_line(line=record, by=by, way=Way.ADMIN, read=form.cleaned_data["read_state"])
            return
        line = add_line(
            customer=record.customer, product_line=record.product_line, by=by, way=Way.ADMIN, lead=record.lead
        )
        record.pk = line.pk


@admin.register(LineMember)
class LineMemberAdmin(CustomerRecordAdmin):
    """Who sees a customer line besides its region, and why."""

    form = ComparedForm
    fields = ("line", "user", "why", "from_on", "until_on")
    fixed = ("line", "user")
    list_display = ("user", "line", "why", "from_on", "until_on")
    list_filter = ("why",)
    search_fields = ("line__customer__search_text",)
    autocomplete_fields = ("line",)
    ordering = ("-from_on", "pk")
    related = ("line__customer", "line__product_line", "user")

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the membership and its change."""
        save_member(member=record, by=by, way=Way.ADMIN, read=form.cleaned_data["read_state"])


@admin.register(Sale)
class SaleAdmin(ScopedAdmin):
    """Sales; those of two years decide the bonus, so the line is regraded."""

    view_permission = Permission.VIEW_SALES
    edit_permission = Permission.EDIT_SALE
    form = VersionedForm
    fields = ("line", "contract_no", "signed_on", "amount", "note")
    list_display = ("signed_on", "line", "contract_no", "amount")
    list_filter = (("line__product_line", ScopedFilter), ("line__customer__region", ScopedFilter))
    search_fields = ("contract_no", "line__customer__search_text")
    autocomplete_fields = ("line",)
    ordering = ("-signed_on", "-pk")
    related = ("line__customer", "line__product_line")

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save the sale and its change, and mark the line for regrading."""
        save_sale(sale=record, version=version, by=by, way=Way.ADMIN)
