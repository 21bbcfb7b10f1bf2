"""Find every string marked for translation and bring the catalogue up to date with them.

    python -m scripts.messages

Reads Python by its syntax tree and templates through Django's own templatize, so that no program of gettext is needed
and `make messages` and `make check` always agree. Translations whose string has gone are kept as obsolete entries
and come back with the string. An entry whose comment says "third party" translates a dependency's string and stays.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import polib
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOG = Path("crm/locale/zh_Hans/LC_MESSAGES/django.po")
NOT_APPS = {"bench", "scripts", "tests"}
THIRD_PARTY = "third party"

# Function name -> which of its arguments are context, text and plural.
MARKERS = {
    "_": ("text",),
    "gettext": ("text",),
    "gettext_lazy": ("text",),
    "gettext_noop": ("text",),
    "ngettext": ("text", "plural"),
    "ngettext_lazy": ("text", "plural"),
    "pgettext": ("context", "text"),
    "pgettext_lazy": ("context", "text"),
    "npgettext": ("context", "text", "plural"),
    "npgettext_lazy": ("context", "text", "plural"),
}
TEMPLATE_CALL = re.compile(r"\b(n?p?gettext|_)\(")
METADATA = {
    "Project-Id-Version": "hengke",
    "Language": "zh_Hans",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}


class Message(NamedTuple):
    """A string to translate. Two strings that differ only in their plural are one entry of the catalogue."""

    text: str
    plural: str
    context: str | None

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.text


def in_call(call: ast.Call) -> Message | None:
    """The message that a call marks, if it is a marker with literal arguments."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    roles = MARKERS.get(name)
    if roles is None or len(call.args) < len(roles):
        return None
    constants = [argument.value for argument in call.args[: len(roles)] if isinstance(argument, ast.Constant)]
    values = [value for value in constants if isinstance(value, str)]
    if len(values) < len(roles):
        return None
    parts = dict(zip(roles, values, strict=True))
    return Message(parts["text"], parts.get("plural", ""), parts.get("context"))


def in_python(source: str) -> Iterator[Message]:
    """Messages of a Python file, in the order of its lines."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        message = in_call(call)
        if message and message.text:
            yield message


def in_template(source: str) -> Iterator[Message]:
    """Messages of a template. templatize leaves calls among filler, each on one line."""
    if not settings.configured:
        settings.configure()
    for line in templatize(source).splitlines():
        for match in TEMPLATE_CALL.finditer(line):
            yield from in_python(closed_call(line[match.start() :]))


def closed_call(text: str) -> str:
    """The shortest start of `text` that is a whole call."""
    for end in (match.end() for match in re.finditer(r"\)", text)):
        try:
            ast.parse(text[:end])
        except SyntaxError:
            continue
        return text[:end]
    return ""


def sources(root: Path) -> Iterator[Path]:
    """The files that may hold strings for users."""
    for package in sorted(root.glob("*/__init__.py")):
        if package.parent.name not in NOT_APPS:
            yield from (path for path in sorted(package.parent.rglob("*.py")) if "migrations" not in path.parts)
    for kind in ("*.html", "*.txt"):
        yield from sorted((root / "templates").rglob(kind))


def extract(root: Path = ROOT) -> dict[Message, list[str]]:
    """Every message with the files that hold it."""
    found: dict[Message, list[str]] = {}
    for path in sources(root):
        read = in_python if path.suffix == ".py" else in_template
        for message in read(path.read_text(encoding="utf-8")):
            files = found.setdefault(message, [])
            if path.relative_to(root).as_posix() not in files:
                files.append(path.relative_to(root).as_posix())
    return found


def known(entries: Iterable[polib.POEntry]) -> dict[tuple[str | None, str], polib.POEntry]:
    """The best entry for each string: a living one with text before any other."""
    best: dict[tuple[str | None, str], polib.POEntry] = {}
    for entry in sorted(entries, key=lambda entry: (bool(entry.msgstr or entry.msgstr_plural), not entry.obsolete)):
        best[entry.msgctxt, entry.msgid] = entry
    return best


def flags_for(message: Message) -> list[str]:
    """How the string is filled in, for editors of translations."""
    text = message.text + message.plural
    is_percent = re.search(r"%(\(\w+\))?[sd]", text)
    return ["python-format"] if is_percent else ["python-brace-format"] if re.search(r"\{\w+\}", text) else []


def entry_for(message: Message, files: list[str], old: polib.POEntry | None) -> polib.POEntry:
    """A catalogue entry for the message, with the translation it had."""
    entry = polib.POEntry(
        msgid=message.text,
        msgid_plural=message.plural,
        msgctxt=message.context,
        occurrences=[(file, "") for file in files],
        flags=flags_for(message) + (["fuzzy"] if old and old.fuzzy else []),
        tcomment=old.tcomment if old else "",
    )
    text = (old.msgstr or old.msgstr_plural.get(0, "")) if old else ""
    if message.plural:
        entry.msgstr_plural = {0: text}
    else:
        entry.msgstr = text
    return entry


def merge(found: dict[Message, list[str]], old: polib.POFile) -> polib.POFile:
    """A catalogue of the strings found, with the translations of the old one."""
    before = known(old)
    new = polib.POFile(wrapwidth=0)
    new.header = old.header
    new.metadata = METADATA
    wanted: dict[tuple[str | None, str], tuple[Message, list[str]]] = {}
    for message, files in found.items():
        wanted.setdefault(message.key, (message, files))
        if message.plural:
            wanted[message.key] = (message, files)
    new.extend(entry_for(message, files, before.pop(key, None)) for key, (message, files) in wanted.items())
    for entry in before.values():
        entry.obsolete = THIRD_PARTY not in entry.tcomment
        entry.occurrences = []
        if entry.msgstr or entry.msgstr_plural:
            new.append(entry)
    return new


def main(root: Path = ROOT) -> int:
    path = root / CATALOG
    old = polib.pofile(str(path)) if path.exists() else polib.POFile()
    new = merge(extract(root), old)
    path.parent.mkdir(parents=True, exist_ok=True)
    new.save(str(path))
    print(f"{CATALOG}: {len(new.translated_entries())} translated, {len(new.untranslated_entries())} to translate.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
