import pytest

from scripts import check_translations, messages
from scripts.check_translations import problems
from tests.scripts.conftest import translate


def test_a_finished_catalogue_passes(project, capsys):
    assert check_translations.main(project) == 0


def test_a_string_that_nobody_collected_is_named(project, capsys):
    (project / "templates/page.html").write_text('{% translate "Score" %}')
    assert check_translations.main(project) == 1
    assert "templates/page.html: 'Score' is not in the catalogue" in capsys.readouterr().out


def test_a_string_without_translation_is_named(project):
    (project / "templates/page.html").write_text('{% translate "Score" %}')
    messages.main(project)
    assert problems(project) == ["templates/page.html: 'Score' has no translation"]


def test_a_fuzzy_translation_is_named(project):
    path = project / messages.CATALOG
    path.write_text(path.read_text().replace('msgid "Grade"', '#, fuzzy\nmsgid "Grade"'))
    assert problems(project) == ["shop/texts.py: 'Grade' is marked fuzzy"]


@pytest.mark.parametrize("translation", ["%(name)s 的等级", "{} 的等级", "等级"])
def test_other_placeholders_are_named(project, translation):
    (project / "shop/texts.py").write_text('title = _("Grade of {name}")\n')
    messages.main(project)
    translate(project, "Grade of {name}", translation)
    assert problems(project) == ["shop/texts.py: 'Grade of {name}' has other placeholders than its translation"]


def test_a_string_that_stands_there_twice_is_named(project):
    path = project / messages.CATALOG
    path.write_text(path.read_text() + '\nmsgid "Grade"\nmsgstr "级别"\n')
    assert problems(project) == [f"{messages.CATALOG}: 'Grade' stands there 2 times"]
