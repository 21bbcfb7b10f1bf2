"""What the content security policy, the image build and the licences ask of templates and static files."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STATIC = settings.BASE_DIR / "static"
VENDOR = STATIC / "vendor"
SPRITE = (STATIC / "img/icons.svg").read_text()

COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}", re.DOTALL)


def markup(path: Path) -> str:
    return COMMENT.sub("", path.read_text())


def name_of(path: Path) -> str:
    return path.relative_to(settings.BASE_DIR).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_has_nothing_that_the_policy_refuses(path):
    html = markup(path)
    assert not re.search(r"""\s(style|on[a-z]+)=["']""", html)
    assert "<style" not in html
    assert "javascript:" not in html
    assert not re.search(r"""(src|href)=["']data:""", html)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_icon_is_in_the_sprite(path):
    used = re.findall(r'(?:{% icon |icon=)"([\w-]+)"', path.read_text())
    assert [name for name in used if f'id="{name}"' not in SPRITE] == []


def test_our_style_sheet_draws_nothing_from_a_data_address():
    assert [path.name for path in STATIC.rglob("*.css") if re.search(r"url\(\s*[\"']?data:", path.read_text())] == []


def test_no_vendored_file_asks_for_a_source_map():
    files = [*VENDOR.rglob("*.js"), *VENDOR.rglob("*.css")]
    assert files
    assert [path.name for path in files if "sourceMappingURL" in path.read_text()] == []


@pytest.mark.parametrize("folder", [path for path in VENDOR.iterdir() if path.is_dir()], ids=lambda path: path.name)
def test_a_vendored_package_has_its_licence_and_its_line_in_the_table(folder):
    assert (folder / "LICENSE").exists()
    assert f"`{folder.name}/`" in (VENDOR / "README.md").read_text()
