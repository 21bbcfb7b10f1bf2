"""Form fields drawn as Tabler controls; used by `_includes/form_field.html` only."""

from django import forms, template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()

NUMERIC = (forms.IntegerField, forms.FloatField, forms.DecimalField)
CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "choice-list"),
    (forms.RadioSelect, "choice-list"),
    (forms.CheckboxInput, "form-check-input"),
    (forms.Select, "form-select"),
)


@register.filter
def control(field: BoundField) -> SafeString:
    """The field's widget with the class of its kind beside the classes the form gave it."""
    kind = next((name for widget, name in CLASSES if isinstance(field.field.widget, widget)), "form-control")
    names = [kind, field.field.widget.attrs.get("class", "")]
    if isinstance(field.field, NUMERIC) and kind == "form-control":
        names.append("num")
    attrs: dict[str, str | bool] = {"class": " ".join(filter(None, names))}
    if str(field.field.widget.attrs.get("placeholder", "")) == str(field.label):
        attrs["placeholder"] = ""  # says the label again
    return field.as_widget(attrs=attrs)


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Whether the field is a single yes or no: its label stands behind the box."""
    return isinstance(field.field.widget, forms.CheckboxInput)
