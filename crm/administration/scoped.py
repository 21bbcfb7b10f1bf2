"""The base of every admin: our permissions, our scope, our actions; nothing is ever deleted."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.utils import get_fields_from_path, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from crm.actions.changes import EditedMeanwhile
from crm.actions.versions import state_of
from crm.administration.history import changes_of
from crm.forms import WholeRecordForm
from crm.lib import money
from crm.models import User
from crm.models.fields import FenField, RateField, ScoreField
from crm.permissions import Permission, can

_IN_WORDS: dict[type[Field], Callable[[int], str]] = {
    FenField: lambda value: _("{amount} yuan").format(amount=f"{money.yuan(value):,}"),
    RateField: lambda value: f"{money.percent(value)} %",
    ScoreField: lambda value: f"{money.score(value)}",
}
CHANGED_MEANWHILE = _("Someone else changed this meanwhile; nothing was saved. Open it again to see what it is now.")


def person_of(request: HttpRequest) -> User:
    """Who asks; the site lets nobody else in."""
    return cast(User, request.user)


def _exact(model: Any, name: Any) -> Any:
    """A column or read-only field that shows whole fen, rates and scores in people's units; others as they are."""
    field = next((field for field in model._meta.concrete_fields if field.name == name), None)
    to_words = next((words for kind, words in _IN_WORDS.items() if isinstance(field, kind)), None)
    if field is None or to_words is None:
        return name

    @admin.display(description=field.verbose_name, ordering=name)
    def shown(record: Model) -> str | None:
        value = getattr(record, name)
        return None if value is None else to_words(value)

    return shown


exact: Callable[[Any, Any], Any] = cache(_exact)  # a form leaves out what it shows by the same object


def _nothing(model: Any, name: Any) -> Any:
    """A read-only link that shows as a link to nothing."""

    def shown(record: Model) -> None:
        return None

    shown.__name__ = name
    return admin.display(description=model._meta.get_field(name).verbose_name)(shown)


nothing: Callable[[Any, Any], Any] = cache(_nothing)


class ScopedForm(WholeRecordForm):
    """A record's form; what the action refused comes back as an error of the whole form, with all that was entered."""

    refusal = ""
    unseen: tuple[str, ...] = ()  # links to records that do not exist for the person: as empty as a link to nothing

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**self.initial, **dict.fromkeys(self.unseen)}

    def clean(self) -> dict[str, Any]:
        """Say the refusal, if there was one; what the person could not see stays unless he chose another."""
        if self.refusal:
            raise ValidationError(self.refusal)
        values = super().clean() or self.cleaned_data
        for name in self.unseen:
            values[name] = values.get(name) or getattr(self.instance, name)
        return values


class VersionedForm(ScopedForm):
    """The form of a record with a version: it says which one the person read."""

    read_version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "read_version" in self.fields:
            self.initial["read_version"] = self.instance.version if self.instance.pk else 0


class ComparedForm(ScopedForm):
    """The form of a record without a version: it says in which state the person read it."""

    read_state = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "read_state" in self.fields:
            is_new = self.instance.pk is None
            self.fields["read_state"].required = not is_new
            self.initial["read_state"] = "" if is_new else self.state_read()

    def state_read(self) -> str:
        """The state of the record as the form shows it."""
        return state_of(self.instance)


_HIDDEN = ("read_version", "read_state")


