"""What a record looks like in the API and what may be written; one serializer a resource."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.validators import UniqueValidator

from crm import filters
from crm.api.fields import CodeField, EmbeddedField, IdField, MoneyField, RateField, ScoreField
from crm.models import (
    Branch,
    Contact,
    Customer,
    CustomerLine,
    Division,
    ProductLine,
    Region,
    Sale,
    User,
)
from crm.models import fields as stored


class StrictSerializer(serializers.Serializer):
    """Refuses what it does not know and what cannot be written, by name."""

    fixed: tuple[str, ...] = ()  # may be written once, when the record is made

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict):
            refused = {name: [why] for name in data if (why := self._refusal(name))}
            if refused:
                raise serializers.ValidationError(refused)
        return super().to_internal_value(data)

    def _refusal(self, name: str) -> ErrorDetail | None:
        if name not in self.fields:
            return ErrorDetail(_("There is no such field."), "unknown_field")
        if self.fields[name].read_only:
            return ErrorDetail(_("This cannot be written."), "read_only")
        if name in self.fixed and self.instance is not None:
            return ErrorDetail(_("This cannot be changed."), "fixed")
        return None


class RecordSerializer(StrictSerializer, serializers.ModelSerializer):
    """A stored record. The model's own rules (lengths, choices, constraints) check what was sent.

    `version` is the version that was read: a change needs it, a new record has none.
    """

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        stored.FenField: MoneyField,
        stored.RateField: RateField,
        stored.ScoreField: ScoreField,
    }
    beside_record: tuple[str, ...] = ()  # written with the record, but not columns of it
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="The version you read; required when you change the record."
    )

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[type, dict[str, Any]]:
        kind, options = super().build_standard_field(field_name, model_field)
        options["validators"] = [v for v in options.get("validators", ()) if not isinstance(v, UniqueValidator)]
        if not options["validators"] or kind in (MoneyField, RateField):
            del options["validators"]
        if isinstance(model_field, stored.LineField | stored.ProseField):
            options["trim_whitespace"] = False
        return kind, {name: value for name, value in options.items() if _fits(kind, name)}

    def get_uniqueness_extra_kwargs(self, field_names, declared_fields, extra_kwargs):
        return extra_kwargs, {}

    def get_validators(self) -> list:
        return []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self.read_version = self._version(attrs)
        self.record: Any = self.instance or self.model()
        for name, value in attrs.items():
            if name not in self.beside_record:
                setattr(self.record, name, value)
        try:
            self._check_record()
        except ValidationError as error:
            raise serializers.ValidationError(self._by_field(error)) from error
        return attrs

    def _check_record(self) -> None:
        """The model's rules; constraints are checked with all columns, for they may read what nobody edits."""
        self.record.clean_fields(exclude=self._unchecked())
        self.record.clean()
        self.record.validate_unique()
        self.record.validate_constraints()

    def _version(self, attrs: dict[str, Any]) -> int:
        version = attrs.pop("version", None)
        if self.instance is None and version is not None:
            raise serializers.ValidationError({"version": [ErrorDetail(_("A new record has none."), "read_only")]})
        if self.instance is not None and version is None:
            sentence = _("Send the version you read.")
            raise serializers.ValidationError({"version": [ErrorDetail(sentence, "required")]})
        return version or 0

    @property
    def model(self) -> Any:
        """The class of the records."""
        return self.Meta.model

    def _unchecked(self) -> set[str]:
        return {field.name for field in self.model._meta.fields if not field.editable}

    def _by_field(self, error: ValidationError) -> dict[str, list[ErrorDetail]]:
        names = {field.source: name for name, field in self.fields.items()}
        return {
            "non_field_errors" if name == "__all__" else names.get(name, name): [
                ErrorDetail(message, item.code or "invalid") for item in items for message in item.messages
            ]
            for name, items in error.error_dict.items()
        }


def _fits(kind: type, option: str) -> bool:
    return kind not in (MoneyField, RateField, ScoreField) or option not in ("min_value", "max_value")


class RegionSerializer(serializers.ModelSerializer):
    """A region."""

    class Meta:
        model = Region
        fields = ("id", "code", "name", "name_en", "is_active")


class ProductLineSerializer(serializers.ModelSerializer):
    """A product line."""

    class Meta:
        model = ProductLine
        fields = ("id", "code", "name", "name_en", "is_active")


