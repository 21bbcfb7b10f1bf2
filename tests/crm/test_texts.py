"""Which signs a text may hold, and that it is otherwise kept as it is written."""

import pytest
from django.core.exceptions import ValidationError
from django.forms import modelform_factory

from crm.lib.texts import refuse_unkept_signs
from crm.models import Contact, Customer


@pytest.mark.parametrize(
    "written", ["", "名字", " spaces around ", "a\r\nb\tc", "👩‍👩‍👧", "e\u0301", "\u202etxt", "\ufeff", "＝1", "𠮷"]
)
def test_every_text_of_people_is_kept(written):
    refuse_unkept_signs(written)


@pytest.mark.parametrize(
    "sign", ["\x00", "\x01", "\x0b", "\x1b", "\x7f", "\x85", "\ud800", "\udfff", "\ufffe", "\uffff"]
)
def test_a_sign_that_not_everything_can_hold_is_refused_by_its_place(sign):
    with pytest.raises(ValidationError) as refused:
        refuse_unkept_signs(f"ab{sign}")
    assert refused.value.messages == [f"Character 3 (U+{ord(sign):04X}) is a control character: delete it."]


def test_a_model_refuses_it_in_its_texts():
    with pytest.raises(ValidationError) as refused:
        Customer(name="杭州\x01", code="K1", note="a\x00").clean_fields(exclude={"region"})
    assert set(refused.value.message_dict) >= {"name", "note"}


def test_spaces_alone_are_no_name():
    with pytest.raises(ValidationError) as refused:
        Contact(name=" 　").clean_fields(exclude={"customer"})
    assert set(refused.value.message_dict) == {"name"}


def test_a_form_strips_nothing():
    form = modelform_factory(Contact, fields=["name", "note"])({"name": " 张三 ", "note": "\n x \n"})
    assert form.is_valid()
    assert form.cleaned_data == {"name": " 张三 ", "note": "\n x \n"}
