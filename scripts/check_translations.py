"""Fail where a string for users has no finished translation, and say which.

python -m scripts.check_translations
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polib

from scripts.messages import CATALOG, ROOT, Message, extract

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
SHOWN = 40


def placeholders(text: str) -> Counter[str]:
    return Counter(PLACEHOLDER.findall(text))


def problem_with(entry: polib.POEntry) -> str | None:
    """Why a catalogue entry cannot be used, or None."""
    text = entry.msgstr_plural.get(0, "") if entry.msgid_plural else entry.msgstr
    if not text:
        return "has no translation"
    if entry.fuzzy:
        return "is marked fuzzy"
    if placeholders(text).keys() != placeholders(entry.msgid_plural or entry.msgid).keys():
        return "has other placeholders than its translation"
    return None


def missing(found: dict[Message, list[str]], catalog: polib.POFile) -> Iterator[str]:
    """Strings in the source that the catalogue lacks."""
    held = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in catalog if not entry.obsolete}
    simple = {(context, text) for context, text, _ in held}
    for message, files in found.items():
        is_held = (message.context, message.text, message.plural) in held if message.plural else message.key in simple
        if not is_held:
            yield f"{files[0]}: {message.text!r} is not in the catalogue"


def problems(root: Path = ROOT) -> list[str]:
    """One line for each string that a user would see untranslated or broken."""
    path = root / CATALOG
    catalog = polib.pofile(str(path)) if path.exists() else polib.POFile()
    entries = [entry for entry in catalog if not entry.obsolete]
    keys = Counter((entry.msgctxt, entry.msgid) for entry in entries)
    lines = [f"{CATALOG}: {text!r} stands there {count} times" for (_, text), count in keys.items() if count > 1]
    for entry in entries:
        if problem := problem_with(entry):
            where = entry.occurrences[0][0] if entry.occurrences else CATALOG
            lines.append(f"{where}: {entry.msgid!r} {problem}")
    return lines + list(missing(extract(root), catalog))


def main(root: Path = ROOT) -> int:
    lines = problems(root)
    print("\n".join(lines[:SHOWN]))
    if lines:
        print(f"{len(lines)} strings to mend: `make messages`, translate in {CATALOG}, `make messages` again.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
