import gettext

from scripts import compile_translations, messages


def test_it_compiles_what_gettext_reads(project):
    with (project / messages.CATALOG).with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Grade") == "等级"


def test_check_passes_when_all_is_current(project, capsys):
    assert compile_translations.main(["--check"], project) == 0
    assert capsys.readouterr().out == ""


def test_check_names_what_is_out_of_date_and_changes_nothing(project, capsys):
    path = project / messages.CATALOG
    path.write_text(path.read_text().replace("等级", "级别"))
    before = path.with_suffix(".mo").read_bytes()
    assert compile_translations.main(["--check"], project) == 1
    assert "django.mo is older than its .po" in capsys.readouterr().out
    assert path.with_suffix(".mo").read_bytes() == before
