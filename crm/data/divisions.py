"""The shipped administrative divisions: province, prefecture, county (README.md names their source)."""

from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).with_name("divisions.tsv")


def read_divisions() -> Iterator[tuple[str, str, str | None]]:
    """Each division's code, name and parent's code, parents first."""
    for row in FILE.read_text(encoding="utf-8").splitlines():
        code, name = row.split("\t")
        yield code, name, parent_of(code)


def parent_of(code: str) -> str | None:
    """The code of the division above; None for a province."""
    if code.endswith("0000"):
        return None
    return code[:2] + "0000" if code.endswith("00") else code[:4] + "00"