class CustomerNameSerializer(serializers.ModelSerializer):
    """A customer by its main facts; the region by its code."""

    region: Any = serializers.SlugRelatedField(slug_field="code", read_only=True)

    class Meta:
        model = Customer
        fields = ("id", "name", "code", "region")


class PersonNameSerializer(serializers.ModelSerializer):
    """A person by name."""

    class Meta:
        model = User
        fields = ("id", "name")


class LineGradeSerializer(serializers.ModelSerializer):
    """A customer's product line with the grade in force."""

    line: Any = serializers.SlugRelatedField(slug_field="code", read_only=True, source="product_line")
    score = ScoreField(allow_null=True)

    class Meta:
        model = CustomerLine
        fields = ("id", "line", "state", "grade", "score", "fiscal_year")
        read_only_fields = fields


def divisions(request):
    """Administrative divisions, the same for everyone."""
    return Division.objects.all()


class CustomerSerializer(RecordSerializer):
    """A customer. A new one may name its product lines in `lines`, by code."""

    fixed = ("product_lines",)
    beside_record = ("product_lines",)

    code = serializers.CharField(
        max_length=40, required=False, trim_whitespace=False, help_text="Left out, the customer gets a number."
    )
    region = CodeField(filters.regions, model=Region)
    branch = CodeField(filters.branches, model=Branch, allow_null=True, required=False)
    division = CodeField(divisions, model=Division, allow_null=True, required=False)
    parent: Any = IdField(filters.customers, model=Customer, shown_as="visible_parent", allow_null=True, required=False)
    product_lines = CodeField(
        filters.product_lines,
        model=ProductLine,
        many=True,
        write_only=True,
        required=False,
        help_text="Of a new customer; later ones are added under customer-lines.",
    )
    lines = LineGradeSerializer(many=True, read_only=True, source="active_lines")

    class Meta:
        model = Customer
        fields = (
            "id",
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
            "product_lines",
            "lines",
            "created_at",
            "version",
        )

    def _unchecked(self) -> set[str]:
        return super()._unchecked() | ({"code"} if not self.record.code else set())


class ContactSerializer(RecordSerializer):
    """A person at a customer."""

    fixed = ("customer",)

    customer = EmbeddedField(filters.customers, model=Customer, shown_by=CustomerNameSerializer)
    email = serializers.CharField(max_length=254, allow_blank=True, required=False, trim_whitespace=False)

    class Meta:
        model = Contact
        fields = (
            "id",
            "customer",
            "name",
            "department",
            "title",
            "phone",
            "email",
            "is_key_person",
            "note",
            "version",
        )


class PersonSerializer(serializers.ModelSerializer):
    """Someone who works with the product; how he signs in is nobody else's business."""

    region: Any = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    branch: Any = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    department: Any = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    guided_by: Any = IdField(filters.people, shown_as="visible_guide", read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = ("id", "name", "role", "region", "branch", "department", "guided_by", "is_active")


class CustomerLineSerializer(StrictSerializer, serializers.ModelSerializer):
    """A customer in a product line, with the labels in force."""

    customer = EmbeddedField(filters.customers, model=Customer, shown_by=CustomerNameSerializer)
    line = CodeField(filters.product_lines, model=ProductLine, source="product_line")
    lead = serializers.SerializerMethodField()
    score = ScoreField(allow_null=True)
    potential_sales = MoneyField(read_only=True, allow_null=True)

    class Meta:
        model = CustomerLine
        validators: list = []
        fields = (
            "id",
            "customer",
            "line",
            "is_active",
            "lead",
            "state",
            "grade",
            "score",
            "fiscal_year",
            "expected_close_on",
            "potential_sales",
            "last_contact_on",
        )
        read_only_fields = ("is_active", *fields[5:])

    def get_lead(self, line: Any) -> PersonNameSerializer(allow_null=True):  # type: ignore[valid-type]
        """Who leads the line; absent where the reader does not see that person."""
        return None if line.visible_lead is None else {"id": line.lead_id, "name": str(line.lead)}


class SaleSerializer(RecordSerializer):
    """A sale; a negative amount takes something back."""

    fixed = ("customer_line",)

    customer_line = IdField(filters.customer_lines, model=CustomerLine, source="line")
    customer = CustomerNameSerializer(source="line.customer", read_only=True)
    line = serializers.CharField(source="line.product_line.code", read_only=True)

    class Meta:
        model = Sale
        fields = (
            "id",
            "customer",
            "customer_line",
            "line",
            "contract_no",
            "signed_on",
            "amount",
            "note",
            "version",
        )
