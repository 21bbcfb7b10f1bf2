import polib

from scripts import messages
from scripts.messages import Message, in_python, in_template


def texts(project) -> dict[str, str]:
    catalog = polib.pofile(str(project / messages.CATALOG))
    return {entry.msgid: entry.msgstr for entry in catalog if not entry.obsolete}


def test_it_finds_every_kind_of_marker_in_python():
    source = """
a = _("one " "line")
b = ngettext("%(n)s day", "%(n)s days", n)
c = translation.pgettext("month", "May")
d = npgettext_lazy("row", "line", "lines", "n")
"""
    assert list(in_python(source)) == [
        Message("one line", "", None),
        Message("%(n)s day", "%(n)s days", None),
        Message("May", "", "month"),
        Message("line", "lines", "row"),
    ]


def test_it_leaves_out_what_is_not_a_literal():
    assert list(in_python('a = _(name)\nb = _(f"{name}")\nc = print("x")\nd = _("")')) == []


def test_it_finds_every_kind_of_marker_in_templates():
    source = """
{% translate "Hello (all)" %} {{ name|default:_("nobody") }} {% translate "May" context "month" %}
{% blocktranslate count n=rows|length trimmed %}
  one row, 100%
{% plural %}
  {{ n }} 'rows'
{% endblocktranslate %} gettext("plain text")
"""
    assert list(in_template(source)) == [
        Message("Hello (all)", "", None),
        Message("nobody", "", None),
        Message("May", "", "month"),
        Message("one row, 100%%", "%(n)s 'rows'", None),
    ]


def test_it_adds_new_strings_and_keeps_translations(project):
    (project / "templates/page.html").write_text('{% translate "Score" %}{% translate "Grade" %}')
    messages.main(project)
    assert texts(project) == {"Grade": "等级", "Score": ""}


def test_a_string_that_comes_back_gets_its_translation_back(project):
    source = (project / "shop/texts.py").read_text()
    (project / "shop/texts.py").write_text("")
    messages.main(project)
    assert texts(project) == {}
    (project / "shop/texts.py").write_text(source)
    messages.main(project)
    assert texts(project) == {"Grade": "等级"}


def test_running_it_twice_changes_nothing(project):
    first = (project / messages.CATALOG).read_bytes()
    messages.main(project)
    assert (project / messages.CATALOG).read_bytes() == first


def test_translations_of_third_party_strings_stay(project):
    path = project / messages.CATALOG
    path.write_text(path.read_text() + '\n# third party: sign-in\nmsgid "Sign In"\nmsgstr "登录"\n')
    messages.main(project)
    assert texts(project) == {"Grade": "等级", "Sign In": "登录"}


def test_plural_strings_get_a_plural_entry(project):
    (project / "shop/texts.py").write_text('a = ngettext("%(n)s day", "%(n)s days", n)')
    messages.main(project)
    (entry,) = [entry for entry in polib.pofile(str(project / messages.CATALOG)) if not entry.obsolete]
    assert (entry.msgid_plural, entry.msgstr_plural, entry.flags) == ("%(n)s days", {0: ""}, ["python-format"])
