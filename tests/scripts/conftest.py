"""A small project with one translated page, in a folder of its own."""

from pathlib import Path

import pytest

from scripts import compile_translations, messages


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/texts.py").write_text('title = _("Grade")\n')
    (tmp_path / "templates").mkdir()
    messages.main(tmp_path)
    translate(tmp_path, "Grade", "等级")
    compile_translations.main([], tmp_path)
    return tmp_path


def translate(project: Path, text: str, translation: str) -> None:
    """Fill in one translation, as a person would."""
    path = project / messages.CATALOG
    empty = f'msgid "{text}"\nmsgstr ""'
    assert empty in path.read_text()
    path.write_text(path.read_text().replace(empty, f'msgid "{text}"\nmsgstr "{translation}"'))
