"""Form fields as controls."""

from django import forms

from crm.templatetags.controls import control, is_checkbox


class Sample(forms.Form):
    name = forms.CharField(label="Name", widget=forms.TextInput(attrs={"placeholder": "Name"}))
    margin = forms.DecimalField(widget=forms.TextInput(attrs={"class": "wide"}))
    kind = forms.ChoiceField(choices=[("a", "A")])
    fits = forms.BooleanField()


def test_a_text_field_is_a_form_control():
    assert 'class="form-control"' in control(Sample()["name"])


def test_a_figure_stands_right_and_keeps_its_own_class():
    assert 'class="form-control wide num"' in control(Sample()["margin"])


def test_a_choice_is_a_form_select():
    assert 'class="form-select"' in control(Sample()["kind"])


def test_a_placeholder_does_not_repeat_the_label():
    assert 'placeholder="Name"' not in control(Sample()["name"])


def test_only_a_yes_or_no_has_its_label_behind():
    assert is_checkbox(Sample()["fits"])
    assert not is_checkbox(Sample()["name"])