class ScopedFilter(RelatedFieldListFilter):
    """A filter by a linked record that offers only those that exist for the person."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list:
        """The links within scope."""
        related = model_admin.admin_site.get_model_admin(field.remote_field.model)
        return [(row.pk, str(row)) for row in related.get_queryset(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        """The records of the chosen link; one that does not exist for the person finds nothing, as one that is none."""
        offered = {str(pk) for pk, _name in self.lookup_choices}
        if not offered.issuperset(map(str, self.lookup_val or ())):
            return queryset.none()
        return super().queryset(request, queryset)


class ScopedLinks:
    """What admins and their inlines share: who may, and which records a link offers."""

    admin_site: Any
    view_permission: Permission
    edit_permission: Permission | None = None

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the linked records that exist for the person; any other is no choice."""
        related = self.admin_site.get_model_admin(db_field.remote_field.model)
        kwargs["queryset"] = related.get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person's role reads these records."""
        return can(person_of(request), self.view_permission)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person's role writes these records."""
        return self.edit_permission is not None and can(person_of(request), self.edit_permission)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person's role writes these records."""
        return self.edit_permission is not None and can(person_of(request), self.edit_permission)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted."""
        return False


class ScopedAdmin(ScopedLinks, admin.ModelAdmin):
    """Records of one kind: those that exist for the person, written by the actions that pages and the API use too."""

    form: type[ScopedForm] = ScopedForm
    view_on_site = False
    show_full_result_count = False
    list_per_page = 50
    object_history_template = "admin/changes_of_record.html"
    related: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()  # set when a record is made, and never after
    # domain errors of the action, with words for the person where the error's own are not meant for people
    refusals: Mapping[type[Exception], Any] = {EditedMeanwhile: CHANGED_MEANWHILE}

    def visible_to(self, records: QuerySet, user: User) -> QuerySet:
        """The records that exist for the person."""
        return records.visible_to(user)  # type: ignore[attr-defined]

    def save_record(self, record: Any, *, version: int, by: User, form: Any) -> None:
        """Save by the action of this kind of record."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """All that lists, forms, links and autocomplete ever see."""
        return self.visible_to(super().get_queryset(request), person_of(request)).select_related(*self.related)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The record of an address; absent where it is out of scope. Whose role reads none is told nothing of any."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = super().get_object(request, object_id, from_field)
        if record is None:
            raise Http404
        return record

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whether an address may filter by this: only what the list's own filters write there."""
        filters: Any = self.get_list_filter(request)
        offered = [entry if isinstance(entry, str) else entry[0] for entry in filters]
        return any(lookup in self._written_by_filter(name) for name in offered)

    def _written_by_filter(self, name: str) -> tuple[str, ...]:
        field: Any = get_fields_from_path(self.model, name)[-1]
        if field.is_relation:
            return f"{name}__{field.target_field.name}__exact", f"{name}__isnull"
        return name, f"{name}__exact", f"{name}__isnull"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may write this record, or such records at all."""
        may = super().has_change_permission(request, obj)
        if not may or obj is None or not hasattr(self.model._default_manager.all(), "writable_by"):
            return may
        return self.model._default_manager.all().writable_by(request.user).filter(pk=obj.pk).exists()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the person finds these records on the front page."""
        return self.has_view_permission(request)

    def get_list_display(self, request: HttpRequest) -> list:
        """The columns, exact figures in people's units, people only where they exist for the person."""
        seen = cache(lambda: set(User.objects.visible_to(person_of(request)).values_list("pk", flat=True)))
        return [self._column(name, seen) for name in super().get_list_display(request)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list:
        """What stays as it was once the record is there."""
        return [*super().get_readonly_fields(request, obj), *(self.fixed if obj else ())]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list:
        """The fields, without fixed links to records that do not exist for the person; others show as empty."""
        names = list(super().get_fields(request, obj))
        return [name for name in names if not self._leads_out(name, obj, request) or self._may_be_empty(name)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list:
        """One group of fields; a form carries the version that was read."""
        names = self.get_fields(request, obj)
        may_save = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not may_save:
            unseen = {name for name in names if self._leads_out(name, obj, request)}
            shown = [nothing(self.model, name) if name in unseen else exact(self.model, name) for name in names]
            return [(None, {"fields": shown})]
        return [(None, {"fields": [*names, *(name for name in _HIDDEN if name in self.form.declared_fields)]})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, with what the action refused when this request tried to save."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", "")
        form.unseen = tuple(name for name in form.base_fields if self._leads_out(name, obj, request))
        return form

    def changeform_view(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or save; a refusal of the action undoes all of it and comes back as the form's error."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except tuple(self.refusals) as refusal:
            request.refusal = self.refusals[type(refusal)] or str(refusal)
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save by the action."""
        self.save_record(obj, version=form.cleaned_data.get("read_version", 0), by=person_of(request), form=form)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The record's rows of the change log; Django's own log is not kept."""
        record = self.get_object(request, unquote(object_id))
        changes = changes_of(record, person_of(request))
        return super().history_view(request, object_id, {"changes": changes, **(extra_context or {})})

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The action has written the change log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The action has written the change log."""

    def _column(self, name: Any, seen: Callable[[], set[int]]) -> Any:
        field = next((field for field in self.model._meta.concrete_fields if field.name == name), None)
        if not (isinstance(field, ForeignKey) and field.related_model is User):
            return exact(self.model, name)

        @admin.display(description=field.verbose_name)  # a list sorted by it would tell of people out of sight
        def shown(record: Model) -> User | None:
            return getattr(record, name) if getattr(record, field.attname) in seen() else None

        return shown

    def _may_be_empty(self, name: Any) -> bool:
        return self.model._meta.get_field(name).null and name not in self.fixed

    def _leads_out(self, name: Any, record: Any, request: HttpRequest) -> bool:
        field = next((field for field in self.model._meta.concrete_fields if field.name == name), None)
        if record is None or not isinstance(field, ForeignKey) or (linked := getattr(record, field.attname)) is None:
            return False
        related = self.admin_site.get_model_admin(field.remote_field.model)
        return not related.get_queryset(request).filter(pk=linked).exists()


class ReadOnlyAdmin(ScopedAdmin):
    """Records that only the product itself writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits one by hand."""
        return False
